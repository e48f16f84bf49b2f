"""A relay by Shelly, on a program that speaks its RPC; and what else may answer there."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.actuators import KINDS, Timer
from postern.actuators.exchange import Exchange
from postern.actuators.shelly.config import Config
from postern.actuators.shelly.relay import ShellyRelay
from postern.address import Endpoint
from postern.core.errors import PosternError
from tests.actuators.bench import Notes, program, secret, spoil, until
from tests.actuators.shelly.bench import CHANNEL, PASSWORD


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """Where the device answers."""
    with program("plug.py", tmp_path):
        assert until((tmp_path / "port").exists)
        yield Endpoint("127.0.0.1", int((tmp_path / "port").read_text("utf-8")))


def relay(endpoint: Endpoint, password: str | None = None) -> ShellyRelay:
    """The device's relay."""
    return ShellyRelay(Exchange(endpoint, "/rpc"), CHANNEL, password)


def test_relay_is_switched_and_says_so(endpoint: Endpoint, tmp_path: Path) -> None:
    """What the device says is what its relay does."""
    notes, one = Notes(tmp_path / "relay"), relay(endpoint)
    for on in (True, False, True):
        one.switch(on)
        assert on is one.is_on() is notes.is_open()


def test_device_ends_its_pulse(endpoint: Endpoint, tmp_path: Path) -> None:
    """By its own timer, after the time that it was given."""
    notes = Notes(tmp_path / "relay")
    relay(endpoint).pulse(0.3)

    assert notes.is_open()
    assert until(lambda: not notes.is_open(), 2.0)
    assert ["ordered", "on", "off"] == notes.words()


def test_pulse_that_is_over_when_the_device_is_asked_is_done(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    """The network takes longer than the pulse."""
    notes = Notes(tmp_path / "relay")
    spoil(tmp_path, "slow")
    relay(endpoint).pulse(0.1)

    assert until(lambda: not notes.is_open())
    assert 1 == notes.driven()


def test_shortest_pulse_has_a_timer_all_the_same(endpoint: Endpoint, tmp_path: Path) -> None:
    """A timer of nothing could mean none."""
    relay(endpoint).pulse(0.001)

    assert until(lambda: not Notes(tmp_path / "relay").is_open(), 2.0)


def test_password_opens_and_no_other(endpoint: Endpoint, tmp_path: Path) -> None:
    """By RFC 7616 with SHA-256, as the device works it out itself; nothing tells the password."""
    secret(tmp_path / "password", PASSWORD)

    relay(endpoint, PASSWORD).pulse(0.1)
    for wrong, said in (("incorrect", "does not take the password"), (None, "asks for a password")):
        with pytest.raises(PosternError, match=said) as caught:
            relay(endpoint, wrong).switch(True)
        assert str(wrong) not in str(caught.value)
    assert 1 == Notes(tmp_path / "relay").driven()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("garbage", "answered something else"),
        ("other_id", "answered something else"),
        ("deep", "answered something else"),
        ("bytes", "answered something else"),
        ("list", "answered something else"),
        ("large", "answered with more than 16384 bytes"),
        ("moved", "answered with status 307"),
        ("busy", "answered with status 503"),
        ("not_http", "cannot be talked to"),
        ("failed", r"refused \(error -114\)"),
        ("drop", "cannot be talked to"),
        ("late", "did not answer in time"),
        ("drip", "did not answer in time"),
        ("reads_off", "was told to open, and does not say that it did"),
        ("no_timer", "opened without a timer, and was closed again"),
    ],
)
def test_answer_that_is_none_is_a_failure(
    endpoint: Endpoint, tmp_path: Path, fault: str, said: str
) -> None:
    """One sentence each."""
    spoil(tmp_path, fault)

    with pytest.raises(PosternError, match=rf"^The device at {endpoint} {said}.*\.$"):
        relay(endpoint).pulse(5.0)
    assert "followed" not in Notes(tmp_path / "relay").words()
    if fault == "no_timer":
        assert not Notes(tmp_path / "relay").is_open()


def test_challenge_without_end_is_not_read_to_its_end(endpoint: Endpoint, tmp_path: Path) -> None:
    """Attack: it comes before anybody has said who they are."""
    secret(tmp_path / "password", PASSWORD)
    spoil(tmp_path, "endless_challenge")

    with pytest.raises(PosternError, match="answered with more than 16384 bytes"):
        relay(endpoint, PASSWORD).is_on()


def test_redirect_is_not_followed(endpoint: Endpoint, tmp_path: Path) -> None:
    """Nor does the password go there."""
    spoil(tmp_path, "moved")
    with pytest.raises(PosternError, match="status 307"):
        relay(endpoint).is_on()
    assert [] == Notes(tmp_path / "relay").words()


def test_proxy_of_the_environment_is_not_used(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is none at that address."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert not relay(endpoint).is_on()


def test_connection_goes_to_the_number_that_was_checked(endpoint: Endpoint) -> None:
    """The name is looked up once, by what was passed in; no other resolver knows it."""
    asked = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    named = Endpoint("relay.postern.invalid", endpoint.port)
    one = ShellyRelay(Exchange(named, "/rpc", resolve=resolve), CHANNEL, None)

    assert not one.is_on()
    assert ["relay.postern.invalid"] == asked


def test_attack_device_whose_name_leads_to_a_clouds_metadata(endpoint: Endpoint) -> None:
    """Nothing is connected to."""
    named = Endpoint("relay.postern.invalid", endpoint.port)
    exchange = Exchange(named, "/rpc", resolve=lambda _: ["127.0.0.1", "169.254.169.254"])

    with pytest.raises(PosternError, match="leads to an address of this link"):
        ShellyRelay(exchange, CHANNEL, None).is_on()


def test_nothing_is_logged_about_it(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """The library would, at the level info."""
    caplog.set_level(logging.DEBUG)
    relay(endpoint).is_on()

    assert [] == [r.name for r in caplog.records if r.name.startswith("http")]


def test_device_times_its_pulses() -> None:
    """As `postern check` says."""
    assert Timer.DEVICE is KINDS["shelly"].timer(Config("shelly.lan"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"address": "100.100.100.200"}, "No device answers at"),
        ({"address": "http://shelly"}, "An address is a name or a number"),
        ({"channel": -1}, "A channel is a number"),
        ({"channel": 100}, "A channel is a number"),
    ],
)
def test_configuration_that_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    """Before anything is reached for."""
    with pytest.raises(PosternError, match=said):
        Config(**{"address": "shelly.lan", **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "x" * 5000, "bell\a", "\udcff"])
def test_password_that_is_no_line_is_refused(tmp_path: Path, text: str) -> None:
    """At the start, without telling any of it."""
    file = tmp_path / "password"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    file.chmod(0o600)
    config = Config("127.0.0.1:9", 0, file)

    with pytest.raises(PosternError, match="has to hold") as caught:
        KINDS["shelly"].open(config, None, lambda *_: None)  # type: ignore[arg-type]
    assert not text.strip() or text.strip()[:3] not in str(caught.value)

"""A webhook on a receiver that checks signatures by itself; and what else may answer there."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postern.actuators import KINDS, Timer
from postern.actuators.exchange import Exchange
from postern.actuators.webhook.actuator import WebhookActuator
from postern.actuators.webhook.config import Config, check_near
from postern.actuators.webhook.signature import read_key, sign
from postern.address import Endpoint
from postern.core.errors import PosternError
from tests.actuators.bench import Bench, Notes, command, program, secret, spoil, until
from tests.actuators.webhook.bench import SECRET, webhook
from tests.clocks import MachineClock

SECRET_FILE = Path("secret")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A sound one."""
    with webhook("", tmp_path) as bench:
        yield bench


def asked(folder: Path) -> dict[str, Any]:
    """What the receiver was asked last."""
    return dict(json.loads((folder / "asked").read_text("utf-8")))


def test_receiver_is_told_what_to_open_and_for_how_long(bench: Bench, tmp_path: Path) -> None:
    """And nothing about anybody."""
    assert bench.actuator.pulse(command("c-1", 1.5)).done
    last = asked(tmp_path)

    assert {"command": "c-1", "access_point": "door", "hold_s": 1.5} == last["body"]
    assert "/gates/1?side=in" == last["path"]
    assert "c-1" == last["headers"]["webhook-id"]
    assert {
        "accept", "accept-encoding", "connection", "content-length", "content-type", "host",
        "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp",
    } == set(last["headers"])  # fmt: skip


def test_signature_is_as_others_make_it() -> None:
    """The message by which implementations of the specification are tried."""
    body = b'{"test": 2432232314}'
    headers = sign(read_key(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == headers["webhook-signature"]
    assert "1614265330" == headers["webhook-timestamp"]


def test_receiver_with_another_key_opens_nothing(bench: Bench, tmp_path: Path) -> None:
    """It says so with a status, which is a failure here."""
    (tmp_path / "secret").write_text("whsec_" + "A" * 32, "utf-8")
    report = bench.actuator.pulse(command())

    assert not report.done
    assert report.detail.endswith("answered with status 401.")
    assert 0 == bench.driven()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_status_of_success_is_done(bench: Bench, tmp_path: Path, status: int) -> None:
    """And well."""
    spoil(tmp_path, str(status))

    assert bench.actuator.pulse(command()).done
    assert [("ok", "The receiver took a command.")] == bench.told


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("300", "answered with status 300"),
        ("400", "answered with status 400"),
        ("404", "answered with status 404"),
        ("500", "answered with status 500"),
        ("moved", "answered with status 308"),
        ("large", "answered with more than 16384 bytes"),
        ("late", "did not answer in time"),
        ("drop", "cannot be talked to"),
        ("garbage", "cannot be talked to"),
    ],
)
def test_answer_that_is_none_is_a_failure(
    bench: Bench, tmp_path: Path, fault: str, said: str
) -> None:
    """One sentence each, told in red; the next that succeeds is told, too. Nothing is followed."""
    spoil(tmp_path, fault)
    report = bench.actuator.pulse(command("c-1"))

    assert not report.done
    assert said in report.detail
    assert "gates" not in report.detail
    spoil(tmp_path, "")
    assert bench.actuator.pulse(command("c-2")).done
    assert ["red", "ok"] == [state for state, _ in bench.told]
    assert "followed" not in Notes(tmp_path / "relay").words()


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Writes a key and a certificate for that name; gives what believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    secret(folder / "tls.pem", (private + pem).decode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem.decode())
    return context


@pytest.mark.parametrize(("name", "opens"), [("gate.postern.invalid", True), ("other", False)])
def test_certificate_has_to_be_the_names(tmp_path: Path, name: str, opens: bool) -> None:
    """The connection goes to the number that was checked, and the certificate is the name's."""
    secret(tmp_path / "secret", SECRET)
    trusted = certificate(tmp_path, "gate.postern.invalid")
    with program("receiver.py", tmp_path):
        assert until((tmp_path / "port").exists)
        endpoint = Endpoint(name, int((tmp_path / "port").read_text("utf-8")))
        exchange = Exchange(endpoint, "/", trusted, resolve=lambda _: ["127.0.0.1"])
        actuator = WebhookActuator(exchange, read_key(SECRET), MachineClock(), lambda *_: None)

        assert opens is actuator.pulse(command()).done
        assert int(opens) == Notes(tmp_path / "relay").driven()


def test_certificate_of_nobody_is_not_believed(tmp_path: Path) -> None:
    """By the kind as it is configured: only the usual authorities and the system's own."""
    file = secret(tmp_path / "secret", SECRET)
    certificate(tmp_path, "localhost")
    with program("receiver.py", tmp_path):
        assert until((tmp_path / "port").exists)
        port = (tmp_path / "port").read_text("utf-8")
        config = Config(f"https://localhost:{port}/", file)
        actuator = KINDS["webhook"].open(config, MachineClock(), lambda *_: None)

        assert not actuator.pulse(command()).done
        assert 0 == Notes(tmp_path / "relay").driven()


def test_attack_plain_name_that_leads_away_from_the_private_network() -> None:
    """What is not encrypted does not leave it."""
    endpoint = Config("http://gate.postern.invalid/", SECRET_FILE).endpoint
    exchange = Exchange(
        endpoint, "/", None, lambda at: check_near(at.number), lambda _: ["8.8.8.8"]
    )
    with pytest.raises(PosternError, match="Plain http:// goes to this machine"):
        exchange.post(b"{}", {}, 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "https://gate.example/open", "https://gate.example", "https://gate.example:8443/a?b=c",
        "https://192.0.2.7/", "http://127.0.0.1:8000/open", "http://192.168.1.20/open",
        "http://[fd12::1]/", "http://gate.lan/open",
    ],
)  # fmt: skip
def test_address_of_a_receiver_is_taken(url: str) -> None:
    """With TLS anywhere, without it near by."""
    assert url == Config(url, SECRET_FILE).url


@pytest.mark.parametrize(
    "url",
    [
        "", "gate.example", "ftp://gate.example/", "https://", "https:///open", "//gate.example/",
        "https://me:pw@gate.example/", "https://gate.example/#open", "https://gate.example:0/",
        "https://gate.example:99999/", "https://gate.example/a b", "https://gate.example/\n",
        "https://[::1/", "http://8.8.8.8/", "http://[2a00:1450::1]/", "http://[::ffff:8.8.8.8]/",
        "https://169.254.169.254/", "http://0x7f.1/", "https://2130706433/",
        "https://[fe80::1]/", "https://g\u00e4te.example/", "https://gate.example/" + "a" * 2048,
    ],
)  # fmt: skip
def test_address_of_no_receiver_is_refused(url: str) -> None:
    """One sentence of our own."""
    with pytest.raises(PosternError):
        Config(url, SECRET_FILE)


@pytest.mark.parametrize(
    "text", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_MfKQ", "whsec_" + "A" * 88,
             "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
)  # fmt: skip
def test_secret_that_is_none_is_refused(text: str) -> None:
    """Too short, too long, of another kind; none of it is told."""
    with pytest.raises(PosternError, match="24 to 64 bytes in Base64") as caught:
        read_key(text)
    assert len(text) < 8 or text[6:] not in str(caught.value)


def test_receiver_times_the_pulse() -> None:
    """As `postern check` says."""
    assert Timer.DEVICE is KINDS["webhook"].timer(Config("https://gate.example/", SECRET_FILE))

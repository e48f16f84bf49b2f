"""Slowing down whoever guesses."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from postern.app.signin.throttle import LONGEST_S, Sources, network, wait_s
from postern.app.wire.reception import reception
from postern.web.problem import RefusedError
from tests.app.signin.front_desk import GUSS, HERE, MARIAS, NOBODYS, ORIGIN, THERE, FrontDesk
from tests.clocks import SteppedClock


def tried(front: FrontDesk, name: str, password: str, source: str = "") -> str:
    """What came of a try to sign in: the problem, or nothing."""
    try:
        front.reception.sign_in.by_password(name, password, source)
    except RefusedError as error:
        return error.kind
    return ""


def test_five_failures_cost_nothing_and_then_it_doubles() -> None:
    """Up to a quarter of an hour."""
    waits = [wait_s(failures) for failures in (0, 4, 5, 6, 7, 14, 15, 10**9)]

    assert [0, 0, 1, 2, 4, 512, 900, 900] == waits


@pytest.mark.parametrize("name", ["maria", "nobody", "", "x" * 5000, "a\ud800b"])
def test_attack_guessing_is_slowed_down_for_every_name_alike(front: FrontDesk, name: str) -> None:
    """Also where nobody has it; whoever waits gets another try, and what waits is not computed."""
    heard = [tried(front, name, NOBODYS) for _ in range(7)]
    assert ["wrong"] * 5 + ["too-many-tries"] * 2 == heard
    assert 5 == len(front.hasher.compared)
    front.clock.advance(1.0)
    assert ["wrong", "too-many-tries"] == [tried(front, name, NOBODYS) for _ in range(2)]
    front.clock.advance(1.9)
    assert "too-many-tries" == tried(front, name, NOBODYS)
    front.clock.advance(0.1)
    assert "wrong" == tried(front, name, NOBODYS)


def test_attack_many_guesses_at_once_are_no_more_than_in_a_row(front: FrontDesk) -> None:
    """From as many sources: a guess is counted before it is looked at."""
    with ThreadPoolExecutor(12) as pool:
        sources = [f"192.0.2.{number}" for number in range(12)]
        heard = list(pool.map(lambda source: tried(front, "maria", NOBODYS, source), sources))

    assert (5, 7) == (heard.count("wrong"), heard.count("too-many-tries"))
    assert 5 == len(front.hasher.compared)


def test_attack_nobody_is_locked_out_for_good(front: FrontDesk) -> None:
    """After years of guesses the right password counts within a quarter of an hour."""
    for _ in range(40):
        tried(front, "maria", NOBODYS)
        front.clock.advance(LONGEST_S)
    assert "wrong" == tried(front, "maria", NOBODYS)
    assert "too-many-tries" == tried(front, "maria", MARIAS)
    front.clock.advance(LONGEST_S)
    assert "" == tried(front, "maria", MARIAS)
    assert ["wrong"] * 5 == [tried(front, "maria", NOBODYS) for _ in range(5)]


def test_others_are_not_slowed_down(front: FrontDesk) -> None:
    """By guesses at Maria's."""
    for _ in range(6):
        tried(front, "maria", NOBODYS, HERE)

    assert "" == tried(front, "gus", GUSS, THERE)


def test_attack_one_source_that_guesses_at_many_names(front: FrontDesk) -> None:
    """It is slowed down whatever the name, and others are not."""
    heard = [tried(front, f"name{number}", NOBODYS, HERE) for number in range(6)]

    assert ["wrong"] * 5 + ["too-many-tries"] == heard
    assert "too-many-tries" == tried(front, "gus", GUSS, HERE)
    assert "" == tried(front, "gus", GUSS, THERE)


def test_attack_signing_in_between_guesses_does_not_help(front: FrontDesk) -> None:
    """Whoever has a password of their own may not guess at others'."""
    heard = []
    for number in range(6):
        heard.append(tried(front, f"name{number}", NOBODYS, HERE))
        tried(front, "gus", GUSS, HERE)

    assert ["wrong"] * 5 + ["too-many-tries"] == heard


def test_counts_of_names_outlive_the_server(front: FrontDesk) -> None:
    """They are in the store, and names are not: only this site can tell whose they are."""
    for _ in range(5):
        tried(front, "maria", NOBODYS)
        tried(front, "my secret password", NOBODYS)
    again = reception(front.desk, ORIGIN, front.hasher)
    content = b"".join(path.read_bytes() for path in front.folder.iterdir())

    assert b"gus" in content
    assert b"my secret password" not in content
    with pytest.raises(RefusedError) as refused:
        again.sign_in.by_password("maria", MARIAS, HERE)
    assert 429 == refused.value.status


def test_block_of_a_user_is_an_event_and_says_no_more_than_that(front: FrontDesk) -> None:
    """Of a name that nobody has, not even which: it may be a password."""
    maria = front.reception.office.users.named("maria")
    for name in ("maria", "my secret password"):
        for _ in range(6):
            tried(front, name, NOBODYS)

    blocked = ("sign-in blocked", maria.id, "sign-in"), ("sign-in blocked", "", "sign-in")
    assert list(blocked) == front.told()
    assert "secret" not in repr(front.notebook.events)


def test_source_is_a_network() -> None:
    """Somebody with IPv6 has as many addresses as they like."""
    assert network("2001:db8::1") == network("2001:db8:0:0:ffff::2") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("192.0.2.2")


def test_attack_sources_beyond_number_use_up_no_memory() -> None:
    """Those that were quiet for longest are forgotten first."""
    sources, clock = Sources(), SteppedClock()
    for _ in range(5):
        sources.begin("192.0.2.1", clock.now())
    for number in range(9000):
        sources.begin(f"2001:db8:{number:x}::1", clock.now())

    assert 4096 == len(sources._kept)


def test_source_begins_anew_after_an_hour() -> None:
    """Addresses are given to others."""
    sources, clock = Sources(), SteppedClock()
    for _ in range(5):
        sources.begin(HERE, clock.now())
    with pytest.raises(RefusedError) as refused:
        sources.begin(HERE, clock.now())
    assert (429, 1) == (refused.value.status, refused.value.retry_s)
    clock.advance(3601.0)
    for _ in range(5):
        sources.begin(HERE, clock.now())


def test_calendar_that_is_set_back_blocks_nobody_for_as_long(front: FrontDesk) -> None:
    """It gives one try, and what was counted stays."""
    for _ in range(6):
        tried(front, "maria", NOBODYS)
    front.clock.advance(-365 * 86400.0)

    assert ["wrong", "too-many-tries"] == [tried(front, "maria", NOBODYS) for _ in range(2)]
    front.clock.advance(2.0)
    assert "" == tried(front, "maria", MARIAS)

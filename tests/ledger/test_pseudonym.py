"""Pseudonyms: who an event is about, for a month, for those who hold the key."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.alarm import Alarm
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import (
    Acted,
    Alarmed,
    By,
    Changed,
    Consented,
    Decided,
    Enrolled,
    Erased,
    Event,
    Interrupted,
    Lifted,
    Ordered,
    Rekeyed,
    Released,
    Revoked,
    Viewed,
    Withdrawn,
)
from postern.core.ids import AttemptId, ConsentId, CredentialId, OrderId, PermitId
from postern.core.mode import Mode
from postern.event_text import decode, encode
from postern.ledger.pseudonym import Pseudonyms, month, reveal
from tests.people import ALICE, COUPE, DOOR, ERIN, NOW, VAN

NEXT = datetime(2026, 4, 1, tzinfo=UTC)
ATTEMPT = AttemptId("attempt-1")
CONSENT, CREDENTIAL, PERMIT = (
    ConsentId("consent-one"),
    CredentialId("face-one"),
    PermitId("permit-one"),
)
IDS = {str(one) for one in (ALICE, ERIN, VAN, COUPE, CONSENT, CREDENTIAL, PERMIT)}
EVENTS: tuple[Event, ...] = (
    Decided(NOW, DOOR.id, ATTEMPT, Reason.PERMITTED, PERMIT, (COUPE, ERIN), 3),
    Decided(NOW, DOOR.id, ATTEMPT, Reason.EXIT, None, (), 0),
    Released(NOW, DOOR.id, ATTEMPT, "guard", "a parcel"),
    Acted(NOW, DOOR.id, ATTEMPT, True, "opened"),
    Interrupted(NOW, DOOR.id, ATTEMPT),
    Ordered(NOW, OrderId("order-1"), Mode.LOCKDOWN, (DOOR.id,), "guard", "a threat", NOW),
    Lifted(NOW, OrderId("order-1"), "guard"),
    Alarmed(NOW, DOOR.id, Alarm.HELD_OPEN, over=True),
    Consented(NOW, CONSENT, ALICE, "v1"),
    Withdrawn(NOW, CONSENT, ALICE, By.PERSON),
    Erased(NOW, ALICE),
    Enrolled(NOW, CREDENTIAL, VAN),
    Revoked(NOW, CREDENTIAL, ALICE),
    Viewed(NOW, ALICE, "operator", "she asked"),
    Rekeyed(NOW, 2),
    Changed(NOW, "permit added", PERMIT, "operator"),
)


def hide(pseudonyms: Pseudonyms, event: Event) -> Event:
    (hidden,) = pseudonyms.hide([event])
    return hidden


def never(_month: str) -> bool:
    """What the journal of a month says that has no event."""
    return False


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return Pseudonyms(tmp_path, never)


def test_every_kind_of_event_is_tried() -> None:
    """A new kind of event must say what it has to hide."""
    assert set(get_args(Event)) == {type(event) for event in EVENTS}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_id_is_left_and_all_come_back(pseudonyms: Pseudonyms, event: Event) -> None:
    """The text has no id of anybody or anything; who knows the ids and has the key gets it all."""
    hidden = hide(pseudonyms, event)
    assert not [one for one in IDS if one in encode(hidden)]
    assert hidden == decode(encode(hidden))
    assert event == reveal(hidden, pseudonyms.names(NOW, IDS))
    assert replace(hidden, at=NOW).at == event.at


def test_pseudonym_says_what_sort_of_thing_it_is(pseudonyms: Pseudonyms) -> None:
    """Its beginning stays, so that a vehicle is still told from a person."""
    hidden = hide(pseudonyms, EVENTS[0])
    assert isinstance(hidden, Decided)
    vehicle, person = hidden.holders
    for name, begins in ((vehicle, "v-"), (person, "p-"), (hidden.permit or "", "permit-")):
        assert name.startswith(begins)
        assert 20 == len(name.removeprefix(begins))


def test_batch_over_two_months_has_the_keys_of_both(pseudonyms: Pseudonyms) -> None:
    """Every event is hidden with its own month's key."""
    events = [Erased(at, ALICE) for at in (NOW, NEXT, NOW)]
    assert [hide(pseudonyms, event) for event in events] == pseudonyms.hide(events)


def test_what_could_be_a_name_is_hidden_from_its_first_letter(pseudonyms: Pseudonyms) -> None:
    """Only known sorts stay; nothing stays nothing."""
    hidden = hide(pseudonyms, Changed(NOW, "permit added", "alice-weekdays", "cli"))
    assert "alice" not in encode(hidden)
    nothing = Changed(NOW, "store restored", "", "cli")
    assert nothing == hide(pseudonyms, nothing)


def test_same_id_has_one_pseudonym_a_month(tmp_path: Path) -> None:
    """Events of a month can be told to be about the same person, those of two months cannot."""
    one, other = Pseudonyms(tmp_path, never), Pseudonyms(tmp_path, never)
    march = [hide(each, Erased(NOW, ALICE)) for each in (one, other)]
    april = hide(one, Erased(NEXT, ALICE))
    assert march[0] == march[1]
    assert isinstance(march[0], Erased)
    assert isinstance(april, Erased)
    assert march[0].person != april.person
    assert hide(one, Erased(NOW, ERIN)) != march[0]


def test_other_site_has_other_pseudonyms(tmp_path: Path) -> None:
    """Nothing links a person's events at two sites."""
    sites = [Pseudonyms(tmp_path / name, never) for name in ("here", "there")]
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    assert hide(sites[0], Erased(NOW, ALICE)) != hide(sites[1], Erased(NOW, ALICE))


def test_key_is_for_this_user_only(pseudonyms: Pseudonyms, tmp_path: Path) -> None:
    """32 random bytes and their checksum, that nobody else may read."""
    hide(pseudonyms, Erased(NOW, ALICE))
    (path,) = tmp_path.glob("*.key")
    assert ("2026-03.key", 36) == (path.name, path.stat().st_size)
    assert 0o600 == path.stat().st_mode & 0o777


def test_expired_month_is_gone_for_good(pseudonyms: Pseudonyms, tmp_path: Path) -> None:
    """Without its key, nobody finds out who it was; the other months are untouched."""
    march, april = (hide(pseudonyms, Erased(at, ALICE)) for at in (NOW, NEXT))
    key = (tmp_path / "2026-03.key").read_bytes()
    pseudonyms.expire({month(NEXT)})

    assert {} == pseudonyms.names(NOW, IDS)
    assert march == reveal(march, pseudonyms.names(NOW, IDS))
    assert Erased(NEXT, ALICE) == reveal(april, pseudonyms.names(NEXT, IDS))
    assert not [p for p in tmp_path.iterdir() if key in p.read_bytes()]
    assert {"lock", "2026-04.key"} == {path.name for path in tmp_path.iterdir()}


def test_month_that_comes_again_has_a_new_key(pseudonyms: Pseudonyms) -> None:
    """A destroyed key never returns."""
    before = hide(pseudonyms, Erased(NOW, ALICE))
    pseudonyms.expire(set())
    assert before != hide(pseudonyms, Erased(NOW, ALICE))


def test_threads_that_begin_a_month_agree(tmp_path: Path) -> None:
    """Whoever comes first makes the key, and all have the same."""
    begin, found = Barrier(8), []

    def work() -> None:
        mine = Pseudonyms(tmp_path, never)
        begin.wait()
        found.append(hide(mine, Erased(NOW, ALICE)))

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[0]] * 8 == found


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33), bytes(36), bytes(37)], ids=len)
def test_key_of_another_length_is_refused(
    pseudonyms: Pseudonyms, tmp_path: Path, content: bytes
) -> None:
    """A damaged key is not replaced: its month could not be resolved any more."""
    (tmp_path / "2026-03.key").write_bytes(content)
    for call in _calls(pseudonyms):
        with pytest.raises(PosternError, match=r"2026-03\.key is damaged") as caught:
            call()
        assert Code.INVALID is caught.value.code
    assert content == (tmp_path / "2026-03.key").read_bytes()


def test_key_of_which_a_byte_was_altered_is_refused(pseudonyms: Pseudonyms, tmp_path: Path) -> None:
    """Attack: events of one month are made to lead to nobody, or to be of two people."""
    hide(pseudonyms, Erased(NOW, ALICE))
    hide(pseudonyms, Erased(NEXT, ALICE))
    path = tmp_path / "2026-03.key"
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in range(len(whole))]
    for content in (*damaged, (tmp_path / "2026-04.key").read_bytes()):
        path.write_bytes(content)
        for call in _calls(Pseudonyms(tmp_path, never)):
            with pytest.raises(PosternError, match=r"2026-03\.key is damaged"):
                call()
        assert content == path.read_bytes()


def test_key_without_a_checksum_is_still_read(pseudonyms: Pseudonyms, tmp_path: Path) -> None:
    """So were those of the first logs."""
    hidden = hide(pseudonyms, Erased(NOW, ALICE))
    path = tmp_path / "2026-03.key"
    path.write_bytes(path.read_bytes()[:32])
    assert hidden == hide(Pseudonyms(tmp_path, never), Erased(NOW, ALICE))


def test_lost_key_is_not_replaced(tmp_path: Path) -> None:
    """Attack: a key is removed, and the events of its month lead to nobody from then on."""
    with pytest.raises(PosternError, match=r"2026-03\.key is missing, and events of") as caught:
        hide(Pseudonyms(tmp_path, lambda month: month == "2026-03"), Erased(NOW, ALICE))
    assert Code.INVALID is caught.value.code
    assert [] == list(tmp_path.glob("*.key"))
    hide(Pseudonyms(tmp_path, lambda month: month == "2026-03"), Erased(NEXT, ALICE))


def test_key_that_cannot_be_read_or_made_is_one_sentence(tmp_path: Path) -> None:
    """The disk's failures are told, and nothing is recorded under an id meanwhile."""
    (tmp_path / "2026-03.key").mkdir()
    for call in _calls(Pseudonyms(tmp_path, never)):
        with pytest.raises(PosternError, match="cannot be read") as caught:
            call()
        assert Code.UNAVAILABLE is caught.value.code
    with pytest.raises(PosternError, match="cannot be written") as caught:
        hide(Pseudonyms(tmp_path / "missing", never), Erased(NOW, ALICE))
    assert Code.UNAVAILABLE is caught.value.code


def _calls(pseudonyms: Pseudonyms) -> Iterator[Callable[[], object]]:
    yield lambda: hide(pseudonyms, Erased(NOW, ALICE))
    yield lambda: pseudonyms.names(NOW, IDS)


@given(subject=st.text(max_size=30).filter(lambda text: text.isprintable()))
def test_any_subject_is_hidden_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory, subject: str
) -> None:
    """Whatever an operator changed."""
    pseudonyms = Pseudonyms(tmp_path_factory.mktemp("keys"), never)
    event = Changed(NOW, "changed", subject, "operator")
    hidden = hide(pseudonyms, event)
    assert isinstance(hidden, Changed)
    assert subject != hidden.subject or not subject
    assert event == reveal(hidden, pseudonyms.names(NOW, [subject]))

"""Ending consents: what they covered goes, once, whatever cuts it short."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from postern.app.withdrawal import Withdrawals
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.event import By, Event, Withdrawn
from postern.core.ids import ConsentId, CredentialId, EventId, PersonId
from tests.app.notebook import Notebook
from tests.app.sealed_site import MODES, SealedSite, make_site
from tests.people import ALICE, BOB, CAROL, DAY, NOW, consent


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture
def withdrawals(site: SealedSite) -> Withdrawals:
    return Withdrawals(site.store, Notebook(), site.vault.destroy)


class Failing(Notebook):
    """A ledger whose disk fails once: before it has kept the event, or after."""

    def __init__(self, *, kept: bool) -> None:
        super().__init__()
        self._kept, self._failed = kept, False

    def append(self, event: Event) -> EventId:
        if self._failed or self._kept:
            number = super().append(event)
        if not self._failed:
            self._failed = True
            raise PosternError(Code.UNAVAILABLE, "The disk is full.")
        return number


@pytest.mark.parametrize("person", MODES)
def test_withdrawal_destroys_the_reference_whoever_keeps_it(
    site: SealedSite, withdrawals: Withdrawals, person: PersonId
) -> None:
    """Roster, shared or pass: nothing opens it any more, and nobody else loses theirs."""
    assert site.recognised(person)
    kept = site.sealed(person)
    withdrawals.withdraw(consent(person).id, By.PERSON, NOW)

    with pytest.raises(PosternError, match="destroyed"):
        site.vault.open(kept)
    assert () == site.store.credentials.of(person)
    assert all(site.recognised(other) for other in MODES if other != person)
    assert [Withdrawn(NOW, consent(person).id, person, By.PERSON)] == _events(withdrawals)


@pytest.mark.parametrize("kept", [False, True])
def test_withdrawal_whose_event_fails_is_finished_by_the_next(
    site: SealedSite, withdrawals: Withdrawals, kept: bool
) -> None:
    """The keys are gone from the first moment; the event is never missing."""
    failing = replace(withdrawals, ledger=Failing(kept=kept))
    with pytest.raises(PosternError, match="full"):
        failing.withdraw(consent(ALICE).id, By.PERSON, NOW)
    assert (ALICE, CredentialId(f"face-of-{ALICE}")) not in site.vault.keyed()

    assert failing.withdraw(consent(ALICE).id, By.PERSON, NOW + DAY) is not None
    assert (1 + kept) * [consent(ALICE).id] == [event.consent for event in _events(failing)]
    assert () == site.store.credentials.of(ALICE)
    assert failing.withdraw(consent(ALICE).id, By.PERSON, NOW + DAY) is None
    assert 1 + kept == len(_events(failing))


def test_withdrawal_that_was_cut_after_the_keys_is_finished(
    site: SealedSite, withdrawals: Withdrawals
) -> None:
    """The process died; whoever does it again gets the rest done."""
    site.vault.destroy(CredentialId(f"face-of-{ALICE}"), ALICE)
    withdrawals.withdraw(consent(ALICE).id, By.OPERATOR, NOW)

    assert () == site.store.credentials.of(ALICE)
    assert NOW == site.store.consents.find(consent(ALICE).id).withdrawn


def test_everything_of_a_person_is_withdrawn_at_once(
    site: SealedSite, withdrawals: Withdrawals
) -> None:
    """In whatever way their references are kept, and what an earlier end has left over."""
    site.store.consents.add(replace(consent(ALICE, mode=StorageMode.PASS), id=ConsentId("another")))
    ended = withdrawals.withdraw_all(ALICE, By.OPERATOR, NOW)

    assert {consent(ALICE).id, "another"} == {one.id for one in ended}
    assert () == site.store.credentials.of(ALICE)
    assert () == withdrawals.withdraw_all(ALICE, By.OPERATOR, NOW)
    with pytest.raises(PosternError, match="no person"):
        withdrawals.withdraw_all(PersonId("p-nobody"), By.OPERATOR, NOW)


def test_what_runs_out_ends_once_and_a_text_goes_with_its_last_consent(
    site: SealedSite, withdrawals: Withdrawals
) -> None:
    """Nobody took anything back: the event says so, and says it once."""
    site.store.consent_texts.keep("v1", "en", "{}")
    withdrawals.lapse(NOW)
    assert [] == _events(withdrawals)
    late = NOW + 400 * DAY
    for _ in range(2):
        withdrawals.lapse(late)

    assert set(MODES) == {event.person for event in _events(withdrawals)}
    assert {By.EXPIRY} == {event.by for event in _events(withdrawals)}
    assert len(MODES) == len(_events(withdrawals))
    assert frozenset() == site.vault.keyed()
    assert site.store.consent_texts.find("v1", "en")
    for person in MODES:
        site.store.people.remove(person, site.vault.erase)
    withdrawals.lapse(late)
    assert site.store.consent_texts.find("v1", "en") is None


class Full(Notebook):
    """A ledger whose disk is full until there is room again."""

    room = False

    def append(self, event: Event) -> EventId:
        if not self.room:
            raise PosternError(Code.UNAVAILABLE, "The disk is full.")
        return super().append(event)


def test_full_disk_keeps_nobodys_reference_alive(site: SealedSite) -> None:
    """What ran out is destroyed, of everybody; the events come when there is room."""
    ledger, late = Full(), NOW + 400 * DAY
    withdrawals = Withdrawals(site.store, ledger, site.vault.destroy)
    with pytest.raises(PosternError, match="full"):
        withdrawals.lapse(late)
    assert frozenset() == site.vault.keyed()
    assert 0 == site.store.credentials.count_sealed()

    ledger.room = True
    for _ in range(2):
        withdrawals.lapse(late)
    assert sorted(MODES) == sorted(event.person for event in _events(withdrawals))


def test_references_that_nothing_covers_are_swept(
    site: SealedSite, withdrawals: Withdrawals
) -> None:
    """As a withdrawal leaves them that died between its record and its references."""
    with site.store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM consents WHERE person IN (?, ?)", (BOB, CAROL))
    withdrawals.lapse(NOW)

    assert {BOB, CAROL} == {p for p in MODES if not site.store.credentials.of(p)}
    assert {BOB, CAROL}.isdisjoint(owner for owner, _ in site.vault.keyed())


def _events(withdrawals: Withdrawals) -> list[Withdrawn]:
    assert isinstance(withdrawals.ledger, Notebook)
    return [event for event in withdrawals.ledger.events if isinstance(event, Withdrawn)]

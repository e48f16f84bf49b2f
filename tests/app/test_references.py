"""Everybody's references, and what each of them lacks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.app.references import reference_states
from postern.vault.standing import MEANING, Standing
from tests.app.sealed_site import MODEL, MODES, ROSTER, SealedSite, make_site
from tests.people import ALICE, BOB, CAROL, DAN, ERIN

OTHER_MODEL = "cd" * 32


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


def standings(site: SealedSite, embedder: str = MODEL) -> dict[str, Standing]:
    """How it stands with the one reference of everybody who has one."""
    states = reference_states(site.store, site.vault, embedder)
    assert {one: [MODES[one]] for one in states} == {
        person: [state.mode for state in found] for person, found in states.items()
    }
    return {person: found[0].standing for person, found in states.items()}


def test_all_are_ready(site: SealedSite) -> None:
    """In every mode, without a share or a pass being there."""
    assert dict.fromkeys(MODES, Standing.READY) == standings(site)


def test_a_change_of_the_model_asks_for_new_looks(site: SealedSite) -> None:
    """Of everybody, also of those who carry theirs on a pass."""
    assert dict.fromkeys(MODES, Standing.NEEDS_NEW_LOOKS) == standings(site, OTHER_MODEL)


def test_pass_from_before_its_model_was_kept_tells_when_it_is_shown(site: SealedSite) -> None:
    """Whoever has one is not asked for new looks on a guess."""
    with site.store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE credentials SET model = NULL")

    found = standings(site, OTHER_MODEL)
    assert Standing.READY is found[DAN]
    assert all(Standing.NEEDS_NEW_LOOKS is found[person] for person in (*ROSTER, BOB))


def test_what_was_destroyed_or_altered_is_told(site: SealedSite) -> None:
    """Each with a word of its own; whoever has no credential any more is not in the list."""
    site.vault.forget(CAROL)
    site.vault.destroy(site.carried.credential, DAN)
    (erin,) = (one for one in site.store.references.all() if one.person == ERIN)
    site.store.references.replace(erin, erin.blob[:-1] + bytes([erin.blob[-1] ^ 1]))
    site.store.people.remove(ALICE, site.vault.erase)

    assert {
        BOB: Standing.READY,
        CAROL: Standing.KEY_MISSING,
        DAN: Standing.KEY_MISSING,
        ERIN: Standing.ALTERED,
    } == standings(site)


def test_an_ended_epoch_is_told(site: SealedSite) -> None:
    """A row of the store from before a re-keying, put back by hand."""
    (before,) = (one for one in site.store.references.all() if one.person == ALICE)
    site.vault.destroy(site.carried.credential, DAN)
    site.vault.forget(BOB)
    site.rekey()
    (now,) = (one for one in site.store.references.all() if one.person == ALICE)
    site.store.references.replace(now, before.blob)

    found = standings(site)
    assert Standing.EPOCH_RETIRED is found[ALICE]
    assert Standing.EPOCH_RETIRED is found[BOB]
    assert Standing.READY is found[CAROL]


def test_every_standing_says_what_to_do() -> None:
    """In one sentence each."""
    assert set(Standing) == MEANING.keys()
    assert all(sentence.endswith(".") for sentence in MEANING.values())

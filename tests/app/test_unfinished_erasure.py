"""Erasures that were cut short after the keys went: finished by the service, told once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.app.erasure import finish_erasures
from postern.core.event import Erased
from tests.app.notebook import Notebook
from tests.app.sealed_site import MODES, SealedSite, make_site
from tests.people import ALICE, NOW


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


def test_whoever_was_half_erased_is_forgotten(site: SealedSite) -> None:
    """Name, consent and permit go; nobody else is touched, and it is an event once."""
    notebook = Notebook()
    site.vault.erase(ALICE)
    for _ in range(2):
        finish_erasures(site.store, site.vault, notebook, NOW)

    assert [Erased(NOW, ALICE)] == notebook.events
    assert set(MODES) - {ALICE} == {one.id for one in site.store.people.all()}
    assert ALICE not in site.store.permits.all()[0].holders
    assert all(site.recognised(person) for person in MODES if person != ALICE)


def test_a_withdrawal_is_no_erasure(site: SealedSite) -> None:
    """Whoever took their consent back is still known."""
    site.vault.forget(ALICE)
    finish_erasures(site.store, site.vault, Notebook(), NOW)

    assert ALICE in {one.id for one in site.store.people.all()}

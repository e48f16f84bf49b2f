"""An office that keeps no faces: a real store and vault, with passes for those who agreed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from postern.app.claims import SiteClaims
from postern.app.passes import IssuedPass, Passes, pass_seed
from postern.app.register import StoredRegister
from postern.core.access_point import AccessPoint
from postern.core.consent import StorageMode
from postern.core.decision import Reason
from postern.core.event import Event
from postern.core.ids import EventId, PersonId
from postern.engine.ports import Claim
from postern.frame import Template
from postern.store.store import Store, open_store
from postern.vault.vault import Vault, open_vault
from postern.vision.plates.match import PlateMatcher
from tests.people import ALICE, CAROL, DAY, DOOR, FACE, NOW, PASS, PERSONS, consent, moment, permit

#: The model that the office uses, and one of before.
EMBEDDER, OUTDATED = "ab" * 32, "cd" * 32
#: Alice's reference is on her pass, Carol's at the site, where it needs her token.
MODES = {ALICE: StorageMode.PASS, CAROL: StorageMode.SHARED}
ENDS = NOW + 300 * DAY


@dataclass
class Journal:
    """Keeps events in memory."""

    kept: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> EventId:
        self.kept.append(event)
        return EventId(str(len(self.kept) - 1))


@dataclass
class Office:
    """A site with its passes."""

    folder: Path
    store: Store
    vault: Vault
    journal: Journal
    passes: Passes
    trusted: bool = True

    @property
    def claims(self) -> SiteClaims:
        """What its doors ask."""
        register = StoredRegister(
            self.store, self.vault, PlateMatcher("m").reference, lambda _: self.trusted
        )
        return SiteClaims(register, self.store, self.vault, self.passes.reader(), EMBEDDER)

    def issue(
        self,
        person: PersonId,
        *,
        until: datetime = ENDS,
        now: datetime = NOW,
        model: str = EMBEDDER,
        mode: StorageMode | None = None,
    ) -> IssuedPass:
        """A pass for somebody."""
        template = Template(face(person), model, 3)
        return self.passes.issue(person, template, mode or MODES[person], until, now)

    def shown(
        self, text: str | bytes, *, days: float = 0.0, at: AccessPoint = DOOR
    ) -> Claim | Reason | None:
        """What becomes of a text that is held up so many days after now."""
        raw = text.encode() if isinstance(text, str) else text
        return self.claims.claim(at, raw, moment(timedelta(days=days).total_seconds()))


def face(person: PersonId) -> np.typing.NDArray[np.float32]:
    """A vector of somebody's that is nobody else's, of length 1."""
    vector = np.random.default_rng(list(person.encode())).normal(size=128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@contextmanager
def open_office(folder: Path, *, signing: bytes = bytes(range(32))) -> Iterator[Office]:
    """An office with Alice and Carol, who agreed and may come in; nobody has a pass yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_store(folder) as store:
        vault = open_vault(folder, store.credentials.count_sealed())
        if not store.people.all():
            _fill(store)
        journal = Journal()
        passes = Passes(store, vault, journal, pass_seed(signing))
        try:
            yield Office(folder, store, vault, journal, passes)
        finally:
            vault.close()


def _fill(store: Store) -> None:
    for person in PERSONS:
        if person.id in MODES:
            store.people.add(person)
            store.consents.add(replace(consent(person.id), mode=MODES[person.id]))
    store.permits.add(permit(*MODES, name="staff", factors=(PASS, FACE), liveness=False))

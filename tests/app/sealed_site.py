"""A site's store and vault with one reference in every mode, and what its tests ask of them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from postern.app.records import LEDGER, Records, log_origin
from postern.app.rekey import Rekeyed, rekey
from postern.app.withdrawal import Withdrawals
from postern.core.consent import StorageMode
from postern.core.evidence import Factor
from postern.core.ids import PersonId
from postern.frame import Template
from postern.ledger.log import Log, open_log
from postern.store.store import Store, open_store
from postern.vault.seal import Sealed
from postern.vault.vault import Vault, open_vault
from tests.clocks import SteppedClock
from tests.people import ALICE, BOB, CAROL, DAN, ERIN, NOW, PERSONS, consent, credential, permit

MODEL = "ab" * 32
SHARE = bytes(range(32))
ROSTER = (ALICE, CAROL, ERIN)
#: Bob's reference opens with his card only, Dan carries his on a pass.
MODES = dict.fromkeys(ROSTER, StorageMode.ROSTER) | {
    BOB: StorageMode.SHARED,
    DAN: StorageMode.PASS,
}


@dataclass
class SealedSite:
    """The site, and the pass that Dan has in his pocket."""

    folder: Path
    store: Store
    vault: Vault
    carried: Sealed
    log: Log

    def close(self) -> None:
        self.log.close()
        self.vault.close()
        self.store.close()

    @property
    def records(self) -> Records:
        return Records(self.log, self.store.events, self.store.ids)

    @property
    def withdrawals(self) -> Withdrawals:
        return Withdrawals(self.store, self.records, self.vault.destroy)

    def reopened(self) -> "SealedSite":
        """The same after a restart."""
        self.close()
        store = open_store(self.folder)
        vault = open_vault(self.folder, store.credentials.count_sealed())
        return SealedSite(self.folder, store, vault, self.carried, open_ledger(self.folder))

    def sealed(self, person: PersonId) -> Sealed:
        """What is kept of that person's face, here or on their pass."""
        if person == DAN:
            return self.carried
        (kept,) = (one for one in self.store.references.all() if one.person == person)
        return Sealed(kept.credential, kept.person, kept.blob)

    def recognised(self, person: PersonId) -> bool:
        """Whether that person's reference opens, with what they bring, and is theirs."""
        share = SHARE if MODES[person] is StorageMode.SHARED else None
        opened = self.vault.open(self.sealed(person), share).values.astype(np.float32)
        own = self.vault.rotate(face(person)).values.astype(np.float32)
        return bool(np.linalg.norm(opened - own) < 0.03)

    def rekey(self) -> Rekeyed:
        return rekey(self.store, self.vault, lambda _: None)


def make_site(folder: Path) -> SealedSite:
    """A site with Alice, Carol and Erin on the roster, Bob's card and Dan's pass."""
    store, vault = open_store(folder), open_vault(folder)
    carried: list[Sealed] = []
    for person in PERSONS:
        mode = MODES[person.id]
        store.people.add(person)
        store.consents.add(consent(person.id, mode=mode))
        name = replace(credential(Factor.FACE, person.id, mode=mode), model=MODEL)
        share = SHARE if mode is StorageMode.SHARED else None
        sealed = vault.seal(name.id, person.id, face(person.id), mode=mode, share=share)
        kept = None if mode is StorageMode.PASS else sealed.blob
        store.credentials.add(name, now=NOW, sealed=kept)
        if kept is None:
            carried.append(sealed)
    store.permits.add(permit(*MODES, name="staff"))
    return SealedSite(folder, store, vault, carried[0], open_ledger(folder))


def open_ledger(folder: Path) -> Log:
    """The site's log, beside its folder."""
    return open_log(ledger_of(folder), bytes(range(32)), log_origin(bytes(16)), SteppedClock())


def ledger_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-{LEDGER}")


def face(person: PersonId) -> Template:
    """A template that nobody else has and that is the same every time."""
    numbers = np.random.default_rng(list(person.encode())).normal(size=128) * 0.12
    return Template(numbers.astype(np.float32), MODEL, 3)

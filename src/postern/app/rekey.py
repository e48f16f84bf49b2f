"""Re-keying: every reference that the site can open by itself is sealed anew, in a new epoch.

1. A new key is durable before the new bytes are kept, and they are before the former key goes. So
   whenever it is cut off, each reference opens, and running it again goes on from there.
2. What was withdrawn or erased meanwhile does not come back.
3. Shared references wait for their holders' next visit, and those on passes for the next pass: only
   then can they be opened, or replaced. The epoch that they are from lives until its last key goes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from postern.app.duty import alone
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.store.credentials import KeptReference
from postern.store.store import Store
from postern.vault.seal import Sealed, read_header
from postern.vault.vault import Vault

REKEY_FILE = "rekey.lock"
_TAKEN = PosternError(
    Code.CONFLICT, "This site is being re-keyed already.", "Wait until that has finished."
)

#: Called with how many of how many references are done.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a re-keying did.

    Attributes:
        epoch: The present epoch.
        begun: Whether it has begun now; otherwise an earlier re-keying was finished.
        renewed: References that were sealed anew.
        lost: References that could not be opened; their people have to be enrolled again.
        shared: References that wait for their holders' next visit.
        passes: Keys of passes from earlier epochs.
        scrubbed: Whether the traces of former keys are overwritten; if not, another program was
            reading, and they go with the next key that is destroyed.
    """

    epoch: int
    begun: bool
    renewed: int
    lost: int
    shared: int
    passes: int
    scrubbed: bool


@contextmanager
def rekeying(folder: Path) -> Iterator[None]:
    """Keeps a second re-keying of the site in that folder away.

    Raises:
        PosternError: `conflict` where there is one; `unavailable`.
    """
    with alone(folder / REKEY_FILE, _TAKEN):
        yield


def rekey(
    store: Store, vault: Vault, began: Callable[[int], None], tell: Progress = lambda *_: None
) -> Rekeyed:
    """Seals every reference of the roster anew, in a new epoch; call it inside `rekeying`.

    Where an earlier re-keying was cut off, that one is finished and no other epoch begins.

    Args:
        store: Has the references.
        vault: Has the keys.
        began: Told the number of a new epoch before it begins; for the ledger.
        tell: Told how far it is.

    Raises:
        PosternError: `unavailable` where the store or the keys cannot be used now; call it again.
    """
    former, _ = vault.epoch()
    renewed, lost = _renew_all(store, vault, tell)
    begun = renewed == 0
    if begun:
        # Told first: an epoch of which the ledger does not know must not be.
        began(former + 1)
        vault.begin_epoch()
        renewed, lost = _renew_all(store, vault, tell)
    vault.prune(store.references.names(), former)
    return _summary(store, vault, Rekeyed(vault.epoch()[0], begun, renewed, lost, 0, 0, True))


def renew(store: Store, vault: Vault, reference: KeptReference, share: bytes | None = None) -> bool:
    """Seals one reference anew in the present epoch, if it is from an earlier one.

    For a shared one this is called at its holder's visit, when the share is there.

    Returns:
        False where it was replaced or destroyed meanwhile.

    Raises:
        PosternError: as `Vault.open`; the reference is then kept as it was.
    """
    sealed = Sealed(reference.credential, reference.person, reference.blob)
    anew = vault.reseal(sealed, share)
    if anew is not sealed and not store.references.replace(reference, anew.blob):
        return False
    vault.settle(anew)
    return True


def _renew_all(store: Store, vault: Vault, tell: Progress) -> tuple[int, int]:
    """How many references were sealed anew, and how many could not be opened."""
    present, _ = vault.epoch()
    roster = [one for one in store.references.all() if _mode(one) is not StorageMode.SHARED]
    renewed = lost = 0
    for done, reference in enumerate(roster, 1):
        try:
            late = read_header(reference.blob).epoch < present
            renewed += renew(store, vault, reference) and late
        except PosternError as error:
            if error.retry_helps:
                raise
            lost += 1
        tell(done, len(roster))
    return renewed, lost


def _summary(store: Store, vault: Vault, done: Rekeyed) -> Rekeyed:
    kept = store.references.all()
    shared = [one for one in kept if _mode(one) is StorageMode.SHARED]
    waiting = sum(read_header(one.blob).epoch < done.epoch for one in shared)
    here = {(one.person, one.credential) for one in kept}
    carried = len(vault.keyed(before=done.epoch) - here)
    try:
        vault.retire()
        scrubbed = store.references.scrub()
    except PosternError as error:
        if not error.retry_helps:
            raise
        scrubbed = False
    return replace(done, shared=waiting, passes=carried, scrubbed=scrubbed)


def _mode(reference: KeptReference) -> StorageMode | None:
    """Where a reference is kept; None where its bytes are damaged."""
    try:
        return read_header(reference.blob).mode
    except PosternError:
        return None

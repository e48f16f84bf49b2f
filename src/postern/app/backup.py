"""Backups of the store, without its keys, and putting one back.

1. A backup has neither keys nor events, and it is sealed by the site's key. Whoever finds it alone
   can read nothing of it but which site made it, in which epoch of its keys, and when.
2. What is put back is cleaned before it takes the store's place: whoever was erased since is
   removed, consents that were taken back since are ended, as the log tells, and references whose
   key is gone are dropped. Where the log does not tell why it is gone, their consent ends, too.
3. It takes the place of the store in one transaction: killed at any moment, there is the one or the
   other, never a mixture. Nobody re-keys the site meanwhile.
4. Keys that belong to nothing in the store afterwards are destroyed.
5. Nobody can sign in until they are enabled again: whoever was shut out since the backup would be
   back, with a password that was changed since.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from errno import EMLINK, EOPNOTSUPP, EPERM
from pathlib import Path
from secrets import token_hex

from postern.app.archive import Archive, pack, unpack
from postern.app.duty import on_duty
from postern.app.passes import face_of, handle_of
from postern.app.readable_archive import Manifest
from postern.app.rekey import rekeying
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.event import By, Changed, Revoked, Withdrawn
from postern.core.evidence import Factor
from postern.core.ids import ConsentId, CredentialId, PersonId
from postern.ledger.log import Log
from postern.ledger.pseudonym import month, reveal
from postern.store.copy import copied, put_back, settle
from postern.store.store import STORE_FILE, Store, open_store
from postern.vault.seal import Sealed
from postern.vault.secret_file import sync_folder
from postern.vault.standing import Standing
from postern.vault.vault import Vault

_DRAFT = "restore.draft"
#: Where the files of a damaged store are until another is in their place.
_ASIDE = ".damaged"
_PARTS = ("", "-wal", "-shm")
#: What file systems without hard links answer.
_NO_LINKS = frozenset({EPERM, EOPNOTSUPP, EMLINK})


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup that was put back.

    Attributes:
        created: When it had been made.
        people: People in the store now.
        erased: People who had been erased since, and were removed again.
        taken_back: Consents that had been taken back since, and were ended again.
        dropped: References whose key is gone, that were dropped.
        ended: Consents to what was dropped without the log telling why; they were ended.
        told: Whether the log still tells everything since; if not, a consent that was taken back
            may stand again beside another one of that person.
        scrubbed: Whether the traces of keys that belong to nothing now are overwritten; if not,
            another program was reading, and they go with the next key that is destroyed.
    """

    created: datetime
    people: int
    erased: int
    taken_back: int
    dropped: int
    ended: int
    told: bool
    scrubbed: bool = True


@dataclass(frozen=True, slots=True)
class _Since:
    """What the log tells of the time after a backup.

    Attributes:
        whole: Whether it still tells all of it.
        withdrawn: How consents ended.
        revoked: Passes that were ended.
    """

    whole: bool
    withdrawn: Mapping[ConsentId, Withdrawn]
    revoked: Set[CredentialId]


def back_up(data: Path, vault: Vault, log: Log, path: Path, now: datetime) -> int:
    """Writes a backup; the service may run meanwhile. Gives its size in bytes.

    Args:
        data: The folder of the store.
        vault: The site's.
        log: The site's.
        path: Where to; there must be no file yet.
        now: The present time.

    Raises:
        PosternError: `conflict` where there is a file of that name; `invalid` where the store is
            damaged; `unavailable` where it cannot be read, or the file written, now.
    """
    # Where it cannot be told, it cannot be written either, and that is said below.
    if os.path.lexists(path):
        raise _taken(path)
    # Counted first: what happens meanwhile is then told twice, and never left out.
    events = log.size()
    content = pack([copied(data / STORE_FILE)], vault, events, now)
    try:
        return _write_new(path, content)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The backup {path} cannot be written: {error.strerror}.",
            "Make room, or choose a folder that the service's user may write to.",
        ) from None


def check(vault: Vault, path: Path) -> datetime:
    """When a backup was made, if it can be put back here.

    Raises:
        PosternError: as `unpack`.
    """
    with _opened(path, vault) as archive:
        return archive.manifest.created


def restore(data: Path, vault: Vault, log: Log, path: Path, now: datetime, by: str) -> Restored:
    """Puts a backup in the place of the store; the service must not run.

    Args:
        data: The folder of the store.
        vault: The site's.
        log: The site's.
        path: The backup.
        now: The present time.
        by: Who does it, for the log.

    Raises:
        PosternError: as `unpack`; `conflict` where the site is being served or re-keyed, or the
            backup's store was written by a newer program; `unavailable` where the store, the keys
            or the log cannot be used now. The store is then as it was.
    """
    with on_duty(data), rekeying(data), _opened(path, vault) as archive:
        with _draft(data, archive) as draft:
            done, ended = _clean(draft, vault, log, archive.manifest, now)
            # Logged before it is done, as every change is.
            log.append_all([Changed(now, "store restored", "", by), *ended])
            log.publish()
            _replace(draft / STORE_FILE, data / STORE_FILE)
        with open_store(data) as store:
            vault.prune(store.references.names(), vault.epoch()[0] + 1)
        return replace(done, scrubbed=_scrubbed(vault))


def clear_drafts(data: Path) -> None:
    """Removes what a restore that was cut off has left; not while one may be running."""
    shutil.rmtree(data / _DRAFT, ignore_errors=True)
    for part in _PARTS:
        (data / f"{STORE_FILE}{_ASIDE}{part}").unlink(missing_ok=True)


def _clean(
    folder: Path, vault: Vault, log: Log, manifest: Manifest, now: datetime
) -> tuple[Restored, list[Withdrawn]]:
    """Takes out of a store what must not come back with it; also gives what the log lacks of it."""
    with open_store(folder) as store:
        erased = [one.id for one in store.people.all() if vault.is_erased(one.id)]
        for person in erased:
            store.people.remove(person, vault.erase)
        store.users.disable_all()
        since = _since(log, manifest.events, store.ids())
        taken_back = _withdraw_again(store, since)
        dropped, unexplained = _drop_lost(store, vault, since)
        ended = [one for lost in sorted(unexplained) for one in _end_empty(store, *lost, now)]
        people = len(store.people.all())
    counts = people, len(erased), taken_back, dropped, len(ended)
    return Restored(manifest.created, *counts, since.whole), ended


def _since(log: Log, start: int, ids: Iterable[str]) -> _Since:
    """What the log tells from an entry on, of those ids."""
    known, names = tuple(ids), dict[str, Mapping[str, str]]()
    withdrawn, revoked = dict[ConsentId, Withdrawn](), set[CredentialId]()
    whole, following = log.size() >= start, start
    for entry in log.entries(start):
        whole, following = whole and entry.index == following, entry.index + 1
        event = entry.event
        if not isinstance(event, Withdrawn | Revoked):
            continue
        if month(event.at) not in names:
            names[month(event.at)] = log.pseudonyms.names(event.at, known)
        match reveal(event, names[month(event.at)]):
            case Withdrawn(consent=consent) as ended:
                withdrawn[consent] = ended
            case Revoked(credential=credential):
                revoked.add(credential)
    return _Since(whole and following >= log.size(), withdrawn, revoked)


def _withdraw_again(store: Store, since: _Since) -> int:
    """Ends the consents that were taken back since; says how many."""
    standing = [one.id for one in store.consents.all() if one.withdrawn is None]
    again = [since.withdrawn[one] for one in standing if one in since.withdrawn]
    for ended in again:
        # Another consent may keep the key alive; what belongs to nothing afterwards is pruned.
        store.consents.withdraw(ended.consent, ended.at, _keep_keys)
    return len(again)


def _drop_lost(
    store: Store, vault: Vault, since: _Since
) -> tuple[int, set[tuple[PersonId, StorageMode]]]:
    """Removes what opens no more, and passes that carry or open it.

    Returns:
        How many references, and whose of which mode are gone without the log telling why.
    """
    kept = {(one.person, one.credential): one for one in store.references.all()}
    keyed, dropped, unexplained = vault.keyed(), 0, set()
    revoked = {face_of(handle_of(one)) for one in since.revoked}
    for person, credential in store.references.names():
        one = kept.get((person, credential))
        opens = (person, credential) in keyed
        if one is not None:
            sealed = Sealed(one.credential, one.person, one.blob)
            # Which model the site uses is no matter here: nothing is lost that opens.
            opens = vault.standing(sealed, None) is Standing.READY
        if not opens:
            mode = store.credentials.find(credential).mode
            if mode is not None and not (since.whole and credential in revoked):
                unexplained.add((person, mode))
            store.credentials.remove(credential)
            dropped += 1
    left = {credential for _, credential in store.references.names()}
    for holder in store.people.all():
        for shown in store.credentials.of(holder.id):
            if shown.factor is Factor.PASS and face_of(handle_of(shown.id)) not in left:
                store.credentials.remove(shown.id)
    return dropped, unexplained


def _end_empty(
    store: Store, person: PersonId, mode: StorageMode, now: datetime
) -> Iterator[Withdrawn]:
    """Ends a person's consents to a way of keeping in which nothing is kept any more."""
    if mode in {one.mode for one in store.credentials.of(person)}:
        return
    for one in store.consents.of(person):
        if one.withdrawn is None and one.mode is mode:
            store.consents.withdraw(one.id, now, _keep_keys)
            yield Withdrawn(now, one.id, person, By.OPERATOR)


def _keep_keys(_credential: CredentialId, _person: PersonId) -> None:
    """What was taken back has no keys left to destroy, or is pruned once it is in its place."""


@contextmanager
def _draft(data: Path, archive: Archive) -> Iterator[Path]:
    """A folder with a copy of a backup's store to work on, gone at the end."""
    clear_drafts(data)
    folder = data / _DRAFT
    try:
        folder.mkdir(mode=0o700)
        handle = os.open(folder / STORE_FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            for piece in archive.store():
                file.write(piece)
        yield folder
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The backup cannot be unpacked: {error.strerror}.", "Make room."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(draft: Path, path: Path) -> None:
    if path.exists():
        try:
            put_back(draft, path)
        except PosternError as error:
            if error.code is not Code.INVALID:
                raise
            # The store that is there is damaged: nothing of it can be used.
        else:
            return
    try:
        _swap(draft, path)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The store cannot be replaced: {error.strerror}."
        ) from None


def _swap(draft: Path, path: Path) -> None:
    """Puts a file in the place of one that is damaged or missing; what was there is kept aside
    until then. Its log goes first: it must not be taken for the new one's."""
    aside = {part: path.with_name(f"{path.name}{_ASIDE}{part}") for part in _PARTS}
    if path.exists():
        os.link(path, aside[""])
    for part in _PARTS[1:]:
        if (former := path.with_name(path.name + part)).exists():
            former.rename(aside[part])
    settle(draft)
    draft.rename(path)
    sync_folder(path.parent)
    for one in aside.values():
        one.unlink(missing_ok=True)


def _scrubbed(vault: Vault) -> bool:
    try:
        vault.retire()
    except PosternError as error:
        if not error.retry_helps:
            raise
        return False
    return True


@contextmanager
def _opened(path: Path, vault: Vault) -> Iterator[Archive]:
    """A backup that can be put back here; its file is closed at the end."""
    with ExitStack() as opened:
        try:
            archive = unpack(opened.enter_context(path.open("rb")), vault)
        except FileNotFoundError:
            raise PosternError(Code.NOT_FOUND, f"There is no file {path}.") from None
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"The backup {path} cannot be read: {error.strerror}."
            ) from None
        yield archive


def _write_new(path: Path, content: Iterable[bytes]) -> int:
    """A file that appears whole or not at all, and replaces none; gives its size in bytes."""
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            size = sum(map(file.write, content))
            file.flush()
            os.fsync(file.fileno())
        _name(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.absolute().parent)
    return size


def _name(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise _taken(path) from None
        draft.rename(path)


def _taken(path: Path) -> PosternError:
    return PosternError(
        Code.CONFLICT, f"There is a file {path} already.", "Choose another name for the backup."
    )

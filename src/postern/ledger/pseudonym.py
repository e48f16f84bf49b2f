"""Whom an event is about, under a name of the month that only this site can resolve.

Whoever has the month's key can tell whether an event is about an id they know. When nothing of the
month is left the key is destroyed, and what was copied of the journal names nobody any more.

A key is made once, before the first event of its month. One that is lost or altered is never
replaced: its events would lead to nobody without anybody having noticed.
"""

import hmac
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from typing import assert_never
from zlib import crc32

from postern.core.errors import invalid
from postern.core.event import (
    Acted,
    Alarmed,
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
from postern.core.ids import ConsentId, CredentialId, Holder, PermitId, PersonId, VehicleId
from postern.ledger.files import destroy, put, sync_folder, unreadable
from postern.ledger.turn import Turn

#: Bytes of a key, and of the checksum that follows it and is bound to its month.
_KEY_SIZE, _CHECKSUM_SIZE = 32, 4
#: Hexadecimal digits, 80 bits: among a million ids two collide once in 10**12 months.
_DIGITS = 20
_SUFFIX = ".key"
#: Beginnings of ids that stay: they say what sort of thing it is. Any other could be a name.
_SORTS = frozenset({"consent", "face", "p", "pass", "permit", "plate", "v"})
_RESTORE = "Put that file back from a copy of the log's folder; docs/ledger.md says more."
Rename = Callable[[str], str]


class Pseudonyms:
    """The keys of the months; usable from any thread.

    Args:
        folder: Where they are; only this site's user may read them.
        begun: Whether an event of that month is kept, such as 2026-11; asked before a key is made.
    """

    def __init__(self, folder: Path, begun: Callable[[str], bool]) -> None:
        self._folder = folder
        self._begun = begun
        self._root = f"{folder}{os.sep}"
        self._turn = Turn(folder / "lock")
        self._latest: tuple[str, bytes] = "", b""

    def hide(self, events: Iterable[Event]) -> list[Event]:
        """The events with pseudonyms in place of ids.

        Raises:
            PosternError: `unavailable` where the month's key cannot be made or read now;
                `invalid` where it is damaged or lost.
        """
        renames: dict[tuple[int, int], Rename] = {}
        hidden = []
        for event in events:
            when = event.at.year, event.at.month
            if when not in renames:
                renames[when] = self._rename(month(event.at))
            hidden.append(_renamed(event, renames[when]))
        return hidden

    def names(self, at: datetime, ids: Iterable[str]) -> Mapping[str, str]:
        """Ids by the pseudonyms that they had in that month; none where its key is destroyed.

        Raises:
            PosternError: as `hide`.
        """
        key = self._key(month(at))
        return {} if key is None else {_pseudonym(key, id_): id_ for id_ in ids}

    def every(self, id_: str) -> list[str]:
        """What an id is called in each month whose key is there.

        Raises:
            PosternError: as `hide`.
        """
        keys = (self._key(path.stem) for path in sorted(self._folder.glob(f"*{_SUFFIX}")))
        return [_pseudonym(key, id_) for key in keys if key is not None]

    def expire(self, months: Collection[str]) -> None:
        """Destroys all keys but those of the months that are named, such as 2026-11.

        Raises:
            PosternError: `unavailable` where one cannot be destroyed now.
        """
        self._latest = "", b""
        with self._turn.held():
            keys = self._folder.glob(f"*{_SUFFIX}")
            destroy(self._folder, [path for path in keys if path.stem not in months])

    def _rename(self, month: str) -> Rename:
        """What gives pseudonyms in a month; it remembers those that it gave."""
        latest = self._latest
        if latest[0] != month:
            self._latest = latest = month, self._key(month) or self._make(month)
        known: dict[str, str] = {}

        def rename(name: str) -> str:
            found = known.get(name)
            if found is None:
                found = known[name] = _pseudonym(latest[1], name)
            return found

        return rename

    def _key(self, month: str) -> bytes | None:
        path = f"{self._root}{month}{_SUFFIX}"
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                content = os.read(handle, _KEY_SIZE + _CHECKSUM_SIZE + 1)
            finally:
                os.close(handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(Path(path), error) from None
        key = content[:_KEY_SIZE]
        # The first keys had no checksum.
        if len(key) < _KEY_SIZE or content not in (key, _checked(key, month)):
            raise invalid(f"The key {month}{_SUFFIX} is damaged.", _RESTORE)
        return key

    def _make(self, month: str) -> bytes:
        with self._turn.held():
            key = self._key(month)
            if key is None:
                if self._begun(month):
                    raise invalid(
                        f"The key {month}{_SUFFIX} is missing, and events of that month are kept.",
                        _RESTORE,
                    )
                key = token_bytes(_KEY_SIZE)
                put(self._folder / f"{month}{_SUFFIX}", _checked(key, month), 0o600)
                sync_folder(self._folder)
        return key


def reveal(event: Event, names: Mapping[str, str]) -> Event:
    """The event with ids in place of pseudonyms, as far as they are known; from `names`."""
    return _renamed(event, lambda name: names.get(name, name))


def month(at: datetime) -> str:
    """The name of a month, such as 2026-11."""
    return f"{at.year:04}-{at.month:02}"


def _checked(key: bytes, month: str) -> bytes:
    """A key as its file has it."""
    return key + crc32(key, crc32(month.encode())).to_bytes(_CHECKSUM_SIZE)


def _pseudonym(key: bytes, name: str) -> str:
    sort = name.partition("-")[0]
    digits = hmac.digest(key, name.encode(errors="surrogatepass"), "sha256").hex()[:_DIGITS]
    return f"{sort}-{digits}" if sort in _SORTS else name and digits


def _renamed(event: Event, name: Rename) -> Event:
    match event:
        case Decided(at, place, attempt, reason, permit, holders, band, passback):
            # Somebody waits at the gate, and `replace` would take longer than all the hashing.
            hidden = None if permit is None else PermitId(name(permit))
            who = tuple([_holder(holder, name) for holder in holders])
            return Decided(at, place, attempt, reason, hidden, who, band, passback)
        case Consented() | Withdrawn() | Erased() | Viewed():
            return _of_person(event, name)
        case (
            Enrolled(credential=credential, holder=holder)
            | Revoked(credential=credential, holder=holder)
        ):
            return replace(
                event, credential=CredentialId(name(credential)), holder=_holder(holder, name)
            )
        case Changed(subject=subject):
            return replace(event, subject=name(subject))
        case Released() | Acted() | Interrupted() | Alarmed() | Ordered() | Lifted() | Rekeyed():
            return event
        case _:
            assert_never(event)


def _of_person(event: Consented | Withdrawn | Erased | Viewed, name: Rename) -> Event:
    match event:
        case Consented(consent=consent, person=person) | Withdrawn(consent=consent, person=person):
            return replace(event, consent=ConsentId(name(consent)), person=PersonId(name(person)))
        case Erased(person=person):
            return replace(event, person=PersonId(name(person)))
        case Viewed(person=seen):
            return replace(event, person=_holder(seen, name))
        case _:
            assert_never(event)


def _holder(holder: Holder, name: Rename) -> Holder:
    # Holders are told apart by how their id begins, which a pseudonym keeps.
    return VehicleId(name(holder)) if holder.startswith("v-") else PersonId(name(holder))

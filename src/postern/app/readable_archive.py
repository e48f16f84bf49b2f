"""Backups of version 2, which anybody can read: a tar of three members, in this order.

    manifest.json  version, site, epoch and its name, when it was made, how many events the log had
                   then, and the store's sha256
    postern.db     the store without keys and without events
    seal           32 bytes over the manifest that only this site can make

Whatever does not pack to the very same bytes again is refused, so that no byte can be changed
unnoticed. None are made any more.
"""

import io
import json
import tarfile
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

from postern.core.errors import Code, PosternError, invalid
from postern.core.moment import parse_time, time_text
from postern.vault.vault import Vault

_VERSION = 2
_MANIFEST, _STORE, _SEAL = "manifest.json", "postern.db", "seal"
_MEMBERS = [_MANIFEST, _STORE, _SEAL]
#: Bytes.
_MAX_MANIFEST = 4096
_KEYS = {"version", "site", "epoch", "epoch_name", "created", "events", "sha256"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of.

    Attributes:
        site: The 16 bytes that name the site.
        epoch: The key epoch in which it was made.
        epoch_name: The 16 bytes that name it, among those of all sites.
        created: When it was made.
        events: How many entries the log had then; of later ones the store knows nothing for sure.
    """

    site: bytes
    epoch: int
    epoch_name: bytes
    created: datetime
    events: int


@dataclass(frozen=True, slots=True)
class Readable:
    """What such a backup says it is.

    Attributes:
        manifest: What it is of.
        store: The bytes of its database.
    """

    manifest: Manifest
    store: bytes

    def is_of(self, vault: Vault, content: bytes) -> bool:
        """Whether that site made these very bytes of it."""
        return compare_digest(content, packed(self.manifest, self.store, vault))


def read_readable(content: bytes) -> Readable:
    """What those bytes say; nothing of it counts before `is_of`.

    Raises:
        PosternError: `invalid` where they are no such backup; `conflict` where another version of
            Postern made it.
    """
    members = _members(content)
    return Readable(_manifest(members[_MANIFEST]), members[_STORE])


def packed(manifest: Manifest, store: bytes, vault: Vault) -> bytes:
    """The bytes that a site made of a store."""
    record = {
        "version": _VERSION,
        "site": manifest.site.hex(),
        "epoch": manifest.epoch,
        "epoch_name": manifest.epoch_name.hex(),
        "created": time_text(manifest.created),
        "events": manifest.events,
        "sha256": sha256(store).hexdigest(),
    }
    described = json.dumps(record, indent=1, sort_keys=True).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in zip(
            _MEMBERS, (described, store, vault.authenticate(described)), strict=True
        ):
            member = tarfile.TarInfo(name)  # Its time stays 0: the manifest has it.
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _members(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            while len(found) < len(_MEMBERS) and (member := tar.next()) is not None:
                file = tar.extractfile(member) if member.isreg() else None
                found[member.name] = file.read() if file else b""
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError):
        raise damaged() from None
    if list(found) != _MEMBERS or len(found[_MANIFEST]) > _MAX_MANIFEST:
        raise damaged()
    return found


def _manifest(described: bytes) -> Manifest:
    try:
        record = json.loads(described)
        if record["version"] != _VERSION and isinstance(record["version"], int):
            raise other_version()
        if record.keys() != _KEYS or not type(record["epoch"]) is type(record["events"]) is int:
            raise damaged()
        return Manifest(
            bytes.fromhex(record["site"]),
            record["epoch"],
            bytes.fromhex(record["epoch_name"]),
            parse_time(record["created"]),
            record["events"],
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise damaged() from None


def damaged() -> PosternError:
    """What is said of a file that is no backup, or not as it was made."""
    return invalid("This is not a backup, or it was damaged or altered.", "Choose another one.")


def other_site() -> PosternError:
    """What is said of another site's backup."""
    return PosternError(
        Code.CONFLICT,
        "This is a backup of another site.",
        "Choose one that was made here, with the same key file.",
    )


def other_version() -> PosternError:
    """What is said of a backup in a form that this version does not know."""
    return PosternError(
        Code.CONFLICT,
        "This backup was made by another version of Postern.",
        "Restore it with that one, or choose another backup.",
    )

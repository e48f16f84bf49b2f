"""The file of a backup: a tar of three members, nothing else and in this order.

    manifest.json  version, site, epoch and its name, when it was made, how many events the log had
                   then, and the store's sha256
    postern.db     the store without keys and without events
    seal           32 bytes over the manifest that only this site can make

Whatever does not pack to the very same bytes again is refused, so that no byte can be changed
unnoticed.
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
        sha256: The hash of the store in it.
    """

    site: bytes
    epoch: int
    epoch_name: bytes
    created: datetime
    events: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was found to be whole and this site's.

    Attributes:
        manifest: What it is of.
        store: The bytes of its database.
    """

    manifest: Manifest
    store: bytes


def pack(store: bytes, vault: Vault, events: int, now: datetime) -> bytes:
    """The bytes of a backup.

    Args:
        store: The bytes of a database, as `copied` gives them.
        vault: The site's.
        events: How many entries the log had before the copy was made.
        now: The present time.

    Raises:
        PosternError: `unavailable` where the keys cannot be read now.
    """
    epoch, name = vault.epoch()
    manifest = Manifest(vault.site, epoch, name, now, events, sha256(store).digest())
    return _packed(manifest, store, vault)


def unpack(content: bytes, vault: Vault) -> Archive:
    """The backup in those bytes.

    Args:
        content: What the file holds.
        vault: The present site's.

    Raises:
        PosternError: `invalid` where it is no backup, was altered or damaged; `conflict` where it
            is another site's, or of another key epoch than the present one; `unavailable` where
            the keys cannot be read now.
    """
    members = _members(content)
    manifest, store = _manifest(members[_MANIFEST]), members[_STORE]
    if manifest.site != vault.site:
        raise PosternError(
            Code.CONFLICT,
            "This is a backup of another site.",
            "Choose one that was made here, with the same key file.",
        )
    whole = compare_digest(content, _packed(manifest, store, vault))
    if not whole or manifest.sha256 != sha256(store).digest():
        raise _damaged()
    if (manifest.epoch, manifest.epoch_name) != vault.epoch():
        raise PosternError(
            Code.CONFLICT,
            f"This backup is of key epoch {manifest.epoch}; its references open no more.",
            "Choose one that was made since the last re-keying.",
        )
    return Archive(manifest, store)


def _packed(manifest: Manifest, store: bytes, vault: Vault) -> bytes:
    record = {
        "version": _VERSION,
        "site": manifest.site.hex(),
        "epoch": manifest.epoch,
        "epoch_name": manifest.epoch_name.hex(),
        "created": time_text(manifest.created),
        "events": manifest.events,
        "sha256": manifest.sha256.hex(),
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
        raise _damaged() from None
    if list(found) != _MEMBERS or len(found[_MANIFEST]) > _MAX_MANIFEST:
        raise _damaged()
    return found


def _manifest(described: bytes) -> Manifest:
    try:
        record = json.loads(described)
        if record["version"] != _VERSION and isinstance(record["version"], int):
            raise PosternError(
                Code.CONFLICT,
                "This backup was made by another version of Postern.",
                "Restore it with that one, or choose another backup.",
            )
        if record.keys() != _KEYS or not type(record["epoch"]) is type(record["events"]) is int:
            raise _damaged()
        return Manifest(
            bytes.fromhex(record["site"]),
            record["epoch"],
            bytes.fromhex(record["epoch_name"]),
            parse_time(record["created"]),
            record["events"],
            bytes.fromhex(record["sha256"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _damaged() from None


def _damaged() -> PosternError:
    return invalid("This is not a backup, or it was damaged or altered.", "Choose another one.")

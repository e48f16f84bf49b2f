"""The file of a backup: a header that anybody may read, and the store, which this site alone can.

    16 bytes  postern.backup/3
    16        the mark of the site
     4        the key epoch in which it was made
     8        when, in microseconds since 1970, UTC
    16        random, so that no two backups have a key in common
     -        sealed in chunks: the name of the epoch (16), how many entries the log had then (8),
              the store

Numbers are big-endian. The key of what is sealed comes from the site's key and the whole header, so
that no byte of either can be changed. The header names nobody.

Backups of version 2 can be read by anybody; they are still put back (`readable_archive.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import chain
from secrets import token_bytes
from struct import Struct
from typing import BinaryIO

from postern.app.readable_archive import Manifest, damaged, other_site, other_version, read_readable
from postern.core.errors import Code, PosternError
from postern.vault.stream import open_stream, seal_stream
from postern.vault.vault import Vault

MAGIC = b"postern.backup/3"
_ANY = MAGIC[:-1]
_HEADER = Struct(">16s16sIQ16s")
_FIRST = Struct(">16sQ")
_SALT = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Bytes: more of a readable backup is not read into memory.
MAX_READABLE = 1 << 30


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup that was found to be whole and this site's; its file stays open for as long.

    Attributes:
        manifest: What it is of.
    """

    manifest: Manifest
    _file: BinaryIO
    _key: bytes | None

    def store(self) -> Iterator[bytes]:
        """The bytes of its database, piece by piece.

        Raises:
            PosternError: `invalid` where the file was changed since; what came before is worthless.
        """
        if self._key is None:
            self._file.seek(0)
            yield read_readable(self._file.read()).store
            return
        self._file.seek(_HEADER.size)
        first = True
        for chunk in open_stream(self._key, self._file):
            yield chunk[_FIRST.size :] if first else chunk
            first = False


def pack(store: Iterable[bytes], vault: Vault, events: int, now: datetime) -> Iterator[bytes]:
    """The bytes of a backup, piece by piece.

    Args:
        store: The bytes of a database, as `copied` gives them.
        vault: The site's.
        events: How many entries the log had before the copy was made.
        now: The present time.

    Raises:
        PosternError: `unavailable` where the keys cannot be read now.
    """
    epoch, name = vault.epoch()
    when = (now - _EPOCH) // _MICROSECOND
    header = _HEADER.pack(MAGIC, vault.site, epoch, when, token_bytes(_SALT))
    sealed = seal_stream(vault.backup_key(header), chain([_FIRST.pack(name, events)], store))
    return chain([header], sealed)


def unpack(file: BinaryIO, vault: Vault) -> Archive:
    """The backup in a file, once all of it was found to be as it was made.

    Args:
        file: Opened for reading, at its beginning, with a position that can be set.
        vault: The present site's.

    Raises:
        PosternError: `invalid` where it is no backup, was altered or damaged; `conflict` where it
            is another site's, of another version, or of another key epoch than the present one;
            `unavailable` where the keys cannot be read now.
    """
    header = file.read(_HEADER.size)
    if header[: len(MAGIC)] == MAGIC:
        archive = _sealed(file, header, vault)
    elif header.startswith(_ANY):
        raise other_version()
    else:
        archive = _readable(file, vault)
    if (archive.manifest.epoch, archive.manifest.epoch_name) != vault.epoch():
        raise PosternError(
            Code.CONFLICT,
            f"This backup is of key epoch {archive.manifest.epoch}; its references open no more.",
            "Choose one that was made since the last re-keying.",
        )
    return archive


def _sealed(file: BinaryIO, header: bytes, vault: Vault) -> Archive:
    if len(header) != _HEADER.size:
        raise damaged()
    _, site, epoch, when, _ = _HEADER.unpack(header)
    if site != vault.site:
        raise other_site()
    key = vault.backup_key(header)
    try:
        chunks = open_stream(key, file)
        first = next(chunks)
        for _ in chunks:
            pass  # All of it is looked at before any of it is used.
        name, events = _FIRST.unpack(first[: _FIRST.size])
        created = _EPOCH + when * _MICROSECOND
    except PosternError:
        raise damaged() from None
    return Archive(Manifest(site, epoch, name, created, events), file, key)


def _readable(file: BinaryIO, vault: Vault) -> Archive:
    file.seek(0)
    content = file.read(MAX_READABLE + 1)
    if len(content) > MAX_READABLE:
        raise damaged()
    readable = read_readable(content)
    if readable.manifest.site != vault.site:
        raise other_site()
    if not readable.is_of(vault, content):
        raise damaged()
    return Archive(readable.manifest, BytesIO(content), None)

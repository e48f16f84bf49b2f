"""The site's secret: a file of 32 random bytes, and the keys that are derived from it.

Whoever holds this file and a copy of the store can open its references; whoever has the store
alone can open none.
"""

import os
import stat
from pathlib import Path
from secrets import token_bytes, token_hex

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from postern.core.errors import Code, PosternError

#: Bytes.
SECRET_SIZE = 32
SITE_SIZE = 16


def read_secret(path: Path) -> bytes | None:
    """The site's secret; None where there is no file.

    Raises:
        PosternError: `invalid` where others than the owner may use the file, or it is not a file
            of exactly 32 bytes; `unavailable` where it cannot be read now.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        status = os.fstat(handle)
        _check_mode(path, status.st_mode)
        secret = os.read(handle, SECRET_SIZE + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(handle)
    if len(secret) != SECRET_SIZE:
        raise PosternError(
            Code.INVALID,
            f"The key file {path.name} must hold exactly {SECRET_SIZE} bytes.",
            "Put back the file that this site was set up with.",
        )
    return secret


def make_secret(path: Path) -> bytes:
    """A new secret in a file with mode 0600, durable on return; another's, if it came first.

    The file appears whole or not at all: it is written under another name and then linked, which
    fails where the name is taken.

    Raises:
        PosternError: as `read_secret`; `unavailable` where it cannot be written now.
    """
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    try:
        _write_new(draft, token_bytes(SECRET_SIZE))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process was first; its secret is the site's.
        finally:
            draft.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The key file {path.name} cannot be written: {error.strerror}.",
            "Make room or give this user the right to write there.",
        ) from None
    return read_secret(path) or make_secret(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def derive_kek(secret: bytes, epoch: int) -> bytes:
    """The 32 bytes that wrap every person's key in this epoch."""
    return _derive(secret, b"wrapping" + epoch.to_bytes(4, "big"), 32)


def derive_site(secret: bytes) -> bytes:
    """The 16 bytes that name the site; public, and the same as long as its secret is.

    The name in the configuration may change without losing a reference.
    """
    return _derive(secret, b"site", SITE_SIZE)


def derive_rotation_secret(secret: bytes, epoch: int, model: str) -> bytes:
    """The 32 bytes behind the rotation of one model's vectors."""
    return _derive(secret, b"rotation" + epoch.to_bytes(4, "big") + bytes.fromhex(model), 32)


def _derive(secret: bytes, purpose: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=None, info=b"postern vault 1 " + purpose).derive(secret)


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:
        path.unlink()
        raise


def _check_mode(path: Path, mode: int) -> None:
    if stat.S_IMODE(mode) & ~0o600:
        raise PosternError(
            Code.INVALID,
            f"The key file {path.name} is open to others (mode {stat.S_IMODE(mode):04o}).",
            f"Run: chmod 600 {path}",
        )


def _unreadable(path: Path, error: OSError) -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, f"The key file {path.name} cannot be read: {error.strerror}."
    )

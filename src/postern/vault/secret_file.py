"""Where a secret of the site lies: 32 random bytes in a file that nobody else may read.

1. The file in the data folder is made at the first start. One that the service manager hands over
   or that the environment names is never made: whoever names it has it.
2. It has mode 0600 or 0400. A credential of systemd may show 0440: with an access list for the
   service's user, the group's bits are the list's mask (systemd.exec(5), "Credentials"; issue 29435
   there), and the folder around it is closed to others.
"""

import os
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from secrets import token_bytes, token_hex

from postern.core.errors import Code, PosternError

#: Bytes.
SECRET_SIZE = 32


class Origin(Enum):
    """Who provides a secret file."""

    DATA = "made by Postern"
    NAMED = "named by the environment"
    CREDENTIAL = "handed over by systemd"


#: The mode bits that each may have.
_MODES = {Origin.DATA: 0o600, Origin.NAMED: 0o600, Origin.CREDENTIAL: 0o440}


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret file, there or not.

    Attributes:
        path: Where it is.
        origin: Who provides it.
    """

    path: Path
    origin: Origin = Origin.DATA

    def read(self) -> bytes | None:
        """The secret; None where there is no file yet and Postern may make it.

        Raises:
            PosternError: `invalid` where others may use the file, it is not a file of exactly 32
                bytes, or it was promised by somebody else and is not there; `unavailable` where it
                cannot be read now.
        """
        secret = _read(self.path, _MODES[self.origin])
        if secret is None and self.origin is not Origin.DATA:
            raise PosternError(
                Code.INVALID,
                f"There is no key file {self.path}, though it is {self.origin.value}.",
                "Put it there, or name another.",
            )
        return secret

    def make(self) -> bytes:
        """A new secret, or the one that is there already.

        Raises:
            PosternError: as `read`; `unavailable` where it cannot be written now.
        """
        return self.read() or make_secret(self.path)


def read_secret(path: Path) -> bytes | None:
    """The secret in a file of Postern's own; None where there is no file.

    Raises:
        PosternError: as `SecretFile.read`.
    """
    return SecretFile(path).read()


def make_secret(path: Path) -> bytes:
    """A new secret in a file with mode 0600, durable on return; another's, if it came first.

    The file appears whole or not at all: it is written under another name and then linked, which
    fails where the name is taken.

    Raises:
        PosternError: as `SecretFile.read`; `unavailable` where it cannot be written now.
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


def _read(path: Path, allowed: int) -> bytes | None:
    try:
        # A pipe in its place must not keep the program waiting for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode):
            _check_mode(path, mode, allowed)
        secret = os.read(handle, SECRET_SIZE + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(handle)
    if len(secret) != SECRET_SIZE:
        raise PosternError(
            Code.INVALID,
            f"The key file {path.name} must be a file of exactly {SECRET_SIZE} bytes.",
            "Put back the file that this site was set up with.",
        )
    return secret


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


def _check_mode(path: Path, mode: int, allowed: int) -> None:
    if stat.S_IMODE(mode) & ~allowed:
        raise PosternError(
            Code.INVALID,
            f"The key file {path.name} is open to others (mode {stat.S_IMODE(mode):04o}).",
            f"Run: chmod 600 {path}",
        )


def _unreadable(path: Path, error: OSError) -> PosternError:
    return PosternError(
        Code.UNAVAILABLE,
        f"The key file {path.name} cannot be read: {error.strerror}.",
        f"Run this as the user that the service runs as. See {path}.",
    )

"""Where the versions of an installation are, and which of them is which.

    /opt/postern/VERSION/      a version with all its libraries; whole where it has `.complete`
    /opt/postern/current       a link to the version that serves the site
    /opt/postern/proved        a link to the version that carries upgrades out: it has proved itself
    /opt/postern/previous      a link to the one before
    /opt/postern/upgrade.json  what an upgrade that is under way is to do
    /opt/postern/upgraded.json how the last one ended

A link and a file are the former or the new one at any moment, also after a power cut.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from postern.app.upgrade.order import Order, Outcome, read_order, read_outcome, written
from postern.core.errors import Code, PosternError
from postern.vault.secret_file import sync_folder

CURRENT, PROVED, PREVIOUS = "current", "proved", "previous"
#: The file that a version has which was installed to its end; `packaging/install` writes it.
COMPLETE = ".complete"
_ORDER, _OUTCOME = "upgrade.json", "upgraded.json"


@dataclass(frozen=True, slots=True)
class Places:
    """An installation that `packaging/install` made.

    Attributes:
        root: The folder that it was told to install into; `/` unless somebody said otherwise.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where the versions are."""
        return self.root / "opt" / "postern"

    @property
    def lock(self) -> Path:
        """The file that whoever changes the version holds."""
        return self.folder / "upgrade.lock"

    def version(self, name: str) -> Path:
        """The folder of a version."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether that version is installed to its end."""
        return (self.version(name) / COMPLETE).exists()

    def named(self, link: str) -> str | None:
        """Which version a link leads to; None where there is no such link."""
        try:
            return os.readlink(self.folder / link)
        except OSError:
            return None

    def name(self, link: str, version: str) -> None:
        """Makes a link lead to a version; durable on return.

        Raises:
            PosternError: `unavailable` where it cannot be made now.
        """
        draft = self.folder / f"{link}.{token_hex(8)}"
        try:
            draft.symlink_to(version)
            draft.rename(self.folder / link)
            sync_folder(self.folder)
        except OSError as error:
            raise _unwritable(self.folder, error) from None

    def order(self) -> Order | None:
        """What an upgrade that is under way is to do; None where there is none.

        Raises:
            PosternError: `invalid` where it cannot be understood, `unavailable` where it cannot be
                read.
        """
        content = self._read(_ORDER)
        return None if content is None else read_order(content)

    def give(self, order: Order) -> None:
        """Writes down what is to be done; durable on return.

        Raises:
            PosternError: `unavailable`.
        """
        self._write(_ORDER, written(order))

    def outcome(self) -> Outcome | None:
        """How the last upgrade ended; None where there was none.

        Raises:
            PosternError: as `order`.
        """
        content = self._read(_OUTCOME)
        return None if content is None else read_outcome(content)

    def end(self, outcome: Outcome) -> None:
        """Writes down how an upgrade ended: nothing of it is under way any more.

        Raises:
            PosternError: `unavailable`.
        """
        self._write(_OUTCOME, written(outcome))
        try:
            (self.folder / _ORDER).unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise _unwritable(self.folder, error) from None

    def tidy(self) -> None:
        """Removes every version that no link leads to, and what cut-off runs have left."""
        wanted = {self.named(link) for link in (CURRENT, PROVED, PREVIOUS)}
        for one in self.folder.iterdir():
            if one.is_dir() and not one.is_symlink() and one.name not in wanted:
                # What is half removed must not look whole.
                (one / COMPLETE).unlink(missing_ok=True)
                shutil.rmtree(one, ignore_errors=True)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"{self.folder / name} cannot be read: {error.strerror}."
            ) from None

    def _write(self, name: str, content: bytes) -> None:
        draft = self.folder / f"{name}.{token_hex(8)}"
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / name)
            sync_folder(self.folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _unwritable(self.folder, error) from None


def _unwritable(folder: Path, error: OSError) -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, f"{folder} cannot be written to: {error.strerror}.", "Make room there."
    )

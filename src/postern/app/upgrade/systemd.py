"""The service manager of Debian and Ubuntu."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from postern.app.upgrade.places import Places
from postern.core.errors import Code, PosternError

SERVICE, UPGRADE = "postern.service", "postern-upgrade.service"
#: Seconds. A check loads every model; a first start derives them, which takes minutes.
_PATIENCE_S = 600.0
#: Seconds that an installation may take: libraries of a gigabyte over a slow line.
_INSTALL_S = 3600.0
#: Seconds for a try and the way back, each with a copy, a start and a check.
_WHOLE_S = 6 * _PATIENCE_S
_SAID = "postern: "
#: How a command ends that may succeed later, in every version.
_LATER = 7


@dataclass(frozen=True, slots=True)
class Systemd:
    """Implements `postern.app.upgrade.carry.Manager`.

    Attributes:
        places: The installation.
    """

    places: Places

    def stop(self) -> None:
        """See `Manager.stop`."""
        self._systemctl("The service cannot be stopped.", "stop", SERVICE)

    def start(self) -> None:
        """See `Manager.start`."""
        # The units are the version's, and a service that failed too often would not be started.
        self._systemctl("The service manager cannot read its units.", "daemon-reload")
        self._run(_PATIENCE_S, "systemctl", "reset-failed", SERVICE)
        self._systemctl("The service does not start.", "start", SERVICE)

    def is_up(self) -> bool:
        """See `Manager.is_up`."""
        return self._run(_PATIENCE_S, "systemctl", "is-active", SERVICE).returncode == 0

    def command(self, version: str, *words: str) -> None:
        """See `Manager.command`."""
        done = self._run(_PATIENCE_S, str(self.places.version(version) / "postern"), *words)
        if done.returncode != 0:
            later = done.returncode == _LATER
            code = Code.UNAVAILABLE if later else Code.INVALID
            raise PosternError(code, _sentence(done.stderr, version, words[0]))

    def carry_out(self) -> None:
        """Has the upgrade that was written down carried out, apart from whoever asked for it.

        Raises:
            PosternError: `unavailable` where it is not finished.
        """
        failure = "The upgrade was cut off; it goes on by itself."
        self._systemctl(failure, "start", UPGRADE, limit_s=_WHOLE_S)

    def install(self, release: Path) -> None:
        """Installs a release beside the version that runs.

        Args:
            release: Its folder.

        Raises:
            PosternError: `unavailable` with what its installer said.
        """
        root = self.places.root
        where = [] if root == Path("/") else ["--root", str(root)]
        script = ["sh", str(release / "packaging" / "install"), "--beside", *where]
        done = self._run(_INSTALL_S, *script)
        if done.returncode != 0:
            raise PosternError(
                Code.UNAVAILABLE,
                f"The release could not be installed: {_last(done.stderr)}",
                "The version that runs is as it was.",
            )

    def _systemctl(self, failure: str, *words: str, limit_s: float = _PATIENCE_S) -> None:
        done = self._run(limit_s, "systemctl", *words)
        if done.returncode != 0:
            raise PosternError(Code.UNAVAILABLE, failure, f"See: journalctl -u {words[-1]}")

    def _run(self, limit_s: float, *words: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(  # noqa: S603 - words of ours, and versions that are installed
                words, capture_output=True, text=True, check=False, timeout=limit_s
            )
        except subprocess.TimeoutExpired:
            raise PosternError(
                Code.UNAVAILABLE, f"{Path(words[0]).name} took more than {limit_s:.0f} seconds."
            ) from None
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"{words[0]} cannot be started: {error.strerror}."
            ) from None


def _sentence(said: str, version: str, command: str) -> str:
    """What a command of ours said when it failed."""
    ours = [line.removeprefix(_SAID) for line in said.splitlines() if line.startswith(_SAID)]
    return ours[-1] if ours else f"postern {command} of {version} failed."


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    own = [line.removeprefix("install: ") for line in lines if line.startswith("install: ")]
    return (own or lines or ["it said nothing."])[-1]

"""A real broker on a free loopback port, which can be killed and come back on the same one."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.needs import missing

USER, PASSWORD = "postern", "a-pass-word"


def program(name: str = "mosquitto") -> str:
    """Where it is; Debian keeps it out of an ordinary user's path."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        missing(name)
    return str(found)


class Mosquitto:
    """One broker that keeps nothing on the disk."""

    def __init__(self, folder: Path, *, password: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type error"]
        if password:
            file = folder / "passwords"
            command = [program("mosquitto_passwd"), "-b", "-c", str(file), USER, PASSWORD]
            subprocess.run(command, check=True, capture_output=True)
            file.chmod(0o644)
            lines += [f"password_file {file}", "allow_anonymous false"]
        else:
            lines.append("allow_anonymous true")
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text("\n".join(lines) + "\n", "utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Starts it, on the port that it had."""
        command = [program(), "-c", str(self._settings)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = monotonic() + 20.0
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                assert monotonic() < until_s, "mosquitto does not start"
                sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kills it, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def mosquitto(*, password: bool = False) -> Iterator[Mosquitto]:
    """A broker, ended with the test."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # It gives up root's rights before it reads its files.
        broker = Mosquitto(Path(folder), password=password)
        try:
            yield broker
        finally:
            broker.kill()

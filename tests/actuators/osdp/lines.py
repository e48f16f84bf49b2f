"""A line with the real other side of OSDP on its far end, and a view of what that moves."""

import os
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from time import monotonic, sleep

PEER = Path(__file__).with_name("peer.py")
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
ADDRESS = 5


class Door:
    """What a peer moves. It outlives the peer, as a relay with a timer of its own does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until_s = 0.0
        self.driven = 0
        self.said: list[str] = []

    def take(self, line: str) -> None:
        with self._lock:
            self.said.append(line)
            if line.startswith("drive "):
                self.driven += 1
                self._until_s = monotonic() + float(line.split()[2])
            elif line.startswith("off "):
                self._until_s = 0.0

    @property
    def is_open(self) -> bool:
        with self._lock:
            return monotonic() < self._until_s


class Wire:
    """A pseudo-terminal: Postern has the end called `port`, a peer the other."""

    def __init__(self) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self.door = Door()
        self._peers: list[subprocess.Popen[str]] = []
        self._readers: list[Thread] = []

    def attach(self, side: str, *more: str, key: bytes = KEY) -> "subprocess.Popen[str]":
        """Starts a peer, and waits until it has begun."""
        self.drop_what_was_sent()
        command = [sys.executable, str(PEER), side, str(self._far), str(ADDRESS), key.hex(), *more]
        peer = subprocess.Popen(
            command, pass_fds=[self._far], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert peer.stdout is not None
        assert "ready\n" == peer.stdout.readline()
        self._peers.append(peer)
        reader = Thread(target=self._listen, args=(peer,))
        reader.start()
        self._readers.append(reader)
        return peer

    def make_noise(self) -> None:
        """Sends what is no OSDP, in the peer's place."""
        os.write(self._far, os.urandom(256))

    def drop_what_was_sent(self) -> None:
        """Drops what no peer has read yet: a line keeps nothing, and a pseudo-terminal does."""
        os.set_blocking(self._far, False)
        with suppress(BlockingIOError):
            while os.read(self._far, 4096):
                pass

    def _listen(self, peer: "subprocess.Popen[str]") -> None:
        assert peer.stdout is not None
        for line in peer.stdout:
            self.door.take(line.strip())

    def close(self) -> None:
        for peer in self._peers:
            peer.kill()
            peer.wait()
        for reader in self._readers:  # Each ends with its peer's pipe, which is closed after it.
            reader.join()
        for peer in self._peers:
            if peer.stdout is not None:
                peer.stdout.close()
        os.close(self._far)
        os.close(self._near)


@contextmanager
def wire() -> Iterator[Wire]:
    """A line, whose peers are ended with it."""
    made = Wire()
    try:
        yield made
    finally:
        made.close()


class Told:
    """What an actuator says of its health."""

    def __init__(self) -> None:
        self.news: list[tuple[str, str]] = []

    def __call__(self, state: str, why: str) -> None:
        self.news.append((state, why))

    def wait(self, state: str, seconds: float = 20.0) -> str:
        """The sentence of the state that it says last, once it is this one."""
        until_s = monotonic() + seconds
        while not (self.news and self.news[-1][0] == state):
            assert monotonic() < until_s, self.news
            sleep(0.02)
        return self.news[-1][1]


def key_file(folder: Path, key: bytes = KEY) -> Path:
    """A file with a key, for its owner alone."""
    file = folder / "osdp.key"
    file.write_text(f"{key.hex()}\n", "ascii")
    file.chmod(0o600)
    return file

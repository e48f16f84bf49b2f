"""Devices and brokers that inputs talk to, each a process of its own that can be killed."""

import getpass
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from paho.mqtt import publish

from tests.needs import missing

HERE = Path(__file__).parent
TOPIC = "site/door/contact"


class Peer(Protocol):
    """What an input reads, seen from outside."""

    port: int

    def set(self, level: bool, at: int = 0) -> None:
        """Closes or opens a contact."""
        ...

    def start(self) -> None:
        """Starts it again on the same port; waits until it answers."""
        ...

    def kill(self) -> None:
        """Ends it as `kill -9` does."""
        ...


class Process:
    """A program on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """What to run."""
        raise NotImplementedError

    def start(self) -> None:
        """See `Peer.start`."""
        out = (self.folder / "output").open("ab")
        self._process = subprocess.Popen(self.command(), stdout=out, stderr=out)
        out.close()
        until_s = time.monotonic() + 30.0
        while not _answers(self.port):
            assert self._process.poll() is None, (self.folder / "output").read_text("utf-8")
            assert time.monotonic() < until_s
            time.sleep(0.02)

    def kill(self) -> None:
        """See `Peer.kill`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class ModbusDevice(Process):
    """A server of pymodbus with eight inputs."""

    script = "modbus_device.py"

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(folder)
        self._arguments = arguments
        self._levels = folder / "levels"
        self._levels.write_text("0" * 8, "utf-8")

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, HERE / self.script, str(self.port), self._levels, *self._arguments]

    def set(self, level: bool, at: int = 0) -> None:
        """See `Peer.set`."""
        levels = self._levels.read_text("utf-8")
        new = self.folder / "levels.new"
        new.write_text(f"{levels[:at]}{int(level)}{levels[at + 1 :]}", "utf-8")
        new.replace(self._levels)


class ShellyDevice(ModbusDevice):
    """An HTTP device that speaks Shelly's RPC, with eight inputs."""

    script = "shelly_device.py"


class Mosquitto(Process):
    """A broker; whether it lets anybody in is up to `settings`."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true\n") -> None:
        super().__init__(folder)
        self._settings = settings
        #: Whether what is published is kept by the broker for whoever comes later.
        self.retains = True

    def command(self) -> Sequence[str | Path]:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            missing("mosquitto")
        file = self.folder / "mosquitto.conf"
        # Started by root it would become a user who may not read the folders of tests.
        head = f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\n"
        file.write_text(head + self._settings, "utf-8")
        return [program or "", "-c", file]

    def start(self) -> None:
        """See `Peer.start`; what a broker had kept is gone with it."""
        super().start()

    def set(self, level: bool, at: int = 0) -> None:
        """See `Peer.set`."""
        self.say("on" if level else "off", at)

    def say(
        self, payload: str, at: int = 0, *, topic: str = "", retain: bool | None = None
    ) -> None:
        """Publishes anything."""
        publish.single(
            topic or f"{TOPIC}/{at}",
            payload,
            qos=1,
            retain=self.retains if retain is None else retain,
            hostname="127.0.0.1",
            port=self.port,
        )


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1.0)
        return one.connect_ex(("127.0.0.1", port)) == 0

"""What a device beside a test has in common with others: a relay, its timer, and faults to order.

It writes every change of its relay and every order to open into `FOLDER/relay`, the port it listens
on into `FOLDER/port`, and does what `FOLDER/fault` says.
"""

import time
from pathlib import Path
from threading import RLock, Timer


class Contact:
    """A relay that closes by a timer of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on = False
        self.lasts_s: float | None = None
        self._lock = RLock()
        self._timer: Timer | None = None

    @property
    def fault(self) -> str:
        """What shall go wrong now."""
        file = self.folder / "fault"
        return file.read_text("utf-8") if file.exists() else ""

    def listening(self, port: int) -> None:
        """Tells the test that it can begin."""
        made = self.folder / "port.new"
        made.write_text(str(port), "utf-8")
        made.rename(self.folder / "port")

    def turn(self, on: bool, lasts_s: float | None = None) -> None:
        """Switches; for so many seconds, where it is told."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self.lasts_s = None, lasts_s
            if on:
                self.note("ordered")
            if on != self.on:
                self.on = on
                self.note("on" if on else "off")
            if on and lasts_s is not None:
                self._timer = Timer(lasts_s, self._end)
                self._timer.daemon = True
                self._timer.start()

    def note(self, word: str) -> None:
        """Writes a word, with the time."""
        with (self.folder / "relay").open("a", encoding="utf-8") as file:
            file.write(f"{time.monotonic():.3f} {word}\n")

    def _end(self) -> None:
        if self.fault != "stuck":
            self.turn(False)

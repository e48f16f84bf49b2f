"""What is killed while eight cameras are watched: how long until all is well, and what is lost.

The cameras are those of `field.py`; the door is opened by a coil of a board by Modbus, the barrier
by a relay behind mosquitto. Each is killed with SIGKILL, over and over: a decoding process, the
broker, and the service itself while the door's coil is on, which is then started again at once.

    python -m tests.load.drill --rounds 5 --out docs/benchmarks
"""
# ruff: noqa: T201 - a program that says what it found

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread

from postern.bench import results
from tests.actuators.bench import Notes, until
from tests.actuators.modbus.bench import COIL, board
from tests.actuators.mqtt.relay import COMMANDS, STATES, Relay, relay
from tests.brokers import Mosquitto, mosquitto
from tests.load.field import FPS, IDLE, decoders, write_site, write_streams
from tests.rtsp_camera import RtspCamera, rtsp_camera

#: Seconds after which what is not well yet counts as lost.
PATIENCE_S = 60.0
#: Seconds that the broker is away, longer than a pulse.
AWAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the rounds came to; seconds.

    Attributes:
        decoder_s: From the kill of a decoding process to the line that its camera is well.
        broker_s: From the broker's return to the line that its relay is well.
        coil_s: From the kill of the service to the coil's end.
        service_s: From the service's start to the line that the last of eight cameras is well.
        granted: Grants that the service's lines told, in all.
        recorded: How many of them are in the record.
        interrupted: Grants that a kill cut short, and that the record says so of.
        verified: What `postern events --verify` said last.
        left_open: Gates that were open at the end.
    """

    decoder_s: tuple[float, ...]
    broker_s: tuple[float, ...]
    coil_s: tuple[float, ...]
    service_s: tuple[float, ...]
    granted: int
    recorded: int
    interrupted: int
    verified: str
    left_open: int


@dataclass(frozen=True, slots=True)
class Change:
    """A line about the state of a part.

    Attributes:
        at_s: When it came, on the monotonic clock.
        who: Which part.
    """

    at_s: float
    who: str


class Told:
    """What a service's lines say, each with the second in which it came."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lines: list[tuple[float, dict[str, object]]] = []
        Thread(target=self._gather, daemon=True).start()

    def _gather(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append((time.monotonic(), json.loads(line)))

    def granted(self) -> list[str]:
        """The attempts that were let in."""
        return [str(said["attempt"]) for _, said in list(self._lines) if said.get("granted")]

    def change(self, state: str, since_s: float, who: str = "", sentence: str = "") -> Change:
        """The first change of a part to a state after that second; waits for it.

        Args:
            state: The state.
            since_s: Of the monotonic clock.
            who: The part; empty for any.
            sentence: Something that is said with it.

        Raises:
            TimeoutError: Where it is not in time.
        """

        def found() -> list[Change]:
            return [
                Change(at, str(said["who"]))
                for at, said in list(self._lines)
                if at > since_s
                and said.get("state") == state
                and said["who"] == (who or said["who"])
                and sentence in str(said["sentence"])
            ]

        if not until(lambda: bool(found()), PATIENCE_S):
            raise TimeoutError(f"{who} is not {state} in {PATIENCE_S:.0f} s.")
        return found()[0]


@dataclass(frozen=True, slots=True)
class Yard:
    """What is killed, and what is watched meanwhile.

    Attributes:
        site: The site's file.
        cameras: By name.
        notes: What the board did.
        broker: The broker.
        barrier: The relay behind it.
    """

    site: Path
    cameras: dict[str, RtspCamera]
    notes: Notes
    broker: Mosquitto
    barrier: Relay


def main() -> None:
    """Runs the rounds and says what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-drill-") as name, ExitStack() as running:
        found = drilled(running.enter_context(yard(Path(name))), given.rounds)
    told = words(found)
    print(told)
    if given.out:
        machine = results.this_machine({})
        command = f"python -m tests.load.drill --rounds {given.rounds} --out docs/benchmarks"
        body = results.setting(machine, command) + told
        record = {"machine": asdict(machine), **asdict(found)}
        results.write(given.out, "drill", "What is killed under load", body, record)


def words(found: Found) -> str:
    """What was found, in sentences."""

    def span(seconds: tuple[float, ...]) -> str:
        return f"{min(seconds):.2f} to {max(seconds):.2f} s"

    return (
        f"Eight cameras, two of them busy; each was killed {len(found.decoder_s)} times.\n\n"
        "| killed | until | took | promised |\n|---|---|---|---|\n"
        f"| a decoding process | its camera is well | {span(found.decoder_s)} | 5 s |\n"
        f"| the broker, for {AWAY_S:.0f} s | its relay is well, from its return | "
        f"{span(found.broker_s)} | 10 s |\n"
        f"| the service, in a pulse | the coil is off | {span(found.coil_s)} | the pulse's end |\n"
        f"| the service, started at once | all eight cameras are well | {span(found.service_s)} | "
        "10 s |\n\n"
        f"Grants that the lines told: {found.granted}; of these in the record: {found.recorded}. "
        f"Grants cut short by a kill, which the record says so of: {found.interrupted}. Gates left "
        f"open: {found.left_open}. The record, checked: {found.verified}\n"
    )


@contextmanager
def yard(folder: Path) -> Iterator[Yard]:
    """The site with its devices."""
    write_streams(folder)
    with ExitStack() as running:
        cameras = {
            name: running.enter_context(
                rtsp_camera(folder=folder / name.rstrip("0123456789"), fps=FPS)
            )
            for name in ("door", "barrier", *(f"idle{n}" for n in range(IDLE)))
        }
        (folder / "board").mkdir()
        port, _ = running.enter_context(board(folder / "board"))
        broker = running.enter_context(mosquitto())
        barrier = running.enter_context(relay(broker.port))
        site = write_site(
            folder,
            cameras,
            door=f'kind = "modbus"\naddress = "127.0.0.1:{port}"\ncoil = {COIL}',
            barrier=f'kind = "mqtt"\naddress = "127.0.0.1:{broker.port}"\ntopic = "{COMMANDS}"\n'
            f'off = "OFF"\nstate_topic = "{STATES}"',
        )
        with site.open("a", encoding="utf-8") as file:
            file.write('\n[log]\nformat = "json"\nlevel = "debug"\n')
        yield Yard(site, cameras, Notes(folder / "board" / "relay"), broker, barrier)


def drilled(at: Yard, rounds: int) -> Found:
    """Kills each so many times."""
    decoder_s, broker_s, coil_s, service_s = [], [], [], []
    granted: list[str] = []
    for number in range(rounds):
        with service(at) as (process, told, took_s):
            service_s.append(took_s)
            decoder_s.append(without_a_decoder(process.pid, told, number))
            broker_s.append(without_broker(at.broker, told))
            coil_s.append(killed_in_a_pulse(process, at.notes))
            granted += told.granted()
    # Once more: it says of what was cut short that it was.
    with service(at) as (process, told, _):
        process.terminate()
        process.wait(30)
        granted += told.granted()
    until(lambda: not at.notes.is_open() and not at.barrier.is_on)
    events = json.loads(postern(at.site, "events", "--limit", "10000", "--json").stdout)
    decided = {entry["event"]["attempt"] for entry in events if entry["kind"] == "decided"}
    return Found(
        tuple(decoder_s),
        tuple(broker_s),
        tuple(coil_s),
        tuple(service_s),
        len(granted),
        len(decided.intersection(granted)),
        sum(entry["kind"] == "interrupted" for entry in events),
        " ".join(postern(at.site, "events", "--verify", "--limit", "1").stderr.split()),
        at.notes.is_open() + at.barrier.is_on,
    )


@contextmanager
def service(at: Yard) -> Iterator[tuple["subprocess.Popen[str]", Told, float]]:
    """The service, what it says, and the seconds until its last camera was well; then killed."""
    begun_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "postern", "run", str(at.site)], stderr=subprocess.PIPE, text=True
    )
    try:
        told = Told(process)
        ends_s = [told.change("ok", begun_s, name, "frames arrive").at_s for name in at.cameras]
        yield process, told, max(ends_s) - begun_s
    finally:
        process.kill()
        process.wait()


def without_a_decoder(service: int, told: Told, number: int) -> float:
    """Kills one decoding process; gives the seconds until its camera is well."""
    found = sorted(decoders(service))
    killed_s = time.monotonic()
    os.kill(found[number % len(found)], signal.SIGKILL)
    fallen = told.change("red", killed_s, sentence="was ended by signal")
    return told.change("ok", fallen.at_s, fallen.who).at_s - killed_s


def without_broker(broker: Mosquitto, told: Told) -> float:
    """Kills the broker; gives the seconds from its return until the relay is well."""
    killed_s = time.monotonic()
    broker.kill()
    told.change("red", killed_s, "actuator barrier")
    time.sleep(AWAY_S)
    back_s = time.monotonic()
    broker.start()
    return told.change("ok", back_s, "actuator barrier").at_s - back_s


def killed_in_a_pulse(process: "subprocess.Popen[str]", notes: Notes) -> float:
    """Kills the service while the coil is on; gives the seconds until the coil is off."""
    if not until(notes.is_open, PATIENCE_S):
        raise TimeoutError("Nobody is let in at the door.")
    killed_s = time.monotonic()
    process.kill()
    process.wait()
    if not until(lambda: not notes.is_open(), PATIENCE_S):
        raise TimeoutError("The coil stays on.")
    return time.monotonic() - killed_s


def postern(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What a command says."""
    return subprocess.run(
        [sys.executable, "-m", "postern", *arguments, "--site", str(site)],
        capture_output=True,
        text=True,
        check=True,
    )


if __name__ == "__main__":
    main()

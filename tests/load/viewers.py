"""Whether decisions take longer while a hundred people watch and clerks work, and in which process
whoever watches had better be served.

Three loads, one after the other and all of it several times over: nobody watches; everybody is
served by the service's own process; everybody is served by a process of its own. Whoever watches is
sent every decision and the pictures of all cameras; the clerks register vehicles.

    python -m tests.load.viewers --rounds 3 --minutes 2 --out docs/benchmarks
"""
# ruff: noqa: T201 - a program that says what it found

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import httpx
from litestar import Litestar, get, post
from litestar.params import FromQuery
from litestar.response import Stream

from postern.app.live.relay import Relay
from postern.app.served import served
from postern.app.wire import Installation, open_site, read_site
from postern.bench import results
from postern.core.event import Changed
from postern.core.ids import VehicleId
from postern.core.vehicle import Vehicle
from postern.web.audience import Audience, streamed
from postern.web.server import listen
from tests.load.field import FPS, SETTLE_S, quantile, running_service, write_site, write_streams
from tests.rtsp_camera import rtsp_camera

VIEWERS, WRITES_A_SECOND = 100, 20
CAMERAS = ("door", "barrier", "idle0", "idle1")
#: How much less a process of its own counts with the kernel than the service does.
NICE = 10
_GRANT = re.compile(r"(\w+): granted \(.* (\d+) ms after the frame")
IN_SERVICE, OWN_PROCESS = "--in-service", "--own-process"


@dataclass(frozen=True, slots=True)
class Found:
    """What one way of serving came to.

    Attributes:
        grants: How many there were.
        p50_ms: From a frame's arrival to the actuator's answer, the median.
        p99_ms: Its 99 % quantile.
        shown_p95_ms: From a decision to whoever watches.
        pictures: That each of them was sent, a second.
        writes: That were answered, a second.
        failures: Writes that were not.
    """

    grants: int
    p50_ms: float
    p99_ms: float
    shown_p95_ms: float
    pictures: float
    writes: float
    failures: int


def desk(installation: Installation, relay: Relay, audience: Audience) -> Litestar:
    """What everybody is served by."""

    @asynccontextmanager
    async def following(_app: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(relay.run())
        yield
        task.cancel()

    @get("/live")
    async def live(pictures: FromQuery[bool] = True) -> Stream:
        return streamed(audience.watch(pictures=pictures))

    @post("/vehicles", sync_to_thread=True)
    def vehicles() -> str:
        name, now = uuid4().hex, installation.clock.now().utc
        vehicle = Vehicle(VehicleId(f"v-{name}"), f"L{name[:8].upper()}", "load")
        with installation.store.together():
            installation.store.vehicles.add(vehicle)
            installation.records.append(Changed(now, "vehicle added", vehicle.id, "user:clerk"))
        return vehicle.id

    return Litestar(
        [live, vehicles], lifespan=[following], openapi_config=None, logging_config=None
    )


def serve(file: Path, port: int, how: str) -> None:
    """Serves everybody: beside the service in its own process, or alone."""
    site, stop = read_site(file), Event()
    with ExitStack() as life:
        installation = life.enter_context(open_site(site))
        relay = Relay(site.data)
        audience = Audience(relay.standings)
        relay.attach(audience)
        taken = life.enter_context(listen("127.0.0.1", port))
        life.enter_context(served(desk(installation, relay, audience), taken, "desk", lasting=True))
        life.callback(audience.dismiss)
        if how == IN_SERVICE:
            from postern.cli.run import run  # noqa: PLC0415 - the service with all that it takes

            run(file)
            return
        os.nice(NICE)
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        stop.wait()


@contextmanager
def lines_of(command: Sequence[str], lines: list[str]) -> Iterator[None]:
    """A program, until the end of the block; what it tells is gathered as it comes."""
    process = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True)
    told = process.stderr
    assert told is not None
    Thread(target=lambda: lines.extend(told), daemon=True).start()
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


class Crowd:
    """Everybody who watches, and the clerks; their own processor time is on the machine, too."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.shown_ms: list[float] = []
        self.pictures = self.writes = self.failures = 0

    async def run(self, seconds: float) -> None:
        """Watches and writes for so long."""
        limits = httpx.Limits(max_connections=VIEWERS + WRITES_A_SECOND)
        async with (
            httpx.AsyncClient(base_url=self._address, limits=limits, timeout=30.0) as client,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(self._watch()) for _ in range(VIEWERS)]
            until_s = time.monotonic() + seconds
            while time.monotonic() < until_s:
                tasks.append(group.create_task(self._write(client)))
                await asyncio.sleep(1 / WRITES_A_SECOND)
            for task in tasks:
                task.cancel()

    async def _watch(self) -> None:
        host, port = self._address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
        try:
            writer.write(b"GET /live HTTP/1.1\r\nHost: desk\r\n\r\n")
            while line := await reader.readline():
                if line.startswith(b'data: {"at":'):
                    self._decided(line)
                elif line.startswith(b"event: picture"):
                    self.pictures += 1
        finally:
            writer.close()

    def _decided(self, line: bytes) -> None:
        told = re.search(rb'"at":"([^"]+)".*"granted":true', line)
        if told:
            at = datetime.fromisoformat(told[1].decode())
            self.shown_ms.append(1e3 * (time.time() - at.timestamp()))

    async def _write(self, client: httpx.AsyncClient) -> None:
        try:
            answer = await client.post("/vehicles")
            self.writes += answer.is_success
            self.failures += answer.is_error
        except httpx.HTTPError:
            self.failures += 1


NOBODY = "nobody watches"
WAYS = {
    NOBODY: "",
    "served by the service's own process": IN_SERVICE,
    "served by a process of its own": OWN_PROCESS,
}


@dataclass(slots=True)
class Seen:
    """What one way of serving gave so far."""

    grants_ms: list[float]
    shown_ms: list[float]
    seconds: float = 0.0
    pictures: int = 0
    writes: int = 0
    failures: int = 0


def main() -> None:
    """Takes every load in turn and says what was found; or serves one of them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--minutes", type=float, default=2.0)
    options.add_argument("--out", type=Path)
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options.add_argument(IN_SERVICE, action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        serve(given.serve, given.port, IN_SERVICE if given.in_service else OWN_PROCESS)
        return
    seen = {way: Seen([], []) for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="postern-viewers-") as name:
        folder = Path(name)
        write_streams(folder)
        for number in range(given.rounds):
            for way, how in WAYS.items():
                print(f"round {number + 1} of {given.rounds}: {way} ...", file=sys.stderr)
                watched(folder, how, given.minutes, seen[way])
    found = {way: came_to(one) for way, one in seen.items()}
    told = words(found, given.minutes * given.rounds)
    print(told)
    if given.out:
        machine = results.this_machine({})
        command = " ".join(["python -m tests.load.viewers", *sys.argv[1:]])
        body = results.setting(machine, command) + told
        record = {"machine": asdict(machine), **{way: asdict(one) for way, one in found.items()}}
        results.write(given.out, "viewers", "A hundred people watch", body, record)


def watched(folder: Path, how: str, minutes: float, seen: Seen) -> None:
    """One load, added to what it gave so far."""
    lines: list[str] = []
    with ExitStack() as running:
        cameras = {
            name: running.enter_context(
                rtsp_camera(folder=folder / name.rstrip("0123456789"), fps=FPS)
            )
            for name in CAMERAS
        }
        file, port = write_site(folder, cameras), free_port()
        serving = ["tests.load.viewers", "--serve", str(file), "--port", str(port)]
        if how == IN_SERVICE:
            running.enter_context(lines_of([*serving, IN_SERVICE], lines))
        else:
            running.enter_context(running_service(file, lines))
        if how == OWN_PROCESS:
            running.enter_context(lines_of(serving, []))
        time.sleep(SETTLE_S)
        skipped, seconds = len(lines), 60 * minutes
        crowd = Crowd(f"http://127.0.0.1:{port}")
        if how:
            asyncio.run(crowd.run(seconds))
        else:
            time.sleep(seconds)
        told = [found for line in lines[skipped:] for found in _GRANT.findall(line)]
    seen.grants_ms += [float(ms) for _, ms in told]
    seen.shown_ms += crowd.shown_ms
    seen.seconds += seconds
    seen.pictures += crowd.pictures
    seen.writes += crowd.writes
    seen.failures += crowd.failures


def came_to(seen: Seen) -> Found:
    """What it comes to."""
    return Found(
        len(seen.grants_ms),
        quantile(seen.grants_ms, 0.5),
        quantile(seen.grants_ms, 0.99),
        quantile(seen.shown_ms, 0.95),
        seen.pictures / seen.seconds / VIEWERS,
        seen.writes / seen.seconds,
        seen.failures,
    )


def words(found: dict[str, Found], minutes: float) -> str:
    """What was found, as a table."""
    rows = [
        f"Four cameras, two of them busy; {VIEWERS} people are sent every decision and the "
        f"pictures of all cameras, and {WRITES_A_SECOND} vehicles a second are registered "
        f"meanwhile. All took turns, {minutes:g} minutes each. Those who watch and write run on "
        "the same cores.",
        "",
        "| | grants | frame to relay p50 | p99 | of nobody's (promised: 1.2x) | decision to screen "
        "p95 (promised: 200 ms) | pictures to each | writes | failed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    alone = found[NOBODY].p99_ms
    for way, one in found.items():
        watched = way != NOBODY
        rows.append(
            f"| {way} | {one.grants} | {one.p50_ms:.0f} ms | {one.p99_ms:.0f} ms | "
            f"{one.p99_ms / alone:.2f}x | "
            + (
                f"{one.shown_p95_ms:.0f} ms | {one.pictures:.1f}/s | {one.writes:.1f}/s | "
                f"{one.failures} |"
                if watched
                else "| | | |"
            )
        )
    return "\n".join(rows) + "\n"


def free_port() -> int:
    """A port that is free now."""
    with listen("127.0.0.1", 0) as taken:
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    main()

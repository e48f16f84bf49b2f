"""Kills a site's processes again and again, and looks each time whether the promises hold.

A round: one process runs lanes, a publisher and an expirer, another one appends as commands do.
Both are killed at a random moment, and what they left behind is opened and checked. Ten rounds
share a folder. Time runs fast, so that segments and tiles come and expire all along.

    python -m tests.ledger.crash --rounds 1000
"""
# ruff: noqa: S311, BLE001, T201 - dice, not keys; and a program that says what it found

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

from postern.core.decision import GRANTS
from postern.core.event import Acted, Changed, Decided, Event, Interrupted
from postern.core.ids import AccessPointId, AttemptId, EventId
from postern.core.moment import Moment, parse_time, time_text
from postern.core.ports import Command, Report
from postern.engine.service import close_interrupted
from postern.ledger.log import Log, open_log
from postern.ledger.segment import Entry
from postern.ledger.tiles import Tiles
from postern.ledger.tree import EMPTY, read_edge
from postern.ledger.verify import verify_log
from tests.engine.doubles import Stage
from tests.people import ALICE, DOOR, NOW, PLACES

SEED = bytes(range(32))
ORIGIN = "postern.example/crash"
#: Simulated seconds in one: a segment's hour goes by in six milliseconds.
SPEED = 600_000
#: Half of what a round lasts, so that much expires and much is there to be checked.
KEEP = timedelta(seconds=0.03 * SPEED)
LIFE = 10
LONGEST_S = 0.3


@dataclass(frozen=True)
class FastClock:
    """A calendar that hurries, the same in all processes; the other clock is the machine's."""

    begun_s: float
    begun: datetime

    def now(self) -> Moment:
        now_s = time.monotonic()
        return Moment(self.begun + timedelta(seconds=(now_s - self.begun_s) * SPEED), now_s)


@dataclass(frozen=True)
class Noting:
    """The ledger, which writes down what it has acknowledged.

    A stage counts its attempts from one; the prefix makes them those of this round.
    """

    log: Log
    acks: int
    prefix: str = ""

    def append(self, event: Event) -> EventId:
        if isinstance(event, Decided | Acted):
            event = replace(event, attempt=AttemptId(self.prefix + event.attempt))
        index = self.log.append(event)
        acknowledge(self.acks, index, event)
        return index


def acknowledge(acks: int, index: EventId, event: Event) -> None:
    os.write(acks, f"{index} {mark(event)} {time_text(event.at)}\n".encode())


def mark(event: Event) -> str:
    """What tells an event from all others of a site."""
    match event:
        case (
            Decided(access_point=place, attempt=attempt)
            | Acted(access_point=place, attempt=attempt)
        ):
            return f"{type(event).__name__}:{place}:{attempt}"
        case Interrupted(access_point=place, attempt=attempt):
            return f"Interrupted:{place}:{attempt}"
        case Changed(what=what):
            return f"Changed:{what}"
    raise ValueError(event)


class ViolationError(Exception):
    """A promise was broken."""


@dataclass
class Site:
    """A folder with a log, and what was seen of it from outside."""

    folder: Path
    clock: FastClock
    size: int = 0
    root: bytes = EMPTY
    pulses: int = 0
    rounds: int = 0

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def open(self) -> Log:
        return open_log(self.ledger, SEED, ORIGIN, self.clock)

    def noted(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.open(self.folder / name, flags, 0o600)

    def lines(self, name: str) -> list[list[str]]:
        path = self.folder / name
        return [line.split(" ") for line in path.read_text().splitlines()] if path.exists() else []


def unfinished(entries: list[Entry]) -> list[Decided]:
    """Grants without an outcome."""
    events = [entry.event for entry in entries]
    ended = {(e.access_point, e.attempt) for e in events if isinstance(e, Acted | Interrupted)}
    return [
        event
        for event in events
        if isinstance(event, Decided)
        and event.reason in GRANTS
        and (event.access_point, event.attempt) not in ended
    ]


def serve(site: Site) -> None:
    """The service: lanes that grant and open, a publisher, an expirer."""
    log = site.open()
    ledger = Noting(log, site.noted("acks"), f"{site.rounds}-")
    close_interrupted(unfinished(list(log.entries())), ledger, site.clock)
    pulses = site.noted("pulses")
    work: list[Callable[[], object]] = [
        lane(site, ledger, pulses, place) for place in sorted(PLACES)
    ]

    def publish() -> None:
        log.publish()
        time.sleep(0.001)

    def expire() -> None:
        log.expire(site.clock.now().utc - KEEP)
        time.sleep(0.002)

    together([*work, publish, expire])


def lane(site: Site, ledger: Noting, pulses: int, place: AccessPointId) -> Callable[[], None]:
    """A lane before which Alice shows up again and again."""
    stage = Stage(replace(DOOR, id=place), clock=site.clock, ledger=ledger)

    def opened(command: Command) -> Report:
        os.write(pulses, f"{command.access_point} {ledger.prefix}{command.id}\n".encode())
        return Report(True, "opened")

    stage.actuator.answer = opened
    numbers = iter(range(1, sys.maxsize))

    def visit() -> None:
        before = len(stage.pulses)
        stage.face(stage.seen(next(numbers), ALICE))
        stage.face()
        if len(stage.pulses) == before:
            raise ViolationError(f"Alice was kept out: {stage.observer.outcomes[-1:]}")

    return visit


def command(site: Site) -> None:
    """What commands do in other processes: some events, at once or one by one."""
    log = site.open()
    acks = site.noted("acks")
    for turn in range(sys.maxsize):
        events = [
            Changed(site.clock.now().utc, f"c{site.rounds}-{turn}-{n}", "p-alice", "operator")
            for n in range(random.choice((1, 1, 5, 40)))
        ]
        for index, event in zip(log.append_all(events), events, strict=True):
            acknowledge(acks, index, event)
        if turn % 10 == 9:
            log.publish()
        time.sleep(random.uniform(0, 0.01))


def together(work: list[Callable[[], object]]) -> None:
    """Does all of it, over and over, at the same time."""
    threads = [Thread(target=guarded, args=(forever(one),)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def forever(one: Callable[[], object]) -> Callable[[], None]:
    def loop() -> None:
        while True:
            one()

    return loop


def guarded(work: Callable[[], object]) -> None:
    """Nothing may fail while nothing but a kill happens: whatever does ends the process."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def spawn(work: Callable[[Site], None], site: Site) -> int:
    child = os.fork()
    if child == 0:
        guarded(lambda: work(site))
        os._exit(2)
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise ViolationError("A process failed before it was killed; its words are above.")


def round_of(site: Site, seen: Counter[str]) -> None:
    """Lets the processes run, kills them, and checks what they left."""
    children = [spawn(work, site) for work in (serve, command)]
    random.shuffle(children)
    for child in children:
        time.sleep(random.uniform(0, LONGEST_S) / len(children))
        kill(child)
    note(site, seen)
    check(site, seen)
    site.rounds += 1


def note(site: Site, seen: Counter[str]) -> None:
    """Counts the states that a kill left behind, before anything mends them."""
    segments = sorted((site.ledger / "journal").glob("*.segment"))
    seen["half-written files"] += bool(list(site.ledger.rglob("*.new")))
    seen["half-destroyed files"] += bool(list(site.ledger.rglob("*.destroyed")))
    seen["empty segments"] += bool(segments and not segments[-1].stat().st_size)
    seen["no checkpoint"] += not (site.ledger / "checkpoint").exists()


def check(site: Site, seen: Counter[str]) -> None:
    """All promises, on what is there after a crash."""
    log = site.open()
    entries = list(log.entries())
    size = log.size()
    published = log.checkpoint().checkpoint.size
    kept = {entry.index: mark(entry.event) for entry in entries}
    require(kept.keys() >= set(range(published, size)), "what is not published has a gap")
    acks = {int(index): (what, parse_time(at)) for index, what, at in site.lines("acks")}
    require(len(acks) == len(site.lines("acks")), "a number was given twice")
    due = site.clock.now().utc - KEEP
    for index, (what, at) in acks.items():
        require(index < size, f"acknowledged event {index} is lost, of {size}")
        require(kept.get(index, what) == what, f"event {index} is another one")
        require(index in kept or at < due, f"event {index} is gone before its time")
    recorded = set(kept.values()) | {what for what, _ in acks.values()}
    pulses = [f"{place}:{attempt}" for place, attempt in site.lines("pulses")]
    require(len(pulses) == len(set(pulses)), "a pulse went out twice")
    for pulse in pulses:
        require(f"Decided:{pulse}" in recorded, f"the pulse {pulse} has no event")
    require(len(set(kept.values())) == len(kept), "an event is there twice")
    open_grants = unfinished(entries)
    seen["unpublished events"] += size - published
    seen["rounds with unpublished events"] += size > published
    seen["rounds with unfinished grants"] += bool(open_grants)
    seen["rounds with expired events"] += len(kept) < size
    seen["unacknowledged events"] += len([i for i in range(site.size, size) if i not in acks])
    if random.random() < 0.5:
        close_interrupted(open_grants, Noting(log, site.noted("acks")), site.clock)
        check_outcomes(list(log.entries()))
    check_tree(site, log)
    site.pulses = len(pulses)
    log.close()


def check_outcomes(entries: list[Entry]) -> None:
    """After closing, every grant has one outcome."""
    outcomes = Counter(
        (event.access_point, event.attempt)
        for event in (entry.event for entry in entries)
        if isinstance(event, Acted | Interrupted)
    )
    require(not unfinished(entries), "a grant has no outcome")
    require(all(count == 1 for count in outcomes.values()), "a grant has two outcomes")


def check_tree(site: Site, log: Log) -> None:
    """The log verifies, has all entries, and continues what was published before."""
    opened = log.publish()
    verified = verify_log(site.ledger, log.verifier.vkey, time.monotonic, lambda done, of: None)
    require(verified.checkpoint == opened.checkpoint, "another checkpoint was verified")
    require(verified.checkpoint.size == log.size(), "not everything was published")
    before = read_edge(Tiles(site.ledger, verified.checkpoint.size), site.size).root()
    require(before == site.root, "the tree does not continue what was published")
    site.size, site.root = verified.checkpoint.size, verified.checkpoint.root


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ViolationError(otherwise)


def sites(rounds: int) -> Iterator[Site]:
    """One site for ten rounds each."""
    for _ in range(-(-rounds // LIFE)):
        folder = Path(tempfile.mkdtemp(prefix="postern-crash-"))
        # Some begin shortly before a month ends.
        begun = NOW + timedelta(days=random.uniform(0, 60))
        yield Site(folder, FastClock(time.monotonic(), begun))
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    seen: Counter[str] = Counter()
    done, started = 0, time.monotonic()
    for site in sites(arguments.rounds):
        for _ in range(min(LIFE, arguments.rounds - done)):
            try:
                round_of(site, seen)
            except Exception as error:
                traceback.print_exc()
                print(f"Round {done}, seed {arguments.seed}: {error} Kept: {site.folder}")
                return 1
            done += 1
        seen["events"] += site.size
        seen["pulses"] += site.pulses
    report = {"rounds": done, "violations": 0, "seconds": round(time.monotonic() - started, 1)}
    print(json.dumps(report | dict(sorted(seen.items())), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

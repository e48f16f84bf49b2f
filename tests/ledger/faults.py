"""Runs one site's day over and over, each time with another system call going wrong.

Every call of a sort that changes something on the disk is met in turn. It fails; or it is done and
reported as failed; or the process dies before it; or, where it writes, half-way through; or the
disk fails from then on; or what failed cannot even be taken back. Whatever happens, nothing
acknowledged may be lost, nothing may open without a record, and the site must open and verify.

    LD_PRELOAD=fault.so python -m tests.ledger.faults
"""
# ruff: noqa: BLE001, T201 - a program that says what it found

import argparse
import ctypes
import fcntl
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from threading import Thread

from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Changed, Decided, Event, Interrupted
from postern.core.ids import AttemptId, PermitId
from postern.event_text import decode, encode
from postern.ledger.log import Log, open_log
from postern.ledger.pseudonym import reveal
from postern.ledger.tiles import Tiles
from postern.ledger.tree import EMPTY, read_edge
from postern.ledger.verify import verify_log
from tests.clocks import SteppedClock
from tests.people import ALICE, DOOR

SEED, ORIGIN = bytes(range(32)), "postern.example/faults"
HOUR_S = 3600.0
#: Hours that contents are kept: some go each hour.
KEPT_H = 2
HOURS = 4


class Call(IntEnum):
    """The calls that can go wrong, as fault.c has them."""

    WRITE = 0
    PWRITE = 1
    FSYNC = 2
    FDATASYNC = 3
    RENAME = 4
    FTRUNCATE = 5
    OPEN = 6
    UNLINK = 7
    MKDIR = 8
    UNLINKAT = 9


class How(IntEnum):
    """What goes wrong."""

    COUNT = 0
    FAIL = 1
    LATE = 2
    DIE = 3
    TORN = 4
    DOWN = 5
    TWICE = 6


@dataclass
class Site:
    """A folder with a log, and beside it what was acknowledged and what moved."""

    folder: Path
    clock: SteppedClock = field(default_factory=SteppedClock)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def open(self) -> Log:
        return open_log(self.ledger, SEED, ORIGIN, self.clock)

    def note(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(f"{text}\n")

    def noted(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


class Day:
    """What happens at a site; every step may fail, and the next one goes on."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.log: Log | None = None

    def run(self) -> None:
        for hour in range(HOURS):
            self.grant(f"{hour}-a")
            self.some(hour)
            self.attempt(lambda log: log.publish())
            self.grant(f"{hour}-b")
            if hour == 2:
                self.reopen()
            self.site.clock.advance(HOUR_S)
            self.attempt(lambda log: log.expire(self.due()))
        self.reopen()
        # One fault may hit one of them.
        self.grant("last")
        self.reopen()
        self.grant("very-last")
        self.attempt(lambda log: log.publish())

    def due(self) -> datetime:
        return self.site.clock.now().utc - timedelta(hours=KEPT_H)

    def grant(self, name: str) -> None:
        """Durable first, then the pulse, then the answer."""
        now, attempt = self.site.clock.now().utc, AttemptId(name)
        granted = Decided(
            now, DOOR.id, attempt, Reason.PERMITTED, PermitId("permit-1"), (ALICE,), 3
        )
        if self.keep(granted):
            self.site.note("pulses", name)
            self.keep(Acted(now, DOOR.id, attempt, True, "opened"))

    def some(self, hour: int) -> None:
        now = self.site.clock.now().utc
        self.keep(*(Changed(now, f"{hour}:{n}", f"v-{n}", "operator") for n in range(3)))

    def keep(self, *events: Event) -> bool:
        def append(log: Log) -> None:
            for index, event in zip(log.append_all(events), events, strict=True):
                self.site.note("acks", f"{index} {encode(event)}")

        return self.attempt(append)

    def reopen(self) -> None:
        if self.log is not None:
            self.log.close()
        self.log = None

    def attempt(self, step: Callable[[Log], object]) -> bool:
        try:
            self.log = self.log or self.site.open()
            step(self.log)
        except PosternError as error:
            self.site.note("refusals", f"{error.code}: {error}")
            if error.code is not Code.UNAVAILABLE:
                raise
            return False
        return True


def check(site: Site, *, alive: bool) -> None:
    """All promises, on what a day left behind."""
    log = site.open()
    entries = {entry.index: entry for entry in log.entries()}
    size, first = log.size(), min(entries, default=log.size())
    require(list(entries) == list(range(first, size)), f"a gap in {list(entries)}")
    acks = dict(line.split(" ", 1) for line in site.noted("acks"))
    require(len(acks) == len(site.noted("acks")), "a number was given twice")
    ids = (ALICE, "permit-1", "v-0", "v-1", "v-2")
    for index, text in ((int(index), text) for index, text in acks.items()):
        require(index < size, f"event {index} is lost")
        if index in entries:
            kept = entries[index].event
            shown = encode(reveal(kept, log.pseudonyms.names(kept.at, ids)))
            require(shown == text, f"event {index} is another one: {shown}")
        else:
            late = decode(text).at + timedelta(hours=KEPT_H)
            require(late <= site.clock.now().utc + timedelta(hours=HOURS), "gone too early")
    check_pulses(site, [entry.event for entry in entries.values()], list(acks.values()))
    check_tree(site, log)
    if alive:
        require(bool({"last", "very-last"} & {*site.noted("pulses")}), "the site did not recover")
    expired(site, log)
    log.close()


def check_pulses(site: Site, kept: list[Event], acknowledged: list[str]) -> None:
    """No pulse without its event, and every unfinished grant is found."""
    events = [*kept, *map(decode, acknowledged)]
    granted = {event.attempt for event in events if isinstance(event, Decided)}
    pulses = site.noted("pulses")
    require(granted >= set(pulses), "a pulse has no event")
    require(len(pulses) == len(set(pulses)), "a pulse went out twice")
    texts = [encode(event) for event in kept]
    require(len(texts) == len(set(texts)), "an event is there twice")
    require(not any(isinstance(event, Interrupted) for event in kept), "somebody else wrote")


def check_tree(site: Site, log: Log) -> None:
    """What was published before is continued, and everything verifies."""
    before = log.checkpoint().checkpoint
    opened = log.publish().checkpoint
    verified = verify_log(site.ledger, log.verifier.vkey, time.monotonic, lambda done, of: None)
    require(verified.checkpoint == opened, "another checkpoint was verified")
    require(opened.size == log.size(), "not everything was published")
    edge = read_edge(Tiles(site.ledger, opened.size), before.size)
    require((edge.root() if before.size else EMPTY) == before.root, "the tree was changed")


def expired(site: Site, log: Log) -> None:
    """After expiry nothing of what was said is in any file."""
    told = [(entry.salt, entry.text.encode()) for entry in log.entries()]
    site.clock.advance((KEPT_H + HOURS + 2) * HOUR_S)
    log.expire(site.clock.now().utc)
    require(not list(log.entries()), "something stayed")
    content = b"".join(path.read_bytes() for path in site.ledger.rglob("*") if path.is_file())
    require(not any(salt in content or text in content for salt, text in told), "traces stayed")
    require(not list(site.ledger.rglob("*.destroyed")), "something is half-destroyed")


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def in_child(work: Callable[[], None]) -> int:
    """Runs it in a process of its own; gives how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def day(site: Site, shim: ctypes.CDLL, call: int, at: int, how: How) -> None:
    """One day with a fault; says how often each call was made."""
    shim.fault_arm(str(site.ledger).encode(), call, at, how)
    try:
        Day(site).run()
    finally:
        counts = [shim.fault_count(call) for call in Call]
        shim.fault_arm(b"", -1, 0, 0)
        site.note("counts", json.dumps(counts))


def one(shim: ctypes.CDLL, call: int, at: int, how: How) -> list[int]:
    """A day with one fault, checked; gives how often each call was made."""
    site = Site(Path(tempfile.mkdtemp(prefix="postern-faults-")))
    status = in_child(lambda: day(site, shim, call, at, how))
    deadly = how in (How.DIE, How.TORN)
    ended = os.WIFSIGNALED(status) if deadly else os.waitstatus_to_exitcode(status) == 0
    require(ended, f"the process ended with {status}; its words are above")
    check(site, alive=how in (How.COUNT, How.FAIL, How.LATE, How.TWICE))
    counts = [] if deadly else json.loads(site.noted("counts")[-1])
    # Of the other calls some are as good as done: a folder is there already, an older partial tile
    # is gone, and room that is not given back at closing does no harm.
    telling = (Call.WRITE, Call.PWRITE, Call.FSYNC, Call.FDATASYNC, Call.RENAME)
    silent = how is How.COUNT or deadly or call not in telling
    require(silent or bool(site.noted("refusals")), "nobody noticed")
    shutil.rmtree(site.folder)
    return counts


def in_doubt(shim: ctypes.CDLL, call: Call, *, meanwhile: bool) -> None:
    """What cannot be taken back is made durable before anything follows it, with no restart."""
    site = Site(Path(tempfile.mkdtemp(prefix="postern-faults-")))
    log, other = site.open(), site.open()
    events = [Changed(site.clock.now().utc, "thing", f"p-{n}", "operator") for n in range(4)]
    acks = {log.append(events[0]): events[0]}
    shim.fault_arm(str(site.ledger).encode(), call, 1, How.TWICE)
    require("The log cannot be written" in refusal(log, events[1]), "nobody noticed")
    if meanwhile:
        acks[other.append(events[2])] = events[2]
    before = shim.fault_count(Call.PWRITE)
    acks[log.append(events[3])] = events[3]
    # What the kernel holds for written since the sync that failed is not believed.
    again = shim.fault_count(Call.PWRITE) - before
    require(again == 2 or call is Call.PWRITE, f"written {again} times")
    shim.fault_arm(b"", -1, 0, 0)
    for one in (log, other, site.open()):
        kept = {entry.index: reveal(entry.event, names(one, events)) for entry in one.entries()}
        require(list(kept) == list(range(one.size())), "there is a gap")
        require(all(kept[int(number)] == event for number, event in acks.items()), "one is lost")
    check_tree(site, log)
    shutil.rmtree(site.folder)


def recovers(shim: ctypes.CDLL) -> None:
    """A disk that is down for a while refuses everything, and then nothing any more."""
    site = Site(Path(tempfile.mkdtemp(prefix="postern-faults-")))
    log = site.open()
    event = Changed(site.clock.now().utc, "thing", "p-1", "operator")
    log.append(event)
    shim.fault_arm(str(site.ledger).encode(), Call.FDATASYNC, 1, How.DOWN)
    words = [refusal(log, event) for _ in range(3)]
    require(all("cannot be" in word for word in words), str(words))
    shim.fault_arm(b"", -1, 0, 0)
    require(log.append(event) in ("1", "2"), "it does not go on")
    check_tree(site, log)
    shutil.rmtree(site.folder)


def gathered(shim: ctypes.CDLL, how: How) -> None:
    """Threads that wait for another process have their events kept, or refused, with one sync."""
    site = Site(Path(tempfile.mkdtemp(prefix="postern-faults-")))
    log, now = site.open(), site.clock.now().utc
    events = [Changed(now, "thing", f"p-{n}", "operator") for n in range(9)]
    log.append(events[8])
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        try:
            answers[number] = log.append(events[number])
        except PosternError as error:
            require(error.code is Code.UNAVAILABLE, error.message)

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    with (site.ledger / "journal" / "lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for thread in threads:
            thread.start()
        # Threads are slow to start on a machine that is busy; they wait for five seconds.
        time.sleep(1.0)
        shim.fault_arm(str(site.ledger).encode(), Call.FDATASYNC, 1, how)
    for thread in threads:
        thread.join()
    syncs = shim.fault_count(Call.FDATASYNC)
    shim.fault_arm(b"", -1, 0, 0)
    require(syncs <= 4, f"{syncs} syncs for eight events")
    require(len(answers) == 8 if how is How.COUNT else len(answers) <= 6, f"heard: {answers}")
    answers[8] = log.append(events[8])
    for one in (log, site.open()):
        kept = [reveal(entry.event, names(one, events)) for entry in one.entries()]
        require(len(kept) == one.size() == int(answers[8]) + 1, "there is a gap")
        heard = {number: kept[int(index)] for number, index in answers.items()}
        require(all(event == events[number] for number, event in heard.items()), "one is lost")
        often = Counter(kept)
        require(max(often[event] for event in events[:8]) <= 1, "one is there twice")
        silent = how is How.TWICE or len(kept) == len(answers) + 1
        require(silent, "one is there that was refused, and could be taken back")
    check_tree(site, log)
    shutil.rmtree(site.folder)


def refusal(log: Log, event: Event) -> str:
    """What is said where an event cannot be kept."""
    try:
        log.append(event)
    except PosternError as error:
        return error.message
    return "it was kept"


def names(log: Log, events: list[Changed]) -> Mapping[str, str]:
    return log.pseudonyms.names(events[0].at, [event.subject for event in events])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", type=Path, help="one day without faults in this folder")
    parser.add_argument("--every", type=int, default=1, help="meet every n-th call only")
    arguments = parser.parse_args()
    if arguments.once:
        Day(Site(arguments.once)).run()
        return 0
    shim = ctypes.CDLL(None)
    for call in (Call.PWRITE, Call.FDATASYNC):
        for meanwhile in (False, True):
            in_doubt(shim, call, meanwhile=meanwhile)
    for how in (How.COUNT, How.FAIL, How.LATE, How.TWICE):
        gathered(shim, how)
    recovers(shim)
    counts = one(shim, -1, 0, How.COUNT)
    done: Counter[str] = Counter()
    for call in Call:
        hows = [How.FAIL, How.LATE, How.DIE, How.DOWN]
        hows += [How.TORN] if call in (Call.WRITE, Call.PWRITE) else []
        hows += [How.TWICE] if call in (Call.FDATASYNC, Call.PWRITE) else []
        for how in hows:
            for at in range(1 + done.total() % arguments.every, counts[call] + 1, arguments.every):
                try:
                    one(shim, call, at, how)
                except BaseException as error:
                    traceback.print_exc()
                    print(f"{call.name} {at} of {counts[call]}, {how.name}: {error}")
                    return 1
                done[f"{call.name.lower()} {how.name.lower()}"] += 1
    print(json.dumps({"faults": done.total(), **done}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

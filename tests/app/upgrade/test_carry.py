"""An upgrade that is cut off at any step, also twice, ends with a version that serves the site.

The machine here is made of files: a store with a revision, and versions that read up to one. Every
write, link and start is a step, and the process that carries the upgrade out is killed (SIGKILL) at
each of them. `tests/packaging/test_upgrade.py` does the same to real releases.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postern.app.upgrade import Order, Outcome, Places, carry_out
from postern.app.upgrade.places import COMPLETE, CURRENT, PREVIOUS, PROVED
from postern.core.errors import Code, PosternError

OLD, NEW = "1.0", "2.0"
ORDER = Order(OLD, NEW, restore=False, steady_s=0.0)
#: What is in the store before; the new version adds to it when it runs.
ROWS = ["alice"]


@dataclass(frozen=True)
class Program:
    """A version: the newest revision that it reads, and what is wrong with it."""

    revision: int
    fault: str = ""


GOOD = {OLD: Program(5), NEW: Program(6)}
SAME = {OLD: Program(5), NEW: Program(5, "check")}
BROKEN = {
    fault: {OLD: Program(5), NEW: Program(6, fault)} for fault in ("migration", "check", "ends")
}
#: What keeps a version from serving at all, so that a start of the machine may find nothing to
#: serve the site until the upgrade has gone back.
STOPPING = {"migration", "ends"}
EVERY = {"good": GOOD, "same store": SAME, **BROKEN}


@dataclass(frozen=True)
class Machine:
    """Implements `Manager` with files: what is in them survives a kill, as it would a power cut."""

    folder: Path
    programs: dict[str, Program]

    @property
    def places(self) -> Places:
        return Places(self.folder)

    def stop(self) -> None:
        (self.folder / "running").unlink(missing_ok=True)

    def start(self) -> None:
        if self.is_up():
            return
        version = self.places.named(CURRENT) or ""
        self.use(version)
        self.write("running", [version])

    def is_up(self) -> bool:
        if not (self.folder / "running").exists():
            return False
        (version,) = self.read("running")
        return self.programs[version].fault != "ends"

    def command(self, version: str, *words: str) -> None:
        match words:
            case ["check"]:
                self.use(version)
                if self.programs[version].fault == "check":
                    raise failed("It is not sound.")
            case ["upgrade", "--step", "keep", other]:
                self.use(version)
                self.write(f"before-{other}", self.read("store"))
                self.write("keys", [other])
            case ["upgrade", "--step", "forget", other]:
                (self.folder / "keys").unlink(missing_ok=True)
            case ["upgrade", "--step", "back", other]:
                try:
                    self.use(version)
                except PosternError:
                    self.write("store", self.read(f"before-{other}"))
            case ["upgrade", "--step", "restore", other]:
                self.write("store", self.read(f"before-{other}"))

    def use(self, version: str) -> None:
        """Opens the store as a version does: refused if it is newer, migrated if it is older."""
        revision, *rows = self.read("store")
        program = self.programs[version]
        if revision > program.revision:
            raise failed("The store was written by a newer Postern than this one.")
        if revision < program.revision:
            if program.fault == "migration":
                raise failed("The store failed.")
            self.write("store", [program.revision, *rows])

    def read(self, name: str) -> list[Any]:
        return list(json.loads((self.folder / name).read_text()))

    def write(self, name: str, content: list[Any]) -> None:
        draft = self.folder / f"{name}.draft"
        draft.write_text(json.dumps(content))
        draft.rename(self.folder / name)

    def boot(self) -> bool:
        """The power was away: nothing runs; the manager starts what is current, before the upgrade
        goes on. Whether that serves the site."""
        self.stop()
        try:
            self.start()
        except PosternError:
            return False  # It is tried again and again, until the upgrade has gone back.
        return self.is_up()


def failed(sentence: str) -> PosternError:
    return PosternError(Code.INVALID, sentence)


def make_machine(folder: Path, programs: dict[str, Program], order: Order = ORDER) -> Machine:
    machine = Machine(folder, programs)
    for version in programs:
        machine.places.version(version).mkdir(parents=True)
        (machine.places.version(version) / COMPLETE).touch()
    for link in (CURRENT, PROVED):
        machine.places.name(link, order.origin)
    machine.write("store", [programs[order.origin].revision, *ROWS])
    machine.start()
    machine.places.give(order)
    return machine


def cut_off(machine: Machine, at: int) -> bool:
    """Carries out in a process that is killed before its step of that number; whether it was."""
    child = os.fork()
    if child == 0:
        steps = iter(range(1_000_000))

        def die(event: str, arguments: tuple[Any, ...]) -> None:
            if _counts(event, arguments) and next(steps) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        try:
            carry_out(machine.places, machine)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _counts(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        return bool(int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in {"os.rename", "os.remove", "os.symlink", "os.mkdir", "shutil.rmtree"}


def check(machine: Machine, wanted: str, outcome: Outcome | None) -> None:
    """One version serves the site, with everything in its store, and nothing is under way."""
    places = machine.places
    assert wanted == places.named(CURRENT) == places.named(PROVED)
    assert ["store", wanted] == ["store", *machine.read("running")]
    assert [machine.programs[wanted].revision, *ROWS] == machine.read("store")
    assert places.order() is None
    # What undoes erasures is kept for no longer than it may be needed.
    assert not (machine.folder / "keys").exists()
    assert outcome is None or outcome.done is (wanted == NEW)
    left = {one.name for one in places.folder.iterdir() if one.is_dir() and not one.is_symlink()}
    assert wanted in left


@pytest.mark.parametrize("name", EVERY)
def test_a_version_that_proves_itself_stays_and_another_does_not(tmp_path: Path, name: str) -> None:
    """Without being cut off; whoever asked hears why."""
    wanted = NEW if name == "good" else OLD
    machine = make_machine(tmp_path, EVERY[name])
    outcome = carry_out(machine.places, machine)

    assert outcome is not None
    check(machine, wanted, outcome)
    assert outcome == machine.places.outcome()
    if name != "good":
        assert f"Postern {NEW} did not prove itself: " in outcome.sentence
        assert outcome.sentence.endswith(f"Postern {OLD} serves the site again.")
        assert not machine.places.has(NEW)


@pytest.mark.parametrize("name", EVERY)
def test_killed_at_any_step_and_killed_again_one_of_the_two_serves(
    tmp_path: Path, name: str
) -> None:
    """Whichever two steps it is killed at, and whether or not the power was away."""
    wanted = NEW if name == "good" else OLD
    first, died = 0, True
    while died:
        second, again = 0, True
        while died and again:
            machine = make_machine(tmp_path / f"{first}-{second}", EVERY[name])
            died = cut_off(machine, first)
            if (first + second) % 2:
                assert machine.boot() or name in STOPPING
            again = died and cut_off(machine, second)
            if (first + second) % 3:
                assert machine.boot() or name in STOPPING
            outcome = carry_out(machine.places, machine)
            check(machine, wanted, outcome)
            second += 5
        first += 1
    assert first > 15


def test_version_that_has_failed_is_not_tried_again(tmp_path: Path) -> None:
    """Once it is written down: one that works every other time serves no site."""
    machine, at, noted = make_machine(tmp_path / "0", BROKEN["check"]), 0, 0
    while cut_off(machine, at):
        order = machine.places.order()
        mended = Machine(machine.folder, GOOD)
        carry_out(mended.places, mended)
        if order and order.failed:
            noted += 1
            check(mended, OLD, mended.places.outcome())
        at += 1
        machine = make_machine(tmp_path / str(at), BROKEN["check"])
    assert noted > 5


def test_return_by_hand_gives_the_former_version_its_store_back(tmp_path: Path) -> None:
    """Cut off anywhere, it has the store from before, or what serves has the whole present one."""
    programs = {NEW: Program(6), OLD: Program(5)}
    order, at, died = Order(NEW, OLD, restore=True, steady_s=0.0), 0, True
    while died:
        machine = make_machine(tmp_path / str(at), programs, order)
        machine.write(f"before-{NEW}", [5, "as it was"])
        died = cut_off(machine, at)
        machine.boot()
        outcome = carry_out(machine.places, machine)

        assert outcome is None or outcome.done
        assert OLD == machine.places.named(CURRENT) == machine.places.named(PROVED)
        assert NEW == machine.places.named(PREVIOUS)
        assert [5, "as it was"] == machine.read("store")
        assert [6, *ROWS] == machine.read(f"before-{OLD}")
        at += 1
    assert at > 15


def test_return_by_hand_that_fails_gives_the_present_store_back(tmp_path: Path) -> None:
    """The former version does not run any more: what came since is not lost for it."""
    programs = {NEW: Program(6), OLD: Program(5, "check")}
    order, at, died = Order(NEW, OLD, restore=True, steady_s=0.0), 0, True
    while died:
        machine = make_machine(tmp_path / str(at), programs, order)
        machine.write(f"before-{NEW}", [5, "as it was"])
        died = cut_off(machine, at)
        machine.boot()
        carry_out(machine.places, machine)

        assert NEW == machine.places.named(CURRENT) == machine.places.named(PROVED)
        assert [6, *ROWS] == machine.read("store")
        at += 1
    assert at > 20


def test_version_stays_where_there_is_no_way_back(tmp_path: Path) -> None:
    """Neither reads the other's store and the copy is gone: what runs at all is left to run."""
    machine = make_machine(tmp_path, BROKEN["check"])
    kept = machine.folder / f"before-{NEW}"

    class Losing(Machine):
        def command(self, version: str, *words: str) -> None:
            if words[:3] == ("upgrade", "--step", "back"):
                raise failed("There is no file.")
            super().command(version, *words)

    outcome = carry_out(machine.places, Losing(machine.folder, machine.programs))
    assert outcome is not None
    assert not outcome.done
    assert "There is no way back: There is no file." in outcome.sentence
    assert outcome.sentence.endswith(f"Postern {NEW} is left in place.")
    assert machine.is_up()
    assert kept.exists()
    assert not (machine.folder / "keys").exists()
    assert (NEW, OLD) == (machine.places.named(CURRENT), machine.places.named(PREVIOUS))


class FillingUp(Places):
    """Takes so many changes, and then none."""

    def __init__(self, root: Path, left: int) -> None:
        super().__init__(root)
        object.__setattr__(self, "_changes", iter(range(left)))

    def name(self, link: str, version: str) -> None:
        self._change()
        super().name(link, version)

    def _write(self, name: str, content: bytes) -> None:
        self._change()
        super()._write(name, content)

    def _change(self) -> None:
        if next(self._changes, None) is None:  # type: ignore[attr-defined]
            raise PosternError(Code.UNAVAILABLE, "The disk is full.")


@pytest.mark.parametrize("name", ["good", "same store", "check"])
def test_disk_that_fills_up_meanwhile_leaves_no_site_without_a_service(
    tmp_path: Path, name: str
) -> None:
    """What is current serves until there is room; then the upgrade goes on from where it was."""
    for left in range(20):
        machine = make_machine(tmp_path / str(left), EVERY[name])
        with suppress(PosternError):
            carry_out(FillingUp(machine.folder, left), machine)
        assert machine.is_up()
        if machine.places.order() is None:
            break
        with pytest.raises(PosternError, match="The disk is full"):
            carry_out(FillingUp(machine.folder, 0), machine)
        assert machine.is_up()
        check(machine, NEW if name == "good" else OLD, carry_out(machine.places, machine))
    assert 4 < left < 19


def test_version_that_fails_after_it_was_taken_for_proved_carries_no_upgrade_out(
    tmp_path: Path,
) -> None:
    """It was cut off between the last two notes, and did not prove itself again."""
    proved = 0
    for left in range(10):
        machine = make_machine(tmp_path / str(left), GOOD)
        with suppress(PosternError):
            carry_out(FillingUp(machine.folder, left), machine)
        under_way, was_proved = machine.places.order(), machine.places.named(PROVED) == NEW
        if under_way and was_proved:
            proved += 1
            broken = Machine(machine.folder, BROKEN["check"])
            check(broken, OLD, carry_out(broken.places, broken))
    assert proved > 0


def test_store_that_cannot_be_copied_is_upgraded_by_nobody(tmp_path: Path) -> None:
    """A full disk, say: the service goes on, and the version to return to is the one it was."""
    machine = make_machine(tmp_path, GOOD)
    machine.places.version("0.9").mkdir()
    machine.places.name(PREVIOUS, "0.9")

    class Full(Machine):
        def command(self, version: str, *words: str) -> None:
            if words[:2] == ("upgrade", "--step") and words[2] in ("keep", "back"):
                raise failed("The disk is full.")
            super().command(version, *words)

    outcome = carry_out(machine.places, Full(machine.folder, machine.programs))
    assert (
        Outcome(
            False,
            f"Postern {NEW} was not tried: The disk is full. Postern {OLD} serves the site again.",
        )
        == outcome
    )
    check(machine, OLD, outcome)
    assert "0.9" == machine.places.named(PREVIOUS)


def test_nothing_is_done_where_nothing_was_written_down(tmp_path: Path) -> None:
    """The service starts with every start of the machine."""
    machine = make_machine(tmp_path, GOOD)
    carry_out(machine.places, machine)
    assert carry_out(machine.places, machine) is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b'{"format": 2}', b'{"format": 1}', b"\xff"]
)
def test_order_that_cannot_be_understood_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing is guessed, and nothing changed."""
    machine = make_machine(tmp_path, GOOD)
    (machine.places.folder / "upgrade.json").write_bytes(content)
    with pytest.raises(PosternError, match="cannot be read"):
        carry_out(machine.places, machine)

    assert OLD == machine.places.named(CURRENT)
    assert machine.is_up()


def test_what_is_left_of_other_versions_goes_with_the_next_upgrade(tmp_path: Path) -> None:
    """The present one and the one before stay."""
    machine = make_machine(tmp_path, GOOD)
    machine.places.version("0.9").mkdir()
    (machine.places.version("0.9") / COMPLETE).touch()
    carry_out(machine.places, machine)

    assert not machine.places.version("0.9").exists()
    assert machine.places.has(OLD)

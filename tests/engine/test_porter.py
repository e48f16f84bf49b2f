"""Who stands beside a door: the button opens, fire holds open, alarms are recorded and told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Event, enumerate
from time import monotonic, sleep

import pytest

from postern.core.access_point import AccessPoint, Direction, Evacuation
from postern.core.event import Acted, Alarmed, Released
from postern.core.ids import AccessPointId, CameraId
from postern.core.ports import Command, Report
from postern.core.signal import Means, Signal
from postern.engine.attendance import Attendance
from postern.engine.heralded import Heralded
from postern.engine.porter import AGAIN_S, BUTTON, HELD_S, Porter
from postern.engine.sensing import Sensing
from postern.engine.service import Post, Service
from postern.engine.supervise import BackOff
from tests.clocks import MachineClock
from tests.engine.doubles import FakeObserver, Stage, every_fault, fails, raising, unavailable
from tests.engine.test_lane_way_out import until
from tests.people import ALICE, DOOR, OFFICE, WAY_OUT

CLOCK = MachineClock()
QUICK = replace(DOOR, opens_within_s=0.3, held_open_s=0.6)
BANK = AccessPoint(
    AccessPointId("bank"), OFFICE, (CameraId("c"),), Direction.EXIT, evacuation=Evacuation.STAY
)
LISTED = AccessPoint(AccessPointId("listed"), OFFICE, (CameraId("c"),), evacuation=Evacuation.OPEN)


class Scene:
    """A porter beside a lane, with real time."""

    def __init__(self, at: AccessPoint = DOOR) -> None:
        self.stage = Stage(at, clock=CLOCK)
        self.wanted = False
        self.actuator = Heralded(self.stage.actuator, CLOCK, HELD_S)
        # The lane of the stage drives what the porter takes note of.
        self.stage.lane._actuator = self.stage.lane._release._actuator = self.actuator
        self.porter = Porter(
            self.stage.lane, self.actuator, self.stage.ledger, CLOCK, lambda now: self.wanted
        )

    def hear(self, means: Means, active: bool, *, live: bool = True, name: str = "") -> None:
        self.porter.hear(name or str(means), means, Signal(active, CLOCK.now(), live))

    def alarms(self) -> list[str]:
        """What is recorded of them, in order."""
        return [
            f"...{e.alarm}" if e.over else str(e.alarm)
            for e in self.stage.ledger.kept
            if isinstance(e, Alarmed)
        ]

    @property
    def holds(self) -> list[Command]:
        return [one for one in self.stage.pulses if one.id.startswith("hold-")]


@pytest.fixture
def scene() -> Iterator[Callable[[AccessPoint], Scene]]:
    """Makes scenes whose porters are at work; none of their threads is left."""
    before, made = set(enumerate()), list[Scene]()

    def make(at: AccessPoint) -> Scene:
        made.append(Scene(at))
        made[-1].porter.start()
        return made[-1]

    yield make
    for one in made:
        one.porter.halt()
        one.porter.join()
    assert {t for t in set(enumerate()) - before if not t.name.startswith("aside")} == set()


@pytest.mark.parametrize("at", [DOOR, WAY_OUT], ids=["in", "out"])
def test_button_that_is_pressed_opens_as_a_release(at: AccessPoint, scene) -> None:
    """By the button, with its name; letting go opens nothing."""
    here = scene(at)
    here.hear(Means.REQUEST_TO_EXIT, True, name="green_button")
    here.hear(Means.REQUEST_TO_EXIT, False, name="green_button")

    (released,) = [e for e in here.stage.ledger.kept if isinstance(e, Released)]
    assert (BUTTON, "the button green_button") == (released.by, released.why)
    assert 1 == len(here.stage.pulses)


def test_button_that_is_found_pressed_opens_nothing(scene) -> None:
    """A press of last week that a broker kept, or a button that is stuck."""
    here = scene(WAY_OUT)
    here.hear(Means.REQUEST_TO_EXIT, True, live=False)
    sleep(0.1)

    assert [] == here.stage.pulses


@every_fault
def test_button_opens_an_entry_also_where_nothing_can_be_recorded(
    fault: Callable[[], None], scene
) -> None:
    """Whoever presses it is inside and wants out, whichever way the cameras look."""
    here = scene(DOOR)
    here.stage.ledger.before = raising(fault)
    here.hear(Means.REQUEST_TO_EXIT, True)
    assert 1 == len(here.stage.pulses)

    assert not here.stage.lane.release("guard", "").done


def test_door_that_was_let_through_is_no_alarm_and_one_that_was_not_is(scene) -> None:
    """Alice is recognised and opens; later somebody opens without her."""
    here = scene(QUICK)
    here.hear(Means.DOOR_CONTACT, False, live=False)
    here.stage.face(here.stage.seen(1, ALICE))
    here.hear(Means.DOOR_CONTACT, True)
    here.hear(Means.DOOR_CONTACT, False)
    sleep(2.0)
    assert [] == here.alarms()
    assert [] == here.stage.observer.of(CameraId(DOOR.id))

    here.hear(Means.DOOR_CONTACT, True)
    assert until(lambda: ["held_open", "forced"] == here.alarms(), 5)
    assert "red" == here.stage.observer.of(CameraId(DOOR.id))[-1]
    said = [why for _, state, why in here.stage.observer.states if state == "red"]
    assert any("forced" in why for why in said)
    here.hear(Means.DOOR_CONTACT, False)
    assert until(lambda: {"...held_open", "...forced"} <= set(here.alarms()), 15)
    assert until(lambda: "ok" == here.stage.observer.of(CameraId(DOOR.id))[-1], 5)


def test_door_that_opens_before_the_actuator_has_answered_is_not_forced(scene) -> None:
    """A slow relay: the contact is heard first."""
    here, open_now = scene(QUICK), Event()
    here.hear(Means.DOOR_CONTACT, False, live=False)

    def answer(_command: Command) -> Report:
        here.hear(Means.DOOR_CONTACT, True)
        here.hear(Means.DOOR_CONTACT, False)
        open_now.set()
        return Report(True, "opened")

    here.stage.actuator.answer = answer
    assert here.stage.lane.release("guard", "").done
    assert open_now.is_set()
    sleep(1.6)

    assert [] == here.alarms()


def test_relay_that_moves_nothing_is_told(scene) -> None:
    """The device says that it opened, and the door does not."""
    here = scene(QUICK)
    here.hear(Means.DOOR_CONTACT, False, live=False)
    assert here.stage.lane.release("guard", "").done

    assert until(lambda: ["relay_unconfirmed"] == here.alarms(), 5)


@pytest.mark.parametrize(
    ("at", "opens"), [(WAY_OUT, True), (LISTED, True), (DOOR, False), (BANK, False)]
)
def test_fire_holds_open_what_opens_by_fire_and_nothing_else(
    at: AccessPoint, opens: bool, scene
) -> None:
    """By pulses that are renewed before they end, and stop when the fire alarm does."""
    here = scene(at)
    here.hear(Means.FIRE, True, live=False)
    begun_s = monotonic()
    assert until(lambda: bool(here.holds), 1.0) is opens
    if opens:
        assert monotonic() - begun_s < 0.5
        assert until(lambda: len(here.holds) == 3, 3 * AGAIN_S)
        assert {HELD_S} == {command.hold_s for command in here.holds}
        assert len(here.holds) == len({command.id for command in here.holds})
        assert AGAIN_S * 2 < HELD_S
    assert ["fire"] == here.alarms()
    assert ["red"] == here.stage.observer.of(CameraId(at.id))
    here.hear(Means.FIRE, False)
    count = len(here.holds)
    sleep(AGAIN_S + 0.5)

    assert count == len(here.holds)
    assert ["fire", "...fire"] == here.alarms()
    assert ["red", "ok"] == here.stage.observer.of(CameraId(at.id))


def test_fire_opens_while_everything_else_hangs(scene) -> None:
    """The ledger, and the lane that waits for it under its lock; an observer that fails."""
    here, answer = scene(WAY_OUT), Event()
    here.stage.ledger.before = lambda event: _hang(answer)
    here.stage.observer.fault = fails
    here.hear(Means.FIRE, True)

    assert until(lambda: bool(here.holds), 0.5)
    answer.set()


def test_fire_panel_that_dies_during_fire_leaves_it_open(scene) -> None:
    """Until it is heard again."""
    here = scene(WAY_OUT)
    here.hear(Means.FIRE, True, name="panel")
    assert until(lambda: bool(here.holds), 1.0)
    here.porter.lose("panel", Means.FIRE)
    count = len(here.holds)

    assert until(lambda: len(here.holds) > count, AGAIN_S * 2)


def test_two_panels_are_one_fire(scene) -> None:
    """It lasts until both say that it is over."""
    here = scene(DOOR)
    for name, active in (("a", True), ("b", True), ("a", False)):
        here.hear(Means.FIRE, active, name=name)
    sleep(0.1)
    assert ["fire"] == here.alarms()
    here.hear(Means.FIRE, False, name="b")

    assert until(lambda: ["fire", "...fire"] == here.alarms(), 1)


def test_actuator_that_cannot_be_held_is_told_and_tried_again(scene) -> None:
    """A failure is red, whoever makes it; once it works all is well."""
    here = scene(QUICK)

    def broken(_command: Command) -> Report:
        raise unavailable("The relay does not answer.")

    here.stage.actuator.answer = broken
    here.wanted = True
    assert until(lambda: len(here.holds) >= 2, 2 * AGAIN_S + 1)
    assert ["red"] == here.stage.observer.of(CameraId(DOOR.id))
    here.stage.actuator.answer = lambda _command: Report(True, "opened")

    assert until(lambda: ["red", "ok"] == here.stage.observer.of(CameraId(DOOR.id)), AGAIN_S + 2)
    assert [] == [e for e in here.stage.ledger.kept if isinstance(e, Released | Acted)]


def test_alarm_that_cannot_be_recorded_is_told_all_the_same(scene) -> None:
    """And the next is recorded once that is possible."""
    here = scene(DOOR)
    here.stage.ledger.before = raising(fails)
    here.hear(Means.FIRE, True)

    def said() -> list[str]:
        return [why for _, state, why in here.stage.observer.states if state == "red"]

    assert until(lambda: any("not recorded" in why for why in said()), 3)
    assert any("fire" in why for why in said())
    here.stage.ledger.before = lambda event: None
    here.hear(Means.FIRE, False)

    assert until(lambda: ["...fire"] == here.alarms(), 2)


def test_pulse_for_somebody_does_not_end_early_what_is_held_open(scene) -> None:
    """A device goes by the last pulse: while it is held, every one lasts as long."""
    here = scene(WAY_OUT)
    here.hear(Means.FIRE, True)
    assert until(lambda: bool(here.holds), 1)
    assert here.stage.lane.release("guard", "").done
    assert HELD_S == here.stage.pulses[-1].hold_s
    here.hear(Means.FIRE, False)
    sleep(0.6)
    assert here.stage.lane.release("guard", "").done

    assert WAY_OUT.hold_s == here.stage.pulses[-1].hold_s


def test_access_points_that_share_an_actuator_hear_of_each_others_pulses() -> None:
    """One boom for both directions; while one is held open, the other shuts nothing."""
    stage = Stage(DOOR, clock=CLOCK)
    shared = Heralded(stage.actuator, CLOCK, HELD_S)
    ears, heard = (shared.listen(), shared.listen()), list[bool]()
    shared.pulse(Command("a", DOOR.id, 1.0))
    for ear in ears:
        ear.take(lambda pulse: heard.append(pulse.done))
        ear.take(lambda pulse: heard.append(pulse.done))
    assert [False, True, False, True] == heard

    shared.holding(WAY_OUT.id, True)
    shared.pulse(Command("b", DOOR.id, 1.0))
    shared.pulse(Command("c", DOOR.id, 60.0))
    shared.holding(DOOR.id, True)
    shared.holding(WAY_OUT.id, False)
    shared.hold(Command("d", DOOR.id, 9.0))
    shared.holding(DOOR.id, False)
    shared.pulse(Command("e", DOOR.id, 1.0))
    assert [1.0, HELD_S, 60.0, 9.0, 1.0] == [one.hold_s for one in stage.pulses]


def test_input_that_is_reached_and_says_nothing_is_well(scene) -> None:
    """A button over a broker speaks only when it is pressed; back again it is not red till then."""
    here, observer = scene(DOOR), FakeObserver([])
    source = FakeInput([None], [None, False])
    sense = Sensing(
        "button", Means.REQUEST_TO_EXIT, source, [here.porter], observer, BackOff(0.05, 0.1)
    )
    sense.start()
    assert observer.until(lambda: source.starts == 3)
    sense.halt()
    sense.join()

    assert ["ok", "red", "ok", "red"] == observer.of(CameraId("input button"))


class FakeInput:
    """Says what it is given, one list for each time it is listened to; then it fails, or waits."""

    def __init__(self, *lives: Sequence[bool | None]) -> None:
        self._lives = iter(lives)
        self.closed = Event()
        self.starts = 0

    def signals(self) -> Iterator[Signal | None]:
        self.starts += 1
        life = next(self._lives, None)
        if life is None:
            self.closed.wait()
            return
        for count in range(len(life)):
            active = life[count]
            yield None if active is None else Signal(active, CLOCK.now(), count > 0)
        raise unavailable("The device does not answer.")

    def close(self) -> None:
        self.closed.set()


def test_dead_input_is_red_blocks_nobody_and_comes_back(scene) -> None:
    """The lane goes on; what is not known raises no alarm."""
    here, observer = scene(QUICK), FakeObserver([])
    source = FakeInput([False], [True])
    sense = Sensing(
        "contact", Means.DOOR_CONTACT, source, [here.porter], observer, BackOff(0.05, 0.1)
    )
    sense.start()
    name = CameraId("input contact")
    assert observer.until(lambda: source.starts == 3)
    assert ["ok", "red", "ok", "red"] == observer.of(name)
    here.stage.face(here.stage.seen(1, ALICE))
    assert 1 == len(here.stage.pulses)
    sense.halt()
    sense.join()
    sleep(0.3)

    assert "forced" not in here.alarms()


def test_input_of_several_is_heard_by_all_whatever_befalls_one(scene) -> None:
    """A fire alarm of the whole site."""
    broken, sound = scene(DOOR), scene(WAY_OUT)
    broken.porter._hear_fire = lambda *_: fails()
    observer = FakeObserver([])
    source = FakeInput([True])
    sense = Sensing("fire", Means.FIRE, source, [broken.porter, sound.porter], observer)
    sense.start()

    assert until(lambda: bool(sound.holds), 2)
    sense.halt()
    sense.join()


def test_service_starts_and_stops_them_in_time() -> None:
    """With its cameras; whatever an input or actuator hangs in."""
    before, here = set(enumerate()), Scene(WAY_OUT)
    source = FakeInput()
    sense = Sensing("button", Means.REQUEST_TO_EXIT, source, [here.porter], FakeObserver([]))
    attendance = Attendance([here.porter], [sense])
    service = Service([Post(here.stage.lane, ())], FakeObserver([]), 1, attendance=attendance)
    service.start()
    begun_s = monotonic()
    service.stop()

    assert monotonic() - begun_s < 1.5
    assert set(enumerate()) == before
    Service([Post(Stage().lane, ())], FakeObserver([]), 1, attendance=Attendance([Scene().porter]))


def test_pulse_lasts_longer_than_two_failures() -> None:
    """Of holding open: what the page for operators promises."""
    assert HELD_S >= 3 * AGAIN_S


def _hang(answer: Event) -> None:
    assert answer.wait(30)

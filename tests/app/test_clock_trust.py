"""Clocks that step, sleep, begin in 1970, or are kept right, and what is believed of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.app.clock import EARLIEST, LONGEST_USE
from postern.app.clock_trust import DRAWN, STEP_S, ClockTrust
from postern.app.kernel_clock import Reading, read_clocks, synchronised
from postern.app.site import ClockSource
from postern.core.ids import CameraId

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY


@dataclass
class Machine:
    """A machine whose clocks do what a test says."""

    utc: datetime | None = NOW
    elapsed_s: float = 1000.0
    synchronised: bool = False
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self) -> Reading:
        return Reading(self.utc, self.elapsed_s, self.synchronised)

    def tell(self, who: CameraId, state: str, sentence: str) -> None:
        self.told.append((who, state, sentence))

    def trust(self, source: ClockSource = ClockSource.RTC) -> ClockTrust:
        return ClockTrust(source, self.tell, self.read)

    def passes(self, seconds: float) -> None:
        """Time goes by on both clocks."""
        assert self.utc is not None
        self.utc += timedelta(seconds=seconds)
        self.elapsed_s += seconds

    def steps(self, by: timedelta) -> None:
        """Somebody sets the calendar; the kernel then takes it for unsynchronised."""
        assert self.utc is not None
        self.utc += by
        self.synchronised = False

    @property
    def states(self) -> list[str]:
        return [state for _, state, _ in self.told]


def test_calendar_that_runs_is_believed() -> None:
    """For as long as it does, and nothing is told of it."""
    machine = Machine()
    trust = machine.trust()
    for _ in range(100):
        machine.passes(3600.0)
        assert trust.look()
        assert trust.trusted(machine.utc or NOW)

    assert [] == machine.told


@pytest.mark.parametrize(
    "by", [HOUR, -HOUR, 10 * YEAR, -DAY, timedelta(seconds=61), timedelta(seconds=-61)]
)
def test_step_is_told_once_and_ends_the_belief(by: timedelta) -> None:
    """Until it is back where it was."""
    machine = Machine()
    trust = machine.trust()
    assert trust.look()
    machine.passes(1.0)
    machine.steps(by)
    for _ in range(5):
        machine.passes(600.0)
        assert not trust.look()
        assert not trust.trusted(machine.utc or NOW)

    assert ["red"] == machine.states
    assert "changed by more than a minute" in machine.told[0][2]
    assert "start the service anew" in machine.told[0][2]
    machine.steps(-by)
    assert trust.look()
    assert [("clock", "red"), ("clock", "ok")] == [(who, state) for who, state, _ in machine.told]


@pytest.mark.parametrize("by", [HOUR, -HOUR, 10 * YEAR])
def test_step_is_forgiven_when_the_calendar_is_synchronised(by: timedelta) -> None:
    """Whoever keeps it right made it, or has put it right since."""
    machine = Machine(synchronised=True)
    trust = machine.trust()
    assert trust.look()
    machine.steps(by)
    assert not trust.look()
    machine.synchronised = True
    assert trust.look()
    machine.synchronised = False  # Nobody heard of a server for nine hours; it runs on.
    machine.passes(40_000.0)
    assert trust.look()

    assert ["red", "ok"] == machine.states


def test_start_anew_believes_the_calendar_as_it_is() -> None:
    """Whoever starts the service says that it is right."""
    machine = Machine()
    trust = machine.trust()
    assert trust.look()
    machine.steps(HOUR)
    assert not trust.look()

    assert machine.trust().look()


@pytest.mark.parametrize("source", ClockSource)
def test_machine_that_starts_in_1970_is_believed_once_it_is_put_right(source: ClockSource) -> None:
    """It never was before, so that putting it right is no step."""
    machine = Machine(utc=datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    trust = machine.trust(source)
    for _ in range(10):
        machine.passes(60.0)
        assert not trust.look()
    machine.utc = NOW
    assert trust.look() is (source is ClockSource.RTC)
    machine.synchronised = True
    assert trust.look()
    assert "cannot be right" in machine.told[0][2]
    assert "ok" == machine.states[-1]


@pytest.mark.parametrize(
    "utc", [None, EARLIEST - timedelta(seconds=1), EARLIEST + LONGEST_USE, NOW - 50 * YEAR]
)
def test_time_that_cannot_be_right_is_not_believed_whoever_vouches(utc: datetime | None) -> None:
    """Also where the kernel says that it is synchronised: so may be a server that lies."""
    for source in ClockSource:
        machine = Machine(utc, synchronised=True)
        assert not machine.trust(source).look()
        assert ["red"] == machine.states


def test_site_that_goes_by_a_server_believes_nothing_without_one() -> None:
    """From the start, and whenever it is not heard of for too long."""
    machine = Machine()
    trust = machine.trust(ClockSource.NTP)
    assert not trust.look()
    machine.synchronised = True
    assert trust.look()
    machine.passes(40_000.0)
    machine.synchronised = False
    assert not trust.look()

    assert ["red", "ok", "red"] == machine.states
    assert "No time server" in machine.told[0][2]


def test_sleep_is_no_step() -> None:
    """The other clock counts it, too."""
    machine = Machine()
    trust = machine.trust()
    assert trust.look()
    machine.passes(9 * 3600.0)

    assert trust.look()


def test_summer_time_and_leap_seconds_are_no_step() -> None:
    """The calendar is UTC; a leap second is one second."""
    zone = ZoneInfo("Europe/Bucharest")
    for day in (datetime(2027, 3, 28, 0, 59, 50, tzinfo=UTC),
                datetime(2027, 10, 31, 0, 59, 50, tzinfo=UTC)):  # fmt: skip
        machine = Machine(day)
        trust = machine.trust()
        before = day.astimezone(zone).utcoffset()
        for _ in range(60):
            machine.passes(1.0)
            assert trust.look()
        assert before != (machine.utc or day).astimezone(zone).utcoffset()
        machine.steps(timedelta(seconds=-1))
        assert trust.look()


def test_correction_little_by_little_is_no_step() -> None:
    """A clock that was an hour wrong and is drawn right over days."""
    machine = Machine()
    trust = machine.trust()
    for _ in range(720):
        machine.passes(600.0)
        machine.steps(timedelta(seconds=5))
        assert trust.look()


def test_attack_many_steps_that_are_each_too_small_to_be_one() -> None:
    """A minute every second leads as far as one step of an hour."""
    machine = Machine()
    trust = machine.trust()
    assert trust.look()
    for _ in range(3):
        machine.passes(1.0)
        machine.steps(timedelta(seconds=59))
        trust.look()

    assert ["red"] == machine.states
    machine.steps(timedelta(seconds=-3 * 59))
    assert trust.look()


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 86_400.0),
            st.one_of(st.just(0.0), st.floats(-1e6, 1e6)),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_after_a_step_nothing_but_a_server_or_the_way_back_helps(
    moves: list[tuple[float, float, bool]],
) -> None:
    """Whatever happens in whatever order, held against what was last believed."""
    machine = Machine(utc=NOW + 10 * YEAR)
    trust = machine.trust()
    assert trust.look()
    believed, looked = machine.read().offset_s, machine.elapsed_s
    for passes_s, step_s, vouched in moves:
        machine.passes(passes_s)
        if step_s:
            machine.steps(timedelta(seconds=step_s))
        machine.synchronised = machine.synchronised or vouched
        offset = machine.read().offset_s
        assert offset is not None
        assert believed is not None
        expected = machine.synchronised or abs(offset - believed) <= STEP_S
        assert expected is trust.look()
        if expected:
            # What was not looked at for days may have been drawn all the while.
            drawn = DRAWN * (machine.elapsed_s - looked)
            held = min(max(offset, believed - drawn), believed + drawn)
            believed, looked = offset if machine.synchronised else held, machine.elapsed_s


def test_whoever_watches_may_fail() -> None:
    """The answer is the same."""

    def fails(who: CameraId, state: str, sentence: str) -> None:
        raise RuntimeError

    machine = Machine(utc=None)
    assert not ClockTrust(ClockSource.RTC, fails, machine.read).look()


def test_machines_own_clocks_are_read() -> None:
    """Twice the same offset, within a tenth of a second; the kernel's word is yes or no."""
    first, second = read_clocks(), read_clocks()

    assert first.offset_s is not None
    assert second.offset_s is not None
    assert abs(second.offset_s - first.offset_s) < 0.1
    assert second.elapsed_s >= first.elapsed_s
    assert first.synchronised is synchronised()


def test_limit_server_that_lies_is_believed_within_25_years() -> None:
    """What it says is checked against nothing but the years in which this release can run."""
    machine = Machine(synchronised=True)
    trust: Callable[[], bool] = machine.trust(ClockSource.NTP).look
    assert trust()
    machine.steps(3 * YEAR)
    machine.synchronised = True

    assert trust()

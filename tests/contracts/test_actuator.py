"""What every kind of actuator must do, run over every row of KINDS.

A kind needs a bench here: how to make a sound one, and one that fails in either way, and how to
see from outside how often its relay was driven and whether it is driven now. One that has a device
has it for real: a program beside the test, which can be killed.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from postern.actuators import KINDS
from postern.actuators.modbus.config import Pulse
from postern.actuators.simulated.actuator import Fault, SimulatedActuator
from tests.actuators.bench import Bench, command, service, until
from tests.actuators.modbus.bench import modbus
from tests.actuators.mqtt.bench import mqtt
from tests.actuators.osdp.bench import osdp, osdp_reader
from tests.actuators.shelly.bench import shelly
from tests.actuators.webhook.bench import webhook
from tests.clocks import SteppedClock

Make = Callable[[str, Path], AbstractContextManager[Bench]]


@contextmanager
def simulated(fault: str, _folder: Path) -> Iterator[Bench]:
    """The simulated kind, made by its row of KINDS unless it shall fail."""
    clock = SteppedClock()
    kind = KINDS["simulated"]
    made = kind.open(kind.config(), clock, lambda _state, _why: None)
    actuator = SimulatedActuator(clock, lambda _command: Fault(fault)) if fault else made
    assert isinstance(actuator, SimulatedActuator)
    yield Bench(
        actuator,
        lambda: len(actuator.pulses),
        lambda: actuator.opened_until is not None,
        clock.advance,
        can_be_closed=False,
    )


#: By kind, and by what else is configured where that makes another actuator of it.
BENCHES: dict[str, Make] = {
    "modbus": modbus,
    "modbus device": partial(modbus, pulse=Pulse.DEVICE),
    "mqtt": mqtt,
    "osdp": osdp,
    "osdp reader": osdp_reader,
    "shelly": shelly,
    "simulated": simulated,
    "webhook": webhook,
}

every_kind = pytest.mark.parametrize("kind", sorted(BENCHES))
#: The simulated one has no device that could be killed, and ends with its process.
every_device = pytest.mark.parametrize("kind", sorted(BENCHES.keys() - {"simulated"}))


def test_every_kind_has_a_bench() -> None:
    """A new kind cannot be left out of this suite."""
    assert {name.partition(" ")[0] for name in BENCHES} == set(KINDS)


@pytest.fixture(scope="module", params=sorted(BENCHES))
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A sound bench of each kind, for every test that breaks nothing."""
    with BENCHES[request.param]("", tmp_path_factory.mktemp("sound")) as bench:
        yield bench


@pytest.fixture
def sound(shared: Bench) -> Bench:
    """The shared bench, closed; earlier tests have driven it, and know commands by other ids."""
    assert closes(shared)
    return shared


def closes(bench: Bench, patience_s: float = 4.0) -> bool:
    """Whether it closes by itself in time, on the bench's clock."""
    step_s = 0.1
    for _ in range(round(patience_s / step_s)):
        if not bench.is_open():
            return True
        bench.wait(step_s)
    return not bench.is_open()


def test_actuator_opens_for_a_command(sound: Bench) -> None:
    """A command is carried out and reported so, in one sentence."""
    before = sound.driven()
    report = sound.actuator.pulse(command("opens"))

    assert report.done, report.detail
    assert report.detail
    assert sound.is_open()
    assert 1 == sound.driven() - before


def test_actuator_opens_once_for_the_same_command_id(sound: Bench) -> None:
    """A repeated command gives the same report and drives nothing, also after it closed."""
    before = sound.driven()
    first = sound.actuator.pulse(command("repeated", 0.5))
    again = sound.actuator.pulse(command("repeated", 0.5))
    assert closes(sound)
    later = sound.actuator.pulse(command("repeated", 0.5))

    assert first.done, first.detail
    assert first == again == later
    assert 1 == sound.driven() - before
    assert not sound.is_open()


def test_actuator_opens_once_when_threads_race_with_one_id(sound: Bench) -> None:
    """The same command from eight threads is one pulse."""
    before = sound.driven()
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(sound.actuator.pulse, [command("raced", 0.5)] * 8))

    assert 1 == sound.driven() - before
    assert 1 == len(set(reports))


def test_actuator_opens_again_for_another_command(sound: Bench) -> None:
    """Two ids are two pulses."""
    before = sound.driven()
    assert sound.actuator.pulse(command("one", 0.5)).done
    assert sound.actuator.pulse(command("another", 0.5)).done

    # A relay that is on already has said so before the second one reaches it.
    assert until(lambda: 2 == sound.driven() - before)


def test_actuator_stays_open_for_the_longest_of_several_pulses(sound: Bench) -> None:
    """A shorter pulse within a longer one does not close early. In the end it closes by itself:
    nobody has to come back for that, the process that opened it may be dead. The longer one lasts
    for as long as a panel opens, which times its own door."""
    sound.actuator.pulse(command("longer", 2.0))
    sound.actuator.pulse(command("shorter", 0.3))

    sound.wait(0.7)
    assert sound.is_open()
    assert closes(sound, 2.5)


def test_actuator_refuses_an_impossible_pulse(sound: Bench) -> None:
    """A pulse that would never end, or never begin, is a failure and opens nothing."""
    before = sound.driven()
    for hold_s in (0.0, -1.0, 61.0, float("nan"), float("inf")):
        report = sound.actuator.pulse(command(f"impossible {hold_s}", hold_s))
        assert not report.done, hold_s
        assert not sound.is_open(), hold_s
        assert before == sound.driven(), hold_s


@every_device
def test_actuator_is_closed_after_its_process_was_killed(kind: str, tmp_path: Path) -> None:
    """Attack: the service is killed (`kill -9`) while a gate is open."""
    with BENCHES[kind]("", tmp_path) as bench:
        bench.actuator.close()
        with service(tmp_path, bench.settings, 1.5) as process:
            assert process.stdout is not None
            report = json.loads(process.stdout.readline())
            assert report["done"], report
            assert bench.is_open()
            process.kill()
            process.wait()

            assert until(lambda: not bench.is_open(), 2.5)
            bench.wait(0.5)
            assert not bench.is_open()


@every_device
def test_actuator_fails_when_its_device_is_dead(kind: str, tmp_path: Path) -> None:
    """What answers in these tests is the device and nothing else."""
    with BENCHES[kind]("", tmp_path) as bench:
        assert bench.actuator.pulse(command("c-1")).done
        bench.kill()
        report = bench.actuator.pulse(command("c-2"))

        assert not report.done
        assert report.detail.endswith(".")
        assert until(lambda: bool(bench.told) and bench.told[-1][0] == "red")


@every_device
def test_actuator_reports_what_it_cannot_use(kind: str, tmp_path: Path) -> None:
    """A device that answers garbage, not at all or late is one sentence, and is closed again.
    Once it answers, it opens again. Late is the last: what comes so late is no other's answer."""
    with BENCHES[kind]("", tmp_path) as bench:
        for fault in ("garbage", "drop", "late"):
            bench.spoil(fault)
            report = bench.actuator.pulse(command(fault))
            bench.spoil("")

            assert not report.done, fault
            assert report.detail.endswith("."), fault
            assert "\n" not in report.detail, fault
            assert until(lambda: not bench.is_open()), fault
            assert until(partial(opens, bench, fault, count())), fault
            # While that pulse lasts, a relay that is on need not say so again.
            assert until(lambda: not bench.is_open()), fault


def opens(bench: Bench, fault: str, attempts: Iterator[int]) -> bool:
    """Whether one more attempt after that fault does."""
    return bench.actuator.pulse(command(f"after {fault} {next(attempts)}", 0.1)).done


@every_kind
def test_actuator_reports_a_failure(kind: str, tmp_path: Path) -> None:
    """A device that does nothing is a report, not an exception, and is not tried again unasked."""
    with BENCHES[kind]("failed", tmp_path) as bench:
        report = bench.actuator.pulse(command())

        assert not report.done
        assert report.detail
        assert not bench.is_open()
        assert report == bench.actuator.pulse(command())
        assert 0 == bench.driven()


@every_kind
def test_actuator_reports_a_failure_after_it_took_effect(kind: str, tmp_path: Path) -> None:
    """The answer is lost after the relay moved: reported as failed, driven once, closes."""
    with BENCHES[kind]("failed_after_effect", tmp_path) as bench:
        report = bench.actuator.pulse(command())

        assert not report.done
        assert report == bench.actuator.pulse(command())
        assert 1 == bench.driven()
        assert closes(bench, 2.0)


@every_kind
def test_actuator_ends_what_is_driven_when_it_is_closed(kind: str, tmp_path: Path) -> None:
    """At once where its device can be told to, else when the pulse is over."""
    with BENCHES[kind]("", tmp_path) as bench:
        bench.actuator.pulse(command(hold_s=3.0))
        bench.actuator.close()
        bench.actuator.close()

        if bench.can_be_closed:
            assert until(lambda: not bench.is_open(), 2.0)
        else:
            assert bench.is_open()
            assert closes(bench)
        bench.wait(0.5)
        assert not bench.is_open()

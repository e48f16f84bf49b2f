"""Orders given by a command in another process, obeyed by a service that runs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.core.access_point import AccessPoint
from postern.core.event import Lifted, Ordered, Released
from postern.core.ids import AccessPointId
from postern.core.mode import Mode
from tests.app.test_inputs import MORE, POINT, POINTS, Office, until
from tests.app.test_inputs import running as running_with_inputs
from tests.media import write_picture

_PROGRAM = "import sys; sys.argv[0] = 'postern'; from postern.cli import main; main()"
#: Seconds within which an order is obeyed, as the page about commands says.
OBEYED_S = 2.0


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    write_picture(tmp_path / "still.png", 1)
    points = "".join(POINT.format(name=name, more=MORE[name]) for name in POINTS)
    (tmp_path / "site.toml").write_text(f'[site]\nname = "Office"\n{points}', "utf-8")
    with running_with_inputs(tmp_path, ()) as office:
        yield office


def command(office: Office, *words: str) -> str:
    """What a command writes on standard output, run as an operator does beside the service."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    file = str(office.installation.site.file)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words, "--site", file],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def ordered(office: Office, *words: str) -> str:
    """Gives an order; its id."""
    command(office, "mode", "set", *words)
    found = json.loads(command(office, "mode", "list", "--json"))
    return str(max(found, key=lambda order: order["since"])["id"])


def mode_known(office: Office, name: str) -> Mode:
    """The mode by which the lane of an access point decides now."""
    lane = office.service._lanes[AccessPointId(name)]
    point: AccessPoint = lane.access_point
    return lane._register.known(point, office.installation.clock.now()).state.mode


def test_lockdown_counts_at_the_next_attempt_and_ends_when_it_is_ended(office: Office) -> None:
    """By the records that the lanes read; opening by hand goes on."""
    assert Mode.NORMAL is mode_known(office, "door")
    order = ordered(office, "lockdown", "--why", "a threat", "--access-point", "door")
    assert (Mode.LOCKDOWN, Mode.NORMAL) == (
        mode_known(office, "door"),
        mode_known(office, "listed"),
    )
    assert office.service.release(AccessPointId("door"), "guard", "the fire brigade").done
    command(office, "mode", "end", order)

    assert Mode.NORMAL is mode_known(office, "door")


def test_free_flow_holds_open_until_it_is_ended(office: Office) -> None:
    """One event for the order and one for its end, none for what keeps it open."""
    order = ordered(office, "free_flow", "--why", "summer fair", "--for", "2h",
                    "--access-point", "door")  # fmt: skip
    assert until(lambda: office.is_open("door"), OBEYED_S)
    time.sleep(7.0)
    assert office.is_open("door")
    assert not office.is_open("listed")
    assert ["ok"] == office.watching.of("modes")
    command(office, "mode", "end", order)
    assert until(lambda: not office.is_open("door"), 10)

    events = office.events()
    assert [Ordered, Lifted] == [type(event) for event in events]
    assert "in force: free_flow (door)" in office.watching.sentences("modes")
    assert [] == [event for event in events if isinstance(event, Released)]


def test_evacuation_beats_a_lockdown_where_it_opens(office: Office) -> None:
    """Exits and what the site lists; the other entry stays locked."""
    ordered(office, "lockdown", "--why", "a threat")
    order = ordered(office, "evacuation", "--why", "smoke in the hall")
    assert until(lambda: office.is_open("way_out") and office.is_open("listed"), OBEYED_S)
    time.sleep(0.5)
    assert not office.is_open("door")
    assert Mode.LOCKDOWN is mode_known(office, "door")
    command(office, "mode", "end", order)

    assert until(lambda: not office.is_open("way_out"), 10)
    assert Mode.LOCKDOWN is mode_known(office, "listed")


def test_order_that_stands_when_the_service_starts_is_obeyed_at_once(office: Office) -> None:
    """It is kept, and does not go with whoever gave it."""
    ordered(office, "free_flow", "--why", "summer fair", "--for", "1h", "--access-point", "door")
    folder = office.installation.site.file.parent
    office.service.stop()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    (folder / "data/service.lock").unlink()
    done = subprocess.run(
        [sys.executable, "-c", _RESTART, folder], env=environment, timeout=60, check=False,
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


_RESTART = """
import sys
from pathlib import Path
from tests.app.test_inputs import running, until
with running(Path(sys.argv[1]), ()) as office:
    sys.exit(0 if until(lambda: office.is_open("door"), 1.5) else 1)
"""

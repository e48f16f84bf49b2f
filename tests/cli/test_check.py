"""How many a permit can carry."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from postern.actuators import KINDS, Timer
from postern.app.wire import pulse_timers, read_site
from postern.cli.check import _carries, _check_actuators, _largest
from postern.core.evidence import Factor
from postern.core.permit import Permit
from tests.cli.terminal import postern
from tests.people import ALICE, FACE, PLATE, VAN, permit

LEAST = 1e-5


def test_a_face_alone_carries_what_its_bound_allows() -> None:
    """1 in 100,000 at best, 1 in 1,000 asked for: a hundred people."""
    staff = permit(ALICE, max_false_accept=1e-3)

    assert 100 == _carries(staff, Factor.FACE, {Factor.FACE: LEAST}, LEAST)


def test_a_stricter_whole_carries_fewer() -> None:
    """The ceiling of the factor is not all that has to be met."""
    assert 10 == _carries(permit(ALICE), Factor.FACE, {Factor.FACE: LEAST}, LEAST)


def test_a_second_factor_carries_no_more_than_the_ceiling() -> None:
    """However good the plate, the face has to meet its own ceiling."""
    both = _both(max_false_accept=1e-4)
    ps = {Factor.FACE: LEAST, Factor.PLATE: 1e-9}

    assert 100 == _carries(both, Factor.FACE, ps, LEAST)


def test_a_second_factor_carries_more_than_the_face_alone() -> None:
    """Together they meet a whole that neither meets by itself."""
    both = _both(max_false_accept=1e-6)
    ps = {Factor.FACE: LEAST, Factor.PLATE: LEAST}

    alone = permit(ALICE, max_false_accept=1e-6)

    assert 0 == _carries(alone, Factor.FACE, {Factor.FACE: LEAST}, LEAST)
    assert 50 < _carries(both, Factor.FACE, ps, LEAST) <= 100


def test_largest_finds_the_edge() -> None:
    """Nothing, everything, and something between."""
    assert (0, 7) == (_largest(lambda n: n <= 0), _largest(lambda n: n <= 7))
    assert 1_000_000 == _largest(lambda n: True)


def _both(max_false_accept: float) -> Permit:
    return permit(VAN, ALICE, factors=(PLATE, FACE), max_false_accept=max_false_accept)


def test_check_fails_where_a_permit_can_never_be_met(folder: Path) -> None:
    """For a live person, or for what no camera there sees; elsewhere it may count."""
    postern("vehicle", "add", "AB123")
    for at in ("--at=door", "--at=barrier --liveness"):
        kept = json.loads(postern("permit", "add", "--vehicle", "AB123", *at.split(), "--json").out)
        told = postern("check")
        assert 3 == told.code
        assert "Nothing can ever meet these permits" in told.err
        postern("permit", "remove", kept["id"])
    postern("permit", "add", "--vehicle", "AB123", "--at=door", "--at=barrier")
    told = postern("check")
    assert 0 == told.code
    assert "asks for a plate, and no camera at door sees any." in told.err


def test_check_says_who_ends_the_pulses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And warns where nobody does, with what to do."""
    file = folder / "site.toml"
    boom = '[actuator.boom]\nkind = "modbus"\naddress = "192.168.1.20"\ncoil = 0\n'
    text = file.read_text("utf-8").replace('[actuator.boom]\nkind = "simulated"\n', boom)
    file.write_text(text, "utf-8")
    site = read_site(file)
    nobody = {**KINDS, "simulated": replace(KINDS["simulated"], timer=lambda _: Timer.NOBODY)}

    _check_actuators(site, pulse_timers(site))
    said = " ".join(capsys.readouterr().out.split())
    assert "boom (modbus): a watchdog process ends a pulse" in said
    assert "lock (simulated): its device ends a pulse" in said

    broker = {**KINDS, "simulated": replace(KINDS["simulated"], timer=lambda _: Timer.BROKER)}
    _check_actuators(site, pulse_timers(site, broker))
    said = " ".join(capsys.readouterr().out.split())
    assert "lock (simulated): its broker ends a pulse when the service dies" in said

    _check_actuators(site, pulse_timers(site, nobody))
    warned = " ".join(capsys.readouterr().err.split())
    assert "lock (simulated): nobody ends a pulse when the service dies" in warned
    assert "Have the device time it" in warned
    assert "boom" not in warned

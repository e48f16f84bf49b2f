"""`postern check`: whether a site's file and installation are sound."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

from rich.text import Text

from postern.actuators import Timer
from postern.app.pass_drawing import check_label
from postern.app.permits import SEEN, hindrances, opens_nowhere
from postern.app.site import Site
from postern.app.wire import (
    Installation,
    build_register,
    check_models,
    face_detector,
    has_store,
    least_bounds,
    open_site,
    pulse_timers,
    read_site,
    try_recording,
)
from postern.app.wording import locales
from postern.cli import table
from postern.cli.check_people import check_people
from postern.cli.site_option import SITE_FILE, SiteArgument, SiteFile
from postern.cli.terminal import ERR, OUT, say, warn
from postern.core.consent import StorageMode
from postern.core.errors import PosternError, invalid
from postern.core.evidence import Factor, combine
from postern.core.ids import AccessPointId
from postern.core.look import Kind
from postern.core.permit import Permit

#: Nobody searches more; the answer is then "any number".
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class _Load:
    """What a permit is asked to carry.

    Attributes:
        permit: The permit.
        searched: How many are compared at the access point of its that has the most.
        carries: How many it can carry; None where it asks for none of them.
    """

    permit: Permit
    searched: Mapping[Factor, int]
    carries: Mapping[Factor, int]

    @property
    def overloaded(self) -> bool:
        """Whether more are compared than it can carry, so that it denies everybody."""
        return any(self.searched[factor] > most for factor, most in self.carries.items())


def check(file: SiteArgument = None, site: SiteFile = SITE_FILE) -> None:
    """Check the site's file, models and permits; say how many people each permit can carry."""
    place = read_site(file or site)
    OUT.print(
        Text(f"{place.file.name} is sound:", "green").append(
            f" {_count(len(place.access_points), 'access point')}, "
            f"{_count(len(place.cameras), 'camera')}, {_count(len(place.schedules), 'schedule')}.",
            "default",
        )
    )
    _check_actuators(place, pulse_timers(place))
    for sentence in listens_to_others(place):
        warn(sentence)
    _check_recordings(place)
    _check_passes(place)
    if not has_store(place):
        say(f"Nothing is kept in {place.data} yet: it is made when it is first needed.")
        return
    with open_site(place) as installation:
        with ERR.status("Loading the models ..."):
            check_models(installation)
        check_people(installation)
        _check_permits(installation)


def listens_to_others(place: Site) -> Iterator[str]:
    """Says it where others than this machine can ask how the service is."""
    if place.health.listen is not None and not place.health.local:
        yield (
            f"Whoever reaches {place.health.listen} can ask how the service is and how many come: "
            "it asks nobody who they are."
        )


def _check_permits(installation: Installation) -> None:
    for factor, bound in least_bounds(installation).items():
        by = f" with the detector {face_detector(installation)}" if factor is Factor.FACE else ""
        OUT.print(f"A {factor} can prove at best 1 in {1 / bound:,.0f}{by} (docs/decisions.md).")
    loads = [_load(installation, permit) for permit in installation.store.permits.all()]
    if not loads:
        warn("There is no permit yet: every entry stays shut. Add one: postern permit add")
        return
    _show(loads)
    for sentence in chain.from_iterable(hindrances(installation.site, o.permit) for o in loads):
        warn(sentence)
    for fault in _faults(installation.site, loads):
        raise fault


def permit_faults(installation: Installation) -> list[PosternError]:
    """What is wrong with the permits: those that nobody can ever meet."""
    loads = [_load(installation, permit) for permit in installation.store.permits.all()]
    return list(_faults(installation.site, loads))


def _check_actuators(place: Site, timers: Mapping[str, Timer]) -> None:
    """Says who ends each actuator's pulses; a gate that nobody closes is worth a warning."""
    for name, timer in timers.items():
        which = f"The actuator {name} ({place.actuators[name].kind}):"
        match timer:
            case Timer.DEVICE:
                _show_line(f"{which} its device ends a pulse, also when the service dies.")
            case Timer.WATCHDOG:
                _show_line(f"{which} a watchdog process ends a pulse when the service dies.")
            case Timer.BROKER:
                _show_line(f"{which} its broker ends a pulse when the service dies.")
            case Timer.NOBODY:
                warn(
                    f"{which} nobody ends a pulse when the service dies, and the gate stays open. "
                    "Have the device time it, or take another kind of actuator: "
                    "docs/integrate/adapters.md says which end their pulses."
                )
            case _:
                assert_never(timer)


def _show_line(sentence: str) -> None:
    OUT.print(Text(sentence), soft_wrap=True)


def _check_recordings(place: Site) -> None:
    """Tries the first picture of every recording; a live camera may be in use elsewhere."""
    for name in place.cameras:
        fault = try_recording(place, name)
        if fault:
            raise PosternError(fault.code, f"The camera {name}: {fault.message}", fault.hint)


def _check_passes(place: Site) -> None:
    """Tries whether a pass can be drawn, where people who enrol get one."""
    faces = any(camera.sees is Kind.FACE for camera in place.cameras.values())
    if faces and place.faces.storage is not StorageMode.ROSTER:
        for language in locales():
            check_label(place, language)


def _load(installation: Installation, permit: Permit) -> _Load:
    least = least_bounds(installation, permit.holders)
    searched = {
        factor: max(_searched(installation, name, kind) for name in permit.access_points)
        for factor, kind in SEEN.items()
    }
    if permit.requires(Factor.PASS):
        searched[Factor.FACE] = 1  # The pass says whom to compare with.
    asked = [c.factor for c in permit.factors if c.factor in SEEN]
    ps = {factor: max(1, searched[factor]) * least.get(factor, 1.0) for factor in asked}
    return _Load(permit, searched, {f: _carries(permit, f, ps, least.get(f, 1.0)) for f in asked})


def _searched(installation: Installation, name: AccessPointId, kind: Kind) -> int:
    """How many references an attempt there is compared with."""
    point = installation.site.access_points.get(name)
    if point is None:
        return 0
    known = build_register(installation).known(point, installation.clock.now())
    return len(known.references[kind])


def _carries(permit: Permit, factor: Factor, ps: Mapping[Factor, float], least: float) -> int:
    """How many may be searched for before not even the best match can meet the permit.

    Args:
        permit: The permit.
        factor: By what they are searched for.
        ps: The best bound of every factor that it asks for, after the search as it is now.
        least: The best bound of this factor for a single comparison.
    """
    ceiling = next(c.max_p for c in permit.factors if c.factor is factor)

    def met(searched: int) -> bool:
        p = min(1.0, searched * least)
        together = combine([*{**ps, factor: p}.values()])
        return p <= ceiling and together <= permit.max_false_accept

    return _largest(met)


def _largest(met: Callable[[int], bool]) -> int:
    """The largest number up to `_MOST` that meets it, where none above one that does not meets."""
    low, high = 0, _MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if met(middle) else (low, middle - 1)
    return low


def _show(loads: list[_Load]) -> None:
    rows = []
    for load in loads:
        style = "red" if load.overloaded else ""
        cells = (
            load.permit.id,
            " + ".join(str(c.factor) for c in load.permit.factors),
            f"1 in {1 / load.permit.max_false_accept:,.0f}",
            ", ".join(_count(load.searched[f], str(f)) for f in load.carries),
            ", ".join(_count(most, str(f)) for f, most in load.carries.items()),
        )
        rows.append([Text(cell, style) for cell in cells])
    table.show(OUT, ("permit", "asks for", "at most", "searched there", "can carry"), rows)


def _faults(site: Site, loads: list[_Load]) -> Iterator[PosternError]:
    """Permits for what nothing can see, that ask for too much, and that search too many."""
    blind = [load.permit.id for load in loads if opens_nowhere(site, load.permit)]
    if blind:
        yield invalid(
            f"Nothing can ever meet these permits: {', '.join(blind)}.",
            "Remove them (postern permit remove), and add them for what is there.",
        )
    hopeless = [load.permit.id for load in loads if 0 in load.carries.values()]
    if hopeless:
        yield invalid(
            f"Nothing can ever meet these permits: {', '.join(hopeless)}.",
            "Ask for less (postern permit add --one-in), or for a second factor.",
        )
    overloaded = [load.permit.id for load in loads if load.overloaded]
    if overloaded:
        yield invalid(
            f"These permits search more than they can carry, and deny everybody: "
            f"{', '.join(overloaded)}.",
            "Remove people or vehicles there, ask for less, or for a second factor.",
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

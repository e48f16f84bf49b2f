"""The last word of everything that has a state: cameras, access points, actuators, the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

from postern.app.site import Site
from postern.core.errors import PosternError
from postern.core.ids import AccessPointId, CameraId
from postern.core.ports import Clock
from postern.engine.ports import Observer, Outcome

#: What is told under its own name beside the parts of a site.
LEDGER, CLOCK = "ledger", "clock"


class Part(StrEnum):
    """What kind of thing has a state."""

    CAMERA = "camera"
    ACCESS_POINT = "access_point"
    ACTUATOR = "actuator"
    INPUT = "input"
    WITNESS = "witness"
    LEDGER = "ledger"
    CLOCK = "clock"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with one thing.

    Attributes:
        part: What it is.
        name: Its name in `site.toml`, or what it is called where it has none.
        state: `starting`, `ok`, `red` or `finished`.
        sentence: What was said last; empty before anything was.
        since: When it came to this state; None where nothing was said, or the calendar cannot be
            read.
    """

    part: Part
    name: str
    state: str
    sentence: str = ""
    since: datetime | None = None


class AtAccessPoint:
    """Tells of one access point. Implements `Observer` for what serves it.

    Args:
        site: The site.
        point: Which access point.
        observer: Who watches all of it.
    """

    def __init__(self, site: Site, point: AccessPointId, observer: Observer) -> None:
        self._name = CameraId(told_as(site, point))
        self._observer = observer

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        self._observer.ended(outcome)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`; its own name is not a camera's."""
        self._observer.health(self._name, state, sentence)


def told_as(site: Site, point: AccessPointId) -> str:
    """The name under which an access point's state is told: with its kind where a camera has the
    same, since the one that does well must not hide that the other does not."""
    return f"{Part.ACCESS_POINT} {point}" if CameraId(point) in site.cameras else str(point)


class Board:
    """Keeps the last state of everything, for whoever asks. Implements `Observer`.

    Usable from any thread. It holds nothing of an attempt.

    Args:
        site: Whose parts are expected.
        clock: Says since when.
    """

    def __init__(self, site: Site, clock: Clock) -> None:
        self._clock = clock
        self._lanes = {str(p.id): tuple(map(str, p.cameras)) for p in site.access_points.values()}
        self._actuators = {str(point): name for point, name in site.actuator_of.items()}
        self._lock = Lock()  # Guards the next.
        self._standings = {(one.part, one.name): one for one in _expected(site)}

    def ended(self, outcome: Outcome) -> None:
        """Nothing of an attempt is kept here."""

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""
        now = _now(self._clock)
        with self._lock:
            key = self._key(camera)
            before = self._standings.get(key)
            since = before.since if before is not None and before.state == state else now
            self._standings[key] = Standing(*key, state, sentence, since)

    def standing(self, told: CameraId) -> Standing:
        """How it stands with what is told of under that name."""
        with self._lock:
            key = self._key(told)
            return self._standings.get(key) or Standing(*key, "starting")

    def standings(self) -> tuple[Standing, ...]:
        """Everything, in the order of its kind and name."""
        with self._lock:
            found = list(self._standings.values())
        order = list(Part)
        return tuple(sorted(found, key=lambda one: (order.index(one.part), one.name)))

    def hindrances(self) -> Mapping[str, tuple[Standing, ...]]:
        """What keeps each access point from deciding and opening; nothing where it can.

        All its cameras give frames, its records are kept, and its actuator is not known to be
        broken. The log's and the clock's trouble hold nobody up for as long as it can be read.
        """
        with self._lock:
            at = dict(self._standings)
        return {point: tuple(self._faults(at, point)) for point in self._lanes}

    def red(self, part: Part) -> bool:
        """Whether anything of that kind said last that it failed."""
        return any(one.part is part and one.state == "red" for one in self.standings())

    def summary(self) -> str:
        """How everything stands, in one line."""
        hindrances = self.hindrances()
        able = sum(not found for found in hindrances.values())
        red = [f"{one.part} {one.name}" for one in self.standings() if one.state == "red"]
        said = f"{able} of {len(hindrances)} access points can decide"
        return f"{said}; red: {', '.join(red)}" if red else said

    def _faults(self, at: Mapping[tuple[Part, str], Standing], point: str) -> Iterable[Standing]:
        keys = (
            (Part.ACCESS_POINT, point),
            (Part.ACTUATOR, self._actuators[point]),
            *((Part.CAMERA, camera) for camera in self._lanes[point]),
        )
        return (at[key] for key in keys if at[key].state != "ok")

    def _key(self, told: str) -> tuple[Part, str]:
        """What is meant."""
        kind, _, name = told.partition(" ")
        if name and kind in _PREFIXED:
            return (Part(kind), name)
        plain = [p for p in (Part.CAMERA, Part.ACCESS_POINT) if (p, told) in self._standings]
        named = [Part(told)] if told in (LEDGER, CLOCK) else []
        return next(((part, told) for part in (*plain, *named)), (Part.OTHER, told))


#: Kinds whose names are told behind the kind's own.
_PREFIXED = {Part.ACCESS_POINT, Part.ACTUATOR, Part.INPUT, Part.WITNESS}


def _expected(site: Site) -> Iterable[Standing]:
    """Everything before anything was said. A camera says nothing before its first frame."""
    watching = {camera for point in site.access_points.values() for camera in point.cameras}
    yield from (Standing(Part.CAMERA, str(name), "starting") for name in watching)
    yield from (Standing(Part.ACCESS_POINT, str(name), "ok") for name in site.access_points)
    yield from (Standing(Part.ACTUATOR, name, "ok") for name in site.actuators)
    yield from (Standing(Part.WITNESS, name, "starting") for name in site.witnesses)
    yield from (Standing(part, str(part), "ok") for part in (Part.LEDGER, Part.CLOCK))


def _now(clock: Clock) -> datetime | None:
    try:
        return clock.now().utc
    except PosternError:  # A calendar before 1970: the state counts all the same.
        return None

"""The tables of `site.toml`, each turned into the core's words and held against the others."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable
from zoneinfo import ZoneInfo, available_timezones

from postern.app import hours
from postern.app.build import build, read_key
from postern.app.place import Place
from postern.app.problem import did_you_mean, nearest, shown
from postern.app.site import ActuatorEntry, Camera, Faces, InputEntry, Roster
from postern.app.tables import AccessPointTable, AreaTable, MqttTable, SiteTable, WitnessTable
from postern.app.witness import WitnessEntry
from postern.core.access_point import Area
from postern.core.consent import StorageMode
from postern.core.ids import AccessPointId, AreaId, CameraId
from postern.core.look import Kind
from postern.core.schedule import Schedule
from postern.core.signal import Means

SITE, CONSENT, FACES, PLATES, LOG = "site", "consent", "faces", "plates", "log"
ROSTER, HEALTH, CLOCK, MQTT = "roster", "health", "clock", "mqtt"
CONSOLE = "console"
CAMERA, ACTUATOR, AREA, INPUT = "camera", "actuator", "area", "input"
ACCESS_POINT, SCHEDULE, WITNESS = "access_point", "schedule", "witness"
SECTIONS = (
    SITE, CAMERA, ACTUATOR, INPUT, AREA, ACCESS_POINT, SCHEDULE, CONSENT, FACES, ROSTER, PLATES,
    LOG, HEALTH, CONSOLE, CLOCK, WITNESS, MQTT,
)  # fmt: skip

#: Names are typed in commands and stand in events.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

#: What is told beside cameras and access points; of the same name, one would hide the other.
_TOLD = ("ledger", "clock", "modes")
_OTHER = "Choose a name other than ledger, clock and modes."

T = TypeVar("T")


class KindRow(Protocol):
    """What a row of a table of kinds has."""

    @property
    def config(self) -> type[Any]:
        """The kind's configuration, a frozen dataclass."""
        ...


Kinds = Mapping[str, KindRow]


@runtime_checkable
class Limited(Protocol):
    """The configuration of an actuator that may not be able to last as long as others."""

    @property
    def longest_s(self) -> float | None:
        """Seconds for which it can be driven at most; None where it sets no limit of its own."""
        ...


class Sections:
    """The sections of one file. Every method notes what is wrong and leaves it out.

    Args:
        root: The whole file.
        folder: What its paths are relative to.
    """

    def __init__(self, root: Place, folder: Path) -> None:
        self._root = root
        self._folder = folder

    def refuse_strangers(self) -> None:
        """Notes every section that there is not."""
        self._root.refuse_strangers(SECTIONS)

    def site(self) -> SiteTable | None:
        """`[site]`."""
        if SITE not in self._root.table:
            self._root.refuse("lacks the table [site].", 'Begin with: [site] and name = "..."')
            return None
        return build(SiteTable, self._root.at(SITE), self._folder)

    def zone(self) -> ZoneInfo:
        """The time zone of `[site]`; UTC where nothing goes by it."""
        site = self._root.at(SITE) if SITE in self._root.table else None
        if site is not None and "time_zone" in site.table:
            return _zone(site.at("time_zone"))
        if site is not None and SCHEDULE in self._root.table:
            site.refuse(
                "lacks the key 'time_zone', by which the schedules go.",
                'Write, for example: time_zone = "Europe/Bucharest"',
            )
        return ZoneInfo("UTC")

    def plain(self, name: str, config: type[T]) -> T | None:
        """A section whose things have no names, such as `[log]`; else its defaults."""
        if name in self._root.table:
            return build(config, self._root.at(name), self._folder)
        return config()

    def mqtt(self) -> MqttTable | None:
        """`[mqtt]`; None where the site has no broker, or says something wrong of it."""
        if MQTT not in self._root.table:
            return None
        return build(MqttTable, self._root.at(MQTT), self._folder)

    def check_storage(self, faces: Faces, roster: Roster) -> None:
        """Notes it where a roster is kept and nobody says why."""
        if faces.storage is StorageMode.ROSTER and roster.justification is None:
            self._root.at(FACES).at("storage").refuse(
                'is "roster", which the site has to justify.',
                'Add [roster] with justification = "..." (why passes will not do here).',
            )

    def schedules(self, zone: ZoneInfo) -> dict[str, Schedule]:
        """Every `[schedule.NAME]`, on the clocks of `zone`."""
        return {name: hours.schedule(place, zone) for name, place in self._named(SCHEDULE)}

    def cameras(self, kinds: Kinds) -> dict[CameraId, Camera]:
        """Every `[camera.NAME]`."""
        cameras = {}
        for name, place in self._named(CAMERA):
            sees = read_key(place, "sees", Kind, self._folder)
            chosen = self._of_kind(place, kinds, ("sees",))
            if isinstance(sees, Kind) and chosen is not None:
                cameras[CameraId(name)] = Camera(CameraId(name), sees, *chosen)
        return cameras

    def actuators(self, kinds: Kinds) -> dict[str, ActuatorEntry]:
        """Every `[actuator.NAME]`."""
        actuators = {}
        for name, place in self._named(ACTUATOR):
            chosen = self._of_kind(place, kinds)
            if chosen is not None:
                actuators[name] = ActuatorEntry(name, *chosen)
        return actuators

    def inputs(self, kinds: Kinds) -> dict[str, InputEntry]:
        """Every `[input.NAME]`, whose access point is held against the other sections."""
        inputs = {}
        for name, place in self._named(INPUT):
            means = read_key(place, "means", Means, self._folder)
            chosen = self._of_kind(place, kinds, ("means", ACCESS_POINT))
            point = self._access_point_of(place, means)
            if isinstance(means, Means) and chosen is not None:
                inputs[name] = InputEntry(name, means, point, *chosen)
        return inputs

    def _access_point_of(self, place: Place, means: object) -> AccessPointId | None:
        """The access point that an input names; None where it names none, or none that there is."""
        if means is Means.FIRE and ACCESS_POINT not in place.table:
            return None
        name = read_key(place, ACCESS_POINT, str, self._folder)
        if not isinstance(name, str):
            return None
        self._check_declared(place.at(ACCESS_POINT), ACCESS_POINT, name)
        return AccessPointId(name)

    def witnesses(self) -> dict[str, WitnessEntry]:
        """Every `[witness.NAME]`."""
        tables = {n: build(WitnessTable, place, self._folder) for n, place in self._named(WITNESS)}
        return {name: table.named(name) for name, table in tables.items() if table is not None}

    def areas(self) -> dict[AreaId, Area]:
        """Every `[area.NAME]`."""
        areas = {}
        for name, place in self._named(AREA):
            table = build(AreaTable, place, self._folder)
            if table is not None:
                areas[AreaId(name)] = table.named(AreaId(name))
        return areas

    def access_points(self) -> dict[AccessPointId, AccessPointTable]:
        """Every `[access_point.NAME]`, whose references are held against the other sections."""
        if not self._root.table.get(ACCESS_POINT):
            self._root.refuse("has no access point.", "Add one as [access_point.NAME].")
        access_points = {}
        watched: dict[str, Place] = {}
        for name, place in self._named(ACCESS_POINT):
            table = build(AccessPointTable, place, self._folder)
            self._check_cameras(place, watched)
            self._check_reference(place, ACTUATOR)
            self._check_reference(place, AREA)
            if table is not None:
                access_points[AccessPointId(name)] = table
        return access_points

    def check_holds(
        self,
        access_points: Mapping[AccessPointId, AccessPointTable],
        actuators: Mapping[str, ActuatorEntry],
    ) -> None:
        """Notes access points that are to be open for longer than their actuator can be driven."""
        for name, table in access_points.items():
            entry = actuators.get(table.actuator)
            limit = entry.config if entry is not None else None
            longest_s = limit.longest_s if isinstance(limit, Limited) else None
            if longest_s is not None and table.hold_s > longest_s:
                self._root.at(ACCESS_POINT).at(name).at("hold_s").refuse(
                    f"is longer than its actuator can be driven: {longest_s:g} seconds.",
                    "Write a shorter time.",
                )

    def _check_cameras(self, place: Place, watched: dict[str, Place]) -> None:
        """Notes cameras that are unknown, or that another access point has; `watched` grows."""
        cameras = place.at("cameras") if "cameras" in place.table else None
        if cameras is None or not isinstance(cameras.value, list):
            return
        if not cameras.value:
            cameras.refuse("names no camera.", "An access point needs at least one.")
        for n, name in enumerate(cameras.value):
            if not isinstance(name, str):
                continue
            one = cameras.at(n)
            self._check_declared(one, CAMERA, name)
            if name in watched:
                there = watched[name]
                one.refuse(
                    f"names the camera {shown(name)}, which {there.path} has already.",
                    f"It stands at line {there.lines.line}; a camera watches one access point.",
                )
            watched.setdefault(name, one)
        if all(self._sees_passes(name) for name in cameras.value):
            cameras.refuse(
                "names only cameras that see passes, and a pass alone opens nothing.",
                'Add a camera that sees "face"; it reads passes, too.',
            )

    def _sees_passes(self, name: object) -> bool:
        """Whether a camera is a reader of passes and of nothing else."""
        section = self._root.table.get(CAMERA)
        if not isinstance(section, dict) or not isinstance(name, str):
            return False
        camera = section.get(name)
        return isinstance(camera, dict) and camera.get("sees") == Kind.PASS

    def _check_reference(self, place: Place, section: str) -> None:
        name = place.table.get(section)
        if isinstance(name, str):
            self._check_declared(place.at(section), section, name)

    def _check_declared(self, place: Place, section: str, name: str) -> None:
        # Against what is written, not what is sound: one mistake is told once.
        declared = self._root.table.get(section)
        known = list(declared) if isinstance(declared, dict) else []
        if name not in known:
            hint = did_you_mean(name, known) or f"Add it as [{section}.NAME]."
            what = f"the {section.replace('_', ' ')} {shown(name)}"
            place.refuse(f"names {what}, which this file does not have.", hint)

    def _named(self, section: str) -> Iterator[tuple[str, Place]]:
        """The tables of a section whose things have names."""
        if section not in self._root.table:
            return
        place = self._root.at(section)
        tables = [(name, one) for name, one in place.every() if isinstance(one.value, dict)]
        if len(tables) < len(place.table) or not isinstance(place.value, dict):
            place.refuse("needs a name.", f"Write [{section}.NAME] with a name of your choice.")
        for name, one in tables:
            if not _NAME.fullmatch(name):
                one.refuse(
                    "has a name that cannot be used.",
                    "A name has 1 to 64 letters, digits, - and _, and begins with neither sign.",
                )
            if section in (CAMERA, ACCESS_POINT) and name in _TOLD:
                one.refuse("has a name under which the service tells something else.", _OTHER)
            yield name, one

    def _of_kind(
        self, place: Place, kinds: Kinds, besides: tuple[str, ...] = ()
    ) -> tuple[str, object] | None:
        """The kind that a table names, and that kind's configuration from the same table."""
        kind = read_key(place, "kind", str, self._folder)
        if not isinstance(kind, str):
            return None
        if kind not in kinds:
            place.at("kind").refuse(
                f"is {shown(kind)}, a kind that Postern does not know.", nearest(kind, kinds)
            )
            return None
        config = build(kinds[kind].config, place, self._folder, ("kind", *besides))
        return None if config is None else (kind, config)


def _zone(place: Place) -> ZoneInfo:
    """The time zone that a text names; UTC where it names none, which is noted."""
    if isinstance(place.value, str):
        try:
            return ZoneInfo(place.value)
        except (OSError, ValueError, LookupError):  # A folder, a path, and a name that is none.
            near = did_you_mean(place.value, sorted(available_timezones()))
            hint = near or 'Write it as in "Europe/Bucharest".'
            place.refuse(f"is {shown(place.value)}, which is no time zone.", hint)
    return ZoneInfo("UTC")

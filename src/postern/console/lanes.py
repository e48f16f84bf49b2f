"""The lanes as they are, in HTML: what everybody who watches in one language is sent.

It is made once for all of them. The last decisions of each lane are kept here for whoever comes
later, as long as the console runs: of those whom the site knows, and without a name. A stranger's
attempt is shown while they stand there.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from postern.console.pages import Pages
from postern.web.audience import Audience, Told

#: Decisions that are shown of each lane.
LAST = 5


@dataclass(frozen=True, slots=True)
class Lane:
    """One access point, as it is shown.

    Attributes:
        number: Its place on the page.
        name: What the site calls it.
        direction: `entry` or `exit`.
        cameras: Its cameras' names.
    """

    number: int
    name: str
    direction: str
    cameras: tuple[str, ...]


class Lanes:
    """What happens at the lanes, for those who watch in one language.

    Args:
        lanes: Every access point of the site.
        pages: Makes HTML.
        locale: The language.
        zone: On whose clocks the times are.
    """

    def __init__(self, lanes: Sequence[Lane], pages: Pages, locale: str, zone: tzinfo) -> None:
        self._lanes = {lane.name: lane for lane in lanes}
        self._pages = pages
        self._locale = locale
        self._zone = zone
        self._last: dict[str, deque[dict[str, Any]]] = {
            lane.name: deque(maxlen=LAST) for lane in lanes
        }
        self._shown: dict[str, Told] = {}
        self._others: dict[tuple[str, str], dict[str, Any]] = {}
        self._audience = Audience(lambda: tuple(self._shown.values()))

    @property
    def looking(self) -> bool:
        """Whether anybody looks at pictures."""
        return self._audience.looking

    @property
    def audience(self) -> Audience:
        """Those who watch."""
        return self._audience

    def tell(self, told: Told) -> None:
        """Takes what was told, and shows it."""
        body = json.loads(told.data)
        for made in self._made(told.event, body):
            if not made.picture:
                self._shown[made.event] = made
            self._audience.tell(made)

    def shown(self, place: str) -> str:
        """What is shown at a place of the page now; empty where nothing was yet."""
        found = self._shown.get(place)
        return "" if found is None else found.data

    def _made(self, event: str, body: dict[str, Any]) -> Iterator[Told]:
        match event:
            case "service":
                yield self._piece("service", "live/service", **body)
            case "standing":
                yield from self._standing(body)
            case "attempt":
                yield from self._attempt(body)
            case "seen":
                for lane in self._at(body["camera"]):
                    yield self._piece(f"lane-{lane.number}-now", "live/now", attempt=None, **body)
            case "picture":
                for lane in self._at(body["camera"]):
                    yield self._picture(lane, body)
            case _:
                return

    def _standing(self, body: dict[str, Any]) -> Iterable[Told]:
        part, name = body["part"], body["name"]
        if part == "access_point" and name in self._lanes:
            yield self._piece(f"lane-{self._lanes[name].number}-state", "live/state", **body)
        elif part == "camera":
            for lane in self._at(name):
                place = f"lane-{lane.number}-camera-{lane.cameras.index(name)}-state"
                yield self._piece(place, "live/state", **body)
        else:
            self._others[part, name] = body
            yield self._piece("others", "live/others", others=list(self._others.values()))

    def _attempt(self, body: dict[str, Any]) -> Iterable[Told]:
        lane = self._lanes.get(body["access_point"])
        if lane is None:
            return
        if body["attempt"] is None:
            place = f"lane-{lane.number}-now"
            yield self._piece(place, "live/now", attempt=body, present=1, flaws=body["flaws"])
            return
        last = self._last[lane.name]
        last.appendleft(body)
        place = f"lane-{lane.number}-last"
        yield self._piece(place, "live/last", attempts=list(last), time=self._time)

    def _picture(self, lane: Lane, body: dict[str, Any]) -> Told:
        camera = lane.cameras.index(body["camera"])
        place = f"lane-{lane.number}-camera-{camera}-picture"
        made = self._html("live/picture", lane=lane.name, **body)
        return Told(place, made, place, picture=True)

    def _piece(self, place: str, template: str, **given: object) -> Told:
        return Told(place, self._html(template, **given), place)

    def _html(self, template: str, **given: object) -> str:
        # An event's data is one line.
        return " ".join(self._pages.html(template, self._locale, **given).split())

    def _time(self, at: str | None) -> str:
        """A time of day, as clocks show it at the site."""
        if at is None:
            return "-"
        return f"{datetime.fromisoformat(at).astimezone(self._zone):%H:%M:%S}"

    def _at(self, camera: str) -> Iterator[Lane]:
        return (lane for lane in self._lanes.values() if camera in lane.cameras)

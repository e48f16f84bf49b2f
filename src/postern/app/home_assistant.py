"""Tells Home Assistant what happens at a site and, where the site wants it, takes orders from it.

1. No lane waits: whatever happens is put into a queue with a limit, and the oldest goes when it is
   full. What no broker takes is told to nobody later: an automation must not act on what is over.
2. An order that the broker has kept, or was asked to keep, opens nothing: it would open again with
   every restart. An order counts for two seconds, and one at a time for each access point.
3. Nothing is told of strangers: an attempt in which nobody was recognised is told like none at all.
"""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic

from postern.app.discovery import (
    FINE,
    OFFLINE,
    ONLINE,
    OPENING,
    PROBLEM,
    Happening,
    Order,
    Part,
    Topics,
    announcement,
    face_of,
    parts_of,
)
from postern.app.site import Site
from postern.app.tables import MqttTable
from postern.core.errors import PosternError
from postern.core.ids import AccessPointId, CameraId
from postern.core.ports import Report
from postern.engine.ports import Outcome, Releases
from postern.engine.supervise import shielded
from postern.mqtt.connection import Connection
from postern.mqtt.words import Message, Subscription

#: Who opened, in the record.
BY = "mqtt"
#: What is told of the connection itself stands under this name beside cameras.
NAME = CameraId("home assistant")
#: Messages that wait for the broker. A busy gate makes a handful a minute.
MOST_WAITING = 256
#: Seconds for one message.
PUBLISH_S = 2.0
#: Seconds for which an order counts, and between two of one access point.
ORDER_S = 2.0


class HomeAssistant:
    """Observes a service; `start` connects, and `attach` says whom orders go to.

    Args:
        site: The site.
        table: Its section `[mqtt]`.
        tell: Told of the connection, as `Observer.health` is.
    """

    def __init__(
        self, site: Site, table: MqttTable, tell: Callable[[CameraId, str, str], None]
    ) -> None:
        self._site = site
        self._topics = Topics(table)
        self._announcement = announcement(site, table, self._topics)
        self._releases: Releases | None = None
        self._change = Condition()  # Guards what follows.
        self._closed = False
        self._waiting: deque[Message] = deque(maxlen=MOST_WAITING)
        self._orders: deque[tuple[AccessPointId, float]] = deque(maxlen=8)
        self._ordered: dict[AccessPointId, float] = {}
        self._opened: dict[AccessPointId, float] = {}  # Until when each counts as open.
        self._problems = dict.fromkeys(parts_of(site), FINE)
        listens = [Subscription(self._topics.birth, kept=False)]
        if table.commands:
            listens.append(Subscription(self._topics.orders, flagged=True))
        self._connection = Connection(
            table,
            lambda state, why: tell(NAME, state, why),
            will=Message(self._topics.status, OFFLINE.encode(), retain=True),
            subscriptions=tuple(listens),
            heard=self._heard,
            came=self._announce,
        )
        self._threads = [
            Thread(target=work, name=f"home assistant {number}", daemon=True)
            for number, work in enumerate((self._publish, self._obey))
        ]

    def attach(self, releases: Releases) -> None:
        """Has orders carried out by a service."""
        self._releases = releases

    def start(self) -> None:
        """Begins to connect."""
        for thread in self._threads:
            thread.start()
        self._connection.start()

    def stop(self) -> None:
        """Says that nobody is there any more, and ends the connection."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._change.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PUBLISH_S + 1.0)
        self._send(Message(self._topics.status, OFFLINE.encode(), retain=True))
        self._connection.close()

    def ended(self, outcome: Outcome) -> None:
        """See `postern.engine.ports.Observer.ended`."""
        decision, point = outcome.decision, outcome.access_point
        if decision.granted and outcome.driven:
            self._happened(point, Happening.GRANTED, decision.reason)
            self._opens(point)
        elif decision.granted:
            self._happened(point, Happening.NOT_OPENED, decision.reason)
        elif decision.holders:
            self._happened(point, Happening.DENIED, decision.reason)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `postern.engine.ports.Observer.health`; the sentence stays here."""
        with self._change:
            for part in self._problems:
                if part.told == camera:
                    self._problems[part] = PROBLEM if state == "red" else FINE
                    self._put(self._problem(part))

    def _happened(self, point: AccessPointId, what: Happening, reason: str) -> None:
        told = {"event_type": str(what), "reason": str(reason), "access_point": str(point)}
        with self._change:
            self._put(Message(self._topics.event(point), json.dumps(told).encode()))

    def _opens(self, point: AccessPointId) -> None:
        with self._change:
            self._opened[point] = monotonic() + self._site.access_points[point].hold_s
            self._put(self._state(point))

    def _announce(self) -> None:
        """Everything anew: the broker, or Home Assistant, may have forgotten it."""
        with self._change:
            self._put(self._announcement)
            for point in self._site.access_points:
                self._put(self._state(point))
            for part in self._problems:
                self._put(self._problem(part))
            self._put(Message(self._topics.status, ONLINE.encode(), retain=True))

    def _put(self, message: Message) -> None:
        self._waiting.append(message)
        self._change.notify_all()

    def _state(self, point: AccessPointId) -> Message:
        face = face_of(self._site, point)
        state = face.open if point in self._opened else face.shut
        return Message(self._topics.state(point), state.encode(), retain=True)

    def _problem(self, part: Part) -> Message:
        return Message(self._topics.health(part), self._problems[part].encode(), retain=True)

    def _heard(self, message: Message) -> None:
        if message.topic == self._topics.birth:
            if message.payload == ONLINE.encode():
                self._announce()
            return
        point = AccessPointId(self._topics.ordered(message.topic))
        order = message.payload.decode("utf-8", "replace")
        if message.retain or point not in self._site.access_points or order not in list(Order):
            return
        with self._change:
            if Order(order) not in OPENING:
                self._put(self._state(point))  # What it is, whatever was asked for.
                return
            now_s = monotonic()
            if now_s - self._ordered.get(point, -ORDER_S) >= ORDER_S:
                self._ordered[point] = now_s
                self._orders.append((point, now_s))
                self._change.notify_all()

    def _publish(self) -> None:
        while self._has(lambda: bool(self._waiting) or self._shut_again()):
            with self._change:
                message = self._waiting.popleft() if self._waiting else None
            if message is not None:
                self._send(message)

    def _shut_again(self) -> bool:
        """Says of what was open that it is shut, where it is so by now; whether there was any."""
        over = [point for point, until_s in self._opened.items() if until_s <= monotonic()]
        for point in over:
            del self._opened[point]
            self._put(self._state(point))
        return bool(over)

    def _has(self, work: Callable[[], bool]) -> bool:
        """Waits until there is work; False at the end."""
        with self._change:
            while not self._closed and not work():
                ends_s = min(self._opened.values(), default=None)
                self._change.wait(None if ends_s is None else max(0.0, ends_s - monotonic()))
            return not self._closed

    def _send(self, message: Message) -> None:
        with suppress(PosternError):  # The connection tells in red; nothing is told later.
            self._connection.publish(message, PUBLISH_S)

    def _obey(self) -> None:
        while self._has(lambda: bool(self._orders)):
            with self._change:
                point, since_s = self._orders.popleft()
            if self._releases is None or monotonic() - since_s > ORDER_S:
                continue
            report = shielded(self._release(point), lambda why: Report(False, why))
            if report.done:
                self._opens(point)
            what = Happening.OPENED_BY_HAND if report.done else Happening.NOT_OPENED
            self._happened(point, what, BY)

    def _release(self, point: AccessPointId) -> Callable[[], Report]:
        releases = self._releases
        if releases is None:
            return lambda: Report(False, "")
        return lambda: releases.release(point, BY, "an order over MQTT")

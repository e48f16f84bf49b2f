"""Drives a relay by messages, and sees to it that whoever is left sends the end of a pulse.

1. A pulse is begun once, is never kept by the broker, and counts for a second: a relay that was
   away does not open when it comes back.
2. Where the device does not time it, its end is sent by this process; by the broker, as our last
   will, when this process or its connection dies; and by the next connection where the broker died.
3. The end of one pulse never overtakes the beginning of the next: one is sent at a time, and an end
   only where it is still due.
4. A confirmation is what the relay says after it was told, not what the broker has kept of it. Many
   say changes only: one that has said that it is on, in a pulse that is under way, is so still.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Lock, Thread
from time import monotonic

from postern.actuators.mqtt.config import Config
from postern.actuators.once import Once
from postern.core.errors import PosternError
from postern.core.ports import Clock, Command, Report
from postern.mqtt.connection import Connection
from postern.mqtt.words import Message, Subscription

#: Seconds; the port `Actuator` promises no more.
ANSWER_S = 1.0
#: Seconds; what a broker has not delivered by then it delivers to nobody.
LIVES_S = 1
#: Seconds between attempts to end a pulse, each twice the one before.
FIRST_WAIT_S, MOST_WAIT_S = 0.5, 4.0
#: Seconds in which a relay that was told to has to say that it is off.
SETTLES_S = 2.0
_BROKER, _RELAY = "broker", "relay"


class MqttActuator:
    """A relay behind a broker. May be used from several threads; `_change` guards what follows it.

    Args:
        config: What an operator says about it.
        tell: Told `ok` or `red` and one sentence whenever that changes.
    """

    def __init__(self, config: Config, tell: Callable[[str, str], None]) -> None:
        self._config = config
        self._tell = tell
        self._off = None if config.off is None else Message(config.topic, config.off.encode())
        self._connection = Connection(
            config,
            lambda state, why: self._say(_BROKER, state, why),
            will=self._off,
            subscriptions=() if config.state_topic is None else (Subscription(config.state_topic),),
            heard=self._heard,
            came=self._came,
        )
        self._once = Once(self._drive)
        self._turn = Lock()  # Held by whoever begins or ends a pulse, while the broker takes it.
        self._change = Condition()
        self._closed = False
        self._ends_s: float | None = None  # When what may be on is to be ended.
        self._says_on: bool | None = None  # What the relay has said since it was told to open.
        self._states = {_BROKER: ("", ""), _RELAY: ("ok", "")}
        self._told = ("", "")
        self._telling = Lock()  # Held by whoever tells: what was told last is what holds.
        self._keeper = Thread(target=self._keep, name=f"mqtt {config.topic}", daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._connection.start()
        self._keeper.start()

    def pulse(self, command: Command) -> Report:
        """See `postern.core.ports.Actuator.pulse`."""
        return self._once.pulse(command)

    def close(self) -> None:
        """See `postern.core.ports.Actuator.close`."""
        with self._change:
            closed, self._closed = self._closed, True
            self._change.notify_all()
        if not closed and self._turn.acquire(timeout=ANSWER_S):
            # A pulse that was on its way is out by now, and is ended, too.
            with self._change:
                driven = self._ends_s is not None
            if driven and self._off is not None:
                with suppress(PosternError):  # Nobody is left whom it could be told.
                    self._connection.publish(self._off, ANSWER_S)
            self._turn.release()
        self._connection.close()

    def _drive(self, command: Command) -> Report:
        until_s = monotonic() + ANSWER_S
        if not self._turn.acquire(timeout=ANSWER_S):
            return Report(False, "The broker has not taken the end of the last pulse yet.")
        try:
            refusal = self._begin(command, until_s)
        finally:
            self._turn.release()
        if refusal:
            return Report(False, refusal)
        if self._config.state_topic is None:
            return Report(True, "The broker passed the command on to the relay.")
        with self._change:
            self._change.wait_for(lambda: self._says_on, max(0.0, until_s - monotonic()))
            if self._says_on:
                return Report(True, "The relay says that it is on.")
        return Report(False, "The relay did not say within a second that it is on.")

    def _begin(self, command: Command, until_s: float) -> str:
        """Sends the beginning; why it may not, if so."""
        with self._change:
            if self._closed:
                return "The relay's connection is closed."
            if not self._under_way():
                self._says_on = None
        on = Message(self._config.topic, self._config.on.encode())
        try:
            self._connection.publish(on, max(0.0, until_s - monotonic()), lives_s=LIVES_S)
        finally:
            # Also where it failed: it may have taken effect all the same.
            self._end_at(monotonic() + command.hold_s)
        return ""

    def _under_way(self) -> bool:
        """Whether a pulse is, that nobody has ended; one that the device times ends by its word."""
        due = self._ends_s is None or self._ends_s <= monotonic()
        return self._config.timed_by_device or not due

    def _end_at(self, ends_s: float) -> None:
        if self._config.timed_by_device:
            return
        with self._change:
            self._ends_s = ends_s if self._ends_s is None else max(self._ends_s, ends_s)
            self._change.notify_all()

    def _came(self) -> None:
        """A connection stands: what an earlier one, or an earlier run, left on is ended."""
        with self._change:
            idle = self._ends_s is None
            self._says_on = None  # Meanwhile it may have been told otherwise.
        if idle:
            self._end_at(monotonic())

    def _heard(self, message: Message) -> None:
        if message.retain:
            return
        with self._change:
            self._says_on = message.payload.decode("utf-8", "replace") == self._config.state_on
            self._change.notify_all()

    def _keep(self) -> None:
        """Ends every pulse when its time is over, however long that takes."""
        wait_s = FIRST_WAIT_S
        while (ends_s := self._due()) is not None:
            why = self._ended(ends_s)
            with self._change:
                if not why:
                    wait_s = FIRST_WAIT_S
                    self._ends_s = None if self._ends_s == ends_s else self._ends_s
                else:
                    self._change.wait_for(lambda: self._closed, wait_s)
                    wait_s = min(MOST_WAIT_S, 2.0 * wait_s)
            self._say(_RELAY, "red" if why else "ok", why)

    def _due(self) -> float | None:
        """Waits until something has to be ended, and gives the time it was due; None at the end."""
        with self._change:
            while not self._closed:
                left_s = None if self._ends_s is None else self._ends_s - monotonic()
                if left_s is not None and left_s <= 0.0:
                    return self._ends_s
                self._change.wait(left_s)
        return None

    def _ended(self, ends_s: float) -> str:
        """Sends the end that was due then; what is wrong with that, if anything."""
        if self._off is None:
            return ""
        try:
            with self._turn:
                with self._change:
                    if self._ends_s != ends_s:
                        return ""  # A pulse has begun meanwhile, and ends later.
                self._connection.publish(self._off, ANSWER_S)
        except PosternError as error:
            return f"Nobody can tell whether the relay is off: {error.message}"

        def over() -> bool:
            # A pulse that has begun meanwhile has it on again.
            return not self._says_on or self._closed or self._ends_s != ends_s

        with self._change:
            stuck = not self._change.wait_for(over, SETTLES_S)
        return "The relay was told to close, and does not say that it did." if stuck else ""

    def _say(self, part: str, state: str, why: str) -> None:
        """Tells the graver of what is known of the broker and of the relay."""
        with self._telling:
            with self._change:
                self._states[part] = (state, why)
                graver = _RELAY if self._states[_RELAY][0] == "red" else _BROKER
                news = self._states[graver]
                if news == self._told or not news[0]:
                    return
                self._told = news
            self._tell(*news)


def open_actuator(config: Config, _clock: Clock, tell: Callable[[str, str], None]) -> MqttActuator:
    """The actuator, which begins to connect."""
    actuator = MqttActuator(config, tell)
    actuator.start()
    return actuator

"""Keeps one side of a secure channel alive, in a thread of its own.

1. Only that thread touches libosdp.
2. A message is sent while the secure channel stands, or not at all. One that was not answered in
   time dies with its context: nothing is sent later, when nobody expects it any more.
3. libosdp itself waits five minutes after a refusal; a new context tries again within seconds.
"""

from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic

from postern.actuators.osdp.line import Line
from postern.actuators.osdp.side import Message, Side
from postern.core.errors import Code, PosternError

#: Seconds between two refreshes, where nothing comes: libosdp wants one at least every 50 ms.
TICK_S = 0.02
#: Seconds between two refreshes, whatever comes: noise on the line keeps no processor busy.
LEAST_TICK_S = 0.002
#: Seconds in which the secure channel has to stand; it takes half of one.
PATIENCE_S = 3.0
#: Seconds until the next try after the first failure, and at most.
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 8.0


class _Order:
    """A message on its way; the link's lock guards `sent` and `given_up`."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.sent = False
        self.given_up = False
        self.failure = ""
        self.settled = Event()

    def settle(self, failure: str) -> None:
        self.failure = failure
        self.settled.set()


class Link:
    """One side of a secure channel that comes back by itself.

    Args:
        name: What it leads to, for sentences: "the device at address 1 of /dev/ttyUSB0".
        open_line: Opens the line; `PosternError` where it cannot.
        make_side: Makes the side on it.
        persists: Whether a side that waits to be asked stays as it is while nobody asks.
        tell: Told the state and one sentence, whenever that changes.
    """

    def __init__(
        self,
        name: str,
        open_line: Callable[[], Line],
        make_side: Callable[[Line], Side],
        tell: Callable[[str, str], None],
        *,
        persists: bool,
    ) -> None:
        self._name = name
        self._open_line = open_line
        self._make_side = make_side
        self._persists = persists
        self._tell = tell
        self._turn = Lock()  # Held by whoever has a message on its way.
        self._lock = Lock()  # Guards whether that message was sent or given up, and the next.
        self._spoilt = False  # Whether the context may still send what was given up.
        self._order: _Order | None = None
        self._told: tuple[str, str] | None = None
        self._failures = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"osdp {name}", daemon=True)

    def start(self) -> None:
        """Begins to reach for the other side."""
        self._thread.start()

    def send(self, message: Message, within_s: float) -> str:
        """Sends one message and waits for its answer.

        Returns:
            Nothing where it was taken, else one sentence why not; also then it may have been.
        """
        until_s = monotonic() + within_s
        if not self._turn.acquire(timeout=within_s):
            return f"{_first_up(self._name)} is still busy with the last command."
        try:
            return self._sent(_Order(message), until_s)
        finally:
            self._order = None
            self._turn.release()

    def close(self) -> None:
        """Ends the thread and lets go of the line; within a second, safe to call twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _sent(self, order: _Order, until_s: float) -> str:
        if self._stop.is_set() or not self._thread.is_alive():
            return f"The line to {self._name} is closed."
        if self._told is not None and self._told[0] == "red":
            return self._told[1]
        self._order = order
        if not order.settled.wait(max(0.0, until_s - monotonic())):
            with self._lock:
                order.given_up, self._spoilt = True, order.sent
            return f"{_first_up(self._name)} did not answer within a second."
        return order.failure

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            if not self._stop.is_set():  # The thread ends by what nobody foresaw; it is told.
                self._say("red", f"The line to {self._name} failed, and is not served any more.")

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open_line() as line:
                    self._converse(line, self._make_side(line))
            except PosternError as error:
                self._failures += 1
                self._say("red", str(error))
            order = self._order
            if order is not None and not order.settled.is_set():
                order.settle(f"The line to {self._name} was lost.")
            self._stop.wait(self._wait_s())

    def _wait_s(self) -> float:
        """Seconds until the next try; none after a message that was merely not answered."""
        if not self._failures:
            return 0.0
        return float(min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** min(self._failures - 1, 8)))

    def _converse(self, line: Line, side: Side) -> None:
        """Serves one context, until it has to be made anew."""
        since_s, silent, stood = monotonic(), True, False
        self._spoilt = False
        while not (self._stop.is_set() or self._spoilt):
            line.wait(TICK_S)
            stands = side.refresh()
            if line.fault:
                raise _unavailable(f"The line to {self._name} is gone: {line.fault}.")
            if stands and not stood:
                self._failures, stood = 0, True
                self._say("ok", f"The secure channel to {self._name} stands.")
            elif stood and not stands:
                self._say("red", f"{_first_up(self._name)} has fallen silent.")
                return
            if silent and line.heard:  # Whoever begins to speak has as long as anybody.
                since_s, silent = monotonic(), False
            elif not stands and monotonic() - since_s > PATIENCE_S:
                self._not_secured(line)
            self._carry(side, stands)
            self._stop.wait(LEAST_TICK_S)

    def _not_secured(self, line: Line) -> None:
        if line.heard:
            why = f"{_first_up(self._name)} does not have the key of this secure channel."
        else:
            why = f"Nothing comes from {self._name}."
        if not self._persists:
            raise _unavailable(why)
        self._say("red", why)

    def _carry(self, side: Side, stands: bool) -> None:
        """Takes the order on its way further."""
        order = self._order
        if order is None or order.settled.is_set():
            return
        if order.sent:
            if (taken := side.answer()) is not None:
                order.settle("" if taken else f"{_first_up(self._name)} refused the command.")
        elif stands:
            with self._lock:
                order.sent = not order.given_up
            if order.sent and not side.send(order.message):
                order.settle(f"{_first_up(self._name)} takes no command now.")

    def _say(self, state: str, sentence: str) -> None:
        if (state, sentence) != self._told:
            self._told = (state, sentence)
            self._tell(state, sentence)


def _first_up(name: str) -> str:
    return name[:1].upper() + name[1:]


def _unavailable(message: str) -> PosternError:
    return PosternError(Code.UNAVAILABLE, message)

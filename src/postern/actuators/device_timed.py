"""An actuator whose device ends the pulses itself: begun, and seen to have ended."""

from collections.abc import Callable
from contextlib import suppress
from threading import Condition as Change
from threading import Lock, Thread
from time import monotonic

from postern.actuators.once import Once
from postern.actuators.relay import TimedRelay
from postern.core.errors import PosternError
from postern.core.ports import Command, Report

#: Seconds for a pulse, and of these for another order that is under way: what would be late is not
#: sent at all.
ANSWER_S, TURN_S = 0.9, 0.5
#: Seconds after the end of a pulse by which the relay is off.
GRACE_S = 0.5
#: Seconds between looks at a relay that nobody drives: a device that is gone is told.
LOOK_S = 10.0
#: Seconds between attempts to find it off or to switch it off, each twice the one before.
_FIRST_S, _LONGEST_S = 0.5, 30.0
#: Seconds that closing waits for a question that is under way.
_CLOSE_S = 1.0


class DeviceTimed:
    """Has a device pulse its relay, and looks afterwards whether it is off.

    A relay that is still on is told in red and switched off; one that cannot be asked is told in
    red and asked again. May be used from several threads; `_change` guards what follows it.

    Args:
        relay: The device's relay; its calls may come from several threads at a time.
        tell: Told `ok` or `red` and one sentence whenever that changes.
    """

    def __init__(self, relay: TimedRelay, tell: Callable[[str, str], None]) -> None:
        self._relay = relay
        self._tell = tell
        self._once = Once(self._drive)
        self._change = Change()
        self._closed = False
        self._ends: float | None = None
        self._due = monotonic()
        self._pause = _FIRST_S
        self._told = ("", "")
        self._turn = Lock()  # Held while the relay is switched, so that no new pulse is cut short.
        self._keeper = Thread(target=self._keep, name="end of pulses", daemon=True)
        self._keeper.start()

    def pulse(self, command: Command) -> Report:
        """Has the device drive the relay for `command.hold_s`; never raises."""
        return self._once.pulse(command)

    def close(self) -> None:
        """Switches off what is still driven."""
        with self._change:
            self._closed = True
            driven, self._ends = self._ends is not None, None
            self._change.notify_all()
        if driven:
            with suppress(PosternError):  # The device ends it all the same.
                self._relay.switch(False)
        self._keeper.join(_CLOSE_S)

    def _drive(self, command: Command) -> Report:
        until = monotonic() + ANSWER_S
        if not self._turn.acquire(timeout=TURN_S):
            return Report(False, "The device has not answered the last order yet.")
        try:
            self._relay.pulse(self._begin(command.hold_s), until - monotonic())
        finally:
            self._turn.release()
        return Report(True, f"The device opened for {command.hold_s:g} s.")

    def _begin(self, hold_s: float) -> float:
        """Notes when the pulse ends, whatever becomes of it; a longer one is not cut short."""
        now = monotonic()
        with self._change:
            if self._ends is not None:
                hold_s = max(hold_s, self._ends - now)
            self._ends = now + hold_s
            self._due, self._pause = self._ends + GRACE_S, _FIRST_S
            self._change.notify_all()
        return hold_s

    def _keep(self) -> None:
        while True:
            with self._change:
                while not self._closed and self._due > monotonic():
                    self._change.wait(self._due - monotonic())
                if self._closed:
                    return
                ends = self._ends
            answer = self._ask()
            with self._change:
                if self._ends != ends:  # Another pulse has begun meanwhile, or it was closed.
                    continue
                if answer is False or ends is None:
                    self._ends, self._due, self._pause = None, monotonic() + LOOK_S, _FIRST_S
                else:
                    self._due = monotonic() + self._pause
                    self._pause = min(2.0 * self._pause, _LONGEST_S)
            self._judge(answer, ends)

    def _ask(self) -> bool | str:
        """Whether the relay is on; a sentence where nobody can tell."""
        try:
            return self._relay.is_on()
        except PosternError as error:
            return error.message

    def _judge(self, answer: bool | str, ended: float | None) -> None:
        if isinstance(answer, str):
            whether = "how the relay is" if ended is None else "whether the relay is off"
            self._say("red", f"Nobody can tell {whether}: {answer}")
        elif not answer:
            self._say("ok", "The relay is off and answers.")
        elif ended is None:
            # Somebody may have switched it by hand, and means it.
            self._say("red", "The relay is on, and not by an order of Postern's.")
        else:
            self._say("red", "The relay is stuck: it is on after its pulse should have ended.")
            with self._turn, suppress(PosternError):  # It is tried again.
                if self._ends == ended:
                    self._relay.switch(False)

    def _say(self, state: str, why: str) -> None:
        if (state, why) != self._told:
            self._told = (state, why)
            self._tell(state, why)

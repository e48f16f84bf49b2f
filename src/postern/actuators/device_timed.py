"""An actuator whose device ends the pulses itself: begun, read back, and seen to have ended."""

from collections.abc import Callable
from contextlib import suppress
from threading import Condition as Change
from threading import Thread
from time import monotonic

from postern.actuators.once import Once
from postern.actuators.relay import TimedRelay
from postern.core.errors import PosternError
from postern.core.ports import Command, Report

#: Seconds after the end of a pulse by which the relay is off.
GRACE_S = 0.5
#: Seconds between attempts to find that out or to switch it off, each twice the one before.
_FIRST_S, _LONGEST_S = 0.5, 30.0
#: Seconds that closing waits for a question that is under way.
_CLOSE_S = 1.0


class DeviceTimed:
    """Has a device pulse its relay, and looks afterwards whether it is off.

    A relay that is still on is told in red and switched off; one that cannot be asked is told in
    red and asked again. May be used from several threads; `_change` guards what follows it.

    Args:
        relay: The device's relay; its calls may come from two threads at a time.
        tell: Told `ok` or `red` and one sentence whenever that changes.
    """

    def __init__(self, relay: TimedRelay, tell: Callable[[str, str], None]) -> None:
        self._relay = relay
        self._tell = tell
        self._once = Once(self._drive)
        self._change = Change()
        self._closed = False
        self._ends: float | None = None
        self._keeper: Thread | None = None
        self._told = ("", "")

    def pulse(self, command: Command) -> Report:
        """Has the device drive the relay for `command.hold_s`; never raises."""
        return self._once.pulse(command)

    def close(self) -> None:
        """Switches off what is still driven."""
        with self._change:
            self._closed = True
            driven, self._ends = self._ends is not None, None
            self._change.notify_all()
            keeper = self._keeper
        if driven:
            with suppress(PosternError):  # The device ends it all the same.
                self._relay.switch(False)
        if keeper is not None:
            keeper.join(_CLOSE_S)

    def _drive(self, command: Command) -> Report:
        hold_s = self._begin(command.hold_s)
        self._relay.pulse(hold_s)
        if not self._relay.is_on():
            return Report(False, "The device was told to open, and says that it did not.")
        return Report(True, f"The device opened for {command.hold_s:g} s.")

    def _begin(self, hold_s: float) -> float:
        """Notes when the pulse ends, whatever becomes of it; a longer one is not cut short."""
        now = monotonic()
        with self._change:
            if self._ends is not None:
                hold_s = max(hold_s, self._ends - now)
            self._ends = now + hold_s
            if self._keeper is None and not self._closed:
                self._keeper = Thread(target=self._keep, name="end of pulses", daemon=True)
                self._keeper.start()
            self._change.notify_all()
        return hold_s

    def _keep(self) -> None:
        wait_s = _FIRST_S
        while True:
            with self._change:
                ended = self._ends
                left = None if ended is None else ended + GRACE_S - monotonic()
                if not self._closed and (left is None or left > 0.0):
                    self._change.wait(left)
                    continue
                if self._closed:
                    return
            if self._is_off():
                wait_s = _FIRST_S
                with self._change:
                    if self._ends == ended:  # No further pulse has begun meanwhile.
                        self._ends = None
                continue
            with self._change:
                self._change.wait_for(lambda: self._closed, wait_s)
            wait_s = min(2.0 * wait_s, _LONGEST_S)

    def _is_off(self) -> bool:
        try:
            if not self._relay.is_on():
                self._say("ok", "The relay is off and answers.")
                return True
            self._say("red", "The relay is stuck: it is on after its pulse should have ended.")
            self._relay.switch(False)
        except PosternError as error:
            self._say("red", f"Nobody can tell whether the relay is off: {error.message}")
        return False

    def _say(self, state: str, why: str) -> None:
        if (state, why) != self._told:
            self._told = (state, why)
            self._tell(state, why)

"""A process that drives a relay, and switches it off also when whoever gave the order is gone.

Started by `watched.py` as `python -m postern.actuators.watchdog`, one for each relay.

1. Its relay's configuration and its orders come over the standard input, its answers go to the
   standard output; it has no other file of its parent's.
2. From before it is switched on until it is known to be off, there is a time at which the relay
   will be switched off. Whatever fails meanwhile changes nothing about that.
3. It ends when its input ends, its parent is gone, or it is told to (SIGTERM): the relay is
   switched off first.
4. Nobody has to listen: an answer that cannot be written at once is dropped.
"""

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic, sleep
from types import FrameType

from postern.actuators.orders import (
    Answer,
    Condition,
    Hello,
    Message,
    Off,
    Order,
    decode,
    encode,
    open_relay,
)
from postern.actuators.relay import Relay
from postern.core.errors import PosternError
from postern.process import keep_memory_private

#: Seconds between looks at a relay that nobody drives: a device that is gone is told.
LOOK_S = 10.0
#: Seconds between attempts to switch it off, each twice the one before.
_FIRST_S, _LONGEST_S = 0.1, 2.0
#: Seconds for which it goes on trying when nobody gives orders any more.
LINGER_S = 600.0


class Watchdog:
    """Switches a relay on for an order, and off when its time is over.

    Args:
        relay: The relay. Until it has been asked, it may be on.
        tell: Told everything that the other side should know.
        clock: Seconds on the monotonic clock.
    """

    def __init__(
        self, relay: Relay, tell: Callable[[Message], None], clock: Callable[[], float] = monotonic
    ) -> None:
        self._relay = relay
        self._tell = tell
        self._clock = clock
        self._condition = ("", "")
        self._fresh = True
        self._off_at: float | None = clock()
        self._next = clock()
        self._wait = _FIRST_S

    @property
    def is_off(self) -> bool:
        """Whether the relay is known to be off."""
        return self._off_at is None

    def due_in(self) -> float:
        """Seconds until `work` has something to do."""
        return max(0.0, self._next - self._clock())

    def order(self, order: Order) -> None:
        """Switches on and answers; where that is not confirmed, it is switched off all the same."""
        now = self._clock()
        if not now < order.until_s:
            self._tell(Answer(order.id, False, "The order reached the relay's watchdog too late."))
            return
        self._hold(now + order.hold_s)
        try:
            self._relay.switch(True)
            on = self._relay.is_on()
        except PosternError as error:
            self._say("red", f"The relay did not confirm a pulse: {error.message}")
            self._tell(Answer(order.id, False, error.message))
            return
        self._hold(self._clock() + order.hold_s)
        sentence = f"The relay is on for {order.hold_s:g} s."
        if not on:
            sentence = "The relay was switched on, and says that it is off."
            self._say("red", sentence)
        self._tell(Answer(order.id, on, sentence))

    def work(self) -> None:
        """Does what is due: ends a pulse, tries that again, or looks whether all is well."""
        if self._clock() < self._next:
            return
        if self._off_at is None:
            self._look()
        else:
            self._end()

    def end(self) -> None:
        """Has whatever is on switched off now."""
        if self._off_at is not None:
            self._off_at = self._next = self._clock()

    def _hold(self, until: float) -> None:
        self._fresh = False
        self._off_at = until if self._off_at is None else max(self._off_at, until)
        self._next, self._wait = self._off_at, _FIRST_S

    def _end(self) -> None:
        try:
            on = not self._fresh or self._relay.is_on()
            if on:
                # The answer may be lost; what counts is what the device says afterwards.
                with suppress(PosternError):
                    self._relay.switch(False)
                if self._relay.is_on():
                    raise _Stuck
        except _Stuck:
            self._fail("The relay is stuck: it was switched off, and says that it is on.")
        except PosternError as error:
            self._fail(f"The relay is stuck, or cannot be asked: {error.message}")
        else:
            if self._fresh and on:
                self._say("red", "The relay was found on at the start, and was switched off.")
            self._fresh, self._off_at = False, None
            self._next = self._clock() + LOOK_S
            self._say("ok", "The relay is off and answers.")
            self._tell(Off())

    def _fail(self, why: str) -> None:
        self._condition = ("red", why)
        # Also where that is no news: it lives, and goes on trying.
        self._tell(Condition("red", why))
        self._next = self._clock() + self._wait
        self._wait = min(2.0 * self._wait, _LONGEST_S)

    def _look(self) -> None:
        self._next = self._clock() + LOOK_S
        try:
            # Somebody may have switched it by hand, and means it.
            if self._relay.is_on():
                self._say("red", "The relay is on, and not by an order of Postern's.")
            else:
                self._say("ok", "The relay is off and answers.")
        except PosternError as error:
            self._say("red", f"The relay cannot be asked: {error.message}")

    def _say(self, state: str, why: str) -> None:
        if (state, why) != self._condition and (state, self._condition[0]) != ("ok", "ok"):
            self._tell(Condition(state, why))
        self._condition = (state, why)


class _Stuck(Exception):  # noqa: N818 - a state, not a failure
    """It is on although it was switched off."""


def serve(watchdog: Watchdog, lines: Iterator[bytes | None]) -> None:
    """Carries out orders until there are no more, then sees that the relay is off.

    Args:
        watchdog: The relay's.
        lines: The orders, and None whenever something may be due.
    """
    try:
        for line in lines:
            if line is not None:
                order = decode(line)
                if isinstance(order, Order):
                    watchdog.order(order)
            watchdog.work()
    finally:
        watchdog.end()
        until = monotonic() + LINGER_S
        while not watchdog.is_off and monotonic() < until:
            sleep(watchdog.due_in())
            watchdog.work()


class _Inbox:
    """The lines that come in, until their writer closes them or is gone, or SIGTERM comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._waked, wake = os.pipe()
        for end in (self._waked, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._told_to_end = False
        self._parent: int | None = None
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        # A terminal's Ctrl-C is for the service, which then closes the pipe.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch(self, parent: int) -> None:
        """Ends the lines also when that process is gone, if somebody else still has the pipe."""
        if os.getppid() != parent:
            self._told_to_end = True
            return
        with suppress(OSError):  # Kernels before 5.3 know only the pipe's end.
            self._parent = os.pidfd_open(parent)

    def first(self) -> bytes:
        """The first line; empty where there is none."""
        return next((line for line in self.lines(lambda: 60.0) if line is not None), b"")

    def lines(self, due_in: Callable[[], float]) -> Iterator[bytes | None]:
        """Whole lines as they come, and None after `due_in` seconds without one."""
        while not self._told_to_end:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                yield line
                continue
            watched = [0, self._waked, *([] if self._parent is None else [self._parent])]
            ready = select.select(watched, [], [], due_in())[0]
            if self._parent in ready:
                return
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    return
                self._rest += data
            else:
                yield None

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_end = True


def _answer(message: Message) -> None:
    """Writes a message, if whoever reads is there and keeps up."""
    with suppress(OSError):
        os.write(1, encode(message))


def main() -> None:
    """Serves one relay, as the first line says."""
    keep_memory_private()  # The first line may hold a password.
    inbox = _Inbox()
    os.set_blocking(1, False)
    sys.excepthook = lambda kind, _error, _trace: _answer(
        Condition("red", f"The relay's watchdog failed ({kind.__name__}).")
    )
    line = inbox.first()
    hello = decode(line) if line else None
    if not isinstance(hello, Hello):
        return
    inbox.watch(hello.parent)
    watchdog = Watchdog(open_relay(hello.kind, hello.settings), _answer)
    serve(watchdog, inbox.lines(watchdog.due_in))


if __name__ == "__main__":
    main()

"""An actuator whose pulses are ended by a process of its own: the service's side of it."""

import os
import select
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from threading import Condition as Change
from threading import Thread
from time import monotonic

from postern.actuators.once import Once
from postern.actuators.orders import (
    Answer,
    Condition,
    Hello,
    Off,
    Order,
    Settings,
    decode,
    encode,
    open_relay,
)
from postern.core.errors import Code, PosternError
from postern.core.ports import Command, Report

#: Seconds that whoever waits at the gate waits for the watchdog's answer.
ANSWER_S = 0.95
#: Seconds after the end of a pulse by which a watchdog that lives has said how the relay is.
OVERDUE_S = 3.0
#: Seconds more for one that says again and again what is wrong.
TRYING_S = 30.0
#: Seconds after an order within which a watchdog that lives has said something: a relay that does
#: not answer may keep it, for the end of one pulse and the beginning of the next.
SILENT_S = 6.0
#: Seconds between starts of a watchdog that ends at once.
_LONGEST_S = 30.0
#: Seconds that a watchdog lives before its end counts as the first one again.
_SETTLED_S = 60.0
#: Seconds between looks at the time while nothing is heard.
_LOOK_S = 1.0
#: Seconds that closing takes at most; a watchdog that cannot reach its relay goes on by itself.
_CLOSE_S = 1.0
_COMMAND = (sys.executable, "-P", "-m", "postern.actuators.watchdog")


class WatchedActuator:
    """Gives orders to a watchdog process, and sees that there is one.

    Where the watchdog dies, the relay is switched off from here, and another is started, which
    finds out how the relay is. May be used from several threads; `_change` guards what follows it.

    Args:
        kind: Which relay, a key of `orders.RELAYS`.
        settings: Its configuration, secrets included.
        tell: Told `ok` or `red` and one sentence whenever that changes.
        command: What starts the watchdog.
    """

    def __init__(
        self,
        kind: str,
        settings: Settings,
        tell: Callable[[str, str], None],
        command: tuple[str, ...] = _COMMAND,
    ) -> None:
        self._hello = (kind, settings)
        self._tell = tell
        self._command = command
        self._once = Once(self._drive)
        self._change = Change()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[str, Future[Report]] = {}
        self._overdue_s: float | None = None
        self._silent_s: float | None = None  # Put off by no further order, as that one is.
        self._told = ("", "")  # Belongs to the keeper.
        self._keeper = Thread(target=self._keep, name=f"watchdog of {kind}", daemon=True)
        self._keeper.start()

    @property
    def watchdog(self) -> int | None:
        """The process id of the watchdog; None while there is none."""
        with self._change:
            return None if self._process is None else self._process.pid

    def pulse(self, command: Command) -> Report:
        """Has the watchdog drive the relay for `command.hold_s`; never raises."""
        return self._once.pulse(command)

    def close(self) -> None:
        """Ends the watchdog, which switches off what is on; waits a second for it."""
        with self._change:
            self._closed = True
            self._change.notify_all()
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
        self._keeper.join(_CLOSE_S)

    def _drive(self, command: Command) -> Report:
        until = monotonic() + ANSWER_S
        answer: Future[Report] = Future()
        with self._change:
            self._change.wait_for(lambda: self._process is not None or self._closed, ANSWER_S)
            if self._process is None or self._closed:
                return Report(False, "The relay has no watchdog now that could end the pulse.")
            self._waiting[command.id] = answer
            self._send(self._process, Order(command.id, command.hold_s, until))
            ended = until + command.hold_s + OVERDUE_S
            self._overdue_s = max(ended, self._overdue_s or ended)
            self._silent_s = self._silent_s or until - ANSWER_S + SILENT_S
        try:
            return answer.result(until - monotonic())
        except Late:
            return Report(False, "The relay's watchdog did not answer in time.")
        finally:
            with self._change:
                self._waiting.pop(command.id, None)

    def _send(self, process: subprocess.Popen[bytes], message: Hello | Order) -> None:
        line = encode(message)
        try:
            # All of it or nothing: it is shorter than what a pipe takes at once (pipe(7)).
            if process.stdin is None or os.write(process.stdin.fileno(), line) < len(line):
                raise BlockingIOError
        except (OSError, ValueError):
            raise PosternError(
                Code.UNAVAILABLE, "The relay's watchdog does not take orders."
            ) from None

    def _keep(self) -> None:
        """Starts a watchdog, hears it until it ends, and starts another."""
        wait_s = 0.0
        while not self._closing(wait_s):
            began = monotonic()
            process = self._start()
            if process is not None:
                self._hear(process)
                self._lose(process)
            settled = monotonic() - began > _SETTLED_S
            wait_s = 0.0 if settled else min(max(0.1, 2.0 * wait_s), _LONGEST_S)

    def _closing(self, wait_s: float) -> bool:
        with self._change:
            return self._change.wait_for(lambda: self._closed, wait_s)

    def _start(self) -> subprocess.Popen[bytes] | None:
        try:
            process = subprocess.Popen(  # noqa: S603 - this very interpreter, and a module of ours
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
            )
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            os.set_blocking(process.stdin.fileno(), False)
        except OSError as error:
            self._say("red", f"The relay's watchdog cannot be started ({error.strerror}).")
            return None
        with self._change:
            with suppress(PosternError):  # It has ended already, which is noticed next.
                self._send(process, Hello(*self._hello, os.getpid()))
            if self._closed:
                process.stdin.close()
            self._process = process
            self._change.notify_all()
        return process

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        """Takes what a watchdog says until it ends; ends one that says nothing when it is due."""
        assert process.stdout is not None  # noqa: S101 - as above
        heard = b""
        while True:
            if select.select([process.stdout], [], [], _LOOK_S)[0]:
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    return
                with self._change:
                    self._silent_s = None
                *lines, heard = (heard + data).split(b"\n")
                for line in lines:
                    self._take(line)
            with self._change:
                due = [one for one in (self._overdue_s, self._silent_s) if one is not None]
            if due and monotonic() > min(due):
                self._say("red", "The relay's watchdog hangs, and is killed.")
                process.kill()
                return

    def _take(self, line: bytes) -> None:
        message = decode(line)
        if isinstance(message, Answer):
            with self._change:
                answer = self._waiting.pop(message.id, None)
            if answer is not None:
                answer.set_result(Report(message.done, message.detail))
        elif isinstance(message, Condition):
            self._say(message.state, message.why)
            # One that says what is wrong does not hang.
            self._put_off(OVERDUE_S + TRYING_S if message.state == "red" else None)
        elif isinstance(message, Off):
            self._put_off(None)

    def _say(self, state: str, why: str) -> None:
        if (state, why) != self._told:
            self._told = (state, why)
            self._tell(state, why)

    def _put_off(self, by_s: float | None) -> None:
        with self._change:
            if by_s is None:
                self._overdue_s = None
            elif self._overdue_s is not None:
                self._overdue_s = max(self._overdue_s, monotonic() + by_s)

    def _lose(self, process: subprocess.Popen[bytes]) -> None:
        """A watchdog has ended: what it may have left on is switched off from here."""
        code = process.wait()
        with self._change:
            self._process = None
            self._overdue_s = self._silent_s = None
            waiting, self._waiting = self._waiting, {}
            closed = self._closed
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        for answer in waiting.values():
            answer.set_result(Report(False, "The relay's watchdog died before it answered."))
        if not closed or code != 0:
            self._say("red", f"The relay's watchdog ended ({_how(code)}), and is started anew.")
            with suppress(PosternError):  # The next one goes on trying.
                open_relay(*self._hello).switch(False)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"

"""Opening an access point without recognising anybody: a guard, a button, a mode.

1. It goes by itself. It takes no lock of the lane's and waits for no camera, so that a lane which
   waits for a slow disk or device holds nobody up.
2. Durable first, then the pulse, then what came of it. An entry that cannot be recorded within a
   second stays shut; what was recorded too late is closed then. The way out opens all the same.
3. Every release is an attempt of its own, and so one pulse.
"""

from collections.abc import Callable
from threading import Lock

from postern.core.access_point import AccessPoint, Direction
from postern.core.event import Acted, Event, Released
from postern.core.ids import AttemptId
from postern.core.ports import Actuator, Clock, Command, Ledger, Report
from postern.engine.aside import Aside
from postern.engine.supervise import shielded

#: Characters of who asked and of why; what is longer is cut, since nobody is kept in for it.
MAX_BY, MAX_WHY = 64, 200
_LATE = "it takes longer than anybody can wait"
_TOO_LATE = "it was too late when it had been recorded"


class Release:
    """What opens one access point; may be called from any thread.

    Args:
        access_point: Which one.
        ledger: Where releases become durable.
        actuator: What opens.
        clock: The two clocks.
        recorded: Told None where something was recorded, or why it could not be.
        new_attempt: Gives every release its name.
    """

    def __init__(
        self,
        access_point: AccessPoint,
        ledger: Ledger,
        actuator: Actuator,
        clock: Clock,
        recorded: Callable[[str | None], None],
        new_attempt: Callable[[], AttemptId],
    ) -> None:
        self._access_point = access_point
        self._leaving = access_point.direction is Direction.EXIT
        self._ledger = ledger
        self._actuator = actuator
        self._clock = clock
        self._recorded = recorded
        self._new_attempt = new_attempt
        self._aside = Aside()

    def open(self, by: str, why: str, *, leaving: bool = False) -> Report:
        """Opens, and says what came of it; it never raises.

        Recording takes a second at most, the actuator another one.

        Args:
            by: Who or what asks for it.
            why: What for; may be empty.
            leaving: Whether somebody leaves, also through what is an entry for the cameras: it
                opens then whatever becomes of the record.
        """
        place, attempt = self._access_point, self._new_attempt()
        said = Released(
            self._clock.now().utc, place.id, attempt, plain(by, MAX_BY), plain(why, MAX_WHY)
        )
        if leaving or self._leaving:
            self._aside.do(lambda: self._append(said), self._late)
        elif refusal := self._record_in_time(said):
            return Report(False, f"It stays shut, as it could not be recorded: {refusal}")
        return self._pulse(attempt)

    def _record_in_time(self, said: Released) -> str | None:
        """Makes it durable while somebody waits for it; gives what stands against it, if anything.

        Whoever comes first of the record and the end of patience takes the turn: either it opens,
        or what was recorded after all is closed as not carried out.
        """
        turn = Lock()

        def record() -> str | None:
            refusal = self._append(said)
            if refusal is None and not turn.acquire(blocking=False):
                self._note(said.attempt, Report(False, _TOO_LATE))
            return refusal

        def late() -> str | None:
            return self._late() if turn.acquire(blocking=False) else None

        return self._aside.do(record, late)

    def _pulse(self, attempt: AttemptId) -> Report:
        command = Command(str(attempt), self._access_point.id, self._access_point.hold_s)
        report = shielded(lambda: self._actuator.pulse(command), lambda why: Report(False, why))
        # Where this fails, the release without an answer is closed at the next start.
        self._aside.do(lambda: self._note(attempt, report), lambda: None)
        return report

    def _note(self, attempt: AttemptId, report: Report) -> None:
        now = self._clock.now().utc
        self._append(Acted(now, self._access_point.id, attempt, report.done, report.detail))

    def _append(self, event: Event) -> str | None:
        def kept() -> None:
            self._ledger.append(event)
            self._recorded(None)

        def failed(why: str) -> str:
            self._recorded(why)
            # A failure may say nothing; that it failed must not be taken for a success.
            return why or "the record failed"

        return shielded(kept, failed)

    def _late(self) -> str:
        self._recorded(_LATE)
        return _LATE


def plain(text: str, most: int) -> str:
    """A text as one printable line of so many characters at most; nothing is refused."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:most].rstrip()

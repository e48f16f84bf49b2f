"""The same command opens once: what every kind of actuator shares."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from postern.core.errors import PosternError
from postern.core.ports import Command, Report

#: Commands. Ids of older ones are forgotten; a command is repeated within seconds or never.
REMEMBERED = 1024
#: Seconds; what `AccessPoint.hold_s` allows. A command is checked again where it takes effect.
MAX_HOLD_S = 60.0
#: What stands until a device has been heard: nothing, so that the gate counts as not opened.
_UNKNOWN = Report(False, "The actuator failed in a way that nobody foresaw.")


class Once:
    """Has every command carried out once, whoever repeats it.

    A command id that came before gives the report of that time and drives nothing, whether it
    failed or not: after a failure nobody can tell whether it took effect. Whoever sends it while
    the first is under way waits for that one's report. May be used from several threads.

    Args:
        drive: Carries out a command that is new and possible. A `PosternError` of its is a report
            of failure.
    """

    def __init__(self, drive: Callable[[Command], Report]) -> None:
        self._drive = drive
        self._lock = Lock()  # Guards `_reports`.
        self._reports: OrderedDict[str, Future[Report]] = OrderedDict()

    def pulse(self, command: Command) -> Report:
        """The report of the only time that this command was carried out; now, if it is new."""
        with self._lock:
            known = self._reports.get(command.id)
            if known is None:
                report: Future[Report] = Future()
                self._reports[command.id] = report
                if len(self._reports) > REMEMBERED:
                    self._reports.popitem(last=False)
        return known.result() if known is not None else self._first(command, report)

    def _first(self, command: Command, report: Future[Report]) -> Report:
        made = _UNKNOWN
        try:
            made = self._made(command)
        finally:
            report.set_result(made)
        return made

    def _made(self, command: Command) -> Report:
        if not 0.0 < command.hold_s <= MAX_HOLD_S:
            return Report(False, f"A pulse lasts more than 0 and at most {MAX_HOLD_S:.0f} seconds.")
        try:
            return self._drive(command)
        except PosternError as error:
            return Report(False, error.message)

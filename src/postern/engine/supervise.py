"""The one place that catches everything: what fails is told, counted and started again.

A lane that is down is a lane that stays shut; it never takes another with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TypeVar

from postern.core.errors import PosternError

Tell = Callable[[str, str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before the next start.

    Short, since somebody may be waiting at the gate: what is started again asks whether there is
    anything to reach before it does what is dear.

    Attributes:
        first_s: Seconds after the first failure.
        most_s: Seconds at most; each failure doubles the wait until then. What ran for longer than
            this before it failed begins again with `first_s`.
    """

    first_s: float = 1.0
    most_s: float = 2.0

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row, at least one."""
        return float(min(self.most_s, self.first_s * 2 ** min(failures - 1, 16)))


def sentence(error: Exception) -> str:
    """What to tell of a failure: its own sentence, or that nobody foresaw it."""
    if isinstance(error, PosternError):
        return str(error)
    return f"an internal fault ({type(error).__name__})"


def shielded(work: Callable[[], T], failed: Callable[[str], T]) -> T:
    """What `work` gives or, where it fails in whatever way, what `failed` makes of the sentence.

    For steps after which something has to happen come what may.
    """
    try:
        return work()
    except Exception as error:
        return failed(sentence(error))


def each(steps: Iterable[Callable[[], object]]) -> None:
    """Takes every step, whatever becomes of the others; then raises the first failure, if any."""
    failures: list[Exception] = []
    for step in steps:
        try:
            step()
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]


def supervise(work: Callable[[], None], tell: Tell, stop: Event, back_off: BackOff) -> None:
    """Runs `work` until it ends by itself or `stop` is set, starting it again when it fails.

    Args:
        work: What to run. Returning means that it is done.
        tell: Told the state (`red` or `finished`) and one sentence. It must not raise.
        stop: Set to end; ends the waiting too.
        back_off: How long to wait between starts.
    """
    failures = 0
    while not stop.is_set():
        started_s = monotonic()
        try:
            work()
        except Exception as error:
            lasted_s = monotonic() - started_s
            failures = 1 if lasted_s > back_off.most_s else failures + 1
            tell("red", sentence(error))
            if isinstance(error, PosternError) and not error.retry_helps:
                return
        else:
            tell("finished", "nothing more comes")
            return
        stop.wait(back_off.wait_s(failures))

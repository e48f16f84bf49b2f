"""The one place that catches everything: what fails is told, counted and started again.

A lane that is down is a lane that stays shut; it never takes another with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from postern.core.errors import PosternError

Tell = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before the next start.

    Attributes:
        first_s: Seconds after the first failure.
        most_s: Seconds at most; each failure doubles the wait until then.
    """

    first_s: float = 1.0
    most_s: float = 30.0

    def wait_s(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row, at least one."""
        return float(min(self.most_s, self.first_s * 2 ** min(failures - 1, 16)))


def supervise(work: Callable[[], None], tell: Tell, stop: Event, back_off: BackOff) -> None:
    """Runs `work` until it ends by itself or `stop` is set, starting it again when it fails.

    Args:
        work: What to run. Returning means that it is done.
        tell: Told the state (`red` or `finished`) and one sentence.
        stop: Set to end; ends the waiting too.
        back_off: How long to wait between starts.
    """
    failures = 0
    while not stop.is_set():
        try:
            work()
        except PosternError as error:
            failures += 1
            tell("red", str(error))
            if not error.retry_helps:
                return
        except Exception as error:
            failures += 1
            tell("red", f"an internal fault ({type(error).__name__}); it is started again")
        else:
            tell("finished", "nothing more comes")
            return
        stop.wait(back_off.wait_s(failures))

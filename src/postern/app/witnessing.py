"""Having this site's log witnessed: others sign its checkpoints, and notice if it is rolled back.

Nothing at an access point waits for it. A witness that is away costs nothing but the time until it
is back, for which the log's promise rests on this machine alone.
"""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic
from typing import assert_never

from postern.app.witness_client import (
    Cosigned,
    Misconfigured,
    RolledBack,
    Submission,
    Unreachable,
    WitnessClient,
)
from postern.core.ids import CameraId
from postern.engine.supervise import BackOff, shielded

Tell = Callable[[CameraId, str, str], None]

#: Seconds between looks at whether the log has grown.
LOOK_S = 5.0
#: Seconds after which a log that does not grow is signed again, so that a signature's age tells
#: how long a rollback can have gone unnoticed.
REFRESH_S = 600.0
#: Seconds for which a witness may be away before that is told.
AWAY_S = 300.0
#: Seconds for every thread to end; one that waits for a witness is left behind.
STOP_S = 2.0
_BACK_OFF = BackOff(LOOK_S, 60.0)


class Witnessing:
    """Asks every witness whenever the log has grown, each in a thread of its own.

    Args:
        clients: The witnesses.
        tell: Told `witness NAME`, a state (`ok` or `red`) and one sentence when that changes, as
            `Observer.health` is.
        look_s: Seconds between looks at the log.
    """

    def __init__(
        self, clients: Sequence[WitnessClient], tell: Tell, look_s: float = LOOK_S
    ) -> None:
        self._stop = Event()
        self._rounds = [Rounds(client, tell, look_s) for client in clients]
        self._threads: tuple[Thread, ...] = ()

    def start(self) -> None:
        """Starts asking."""
        self._threads = tuple(
            Thread(target=rounds.run, args=(self._stop,), name=str(rounds.id), daemon=True)
            for rounds in self._rounds
        )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends asking, within `STOP_S`; what a witness answers later is not taken any more."""
        self._stop.set()
        until_s = monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - monotonic()))


class Rounds:
    """Asks one witness again and again, and tells how that goes.

    Args:
        client: The witness.
        tell: As in `Witnessing`.
        look_s: Likewise.
    """

    def __init__(self, client: WitnessClient, tell: Tell, look_s: float) -> None:
        self.id = CameraId(f"witness {client.name}")
        self._client = client
        self._tell = tell
        self._look_s = look_s
        self._told = ""
        self._failures = 0
        self._signed_s = monotonic()
        self._size: int | None = None

    def run(self, stop: Event) -> None:
        """Goes on until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.once())

    def once(self) -> float:
        """Asks where there is reason to; gives the seconds until the next look."""
        if self._size is not None and not self._due(self._size):
            return self._look_s
        # The log's own failures included: what cannot be read cannot be witnessed.
        submission = shielded(self._client.submit, Misconfigured)
        self._take(submission)
        if isinstance(submission, Cosigned):
            return self._look_s
        self._failures += 1
        return _BACK_OFF.wait_s(self._failures)

    def _due(self, size: int) -> bool:
        grown = shielded(lambda: self._client.published() != size, lambda _why: True)
        return grown or monotonic() - self._signed_s >= REFRESH_S

    def _take(self, submission: Submission) -> None:
        match submission:
            case Cosigned(size):
                self._size, self._failures, self._signed_s = size, 0, monotonic()
                self._report("ok", "ok", "signs the log")
            case Unreachable(sentence):
                if monotonic() - self._signed_s >= AWAY_S:
                    self._report("away", "red", sentence)
            case RolledBack(sentence):
                self._report("rolled back", "red", sentence)
            case Misconfigured(sentence):
                self._report(sentence, "red", sentence)
            case _:
                assert_never(submission)

    def _report(self, what: str, state: str, sentence: str) -> None:
        """Tells it unless it was the last that was told."""
        if what != self._told:
            self._told = what
            shielded(lambda: self._tell(self.id, state, sentence), lambda _why: None)

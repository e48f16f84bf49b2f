"""What a running service takes and how quickly it answers, measured on the demo's own clips."""

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from postern.core.ids import CameraId
from postern.engine.ports import Outcome
from postern.engine.service import Service


@dataclass(frozen=True, slots=True)
class Latency:
    """How long grants took from the frame's capture to the actuator's answer.

    Attributes:
        grants: How many.
        p50_ms: Their median.
        p99_ms: Their 99 % quantile.
        dropped: Frames that newer ones replaced before they were looked at.
    """

    grants: int
    p50_ms: float
    p99_ms: float
    dropped: int


class Grants:
    """Implements `postern.engine.ports.Observer` and notes how long grants took."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seconds: tuple[float, ...] = ()

    @property
    def seconds(self) -> Sequence[float]:
        """Seconds of every grant so far."""
        with self._lock:
            return self._seconds

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        if outcome.decision.granted:
            with self._lock:
                self._seconds = (*self._seconds, outcome.latency_s)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""


def measure_latency(service: Service, grants: Grants) -> Latency:
    """Runs a service on recordings played in real time until they end."""
    service.start()
    service.wait()
    service.stop()
    seconds = np.array(grants.seconds or [float("nan")])
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1e3
    return Latency(len(grants.seconds), float(p50), float(p99), service.dropped)


def processor_share(service: Service, now_s: Callable[[], float], settle_s: float) -> float:
    """How much of one core a service takes while its recordings last, in [0, cores].

    Args:
        service: Of idle cameras, played in real time.
        now_s: Seconds on the monotonic clock.
        settle_s: Seconds at the beginning that are not counted: the first picture is motion.
    """
    service.start()
    service.wait(settle_s)
    begun, used = now_s(), _used_s()
    service.wait()
    share = (_used_s() - used) / (now_s() - begun)
    service.stop()
    return share


def _used_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

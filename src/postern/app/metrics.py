"""The service's numbers, as Prometheus reads them.

Every label is out of a closed set: names that `site.toml` gives to things, and the core's reasons.
No number is of a person, a vehicle, a permit or an attempt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from postern.app.board import Board, Part
from postern.core.ids import CameraId
from postern.engine.ports import Outcome
from postern.engine.watch import Count

#: Seconds from a frame to the relay; the goal is a quarter of one.
BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class LogSize:
    """How far the site's log is.

    Attributes:
        entries: How many it has.
        published: How many of them the last checkpoint covers.
        age_s: Seconds since that checkpoint was written.
    """

    entries: int
    published: int
    age_s: float


class Metrics:
    """Counts what happens, and gives it with how everything stands. Implements `Observer`.

    Args:
        board: How everything stands.
        counts: What was done with each camera's frames.
        log: How far the site's log is; None where that cannot be told now.
    """

    def __init__(
        self,
        board: Board,
        counts: Callable[[], tuple[Count, ...]],
        log: Callable[[], LogSize | None],
    ) -> None:
        # When the first attempt of a kind came is nobody's business.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._attempts = Counter(
            "postern_attempts",
            "Attempts that ended, strangers' included, by access point and reason.",
            ("access_point", "granted", "reason"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "postern_frame_to_relay_seconds",
            "From the last frame's capture to the actuator's answer, of grants.",
            ("access_point",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_Standing(board))
        self.registry.register(_Frames(counts))
        self.registry.register(_Log(log))

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        decision = outcome.decision
        granted = "true" if decision.granted else "false"
        self._attempts.labels(str(outcome.access_point), granted, str(decision.reason)).inc()
        if decision.granted:
            self._latency.labels(str(outcome.access_point)).observe(outcome.latency_s)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """The board has it."""

    def text(self) -> str:
        """All of it, in the text format of Prometheus."""
        return generate_latest(self.registry).decode()


class _Standing(Collector):
    """What is up, by kind and name."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "postern_up", "Whether it is well: 1 where its state is ok.", labels=("part", "name")
        )
        for one in self._board.standings():
            if one.part is not Part.OTHER:
                up.add_metric((str(one.part), one.name), float(one.state == "ok"))
        yield up
        able = GaugeMetricFamily(
            "postern_ready", "Whether the access point can decide.", labels=("access_point",)
        )
        for point, hindrances in self._board.hindrances().items():
            able.add_metric((point,), float(not hindrances))
        yield able
        built = GaugeMetricFamily("postern_build", "Its version.", labels=("version",))
        built.add_metric((version("postern"),), 1.0)
        yield built


class _Frames(Collector):
    """Frames, by camera."""

    def __init__(self, counts: Callable[[], tuple[Count, ...]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        came = CounterMetricFamily("postern_frames", "Frames that came.", labels=("camera",))
        dropped = CounterMetricFamily(
            "postern_frames_dropped", "Of them, replaced by newer ones.", labels=("camera",)
        )
        looking = CounterMetricFamily(
            "postern_looking_seconds",
            "Seconds that looking took, decoding not included.",
            labels=("camera",),
        )
        for camera, (taken, lost, looking_s) in _summed(self._counts()).items():
            came.add_metric((camera,), taken)
            dropped.add_metric((camera,), lost)
            looking.add_metric((camera,), looking_s)
        yield from (came, dropped, looking)


class _Log(Collector):
    """How far the site's log is."""

    def __init__(self, log: Callable[[], LogSize | None]) -> None:
        self._log = log

    def collect(self) -> Iterator[Metric]:
        size = self._log()
        if size is None:
            return
        for name, value, what in (
            ("postern_log_entries", size.entries, "Entries of the site's log."),
            ("postern_log_published_entries", size.published, "Of them, under a checkpoint."),
            ("postern_log_checkpoint_age_seconds", size.age_s, "Since the last checkpoint."),
        ):
            yield GaugeMetricFamily(name, what, value=value)


def _summed(counts: tuple[Count, ...]) -> dict[str, tuple[int, int, float]]:
    """By camera; one that two lanes share has two watches."""
    found: dict[str, tuple[int, int, float]] = {}
    for one in counts:
        taken, lost, looking_s = found.get(str(one.camera), (0, 0, 0.0))
        found[str(one.camera)] = (
            taken + one.taken,
            lost + one.dropped,
            looking_s + one.looking_s,
        )
    return found

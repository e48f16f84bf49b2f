"""Looks folded into tracks: what one passer-by showed a camera, one frame after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from postern.core.look import Box
from postern.core.moment import Moment
from postern.frame import Continuity, Sighting, Template, Track


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how far a track is followed.

    Attributes:
        gap_s: Seconds without a look after which a track has ended.
        min_overlap: Intersection over union of a box with the one before, at least.
        reach: By how much boxes are grown before they are compared: a plate is small and moves by
            more than its own height from one frame to the next.
        max_probes: How many differing looks are kept.
        max_age_s: Seconds after which a track takes no more looks, so that nobody is tried without
            end: they have to step out of the picture first.
    """

    gap_s: float = 1.0
    min_overlap: float = 0.2
    reach: float = 1.0
    max_probes: int = 3
    max_age_s: float = 20.0


class Tracker:
    """Follows whoever is before one camera. One camera's frames, in order, from one thread.

    Args:
        continuity: What belongs together.
        patience: How long and how far.
    """

    def __init__(self, continuity: Continuity, patience: Patience) -> None:
        self._continuity = continuity
        self._patience = patience
        self._tracks: tuple[Track, ...] = ()
        self._numbers = count()

    def update(self, sightings: Sequence[Sighting], now: Moment) -> tuple[Track, ...]:
        """The tracks that live after this frame; those seen in it come first.

        Args:
            sightings: What the frame showed.
            now: When it was captured.
        """
        waiting = [track for track in self._tracks if self._lives(track, now)]
        seen: list[Track] = []
        for sighting in sightings:
            track = self._match(sighting, waiting)
            if track is not None:
                waiting.remove(track)
            seen.append(self._extended(track, sighting))
        self._tracks = (*seen, *waiting)
        return self._tracks

    def _lives(self, track: Track, now: Moment) -> bool:
        return now.since(track.last) <= self._patience.gap_s

    def _match(self, sighting: Sighting, waiting: Sequence[Track]) -> Track | None:
        """The waiting track that the sighting continues: of those it can be, the one seen last and
        of these the one it overlaps most. Whoever left goes on waiting for a moment; who stands in
        that place now must not be taken for them, nor begin anew with every frame.
        """
        box = sighting.look.box
        overlaps = [(self._overlap(track.box, box), track) for track in waiting]
        near = [pair for pair in overlaps if pair[0] >= self._patience.min_overlap]
        near.sort(key=lambda pair: (-pair[1].last.monotonic_s, -pair[0]))
        fitting = (track for _, track in near if self._can_be(track, sighting.template))
        return next(fitting, None)

    def _can_be(self, track: Track, template: Template | None) -> bool:
        if template is None or not track.probes:
            return True
        return self._continuity.same(track.probes, template)

    def _overlap(self, before: Box, now: Box) -> float:
        reach = self._patience.reach
        return before.grown(reach).iou(now.grown(reach))

    def _extended(self, track: Track | None, sighting: Sighting) -> Track:
        look = sighting.look
        if track is None:
            empty = Track(next(self._numbers), look.seen, look.seen, look.box, (), (), 0)
            return self._extended(empty, sighting)
        probes = track.probes
        if sighting.template is not None and self._adds(track, look.seen, sighting.template):
            probes = (*probes, sighting.template)
        return replace(
            track, last=look.seen, box=look.box, flaws=look.flaws, probes=probes,
            frames=track.frames + 1,
        )  # fmt: skip

    def _adds(self, track: Track, now: Moment, new: Template) -> bool:
        patience, probes = self._patience, track.probes
        if len(probes) >= patience.max_probes or now.since(track.first) > patience.max_age_s:
            return False
        return not probes or self._continuity.differs(probes, new)

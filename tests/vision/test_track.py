"""Tracks: what belongs together, for how long, and who never rides on whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.look import Box, Flaw, Kind, Look
from postern.core.moment import Moment
from postern.frame import Sighting, Template, Track
from postern.vision.track import Patience, Tracker
from tests.people import moment

_HERE, _THERE = Box(100, 100, 200, 200), Box(400, 100, 500, 200)


@dataclass(frozen=True)
class ByNumber:
    """Implements `Continuity`: whole numbers are people, fractions their looks."""

    def same(self, probes: Sequence[Template], new: Template) -> bool:
        return any(int(who(probe)) == int(who(new)) for probe in probes)

    def differs(self, probes: Sequence[Template], new: Template) -> bool:
        return all(who(probe) != who(new) for probe in probes)


def who(template: Template) -> float:
    return float(template.values[0])


def look(number: float | None, now: Moment, box: Box = _HERE) -> Sighting:
    """A look of that person, or a flawed one."""
    flaws = (Flaw.BLURRED,) if number is None else ()
    template = None if number is None else Template(np.array([number]), "model", 1)
    return Sighting(Look(Kind.FACE, box, 0.9, flaws, now), template)


def tracker(**patience: float) -> Tracker:
    return Tracker(ByNumber(), Patience(**patience))  # type: ignore[arg-type]


def shown(track: Track) -> list[float]:
    return [who(probe) for probe in track.probes]


def moved(box: Box, x: float) -> Box:
    return Box(box.x0 + x, box.y0, box.x1 + x, box.y1)


def test_tracker_follows_one_who_moves() -> None:
    """A box that overlaps the one before is the same passer-by, whose differing looks add up."""
    follow = tracker()
    for step in range(5):
        tracks = follow.update([look(1 + step / 10, moment(step / 10), moved(_HERE, 30 * step))],
                               moment(step / 10))  # fmt: skip

    [track] = tracks
    assert 0 == track.number
    assert 5 == track.frames
    assert [1.0, 1.1, 1.2] == shown(track)
    assert moved(_HERE, 120) == track.box
    assert (moment(0.0), moment(0.4)) == (track.first, track.last)


def test_tracker_begins_anew_for_one_who_is_elsewhere() -> None:
    """Where no box overlaps, somebody else has come; those seen in this frame are named first."""
    follow = tracker()
    follow.update([look(1.0, moment(0.0))], moment(0.0))

    tracks = follow.update([look(2.0, moment(0.1), _THERE)], moment(0.1))

    assert [1, 0] == [track.number for track in tracks]
    assert [[2.0], [1.0]] == [shown(track) for track in tracks]


def test_tracker_keeps_two_apart() -> None:
    """Two people beside each other have a track each, in whatever order they are reported."""
    follow = tracker()
    beside = moved(_HERE, 60)
    for step in range(4):
        now = moment(step / 10)
        seen = [look(1 + step / 10, now), look(2 + step / 10, now, beside)]
        tracks = follow.update(seen if step % 2 else seen[::-1], now)

    assert {0, 1} == {track.number for track in tracks}
    assert {(1.0, 1.1, 1.2), (2.0, 2.1, 2.2)} == {tuple(shown(track)) for track in tracks}


def test_tracker_forgets_who_has_left() -> None:
    """A track outlives a gap of a second, and not a moment more."""
    for gap_s, number in ((1.0, 0), (1.01, 1)):
        follow = tracker()
        follow.update([look(1.0, moment(0.0))], moment(0.0))
        assert follow.update([], moment(gap_s)) == (() if number else follow._tracks)

        [track] = follow.update([look(1.1, moment(gap_s))], moment(gap_s))

        assert number == track.number


def test_tracker_keeps_no_more_looks_than_it_may() -> None:
    """After the third differing look a track takes none, however long it is watched."""
    follow = tracker(max_probes=2)
    for step in range(6):
        tracks = follow.update([look(1 + step / 10, moment(step / 10))], moment(step / 10))

    assert [1.0, 1.1] == shown(tracks[0])


def test_tracker_takes_no_looks_of_one_who_lingers() -> None:
    """Nobody is tried without end: after twenty seconds they have to step out first."""
    follow = tracker(max_age_s=20.0)
    for step in range(60):
        now = moment(step * 0.5)
        tracks = follow.update([look(None if 0 < step < 41 else 1 + step / 100, now)], now)

    assert [1.0] == shown(tracks[0])
    assert 0 == tracks[0].number


def test_tracker_takes_looks_that_repeat_once() -> None:
    """A look that is there already adds nothing."""
    follow = tracker()
    for step in range(4):
        tracks = follow.update([look(1.0, moment(step / 10))], moment(step / 10))

    assert [1.0] == shown(tracks[0])
    assert 4 == tracks[0].frames


def test_tracker_tells_what_spoils_the_newest_look() -> None:
    """Flaws are the newest look's, and go when it is good."""
    follow = tracker()

    [spoilt] = follow.update([look(None, moment(0.0))], moment(0.0))
    [good] = follow.update([look(1.0, moment(0.1))], moment(0.1))

    assert (Flaw.BLURRED,) == spoilt.flaws
    assert () == spoilt.probes
    assert () == good.flaws
    assert [1.0] == shown(good)


def test_tracker_begins_anew_when_somebody_steps_into_the_same_place() -> None:
    """What was recognised before never rides on who comes after."""
    follow = tracker()
    follow.update([look(1.0, moment(0.0))], moment(0.0))

    tracks = follow.update([look(2.0, moment(0.1))], moment(0.1))

    assert [(1, [2.0]), (0, [1.0])] == [(track.number, shown(track)) for track in tracks]


def test_tracker_goes_on_with_who_stepped_in() -> None:
    """The newcomer's looks gather in one track while the one before still waits to be forgotten."""
    follow = tracker()
    follow.update([look(1.0, moment(0.0))], moment(0.0))
    for step in range(1, 8):
        # Moving back and forth: now nearer to where the other one stood, now farther.
        box = moved(_HERE, 10 * (step % 3))
        number = None if step == 3 else 2 + step / 10
        tracks = follow.update([look(number, moment(step / 10), box)], moment(step / 10))

    assert [(1, [2.1, 2.2, 2.4]), (0, [1.0])] == [(t.number, shown(t)) for t in tracks]
    assert 7 == tracks[0].frames
    assert moment(0.0) == tracks[1].last


def test_tracker_knows_who_comes_back_in_time() -> None:
    """Somebody passing in front for a moment does not cost the other one their looks."""
    follow = tracker()
    follow.update([look(1.0, moment(0.0))], moment(0.0))
    follow.update([look(2.0, moment(0.3))], moment(0.3))

    tracks = follow.update([look(1.1, moment(0.6))], moment(0.6))

    assert [(0, [1.0, 1.1]), (1, [2.0])] == [(track.number, shown(track)) for track in tracks]


def test_tracker_follows_small_boxes_within_its_reach() -> None:
    """A plate moves by more than its height; grown boxes overlap still."""
    plate = Box(100, 100, 160, 114)
    below = Box(100, 130, 160, 144)
    for reach, number in ((1.0, 1), (4.0, 0)):
        follow = tracker(reach=reach)
        follow.update([look(1.0, moment(0.0), plate)], moment(0.0))

        assert number == follow.update([look(1.1, moment(0.1), below)], moment(0.1))[0].number


_steps = st.lists(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(1, 3)), st.integers(0, 4), st.integers(0, 9)),
        max_size=3,
    ),
    max_size=25,
)


@settings(max_examples=150)
@given(_steps, st.floats(0.05, 1.5))
def test_tracker_never_mixes(steps: list[list[tuple[int | None, int, int]]], pause: float) -> None:
    """Whoever moves wherever in front of the camera: no track holds looks of two people, none has
    too many, every sighting is in exactly one track, and numbers are never used again.
    """
    follow = tracker()
    numbers: set[int] = set()
    for step, seen in enumerate(steps):
        now = moment(step * pause)
        sightings = [
            look(None if person is None else person + part / 10, now, moved(_HERE, 40 * place))
            for person, place, part in seen
        ]
        tracks = follow.update(sightings, now)

        assert len(sightings) == sum(track.last == now for track in tracks)
        assert all(track.last == now for track in tracks[: len(sightings)])
        assert [s.look.box for s in sightings] == [t.box for t in tracks[: len(sightings)]]
        for track in tracks:
            assert len({int(number) for number in shown(track)}) <= 1
            assert len(track.probes) <= Patience().max_probes
            assert now.since(track.last) <= Patience().gap_s
        fresh = {track.number for track in tracks} - numbers
        assert all(number > max(numbers, default=-1) for number in fresh)
        numbers |= fresh

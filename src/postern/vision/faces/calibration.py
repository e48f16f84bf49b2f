"""What a comparison score proves: tables of how often strangers score as well.

Rules of this file:
1. A table is made with the very procedure that runs at the door: the same detector, gate, fusion,
   quantisation, cohort and stopping rule.
2. An attempt that was not sure enough after one look goes on to the next, so a stranger is tried
   after every look. A stranger's *attempt* therefore counts by its best prefix: each score is
   first turned into the rate of strangers at that number of looks, the smallest of these rates is
   the attempt's, and what is tabulated is how often attempts get that low.
3. The bound is the upper end of a 95 % interval from resampling people, and never below 3/n for n
   unordered pairs of people (the rule of three: Hanley and Lippman-Hand, JAMA 1983). Data that was
   not collected cannot vouch.
4. Every further data set raises the bound to its own k/n where it saw k >= 1 and that is larger.
   Its looks are dealt out in many ways: in one alone, a small set's rare matches are seen or missed
   by chance.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid
from postern.core.evidence import Table
from postern.vision.faces.cohort import Cohort, Vectors, distances, normalise

#: Looks in a reference, and the most that an attempt fuses.
REFERENCE_LOOKS = 3
PROBE_LOOKS = 3
_VERSION = 1
_REPLICAS = 1000
_UPPER = 0.95
#: Tabulated rates per decade; the error of a step is on the safe side.
_STEPS_PER_DECADE = 24
#: The rate where no stranger was; below every bound that counts.
_UNSEEN = 1e-12
#: Decades by which ranks go on below the best stranger of the largest set.
_BELOW = 4

Floats = npt.NDArray[np.float64]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a table comes from.

    Attributes:
        data: Name of the data set.
        people: How many people's comparisons are in it.
        attempts: How many attempts of strangers.
        pairs: How many unordered pairs of people.
    """

    data: str
    people: int
    attempts: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What scores of one embedder with one detector prove.

    Attributes:
        embedder: The sha256 of the embedder's model.
        detector: The name of the detector, whose alignment it was made with.
        rates: For each number of probe looks, the rate of strangers by score.
        bounds: The upper bound by an attempt's smallest rate, from the largest data set.
        others: The same from every further data set.
        sources: Where `bounds` and `others` come from, in that order.
    """

    embedder: str
    detector: str
    rates: tuple[Table, ...]
    bounds: Table
    others: tuple[Table, ...]
    sources: tuple[Provenance, ...]

    def __post_init__(self) -> None:
        if len(self.rates) != PROBE_LOOKS:
            raise invalid(f"A calibration has a table of rates for each of {PROBE_LOOKS} looks.")
        if len(self.sources) != 1 + len(self.others):
            raise invalid("A calibration names the source of every table.")

    @property
    def floor(self) -> float:
        """The smallest bound that any score can reach."""
        return self.bounds.bounds[0]

    def attempt_bounds(self, scores: Floats) -> Floats:
        """How likely a stranger's attempt gets as low as each of these, as an upper bound.

        Args:
            scores: (..., K) float64, the scores after 1, 2, ... K looks, K <= `PROBE_LOOKS`.

        Returns:
            (..., K) float64: the bound after each look; it never grows with further looks. 1 where
            a score is NaN.
        """
        rates = [_look_up(table, scores[..., at])
                 for at, table in enumerate(self.rates[: scores.shape[-1]])]  # fmt: skip
        best = np.minimum.accumulate(np.stack(rates, axis=-1), axis=-1)
        found = [_look_up(table, best) for table in (self.bounds, *self.others)]
        return np.asarray(np.maximum.reduce(found))

    def to_json(self) -> str:
        """The calibration as text that `from_json` reads."""
        record = {
            "version": _VERSION,
            "embedder": self.embedder,
            "detector": self.detector,
            "sources": [
                {"data": s.data, "people": s.people, "attempts": s.attempts, "pairs": s.pairs}
                for s in self.sources
            ],
            "rates": [_table_record(table) for table in self.rates],
            "bounds": _table_record(self.bounds),
            "others": [_table_record(table) for table in self.others],
        }
        return json.dumps(record, indent=1) + "\n"


def from_json(text: str) -> Calibration:
    """The calibration in a text that `Calibration.to_json` wrote.

    Raises:
        PosternError: `invalid` where it is none.
    """
    try:
        record = json.loads(text)
        if record["version"] != _VERSION:
            raise invalid(
                f"The calibration has version {record['version']}; this reads {_VERSION}."
            )
        return Calibration(
            str(record["embedder"]),
            str(record["detector"]),
            tuple(_table(entry) for entry in record["rates"]),
            _table(record["bounds"]),
            tuple(_table(entry) for entry in record["others"]),
            tuple(_source(entry) for entry in record["sources"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise invalid(f"The calibration cannot be read ({type(error).__name__}).") from None


@dataclass(frozen=True, slots=True)
class Strangers:
    """Attempts of people at the references of other people, from one data set.

    Attributes:
        name: Of the data set.
        references: (P, D) float32, one reference per person.
        attempts: (A, K, D) float32, fused probes after 1, 2, ... K looks.
        owner: (A,) int64, the row of `references` that each attempt's person has.
    """

    name: str
    references: Vectors
    attempts: Vectors
    owner: npt.NDArray[np.int64]


def strangers(
    name: str, people: Sequence[Vectors], keep: Callable[[Vectors], Vectors]
) -> Strangers:
    """References and attempts of every person with enough looks.

    Args:
        name: Of the data set.
        people: For each person (L, D) float32, the looks in order; people with fewer than
            `REFERENCE_LOOKS` are left out. The reference is the mean of the first three; the
            attempts are the following looks by threes or, for people who have none, the same three
            (they meet other people's references only).
        keep: What the vault makes of references: (N, D) to (N, D).

    Raises:
        PosternError: `invalid` with fewer than two people.
    """
    enough = [looks for looks in people if len(looks) >= REFERENCE_LOOKS]
    if len(enough) < 2:
        raise invalid(f"{name} has fewer than two people with {REFERENCE_LOOKS} usable pictures.")
    references = keep(np.stack([looks[:REFERENCE_LOOKS].mean(axis=0) for looks in enough]))
    attempts, owner = [], []
    for at, looks in enumerate(enough):
        for group in _groups(looks):
            attempts.append(fuse(group))
            owner.append(at)
    return Strangers(name, references, np.stack(attempts), np.array(owner, np.int64))


def fuse(looks: Vectors) -> Vectors:
    """The running means, (K, D), of the looks of one attempt, (K, D), in order."""
    counts = np.arange(1, len(looks) + 1, dtype=np.float32)[:, None]
    fused: Vectors = (np.cumsum(looks, axis=0, dtype=np.float32) / counts).astype(np.float32)
    return fused


def score(references: Vectors, probes: Vectors, cohort: Cohort) -> Floats:
    """Scores of every reference, (N, D), against every fused probe, (M, K, D): (N, M, K)."""
    flat = probes.reshape(-1, probes.shape[-1])
    scores = normalise(
        distances(references, flat), cohort.neighbourhood(references), cohort.neighbourhood(flat)
    )
    return scores.reshape(len(references), *probes.shape[:2])


def calibrate(
    main: Strangers,
    others: Sequence[Sequence[Strangers]],
    cohort: Cohort,
    names: Mapping[str, str],
    progress: Progress = lambda done: None,
) -> Calibration:
    """The tables that these strangers give.

    Args:
        main: The largest data set; its people are not in the cohort.
        others: Further data sets, each as one or more ways to deal its people's looks out to
            references and attempts: a small set says little about rare matches in one.
        cohort: The cohort.
        names: ``embedder`` and ``detector`` of the result.
        progress: Told how much is done, in [0, 1].
    """
    scores, apart = _trials(main, cohort)
    rates = tuple(_ranks(_rate_table(scores[..., k][apart])) for k in range(PROBE_LOOKS))
    lowest = _lowest_rates(rates, scores)
    bounds = _bound_table(main, lowest, apart, progress)
    extra = []
    for dealt in others:
        trials = [_trials(data, cohort) for data in dealt]
        found = [_lowest_rates(rates, each)[those_apart] for each, those_apart in trials]
        extra.append(_rate_table(np.concatenate(found)))
    sources = tuple(_provenance(dealt) for dealt in ((main,), *others))
    return Calibration(names["embedder"], names["detector"], rates, bounds, tuple(extra), sources)


def _groups(looks: Vectors) -> list[Vectors]:
    rest = looks[REFERENCE_LOOKS:]
    whole = [rest[at : at + PROBE_LOOKS] for at in range(0, len(rest), PROBE_LOOKS)]
    full = [group for group in whole if len(group) == PROBE_LOOKS]
    return full or [looks[:PROBE_LOOKS]]


def _trials(data: Strangers, cohort: Cohort) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Scores, (P, A, K), and which of the (P, A) comparisons are of two people."""
    scores = score(data.references, data.attempts, cohort)
    apart = np.arange(len(data.references))[:, None] != data.owner[None]
    return scores, apart


def _lowest_rates(rates: tuple[Table, ...], scores: Floats) -> Floats:
    looked_up = [_look_up(table, scores[..., at]) for at, table in enumerate(rates)]
    return np.asarray(np.minimum.reduce(looked_up))


def _rate_table(values: Floats) -> Table:
    """The share of strangers at or below each value, thinned; next to nothing below them all.

    Of what no stranger reached it says nothing: the bound made of such a rate is the floor.
    """
    ordered = np.sort(values)
    at = _tabulated(ordered)
    return _with_unseen(_ascending(ordered[at], (at + 1) / len(ordered)), _UNSEEN)


def _ranks(table: Table) -> Table:
    """The table continued below what strangers of the largest set reached, so that the attempts of
    another set that lie there keep their order. It only ranks: what a rank proves is tabulated.

    The continuation falls as fast as the rate did from 1 in 1,000 to its end.
    """
    scores, bounds = table.scores[1:], table.bounds[1:]
    decades = max(np.log10(1e-3 / bounds[0]), 1.0)
    width = (table.score(max(1e-3, bounds[0])) - scores[0]) / decades or 1.0
    steps = np.arange(_BELOW * _STEPS_PER_DECADE, 0, -1) / _STEPS_PER_DECADE
    below = scores[0] - steps * width
    return _with_unseen(
        Table((*below.tolist(), *scores), (*(bounds[0] * 10.0**-steps).tolist(), *bounds)), _UNSEEN
    )


def _with_unseen(table: Table, bound: float) -> Table:
    """The table with a step for everything better than what it has."""
    below = float(np.nextafter(table.scores[0], -np.inf))
    return Table((below, *table.scores), (bound, *table.bounds))


def _bound_table(
    data: Strangers, lowest: Floats, apart: npt.NDArray[np.bool_], progress: Progress
) -> Table:
    """The upper bound by an attempt's lowest rate."""
    reference, attempt = np.nonzero(apart)
    values = lowest[apart]
    order = np.argsort(values, kind="stable")
    people = (reference[order], data.owner[attempt[order]])
    at = _tabulated(values[order])
    upper = _upper_rates(people, len(data.references), at, progress)
    floor = 3.0 / _pairs(data)
    bounds = np.maximum.accumulate(np.maximum(upper, floor))
    return _with_unseen(_ascending(values[order][at], bounds), floor)


def _upper_rates(
    people: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    count: int,
    at: npt.NDArray[np.int64],
    progress: Progress,
) -> Floats:
    """The upper end of the interval of the rate at each of the positions `at`.

    People are drawn with replacement and a comparison counts as often as both its people together
    (the two-way bootstrap of Bolle, Ratha and Pankanti, Error analysis of pattern recognition
    systems: the subsets bootstrap, 2004).
    """
    rng = np.random.default_rng(0)
    rates = np.empty((_REPLICAS, len(at)))
    for replica in range(_REPLICAS):
        weight = np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)
        hits = np.cumsum(weight[people[0]] * weight[people[1]])
        # Of a handful of people a draw may hold one alone, which says nothing.
        rates[replica] = hits[at] / hits[-1] if hits[-1] > 0 else 1.0
        progress((replica + 1) / _REPLICAS)
    return np.asarray(np.quantile(rates, _UPPER, axis=0))


def _tabulated(ordered: Floats) -> npt.NDArray[np.int64]:
    """The positions of the values that a table keeps. Of equal values it is the last: a bound on
    how many lie at or below a value has to count all of them.
    """
    kept = ordered[_thinned(len(ordered))]
    return np.unique(np.searchsorted(ordered, kept, side="right") - 1)


def _thinned(count: int) -> npt.NDArray[np.int64]:
    """Positions 0 .. count - 1, every one at the low end and then ever fewer."""
    decades = np.log10(count)
    steps = np.logspace(0, decades, int(decades * _STEPS_PER_DECADE) + 1)
    return np.unique(np.round(steps).astype(np.int64) - 1)


def _ascending(scores: Floats, bounds: Floats) -> Table:
    """A table of the largest bound at each distinct score."""
    distinct, first = np.unique(scores[::-1], return_index=True)
    kept = bounds[::-1][first]
    return Table(tuple(distinct.tolist()), tuple(np.minimum(kept, 1.0).tolist()))


def _look_up(table: Table, values: Floats) -> Floats:
    """`Table.bound` of every value."""
    bounds = np.append(np.array(table.bounds), 1.0)
    return np.asarray(bounds[np.searchsorted(np.array(table.scores), values, side="left")])


def _pairs(data: Strangers) -> int:
    return len(data.references) * (len(data.references) - 1) // 2


def _provenance(dealt: Sequence[Strangers]) -> Provenance:
    people = len(dealt[0].references)
    attempts = sum((len(data.references) - 1) * len(data.owner) for data in dealt)
    return Provenance(dealt[0].name, people, attempts, _pairs(dealt[0]))


def _table_record(table: Table) -> dict[str, list[float]]:
    return {"scores": list(table.scores), "bounds": list(table.bounds)}


def _source(record: Mapping[str, Any]) -> Provenance:
    counts = (int(record[name]) for name in ("people", "attempts", "pairs"))
    return Provenance(str(record["data"]), *counts)


def _table(record: Mapping[str, Sequence[float]]) -> Table:
    return Table(tuple(map(float, record["scores"])), tuple(map(float, record["bounds"])))

"""How far the face comparison keeps what it states, on a folder of people.

In the terms of ISO/IEC 19795-1: every comparison of a technology evaluation is scored off-line, and
the comparison score is the bound that the procedure itself states. What is tested is therefore the
statement: of the strangers' attempts that were told "a stranger would do so 1 time in 10,000", no
more than 1 in 10,000 may exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from postern.bench import record
from postern.bench.curves import Discard, TradeOff, error_versus_discard, trade_off
from postern.bench.identification import Identification, identify
from postern.bench.looks import Acquisition, Looks, Procedure, acquire
from postern.bench.rates import (
    RULE_OF_THREE,
    Floats,
    Rate,
    Verdict,
    check_claim,
    draw_people,
    judge,
    rate_of_pairs,
    rate_of_people,
)
from postern.bench.trials import Progress, Trials, compare
from postern.core.moment import check_utc

#: Bounds that every report states.
STATED = (1e-2, 1e-3, 1e-4, 1e-5)
#: The strictest that a permit asks of a face unless told otherwise (a bank machine). Reports are
#: about no stricter claim by themselves.
_PERMITTED = 1e-4
SCHEMA = "postern/evaluation/faces/1"
_SEED = 19795


@dataclass(frozen=True, slots=True)
class Setting:
    """What was evaluated, and on what.

    Attributes:
        data: Name of the data set.
        embedder: The sha256 of the embedder's model, in hex.
        detector: Name of the detector.
        calibrated_on: Names of the data sets that the tables in use were made from.
        version: Postern's version.
        made: When; aware UTC.
    """

    data: str
    embedder: str
    detector: str
    calibrated_on: tuple[str, ...]
    version: str
    made: datetime

    def __post_init__(self) -> None:
        check_utc(self.made)

    @property
    def seen_before(self) -> bool:
        """Whether the tables know this data: then it says nothing about people not yet seen."""
        return self.data in self.calibrated_on


@dataclass(frozen=True, slots=True)
class Claim:
    """One stated bound against what was measured.

    Attributes:
        stated: At most so many strangers' comparisons pass, and what an attempt has to reach.
        fmr: False-match rate at it.
        fnmr: False-non-match rate at it.
        verdict: What `fmr` says about `stated`.
    """

    stated: float
    fmr: Rate
    fnmr: Rate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Condition:
    """All about one number of looks on either side.

    Attributes:
        reference_looks: Looks in a reference.
        probe_looks: Looks in an attempt.
        claims: One per stated bound, loosest first.
        curve: Both error rates from loose to strict.
        discard: Error versus discard at the report's claim; empty where there is nothing to show.
    """

    reference_looks: int
    probe_looks: int
    claims: tuple[Claim, ...]
    curve: tuple[TradeOff, ...]
    discard: tuple[Discard, ...]

    @property
    def name(self) -> str:
        """As in ``3v1``."""
        return f"{self.reference_looks}v{self.probe_looks}"

    @property
    def product(self) -> bool:
        """Whether the product compares so; one look against one is there for comparison only."""
        return self.reference_looks > 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a folder of people showed. It names nobody and holds no picture.

    Attributes:
        setting: What was evaluated.
        seed: Of all draws; the same data and seed give the same evaluation.
        splits: Random splits of every person's looks.
        claim: The bound that the summary is about; None where the data carries none.
        acquisition: Who and what could be used.
        conditions: 1v1, 3v1, 3v2, 3v3.
        identification: Searches of galleries, with references and attempts of three looks.
    """

    setting: Setting
    seed: int
    splits: int
    claim: float | None
    acquisition: Acquisition
    conditions: tuple[Condition, ...]
    identification: tuple[Identification, ...]

    def to_json(self) -> str:
        """The evaluation as text that `from_json` reads."""
        return record.write(self, SCHEMA)


def from_json(text: str) -> Evaluation:
    """The evaluation in a text that `Evaluation.to_json` wrote.

    Raises:
        PosternError: `invalid` where it is none, or of another version.
    """
    return record.read(text, Evaluation, SCHEMA)


def evaluate(
    looks: Looks,
    procedure: Procedure,
    setting: Setting,
    claim: float | None = None,
    progress: Progress = lambda done: None,
) -> Evaluation:
    """Measures a procedure on people.

    Args:
        looks: What the pictures gave.
        procedure: The comparison.
        setting: What is evaluated, for the report.
        claim: The bound to be judged; without it the strictest of `STATED` that the data
            carries, down to 1 in 10,000.
        progress: Told how much is done, in [0, 1].

    Raises:
        PosternError: `invalid` where there are no pictures, fewer than two people can enrol, or
            these people cannot carry the claim; before anything is compared.
    """
    acquisition, people = acquire(looks, _SEED)
    if claim is not None:
        check_claim(claim, acquisition.compared)
    judged = claim if claim is not None else _carried(acquisition.pairs)
    progress(0.02)
    trials = compare(people, procedure, _SEED, lambda done: progress(0.02 + 0.7 * done))
    draws = draw_people(acquisition.compared, _SEED)
    stated = sorted({*STATED, *([claim] if claim is not None else [])}, reverse=True)
    conditions = []
    for at, each in enumerate(trials):
        conditions.append(_condition(each, stated, judged, draws))
        progress(0.72 + 0.2 * (at + 1) / len(trials))
    searches = identify(trials[-1], draws, _SEED, lambda done: progress(0.92 + 0.08 * done))
    splits = trials[0].splits
    return Evaluation(
        setting, _SEED, splits, judged, acquisition, tuple(conditions), tuple(searches)
    )


def _carried(pairs: int) -> float | None:
    """The strictest bound down to `_PERMITTED` that so many pairs of people can show."""
    carried = [s for s in STATED if s >= _PERMITTED and s * pairs >= RULE_OF_THREE]
    return min(carried, default=None)


def _condition(
    trials: Trials, stated: Sequence[float], judged: float | None, draws: Floats
) -> Condition:
    claims = tuple(_claim(trials, bound, draws) for bound in stated)
    # Without a claim there is no threshold to hold fixed; the loosest bound shows the most.
    threshold = judged if judged is not None else max(stated)
    discard = error_versus_discard(trials, threshold)
    return Condition(trials.reference_looks, trials.probe_looks, claims, trade_off(trials), discard)


def _claim(trials: Trials, stated: float, draws: Floats) -> Claim:
    hits, missed, mated = trials.accepted(stated)
    fmr = rate_of_pairs(hits, trials.splits, draws)
    fnmr = rate_of_people(missed, mated, draws)
    return Claim(stated, fmr, fnmr, judge(stated, fmr))

"""An evaluation in plain words, for the page and for the terminal."""

from math import ceil, log10

from postern.bench.face_evaluation import Claim, Condition, Evaluation
from postern.bench.rates import RULE_OF_THREE, Rate, Verdict
from postern.vision.faces.calibration import REFERENCE_LOOKS

#: Per cent; less is written as zero, which only ends of intervals are.
_NOTHING = 1e-7
#: Beyond so many times a digit more says nothing.
_ROUND_TIMES = 10.0


def one_in(rate: float) -> str:
    """A rate as in ``1 in 10,000``."""
    if not rate > 0.0:
        return "none"
    return f"1 in {1.0 / rate:,.0f}" if rate <= 0.1 else f"1 in {1.0 / rate:.1f}"


def percent(rate: float | None) -> str:
    """A rate in per cent with two significant digits; a dash where it was not measured."""
    if rate is None:
        return "–"
    value = 100.0 * rate
    if value < _NOTHING:
        return "0 %"
    if value >= 1.0:
        return f"{value:.1f} %"
    # The first significant digit stands at this place after the point.
    place = ceil(-log10(value))
    return f"{value:.{place + 1}f} %"


def counted(rate: Rate) -> str:
    """Counts as in ``3 of 810,900``."""
    return f"{rate.hits:,} of {rate.trials:,}" if rate.trials else "none tried"


def span(low: float, high: float) -> str:
    """An interval of rates in per cent."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def at_most(rate: Rate) -> str:
    """What the rate may still be, as in ``at most 1 in 260``."""
    return f"at most {one_in(rate.upper)}" if rate.upper < 1.0 else "nothing shown"


def verdict(found: Verdict) -> str:
    """What became of a stated bound, in a few words."""
    return "within, not proven" if found is Verdict.WITHIN else found.value.replace("_", " ")


def excess(stated: float, rate: Rate) -> str:
    """How far above the stated bound was measured, as in ``4.2 times the bound``; else empty."""
    above = rate.measured is not None and rate.measured > stated
    return f"{_times(stated, rate)} the bound" if above else ""


def headline(evaluation: Evaluation) -> tuple[Condition, Claim] | None:
    """What the summary is about: the claim with as many looks as there are mated comparisons for.

    None where the data carries no claim.
    """
    found = [
        (condition, claim)
        for condition in evaluation.conditions
        for claim in condition.claims
        if condition.product and claim.stated == evaluation.claim
    ]
    tried = [pair for pair in found if pair[1].fnmr.trials] or found[:1]
    return tried[-1] if tried else None


def answer(evaluation: Evaluation) -> str:
    """Whether the claim holds, in one short sentence."""
    chosen = headline(evaluation)
    if chosen is None:
        return "This data is too small to show anything about strangers."
    claim, known = chosen[1], evaluation.setting.seen_before
    match claim.verdict:
        case Verdict.HOLDS:
            data = "the very data that its tables were made from" if known else "this data"
            return f"The claim “{one_in(claim.stated)}” holds on {data}."
        case Verdict.WITHIN:
            return f"Nothing speaks against “{one_in(claim.stated)}”, but it is not proven."
        case Verdict.EXCEEDED:
            return (
                f"The claim “{one_in(claim.stated)}” was exceeded:"
                f" {_times(claim.stated, claim.fmr)} as many strangers passed, though who happened"
                " to be in the data may explain it."
            )
        case Verdict.BROKEN:
            return (
                f"The claim “{one_in(claim.stated)}” is broken:"
                f" {_times(claim.stated, claim.fmr)} as many strangers passed."
            )
        case Verdict.NOT_SHOWN:
            return f"This data cannot show “{one_in(claim.stated)}”."


def summary(evaluation: Evaluation) -> tuple[str, ...]:
    """What was measured and what follows, one plain sentence or two each."""
    found = evaluation.acquisition
    sentences = [
        f"Measured on “{evaluation.setting.data}”: {_many(found.captures, 'picture')} of"
        f" {_many(found.people, 'person', 'people')}. {_many(found.enrolled, 'person', 'people')}"
        f" had the {REFERENCE_LOOKS} different usable pictures that a reference takes, which makes"
        f" {_many(found.pairs, 'pair')} of people to confuse."
    ]
    chosen = headline(evaluation)
    if chosen is not None:
        condition, claim = chosen
        sentences += [_strangers(condition, claim), _turned_away(condition, claim)]
    sentences.append(_carries(found.pairs))
    return (*sentences, *cautions(evaluation))


def cautions(evaluation: Evaluation) -> tuple[str, ...]:
    """What a reader must know before quoting a number."""
    found, said = evaluation.acquisition, []
    if evaluation.setting.seen_before:
        said.append(
            f"The tables in use were made from “{evaluation.setting.data}” itself: this checks the"
            " arithmetic, and says nothing about people who were not seen."
        )
    worse = [_worse(condition) for condition in evaluation.conditions if condition.product]
    if any(worse):
        said.append(f"More strangers passed than stated: {'; '.join(filter(None, worse))}.")
    if found.shared:
        said.append(
            f"{_many(found.shared, 'picture')} appeared with more than one person: the folders are"
            " wrong, and every such picture counts as a false match."
        )
    if found.copies:
        said.append(f"{_many(found.copies, 'repeated picture')} passed over.")
    if found.compared < found.enrolled:
        said.append(f"{found.compared:,} of the people who enrolled were drawn at random.")
    return tuple(said)


def _worse(condition: Condition) -> str:
    broken = [
        one_in(claim.stated)
        for claim in condition.claims
        if claim.verdict in (Verdict.BROKEN, Verdict.EXCEEDED)
    ]
    return f"{condition.name} at {', '.join(broken)}" if broken else ""


def _strangers(condition: Condition, claim: Claim) -> str:
    rate = claim.fmr
    fused = f"With {condition.probe_looks} looks fused, " if condition.probe_looks > 1 else ""
    opening = f"{fused}a stranger may pass {one_in(claim.stated)} times."
    allowed = claim.stated * rate.trials
    expected = f"{allowed:,.0f}" if allowed >= _ROUND_TIMES else f"{allowed:.1f}"
    return (
        f"{opening[0].upper()}{opening[1:]} Of {rate.trials:,} comparisons of strangers"
        f" {rate.hits:,} passed, where the claim allows {expected}. The data shows"
        f" {at_most(rate)}, at 95 % confidence."
    )


def _turned_away(condition: Condition, claim: Claim) -> str:
    rate = claim.fnmr
    if not rate.trials:
        return (
            "Nobody has enough pictures to compare with their own reference: how many rightful"
            " people are turned away was not measured."
        )
    failed = f"{rate.hits:,}" if rate.hits else "none"
    share = f", {percent(rate.measured)}" if rate.hits else ""
    return (
        f"At that threshold {failed} of {rate.trials:,} comparisons of people with their own"
        f" reference failed{share}; at most {percent(rate.upper)} at 95 % confidence, from"
        f" {_many(rate.people, 'person', 'people')}."
    )


def _carries(pairs: int) -> str:
    if pairs <= RULE_OF_THREE:
        return "So few people show nothing about strangers at all."
    return (
        f"{_many(pairs, 'pair')} of people can show at best {one_in(RULE_OF_THREE / pairs)};"
        " stricter claims are marked “not shown”, however good the numbers look."
    )


def _times(stated: float, rate: Rate) -> str:
    factor = (rate.measured or 0.0) / stated
    return f"{factor:,.0f} times" if factor >= _ROUND_TIMES else f"{factor:.1f} times"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"

"""An evaluation as one page that needs nothing else: no network, no script, nobody's picture."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from postern.bench import face_plots, face_words
from postern.bench.face_evaluation import Evaluation
from postern.bench.rates import CONFIDENCE, REPLICAS, Verdict
from postern.core.look import Flaw
from postern.vision.faces.calibration import PROBE_LOOKS, REFERENCE_LOOKS

_TONES = {
    Verdict.HOLDS: "good",
    Verdict.WITHIN: "fair",
    Verdict.EXCEEDED: "doubt",
    Verdict.BROKEN: "bad",
    Verdict.NOT_SHOWN: "none",
}
_CAUSES = {
    "no_face": "no face found",
    "not_a_number": "the model gave no numbers",
    **{flaw.value: flaw.value.replace("_", " ") for flaw in Flaw},
}


def page(evaluation: Evaluation) -> str:
    """The report as HTML; the same evaluation gives the same text."""
    environment = Environment(
        loader=PackageLoader("postern.bench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        one_in=face_words.one_in,
        percent=face_words.percent,
        counted=face_words.counted,
        at_most=face_words.at_most,
        tone=lambda verdict: _TONES[verdict],
        cause=lambda name: _CAUSES.get(name, name),
    )
    chosen = face_words.headline(evaluation)
    text = environment.get_template("face_report.html.jinja").render(
        it=evaluation,
        answer=face_words.answer(evaluation),
        answer_tone=_answer_tone(evaluation),
        headline=chosen,
        summary=face_words.summary(evaluation),
        words=face_words,
        plots={
            # Made by this package from numbers alone.
            "kept": Markup(face_plots.kept(evaluation)),  # noqa: S704
            "trade_off": Markup(face_plots.trade_off(evaluation)),  # noqa: S704
            "discard": Markup(face_plots.discard(evaluation)),  # noqa: S704
        },
        confidence=CONFIDENCE,
        replicas=REPLICAS,
        reference_looks=REFERENCE_LOOKS,
        probe_looks=PROBE_LOOKS,
    )
    # A number and its per cent sign stay on one line.
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _answer_tone(evaluation: Evaluation) -> str:
    """How good the answer is; a claim that holds on what it was made from is no success."""
    chosen = face_words.headline(evaluation)
    verdict = chosen[1].verdict if chosen else Verdict.NOT_SHOWN
    known = verdict is Verdict.HOLDS and evaluation.setting.seen_before
    return _TONES[Verdict.WITHIN if known else verdict]

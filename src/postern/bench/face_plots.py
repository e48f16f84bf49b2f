"""An evaluation's curves as SVG that takes its colours from the page, light or dark."""

import re
from collections.abc import Callable, Sequence
from io import StringIO
from statistics import NormalDist

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from postern.bench.face_evaluation import Condition, Evaluation
from postern.bench.rates import RULE_OF_THREE

# Colours that nothing else uses; the page's variables take their places afterwards.
_INK, _SOFT, _GRID, _BAD = "#010101", "#020202", "#030303", "#040404"
_SERIES = ("#0a0001", "#0a0002", "#0a0003", "#0a0004")
_VARIABLES = {
    _INK: "var(--ink)", _SOFT: "var(--soft)", _GRID: "var(--line)", _BAD: "var(--bad)",
    **{colour: f"var(--series-{at})" for at, colour in enumerate(_SERIES)},
}  # fmt: skip
# Told apart without colour, too.
_DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    (0, (2, 2)),
    (0, (6, 2)),
    (0, (6, 2, 1, 2)),
    "-",
)
#: Inches; the page stretches it to its own width.
_WIDE = (9.6, 5.0)
#: Where axes end, as rates; below the smallest nothing is drawn.
_LOOSEST, _STRICTEST, _LEAST_MISSED = 0.5, 1e-6, 1e-4
_DET_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, _LOOSEST)


def kept(evaluation: Evaluation) -> str:
    """Stated bound against measured false-match rate: above the diagonal a statement is broken."""
    floor = _floor(evaluation)

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.fill_between([_STRICTEST, _LOOSEST], [_STRICTEST, _LOOSEST], [1, 1], color=_BAD,
                          alpha=0.10, linewidth=0)  # fmt: skip
        axes.plot([_STRICTEST, _LOOSEST], [_STRICTEST, _LOOSEST], color=_BAD, linewidth=1)
        for at, condition in enumerate(evaluation.conditions):
            curve = [p for p in condition.curve if p.fmr > 0.0 and _drawn(p.stated)]
            _line(axes, at, condition, [p.stated for p in curve], [p.fmr for p in curve])
        if floor > _STRICTEST:
            axes.axhspan(_STRICTEST, floor, color=_SOFT, alpha=0.13, linewidth=0)
            _too_few(axes, 0)
        axes.text(0.98, 0.96, "more strangers pass than stated", transform=axes.transAxes,
                  color=_BAD, ha="right", va="top")  # fmt: skip
        axes.set_xlim(_LOOSEST, _STRICTEST)
        axes.set_ylim(_STRICTEST, _LOOSEST)
        axes.set_xlabel("stated bound: a stranger does so at most so often")
        axes.set_ylabel("measured: FMR")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.08))

    return _svg(draw, "Stated bound against measured false-match rate")


def trade_off(evaluation: Evaluation) -> str:
    """Detection error trade-off on normal-deviate axes (Martin et al., Eurospeech 1997)."""
    floor = _floor(evaluation)

    def draw(axes: Axes) -> None:
        for at, condition in enumerate(evaluation.conditions):
            curve = [p for p in condition.curve if p.fnmr is not None]
            points = [(p.fmr, p.fnmr) for p in curve if _drawn(p.fmr) and p.fnmr is not None]
            _line(axes, at, condition, [_deviate(x) for x, _ in points],
                  [_deviate(max(y, _LEAST_MISSED)) for _, y in points])  # fmt: skip
        if floor > _STRICTEST:
            axes.axvspan(_deviate(_STRICTEST), _deviate(floor), color=_SOFT, alpha=0.13,
                         linewidth=0)  # fmt: skip
            _too_few(axes, 90)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([_deviate(rate) for rate in _DET_TICKS],
                           labels=[_percent(rate) for rate in _DET_TICKS])  # fmt: skip
        axes.set_xlim(_deviate(_STRICTEST), _deviate(_LOOSEST))
        axes.set_ylim(_deviate(_LEAST_MISSED) - 0.02, _deviate(_LOOSEST))
        axes.set_xlabel("FMR: strangers who pass")
        axes.set_ylabel("FNMR: rightful people who do not")
        axes.legend(loc="upper right")

    return _svg(draw, "Detection error trade-off")


def discard(evaluation: Evaluation) -> str:
    """Error versus discard; empty where no condition has anything to show."""
    shown = [(at, c) for at, c in enumerate(evaluation.conditions) if c.discard]
    if not shown:
        return ""

    def draw(axes: Axes) -> None:
        for at, condition in shown:
            _line(axes, at, condition, [100 * p.discarded for p in condition.discard],
                  [100 * p.fnmr for p in condition.discard])  # fmt: skip
        axes.set_xlim(0, 60)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("discarded, worst pictures first (%)")
        axes.set_ylabel("FNMR of the rest (%)")
        axes.legend(loc="best")

    return _svg(draw, "Error versus discard")


def _line(
    axes: Axes, at: int, condition: Condition, x: Sequence[float], y: Sequence[float]
) -> None:
    axes.plot(x, y, label=condition.name, color=_SERIES[at], linestyle=_DASHES[at],
              linewidth=2.2 if condition.product else 1.5)  # fmt: skip


def _too_few(axes: Axes, rotation: float) -> None:
    axes.text(0.008, 0.03, "too few people to show", transform=axes.transAxes, color=_SOFT,
              rotation=rotation, va="bottom", size=9.5)  # fmt: skip


def _svg(draw: Callable[[Axes], None], title: str) -> str:
    """A drawing without outside references, the same every time."""
    with mpl.rc_context({
        "svg.fonttype": "none", "svg.hashsalt": title, "font.size": 11.0,
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _SOFT,
        "xtick.color": _SOFT, "ytick.color": _SOFT, "xtick.labelcolor": _INK,
        "ytick.labelcolor": _INK, "axes.facecolor": "none", "figure.facecolor": "none",
        "axes.grid": True, "grid.color": _GRID, "grid.linewidth": 0.7,
        "axes.spines.top": False, "axes.spines.right": False,
        "legend.frameon": False, "legend.handlelength": 3.2, "axes.axisbelow": True,
        "xtick.minor.visible": False, "ytick.minor.visible": False,
    }):  # fmt: skip
        figure = Figure(figsize=_WIDE, layout="constrained")
        draw(figure.subplots())
        text = StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(text, format="svg", metadata=nothing)
    return _inline(text.getvalue(), title)


def _inline(text: str, title: str) -> str:
    """The drawing as an element of a page: no prologue, no name spaces, the page's own colours."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # It would apply to the whole page; the page has its own.
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", text)
    text = re.sub(r'<svg width="[^"]*" height="[^"]*"|<svg height="[^"]*"', "<svg", text, count=1)
    text = re.sub(r' width="[\d.]+pt"', "", text, count=1)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return text.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def _floor(evaluation: Evaluation) -> float:
    return min(1.0, RULE_OF_THREE / evaluation.acquisition.pairs)


def _drawn(rate: float) -> bool:
    return _STRICTEST <= rate <= _LOOSEST


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(rate, 1e-9), 1.0 - 1e-9))


def _percent(rate: float) -> str:
    return f"{100 * rate:.6f}".rstrip("0").rstrip(".") + " %"

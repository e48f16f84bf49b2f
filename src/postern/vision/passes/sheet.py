"""A sheet to draw on in millimetres, from the upper left corner, and letters that fit it."""

from dataclasses import dataclass
from io import BytesIO

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from postern.core.errors import invalid
from postern.vision.passes.symbol import Symbol

INK, SOFT, LINE = "#000000", "#444444", "#888888"
#: Millimetres in an inch and in a point.
INCH = 25.4
POINT = INCH / 72
#: A line's height over its letters' size.
_LEADING = 1.3
#: FreeType counts in parts of a pixel.
_SUBPIXELS = 64
#: Points by which letters shrink until they fit.
_STEP = 0.5
#: Nothing but the drawing: no time, no program, and the same bytes for the same pass.
_PLAIN = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, slots=True)
class Block:
    """Room for some text.

    Attributes:
        x: Left edge, millimetres.
        y: Upper edge.
        width: How wide a line may be.
        lines: How many there may be.
        largest: Size of the letters in points where there is room.
        smallest: Below this they do not shrink; what is left over is cut with an ellipsis.
        bold: Whether they are heavy.
        colour: Of the letters.
    """

    x: float
    y: float
    width: float
    lines: int
    largest: float
    smallest: float
    bold: bool = False
    colour: str = INK


class Sheet:
    """A white sheet of so many millimetres."""

    def __init__(self, width: float, height: float) -> None:
        self._figure = Figure((width / INCH, height / INCH), facecolor="white")
        FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0.0, width)
        self._axes.set_ylim(height, 0.0)

    def code(self, symbol: Symbol, x: float, y: float, width: float) -> None:
        """Draws a code, its quiet zone included, into a square."""
        module = width / len(symbol.modules)
        runs = [run for row, line in enumerate(symbol.modules) for run in _runs(row, line)]
        # One path for all: two that touch would show a hair of white between them.
        path = Path.make_compound_path(*(_rectangle(*run) for run in runs))
        vertices = np.asarray(path.vertices, np.float64) * module + (x, y)
        patch = PathPatch(Path(vertices, path.codes), facecolor=INK, linewidth=0.0)
        self._axes.add_patch(patch)

    def cut(self, x: float, y: float, width: float, height: float) -> None:
        """Draws the dashed line along which the pass is cut out."""
        dashes = (0.0, (6.0, 4.0))
        self._axes.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor=LINE, lw=0.6, ls=dashes)
        )

    def write(self, text: str, block: Block) -> float:
        """Writes into a block and gives the lower edge of what was written, millimetres.

        Raises:
            PosternError: `invalid` where there is no letter for a character.
        """
        _check_letters(text, bold=block.bold)
        size, lines = fit(text, block)
        font = _font(size, bold=block.bold)
        for number, line in enumerate(lines):
            # A site may be called what it likes: a dollar begins no formula.
            self._axes.text(
                block.x, block.y + (number + 0.95) * size * POINT * _LEADING, line,
                fontproperties=font, color=block.colour, va="baseline", parse_math=False,
            )  # fmt: skip
        return block.y + len(lines) * size * POINT * _LEADING

    def svg(self) -> bytes:
        """The sheet as SVG; letters are shapes, so that it looks the same everywhere."""
        return self._saved("svg")

    def pdf(self) -> bytes:
        """The sheet as a PDF of one page, its letters' shapes included."""
        return self._saved("pdf")

    def png(self, per_mm: float) -> bytes:
        """The sheet as PNG with so many pixels to the millimetre."""
        return self._saved("png", per_mm * INCH)

    def _saved(self, kind: str, dpi: float = 72.0) -> bytes:
        file = BytesIO()
        with mpl.rc_context(
            {"svg.hashsalt": "postern", "svg.fonttype": "path", "pdf.fonttype": 42}
        ):
            self._figure.savefig(file, format=kind, metadata=_PLAIN[kind], dpi=dpi)
        return file.getvalue()


def fit(text: str, block: Block) -> tuple[float, tuple[str, ...]]:
    """The size in points, and the lines, with which a text fits a block."""
    size = block.largest
    while True:
        lines = _wrapped(text, size, block)
        whole = len(lines) <= block.lines and all(
            _width(line, size, bold=block.bold) <= block.width for line in lines
        )
        if whole:
            return size, lines
        if size <= block.smallest:
            return size, tuple(_cut(line, size, block) for line in _last_open(lines, block.lines))
        size = max(block.smallest, size - _STEP)


def _wrapped(text: str, size: float, block: Block) -> tuple[str, ...]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, size, bold=block.bold) <= block.width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def _last_open(lines: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many lines; the last one holds all that is left, and more than fits it."""
    return (*lines[: most - 1], " ".join(lines[most - 1 :])) if len(lines) > most else lines


def _cut(line: str, size: float, block: Block) -> str:
    if _width(line, size, bold=block.bold) <= block.width:
        return line
    while line and _width(f"{line}…", size, bold=block.bold) > block.width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _width(text: str, size: float, *, bold: bool) -> float:
    """How wide a line of letters of so many points is, in millimetres."""
    font = get_font(findfont(_font(size, bold=bold)))
    font.set_size(size, 72.0)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / _SUBPIXELS * POINT


def _check_letters(text: str, *, bold: bool) -> None:
    letters = get_font(findfont(_font(1.0, bold=bold)))
    for character in text:
        if not letters.get_char_index(ord(character)):
            raise invalid(
                f"A pass cannot show the character {character!r}.",
                "It is written in Latin, Greek, Cyrillic, Arabic or Hebrew letters.",
            )


def _font(size: float, *, bold: bool) -> FontProperties:
    return FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")


def _runs(row: int, line: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(row, first, end) of every run of dark modules."""
    edges = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
    return [(row, int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _rectangle(row: int, first: int, end: int) -> Path:
    corners = [(first, row), (end, row), (end, row + 1), (first, row + 1), (first, row)]
    return Path(corners, closed=True)

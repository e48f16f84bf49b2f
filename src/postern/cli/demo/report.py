"""The demo's report: one page with pictures of the demo's own clips and what was decided."""

import re
from base64 import b64encode
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console

from postern.cli.demo.clip import still
from postern.cli.demo.scene import Cast, stills
from postern.cli.demo.table import COLUMNS, Row, cells, draw

_FONTS = re.compile(r"@font-face \{.*?\n    \}\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Picture:
    """A still of a clip.

    Attributes:
        caption: What it shows.
        jpeg: The picture as a base64 text.
    """

    caption: str
    jpeg: str


def picture(rows: tuple[Row, ...], title: str) -> str:
    """The table as a drawing, SVG, as a terminal of 118 columns shows it."""
    console = Console(record=True, width=118, file=StringIO(), force_terminal=True)
    console.print(draw(rows, (), title, console.width))
    # Without the fonts that it would have a browser fetch from a third party.
    return _FONTS.sub("", console.export_svg(title="postern demo"))


def page(folder: Path, cast: Cast, rows: tuple[Row, ...], detector: str) -> str:
    """The report as HTML that needs nothing else.

    Args:
        folder: Where the demo's clips are.
        cast: Who came.
        rows: What was decided.
        detector: The face detector in use.
    """
    environment = Environment(
        loader=PackageLoader("postern.cli.demo"), autoescape=True, undefined=StrictUndefined
    )
    pictures = [
        Picture(caption, b64encode(still(folder / clip, at_s)).decode())
        for clip, caption, at_s in stills(cast)
    ]
    shown = [tuple(map(str, cells(row))) for row in rows]
    template = environment.get_template("report.html.jinja")
    return template.render(
        pictures=pictures,
        columns=COLUMNS,
        rows=shown,
        detector=detector,
        enrolled=cast.enrolled.value,
        plate=cast.registered,
    )

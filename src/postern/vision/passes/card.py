"""A pass on paper: as large as a bank card, or A6."""

from enum import StrEnum

from postern.vision.passes.sheet import SOFT, Block, Sheet
from postern.vision.passes.symbol import Symbol, symbol
from postern.vision.passes.words import Label, Words, words

#: Millimetres. ISO/IEC 7810 ID-1 and ISO 216.
CARD, A6, A4 = (85.6, 53.98), (105.0, 148.0), (210.0, 297.0)
#: Millimetres of a code's side, quiet zone included. On a card it is as tall as the card, but for
#: what a pair of scissors may miss.
CARD_CODE, A6_CODE = 52.0, 97.0
#: Around the pass in an SVG, and above it on a page.
_MARGIN, _TOP = 5.0, 25.0


class Paper(StrEnum):
    """How large a pass is printed."""

    CARD = "card"
    A6 = "a6"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        return CARD if self is Paper.CARD else A6


def svg(text: str, label: Label, paper: Paper) -> bytes:
    """The pass as SVG in its true size, with the line along which it is cut.

    Raises:
        PosternError: `invalid` where the text is none for a QR code; `not_found` where there is no
            such language.
    """
    return _alone(text, label, paper).svg()


def png(text: str, label: Label, paper: Paper, per_mm: float) -> bytes:
    """As `svg`, with so many pixels to the millimetre.

    Raises:
        PosternError: as `svg`.
    """
    return _alone(text, label, paper).png(per_mm)


def pdf(text: str, label: Label, paper: Paper) -> bytes:
    """The pass on a page of A4, to be printed at 100 % and cut out; it fits US letter, too.

    Raises:
        PosternError: as `svg`.
    """
    (width, height), (page, tall) = paper.size, A4
    sheet, x = Sheet(page, tall), (page - width) / 2
    _draw(sheet, (x, _TOP), symbol(text), label, paper)
    sheet.write(
        words(label).print_it, Block(x, _TOP + height + 4, width, 3, 8, 6, colour=SOFT)
    )  # fmt: skip
    return sheet.pdf()


def _alone(text: str, label: Label, paper: Paper) -> Sheet:
    width, height = paper.size
    sheet = Sheet(width + 2 * _MARGIN, height + 2 * _MARGIN)
    _draw(sheet, (_MARGIN, _MARGIN), symbol(text), label, paper)
    return sheet


def _draw(
    sheet: Sheet, corner: tuple[float, float], code: Symbol, label: Label, paper: Paper
) -> None:
    (x, y), (width, height), said = corner, paper.size, words(label)
    sheet.cut(x, y, width, height)
    if paper is Paper.CARD:
        gap = (height - CARD_CODE) / 2
        sheet.code(code, x + gap, y + gap, CARD_CODE)
        _beside(sheet, (x + gap + CARD_CODE, y + 3.0), width - CARD_CODE - gap - 3.5, label, said)
    else:
        sheet.code(code, x + (width - A6_CODE) / 2, y + 3, A6_CODE)
        _below(sheet, (x + 9, y + 3 + A6_CODE), width - 18, label, said)


def _beside(
    sheet: Sheet, corner: tuple[float, float], width: float, label: Label, said: Words
) -> None:
    x, y = corner
    y = sheet.write(said.title, Block(x, y, width, 1, 7, 6, colour=SOFT))
    y = sheet.write(label.site, Block(x, y + 0.5, width, 3, 10, 6.5, bold=True))
    if label.holder:
        y = sheet.write(label.holder, Block(x, y + 0.8, width, 2, 7.5, 6))
    y = sheet.write(said.until, Block(x, y + 1, width, 2, 7.5, 6))
    sheet.write(said.keep, Block(x, y + 1.5, width, 5, 5.5, 5, colour=SOFT))


def _below(
    sheet: Sheet, corner: tuple[float, float], width: float, label: Label, said: Words
) -> None:
    x, y = corner
    y = sheet.write(said.title, Block(x, y, width, 1, 9, 8, colour=SOFT))
    y = sheet.write(label.site, Block(x, y + 0.3, width, 2, 16, 9, bold=True))
    if label.holder:
        y = sheet.write(label.holder, Block(x, y + 0.5, width, 1, 11, 8))
    y = sheet.write(said.until, Block(x, y + 1, width, 1, 11, 8))
    y = sheet.write(said.keep, Block(x, y + 1.5, width, 2, 8.5, 7, colour=SOFT))
    sheet.write(said.lost, Block(x, y + 0.5, width, 2, 8.5, 7, colour=SOFT))

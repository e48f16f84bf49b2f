"""A pass for the screen of a phone."""

from postern.vision.passes.sheet import SOFT, Block, Sheet
from postern.vision.passes.symbol import symbol
from postern.vision.passes.words import Label, words

#: Pixels. The code takes the whole width: on a screen every millimetre of it counts.
WIDTH, HEIGHT = 1080, 1500
_EDGE = 60


def phone(text: str, label: Label) -> bytes:
    """The pass as PNG for a screen 1080 pixels wide; every module is equally many pixels.

    Raises:
        PosternError: `invalid` where the text is none for a QR code; `not_found` where there is no
            such language.
    """
    code, said = symbol(text), words(label)
    # A millimetre of this sheet is a pixel.
    sheet = Sheet(WIDTH, HEIGHT)
    side = WIDTH // len(code.modules) * len(code.modules)
    sheet.code(code, (WIDTH - side) // 2, 0, side)
    width = WIDTH - 2 * _EDGE
    y = sheet.write(label.site, Block(_EDGE, WIDTH + 5, width, 2, 150, 90, bold=True))
    if label.holder:
        y = sheet.write(label.holder, Block(_EDGE, y, width, 1, 105, 80))
    y = sheet.write(said.until, Block(_EDGE, y + 4, width, 1, 105, 80))
    y = sheet.write(said.keep, Block(_EDGE, y + 12, width, 2, 80, 65, colour=SOFT))
    sheet.write(said.hold, Block(_EDGE, y + 4, width, 2, 80, 65, colour=SOFT))
    return sheet.png(1.0)

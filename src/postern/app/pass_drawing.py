"""A pass as a file for its owner: for the screen of a phone, or to print and cut out."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from postern.app.pass_days import last_day
from postern.app.site import Site
from postern.core.errors import Code, PosternError, invalid
from postern.vision.passes import card
from postern.vision.passes.phone import phone
from postern.vision.passes.words import Label

#: Pixels to the millimetre of a printed pass: 300 to the inch.
_PER_MM = 300 / 25.4


class Form(StrEnum):
    """What a pass is made for."""

    PHONE = "phone"
    CARD = "card"
    A6 = "a6"


#: A code and a day, to try whether a pass can be drawn.
_ANY, _SOME_DAY = "PSTN1:", datetime(2026, 1, 1, tzinfo=UTC)
_KINDS = (".png", ".svg", ".pdf")


def check_drawing(path: Path, form: Form | None) -> None:
    """Refuses a file that a pass cannot be drawn to, before one is made.

    Raises:
        PosternError: `invalid` for a name that ends otherwise than `.png`, `.svg` or `.pdf`, or a
            phone's pass that is to be printed.
    """
    if path.suffix.lower() not in _KINDS:
        raise invalid(f"A pass is drawn to a file that ends in {', '.join(_KINDS)}.")
    if form is Form.PHONE and path.suffix.lower() != ".png":
        raise invalid("A pass for a phone is a .png.", "Choose --form card or a6 to print it.")


def check_label(site: Site, language: str) -> None:
    """Refuses a site of which no pass can be drawn, before one is made.

    Raises:
        PosternError: `invalid` for a name that does not fit a pass, or in letters that it cannot
            show; `not_found` where there are no words in that language.
    """
    try:
        # Drawn as a whole: what is refused there, for whatever reason, is refused here.
        card.svg(_ANY, label(site, _SOME_DAY, language), card.Paper.A6)
    except PosternError as error:
        if error.code is not Code.INVALID:
            raise
        raise invalid(
            f"This site's name cannot stand on a pass: {error.message}",
            "Change name under [site] in site.toml.",
        ) from None


def drawn(text: str, label: Label, path: Path, form: Form | None = None) -> bytes:
    """A pass drawn as the end of a file's name says.

    Args:
        text: What its code says.
        label: What it says to people.
        path: A `.png`, `.svg` or `.pdf`.
        form: What it is made for; a phone for a `.png`, a card for the others where it is None.

    Raises:
        PosternError: As `check_drawing`; `not_found` where there are no words in that language.
    """
    check_drawing(path, form)
    kind = path.suffix.lower()
    if kind == ".png" and form in (None, Form.PHONE):
        return phone(text, label)
    paper = card.Paper.A6 if form is Form.A6 else card.Paper.CARD
    if kind == ".png":
        return card.png(text, label, paper, _PER_MM)
    return card.svg(text, label, paper) if kind == ".svg" else card.pdf(text, label, paper)


def label(site: Site, until: datetime, language: str) -> Label:
    """What a site's pass says to people: no name, so that one that is found tells none.

    Args:
        site: Whose pass it is.
        until: When it stops to count; aware UTC.
        language: Of its words.

    Raises:
        PosternError: `invalid` where the site's name is too long for a pass.
    """
    return Label(site.name, last_day(until, site.zone), language)

"""Passes drawn: any reader gives back the very letters, and what is written stays inside."""

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.frame import Image
from postern.picture import decode
from postern.vault import base45
from postern.vision.passes.card import A4, Paper, pdf, png, svg
from postern.vision.passes.phone import WIDTH, phone
from postern.vision.passes.sheet import Block, fit
from postern.vision.passes.symbol import QUIET, symbol
from postern.vision.passes.words import Label, words
from tests.needs import missing
from tests.vision.passes.samples import TEXT, drawn

LABEL = Label("Riverside Offices", date(2027, 3, 4), "en")
#: As long as a name may be, of the widest letters, in the language of the longest sentences.
LONG = Label("WM" * 40, date(2027, 3, 4), "de", holder="MW" * 40)
#: Pixels to the millimetre, and millimetres around a pass that stands alone.
FINE, MARGIN = 8, 5


def read_by_zxing(image: Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


def read_by_opencv(image: Image) -> str:
    """OpenCV's own reader wants white all around."""
    wide = cv2.copyMakeBorder(image, 60, 60, 60, 60, cv2.BORDER_CONSTANT, None, (255, 255, 255))
    text, *_ = cv2.QRCodeDetector().detectAndDecode(wide)
    return str(text)


def test_a_pass_is_a_code_of_69_modules() -> None:
    """Version 13, level M, with four modules of quiet around it."""
    code = symbol(TEXT)

    assert (13, "M", (77, 77)) == (code.version, code.level, code.modules.shape)
    assert not code.modules[:QUIET].any()
    assert not code.modules[:, -QUIET:].any()
    assert code.modules[QUIET, QUIET : QUIET + 7].all()


def test_a_key_share_is_a_code_of_49_modules() -> None:
    """213 letters, version 8."""
    code = symbol(TEXT[:213])

    assert (8, "M", (57, 57)) == (code.version, code.level, code.modules.shape)


@given(st.text(alphabet=base45.ALPHABET, min_size=1, max_size=600))
def test_two_readers_give_back_every_letter(tail: str) -> None:
    """Blanks, colons and per cent signs too: none is trimmed, folded or replaced."""
    text = f"PSTN1:{tail}"
    image = drawn(text, 5)

    assert [text] == read_by_zxing(image)


@pytest.mark.parametrize("text", [TEXT, TEXT[:213], "PSTN1: $%*+-./: A  B "])
def test_opencvs_reader_gives_back_every_letter(text: str) -> None:
    """A second reader, of other people, on the same code."""
    assert text == read_by_opencv(drawn(text, 6))


@pytest.mark.parametrize("text", ["", "pstn1:a", "PSTN1:Ä", "A" * 5000], ids=["", "a", "Ä", "long"])
def test_what_fits_no_code_is_refused(text: str) -> None:
    """A letter outside the alphabet would make a larger code of another kind."""
    with pytest.raises(PosternError) as refused:
        symbol(text)

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize("label", [LABEL, LONG], ids=["usual", "long"])
def test_the_phones_picture_is_read_and_its_modules_are_equal(label: Label) -> None:
    """14 pixels each, nothing smoothed: a screen shows it as it is."""
    image = decode(phone(TEXT, label))
    modules = (image[:1078, 1:1079, 0].reshape(77, 14, 77, 14) == 0).transpose(0, 2, 1, 3)

    assert (1500, WIDTH) == image.shape[:2]
    assert np.array_equal(symbol(TEXT).modules, modules.all((2, 3)))
    assert np.array_equal(symbol(TEXT).modules, modules.any((2, 3)))
    assert ([TEXT], TEXT) == (read_by_zxing(image), read_by_opencv(image))
    assert (image[-15:] == 255).all()


@pytest.mark.parametrize("label", [LABEL, LONG], ids=["usual", "long"])
@pytest.mark.parametrize("paper", Paper)
def test_a_card_is_read_and_nothing_is_written_beyond_its_edge(paper: Paper, label: Label) -> None:
    """Whatever the names; what is cut off along the line is white."""
    image = decode(png(TEXT, label, paper, FINE))
    width, height = (int((side + 2 * MARGIN) * FINE) for side in paper.size)
    inset = (MARGIN + 1) * FINE
    edge = image.copy()
    edge[inset:-inset, inset:-inset] = 255

    assert (height, width) == pytest.approx(image.shape[:2], abs=1)
    assert ([TEXT], TEXT) == (read_by_zxing(image), read_by_opencv(image))
    # All that is drawn within a millimetre of the edge, or beyond it, is the grey line.
    assert edge.min() > 100
    assert (edge[: inset // 2] == 255).all()


@pytest.mark.parametrize("paper", Paper)
def test_the_pdf_is_a_page_that_prints_in_true_size(paper: Paper, tmp_path: Path) -> None:
    """A4, and what comes off the printer is read."""
    page = pdf(TEXT, LABEL, paper)
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", page)

    assert A4 == pytest.approx([float(side) / 72 * 25.4 for side in box], abs=0.1)
    if shutil.which("pdftoppm") is None:
        missing("pdftoppm (poppler-utils)")
    (tmp_path / "pass.pdf").write_bytes(page)
    subprocess.run(
        ["pdftoppm", "-r", "200", "-png", "-singlefile", tmp_path / "pass.pdf", tmp_path / "page"],
        check=True,
    )
    printed = decode((tmp_path / "page.png").read_bytes())
    code = zxingcpp.read_barcodes(printed)[0]
    wide_mm = (code.position.top_right.x - code.position.top_left.x) / 200 * 25.4

    assert TEXT == code.text
    side = {Paper.CARD: 52.0, Paper.A6: 97.0}[paper] * 69 / 77
    assert side == pytest.approx(wide_mm, abs=0.5)


def test_the_drawing_says_its_size_in_millimetres() -> None:
    """An SVG of a card is a card with its margin; points are 72 to the inch."""
    width, height = re.findall(rb'(?:width|height)="([\d.]+)pt"', svg(TEXT, LABEL, Paper.CARD))[:2]

    assert (95.6, 63.98) == pytest.approx(
        (float(width) / 72 * 25.4, float(height) / 72 * 25.4), abs=0.1
    )


@pytest.mark.parametrize("draw", [svg, pdf])
def test_a_file_tells_no_time_and_no_program(draw) -> None:
    """The same pass gives the same bytes, and nobody learns when it was made."""
    first, second = draw(TEXT, LABEL, Paper.CARD), draw(TEXT, LABEL, Paper.CARD)

    assert first == second
    assert not re.search(rb"(?i)CreationDate|dc:date|matplotlib v", first)


def test_a_name_is_on_a_pass_only_if_asked_for() -> None:
    """A pass that is found tells nobody whose it is."""
    named = Label(LABEL.site, LABEL.until, "en", holder="Alice Archer")

    assert phone(TEXT, named) != phone(TEXT, LABEL)
    assert "" == LABEL.holder


@pytest.mark.parametrize("name", ["$\\nosuch{$ & <b>", "100 % $", "Škoda Łódź Ελλάδα Київ"])
def test_a_site_may_be_called_what_it_likes(name: str) -> None:
    """No name is a formula or a tag."""
    label = Label(name, date(2027, 3, 4), "en")

    assert [TEXT] == read_by_zxing(decode(png(TEXT, label, Paper.CARD, FINE)))
    assert b"<b>" not in svg(TEXT, label, Paper.CARD)


def test_a_letter_that_cannot_be_drawn_is_named() -> None:
    """Rather than a box that stands for anything."""
    with pytest.raises(PosternError, match="'東'") as refused:
        phone(TEXT, Label("東京", date(2027, 3, 4), "en"))

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81, "\0"])
def test_a_name_that_is_no_line_is_refused(name: str) -> None:
    """In one sentence, before anything is drawn."""
    with pytest.raises(PosternError) as refused:
        Label(name, date(2027, 3, 4), "en")

    assert Code.INVALID is refused.value.code


def test_a_language_that_is_not_there_is_named_with_those_that_are() -> None:
    """Rather than a pass that its holder cannot read."""
    with pytest.raises(PosternError, match="'xx'") as refused:
        words(Label("Site", date(2027, 3, 4), "xx"))

    assert Code.NOT_FOUND is refused.value.code
    assert "en, de" in refused.value.hint


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_language_has_every_sentence(language: str) -> None:
    """With the day on which the pass ends."""
    said = words(Label("Site", date(2027, 3, 4), language))

    assert "2027-03-04" in said.until
    assert all((said.title, said.keep, said.lost, said.hold, said.print_it))


@given(st.text(alphabet="abc WiÄ", max_size=80), st.integers(1, 3))
def test_text_is_fitted_to_its_block(text: str, most: int) -> None:
    """Never more lines than there may be, never smaller than may be read, never cut if it fits."""
    size, lines = fit(text, Block(0, 0, 30, most, 12, 6))

    assert len(lines) <= most
    assert 6 <= size <= 12
    whole = " ".join(lines) == " ".join(text.split())
    assert whole or any(line.endswith("…") for line in lines)

"""The page says what was measured, to anybody, without a network."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from postern.bench import face_words
from postern.bench.face_evaluation import Evaluation, evaluate
from postern.bench.face_report import page
from postern.core.look import Flaw
from tests.bench.strangers import SETTING, Exact, made_up, spoiled


@pytest.fixture(scope="module")
def kept() -> Evaluation:
    """A statement that is kept, with pictures that failed."""
    people = made_up(60, 7)
    people["person-0000"] += [spoiled(Flaw.TOO_DARK), spoiled(None)]
    return evaluate(people, Exact(factor=6.0), SETTING)


@pytest.fixture(scope="module")
def broken() -> Evaluation:
    """A statement that is broken."""
    return evaluate(made_up(60, 7), Exact(factor=0.02), SETTING)


class Tags(HTMLParser):
    """Checks that tags close in order, and collects what could load anything."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        names = dict(attrs)
        for name in ("src", "href", "xlink:href", "action", "data"):
            if name in names and not str(names[name]).startswith("#"):
                self.loads.append(f"{tag} {name}={names[name]}")
        if tag in ("script", "link", "iframe", "img", "image", "object"):
            self.loads.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def text_of(html: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>", 1)[1]).split())


def test_page_loads_nothing_and_is_well_formed(kept) -> None:
    """No address, script or picture: one file that needs nothing else."""
    html, tags = page(kept), Tags()

    tags.feed(html)

    assert tags.open == []
    assert tags.loads == []
    assert not re.search(r"https?:|//\w|@import|data:", html)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))


def test_page_holds_the_numbers(kept) -> None:
    """Every count of the evaluation is on the page."""
    text = text_of(page(kept))

    for condition in kept.conditions:
        for claim in condition.claims:
            assert f"{claim.fmr.hits:,} of {claim.fmr.trials:,}" in text
            assert face_words.one_in(claim.stated) in text
    assert "2 of 422" in text
    assert "too dark (1)" in text
    assert "1,770 pairs" in text
    assert "not shown: takes more than 500 people who can enrol; there are 60" in text


def test_page_opens_with_the_answer_when_the_claim_holds(kept) -> None:
    """The first thing said is whether the claim holds."""
    text = text_of(page(kept))

    assert face_words.answer(kept) == "The claim “1 in 100” holds on this data."
    assert text.index("holds on this data") < text.index("Stated and measured")


def test_page_says_that_a_broken_claim_is_broken(broken) -> None:
    """And by how much, in the answer, the cautions and the table."""
    text = text_of(page(broken))

    assert re.search(r"The claim “1 in 100” is broken: \d\d times as many strangers passed", text)
    assert "More strangers passed than stated: 3v1 at 1 in 100" in text
    assert re.search(r"broken \d\d times the bound", text)


def test_page_shows_no_claim_on_few_people() -> None:
    """With five people the page says that nothing is shown, and still comes out whole."""
    few = evaluate(made_up(5, 3), Exact(factor=1e6), SETTING)
    text = text_of(page(few))

    assert "too small to show anything about strangers" in text
    assert "nobody has enough looks" in text
    assert "0 %" not in text.split("Stated and measured")[1].split("verdict FMR")[0]


def test_page_says_when_the_tables_know_the_data(kept) -> None:
    """Testing on what one calibrated on is not testing."""
    known = replace(kept, setting=replace(SETTING, calibrated_on=(SETTING.data,)))

    assert "were made from “made-up-people” itself" in page(known)
    assert "holds on the very data that its tables were made from" in page(known)
    assert 'class="answer good"' in page(kept)
    assert 'class="answer fair"' in page(known)
    assert "itself: this checks" not in page(kept)


def test_page_says_that_folders_are_wrong_when_people_share_a_picture(kept) -> None:
    """Errors in the data are not blamed on the procedure in silence."""
    wrong = replace(kept, acquisition=replace(kept.acquisition, shared=2, copies=1))

    assert "2 pictures appeared with more than one person" in page(wrong)
    assert "1 repeated picture passed over" in page(wrong)


def test_page_escapes_what_it_is_given(kept) -> None:
    """A folder's name is text, whatever it holds."""
    sly = replace(kept, setting=replace(SETTING, data="<script>alert(1)</script>"))

    assert "<script" not in page(sly)


def test_page_names_nobody(kept) -> None:
    """Neither people's folders nor their files are in it."""
    html = page(kept)

    assert "person-00" not in html
    assert ".jpg" not in html


def test_page_is_the_same_every_time(kept) -> None:
    """The same evaluation gives the same text, plots included."""

    assert page(kept) == page(kept)


def test_page_takes_plot_colours_from_its_own_theme(kept) -> None:
    """Light and dark apply to the plots, too: no colour in them is fixed."""
    plots = re.findall(r"<svg.*?</svg>", page(kept), re.DOTALL)

    assert len(plots) >= 2
    for plot in plots:
        assert "var(--ink)" in plot
        assert not re.search(r"(fill|stroke): ?#[0-9a-f]{3,6}", plot)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (1.0, "100.0 %"),
        (0.123, "12.3 %"),
        (0.0123, "1.2 %"),
        (0.00123, "0.12 %"),
        (0.001, "0.10 %"),
        (0.0000123, "0.0012 %"),
    ],
)
def test_percent_keeps_two_digits(rate, words) -> None:
    """Small rates keep two significant digits without powers of ten."""

    assert face_words.percent(rate) == words


@pytest.mark.parametrize(
    ("rate", "words"), [(1e-4, "1 in 10,000"), (0.1, "1 in 10"), (0.4, "1 in 2.5"), (0.0, "none")]
)
def test_one_in_reads_as_people_say_it(rate, words) -> None:
    """A rate as one in so many."""

    assert face_words.one_in(rate) == words


def test_page_never_writes_a_rate_of_zero_for_strangers(kept) -> None:
    """Where no stranger passed, the most that may still be stands beside it."""
    claim = kept.conditions[3].claims[3]

    assert face_words.at_most(claim.fmr) == "at most 1 in 590"
    assert "not shown 0 of" in text_of(page(kept))

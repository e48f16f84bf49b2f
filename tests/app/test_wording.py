"""What people read: complete in every language."""

from datetime import UTC, datetime
from string import Formatter

import pytest

from postern.app.site import ConsentTerms
from postern.app.wording import FIRST, locales, wording
from postern.core.errors import Code, PosternError

OTHERS = [locale for locale in locales() if locale != FIRST]


def blanks(text: str) -> set[str]:
    """The names of the blanks in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_are_several_languages_and_english_comes_first() -> None:
    """So that what follows compares something."""
    assert FIRST == locales()[0]
    assert "de" in OTHERS


@pytest.mark.parametrize("locale", OTHERS)
def test_every_language_has_all_keys_and_all_blanks(locale: str) -> None:
    """No text is missing, none is left over, and each has the blanks of the first."""
    first, other = wording(FIRST), wording(locale)

    assert set(first.texts) == set(other.texts)
    assert {} == {
        key: blanks(text) ^ blanks(other.texts[key])
        for key, text in first.texts.items()
        if blanks(text) != blanks(other.texts[key])
    }


@pytest.mark.parametrize("locale", OTHERS)
def test_every_language_is_translated(locale: str) -> None:
    """A sentence that is the same in two languages was forgotten."""
    first, other = wording(FIRST), wording(locale)
    sentences = {key for key, text in first.texts.items() if text.count(" ") > 3}

    assert len(sentences) > 20
    assert set() == {key for key in sentences if first.texts[key] == other.texts[key]}


@pytest.mark.parametrize("locale", locales())
def test_every_text_is_one_tidy_line(locale: str) -> None:
    """No doubled blanks, no line breaks, no blank at an end."""
    for key, text in wording(locale).texts.items():
        assert text == " ".join(text.split()), key
        assert text, key


@pytest.mark.parametrize("locale", locales())
def test_every_language_knows_the_months(locale: str) -> None:
    """All twelve, in a date that has the day and the year."""
    words = wording(locale)
    written = {words.date(datetime(2026, month, 9, tzinfo=UTC)) for month in range(1, 13)}

    assert 12 == len(written)
    assert all("9" in one and "2026" in one for one in written)


def test_dates_are_written_as_people_write_them() -> None:
    """In both languages, with the time of day."""
    at = datetime(2026, 3, 4, 7, 5, tzinfo=UTC)

    assert "4 March 2026, 07:05" == wording("en").time(at)
    assert "4. März 2026, 07:05 Uhr" == wording("de").time(at)


def test_the_usual_purpose_is_that_of_the_site_file() -> None:
    """It is what `site.toml` says when it says nothing."""
    assert ConsentTerms().purpose == wording(FIRST).say("consent.purpose")


@pytest.mark.parametrize("locale", ["xx", "", "EN", "../en", "en.toml"])
def test_a_language_without_texts_is_refused(locale: str) -> None:
    """And those that there are, are told."""
    with pytest.raises(PosternError) as refused:
        wording(locale)

    assert Code.NOT_FOUND is refused.value.code
    assert "en, de" in refused.value.hint

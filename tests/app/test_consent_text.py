"""The text that people agree to: complete, kept word for word, never changed under its version."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import load
from postern.app.consent_text import agreed_text, check_text, compose, fill, keep_text
from postern.app.site import ConsentTerms, Roster, Site
from postern.app.wording import locales, wording
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId
from postern.sources import KINDS as SOURCES
from postern.store.store import Store, open_store
from tests.app.test_config import MINIMAL, write
from tests.people import ALICE, PERSONS, consent

WHY = "Six people live here, and no one else."
DOORS = (AccessPointId("front"), AccessPointId("back"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    read = load(write(tmp_path, MINIMAL), SOURCES, ACTUATORS, {})
    return replace(read, roster=Roster(WHY))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data") as opened:
        yield opened


@pytest.mark.parametrize("locale", locales())
@pytest.mark.parametrize("mode", StorageMode)
def test_text_says_everything_a_person_has_to_know(
    site: Site, mode: StorageMode, locale: str
) -> None:
    """Purpose, places, mode, expiry, contact, and no blank is left."""
    terms = ConsentTerms("7", "To open the garage for you.", 90, "the desk, room 5")
    asked = replace(site, consent=terms, retention=timedelta(days=21))
    clauses = fill(compose(asked, mode, wording(locale)), DOORS)
    text = " ".join(one.text for one in clauses)

    for said in ("My garage", "To open the garage for you.", "back, front", "90", "room 5", "21"):
        assert said in text
    assert (mode is StorageMode.ROSTER) is (WHY in text)
    assert wording(locale).texts[f"consent.kept.{mode}"][:60] in text
    assert "{" not in text
    assert all(one.heading for one in clauses)


def test_the_modes_read_differently(site: Site) -> None:
    """Nobody agrees to a roster by reading about a pass."""
    assert 3 == len({compose(site, mode, wording()) for mode in StorageMode})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("{}x0:! ", min_size=1, max_size=12).filter(str.strip))
def test_braces_of_the_operators_own_stay_as_they_are(site: Site, words: str) -> None:
    """They are no blanks, wherever they stand."""
    asked = replace(site, name=f"N{words}N", consent=ConsentTerms(purpose=words, contact=words))
    text = fill(compose(asked, StorageMode.PASS, wording()), DOORS)

    assert f"N{words}N asks to recognise you by your face. {words} Your" in text[0].text


def test_what_was_agreed_to_is_kept_in_every_language(site: Site, store: Store) -> None:
    """Word for word, with the places of that consent, also when the site says otherwise today."""
    keep_text(site, StorageMode.ROSTER, store.consent_texts)
    alices = replace(consent(ALICE), text_version="1")
    for locale in locales():
        shown = fill(compose(site, StorageMode.ROSTER, wording(locale)), alices.places)
        assert shown == agreed_text(alices, locale, store.consent_texts)
    other = replace(alices, mode=StorageMode.PASS)
    assert () == agreed_text(other, "en", store.consent_texts)
    assert () == agreed_text(replace(alices, text_version="0"), "en", store.consent_texts)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Another garage"},
        {"retention": timedelta(days=60)},
        {"roster": Roster("Because it is so much easier like that.")},
        {"roster": Roster(None)},
        {"consent": ConsentTerms(purpose="To count you.")},
        {"consent": ConsentTerms(valid_days=400)},
        {"consent": ConsentTerms(contact="nobody")},
    ],
)
def test_a_text_that_changed_under_its_version_is_refused(
    site: Site, store: Store, changed: dict[str, object]
) -> None:
    """Whatever changed it; under another version it is welcome."""
    keep_text(site, StorageMode.ROSTER, store.consent_texts)
    check_text(site, store.consent_texts)
    after = replace(site, **changed)  # type: ignore[arg-type]
    before = [store.consent_texts.find("1", locale) for locale in locales()]

    for call in (check_text, lambda s, kept: keep_text(s, StorageMode.ROSTER, kept)):
        with pytest.raises(PosternError, match="version '1'") as refused:
            call(after, store.consent_texts)
        assert Code.CONFLICT is refused.value.code
        assert "text_version" in refused.value.hint
    assert before == [store.consent_texts.find("1", locale) for locale in locales()]

    raised = replace(after, consent=replace(after.consent, text_version="2"))
    keep_text(raised, StorageMode.PASS, store.consent_texts)
    check_text(raised, store.consent_texts)


def test_another_mode_is_no_change_of_the_text(site: Site, store: Store) -> None:
    """Whoever carried passes may begin a roster: nobody who agreed before was shown that text."""
    passes_only = replace(site, roster=Roster(None))
    keep_text(passes_only, StorageMode.PASS, store.consent_texts)
    keep_text(site, StorageMode.ROSTER, store.consent_texts)

    for mode in (StorageMode.PASS, StorageMode.ROSTER):
        assert agreed_text(
            replace(consent(ALICE), text_version="1", mode=mode), "de", store.consent_texts
        )


def test_a_text_goes_when_nobodys_consent_goes_by_it(site: Site, store: Store) -> None:
    """And stays as long as anybody's does."""
    store.people.add(next(person for person in PERSONS if person.id == ALICE))
    store.consents.add(replace(consent(ALICE), text_version="1"))
    keep_text(site, StorageMode.ROSTER, store.consent_texts)
    other = replace(site, consent=replace(site.consent, text_version="2"))
    keep_text(other, StorageMode.ROSTER, store.consent_texts)
    store.consent_texts.drop_unused()

    assert store.consent_texts.find("1", "en")
    assert store.consent_texts.find("2", "en") is None


@pytest.mark.parametrize("body", ["", "[]", "{", '{"cloud": []}', '{"pass": [["one"]]}', "null"])
def test_a_damaged_text_is_told(site: Site, store: Store, body: str) -> None:
    """In a sentence, never as a fault of the program."""
    store.consent_texts.keep("1", "en", body)
    with pytest.raises(PosternError, match="damaged"):
        check_text(site, store.consent_texts)

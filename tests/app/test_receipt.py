"""Receipts: a page and its signed text say the same, in the person's language."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import load
from postern.app.consent_text import compose, fill
from postern.app.erasure import Erasure
from postern.app.receipt import Made, Receipt, consent_receipt, erasure_receipt
from postern.app.site import ConsentTerms, Site
from postern.app.wording import locales, wording
from postern.core.consent import StorageMode
from postern.core.errors import PosternError
from postern.core.ids import EventId
from postern.ledger.checkpoint import open_checkpoint
from postern.ledger.note import Note, Signer
from postern.sources import KINDS as SOURCES
from tests.app.test_config import MINIMAL, write
from tests.people import ALICE, DAY, NOW, PERSONS, consent

ALICES = next(person for person in PERSONS if person.id == ALICE)
BERLIN = ZoneInfo("Europe/Berlin")
ERASED = Erasure(ALICES, NOW, EventId("9"), 2, 2, 1, 0, 3, 1, 0)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return load(write(tmp_path, MINIMAL), SOURCES, ACTUATORS, {})


def made(locale: str) -> Made:
    return Made(wording(locale), NOW.astimezone(BERLIN))


def signed(text: str) -> bytes:
    signer = Signer("postern.invalid/site", bytes(32))
    return Note(text, (signer.sign(text),)).encode()


def receipts(site: Site, locale: str) -> tuple[Receipt, Receipt]:
    given = consent(ALICE)
    text = fill(compose(site, given.mode, wording(locale)), given.places)
    agreed = consent_receipt(site, ALICES, given, text, EventId("7"), made(locale))
    return agreed, erasure_receipt(site, ERASED, made(locale))


@pytest.mark.parametrize("locale", locales())
def test_page_and_signed_text_say_the_same(site: Site, locale: str) -> None:
    """Every label, value and clause of the page is in the text, and the text is in the page."""
    for receipt in receipts(site, locale):
        page = unescape(receipt.page(signed))
        body = page.split("<body>")[1].split('<div class="note">')[0]
        said = [one.strip() for one in re.sub(r"<[^>]+>", "\n", body).splitlines() if one.strip()]
        text = receipt.text()

        assert [] == [one for one in said if one not in text and one != receipt.lead]
        assert text in page
        assert len(said) > 10


def test_consent_receipt_names_everything_that_a_consent_record_has(site: Site) -> None:
    """In the site's own time, with the event's number."""
    asked = replace(site, consent=ConsentTerms(contact="the desk"))
    given = consent(ALICE)
    text = consent_receipt(asked, ALICES, given, (), EventId("7"), made("en")).text()

    for said in (
        "Who asked: My garage (the desk)",
        "Who agreed: Alice (p-alice)",
        "Purpose: to open doors",
        "Access points: barrier, door, way-out",
        "Reference kept: at the site, under the site's key (roster)",
        "Given: 2 February 2026, 13:00",
        "Ends by itself: 28 January 2027, 13:00",
        "State when printed: in force",
        "Version of the text: v1",
        "Number of this consent: consent-of-p-alice",
        "Entry in the log: 7",
    ):
        assert f"\n{said}\n" in text
    assert "are not kept in this language" in text


def test_receipt_says_when_a_consent_has_ended_and_its_event_expired(site: Site) -> None:
    """Taken back and run out are two things."""
    taken = replace(consent(ALICE), withdrawn=NOW - DAY)
    over = replace(consent(ALICE), expires=NOW - timedelta(hours=1))
    noticed = replace(over, withdrawn=NOW)
    texts = [
        consent_receipt(site, ALICES, one, (), None, made("en")).text()
        for one in (taken, over, noticed)
    ]

    assert "State when printed: taken back on 3 March 2026" in texts[0]
    assert all("State when printed: ran out on 4 March 2026" in text for text in texts[1:])
    assert all("Entry in the log: none: it expired" in text for text in texts)


def test_the_usual_purpose_is_in_the_receipts_language_and_another_stays(site: Site) -> None:
    """The operator's own words are not ours to translate."""
    usual = replace(consent(ALICE), purpose=ConsentTerms().purpose)
    german = consent_receipt(site, ALICES, usual, (), None, made("de")).text()
    own = consent_receipt(site, ALICES, consent(ALICE), (), None, made("de")).text()

    assert "Zweck: Um Ihnen die Türen" in german
    assert "Zweck: to open doors" in own


def test_erasure_receipt_counts_what_there_was_and_nothing_else(site: Site) -> None:
    """What there was none of is not listed."""
    text = erasure_receipt(site, ERASED, made("en")).text()

    assert (
        "Destroyed: name; keys of references and passes: 2; references of the face: 2; passes: 1; "
        "consents: 3; places in permits: 1\n"
    ) in text
    assert "Erased: 4 March 2026, 13:00" in text
    assert "Entry in the log: 9" in text


@pytest.mark.parametrize("locale", locales())
def test_attack_receipt_passed_off_as_a_checkpoint(site: Site, locale: str) -> None:
    """What the log's key signs for people is nothing that it signs for verifiers."""
    signer = Signer("postern.invalid/site", bytes(32))
    for receipt in receipts(site, locale):
        with pytest.raises(PosternError):
            open_checkpoint(signed(receipt.text()), signer.verifier)


def test_times_are_those_of_the_sites_clocks() -> None:
    """Also across a change of summer time."""
    summer = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)

    assert "1 July 2026, 12:00" == wording("en").time(made("en").here(summer))


def test_modes_are_told_apart(site: Site) -> None:
    """In every language."""
    for locale in locales():
        shown = {
            consent_receipt(site, ALICES, consent(ALICE, mode=mode), (), None, made(locale)).text()
            for mode in StorageMode
        }
        assert 3 == len(shown)

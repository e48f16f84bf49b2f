"""Consents on the command line: listed, read again, taken back, and on paper."""

import json
import os
import stat
from dataclasses import dataclass, replace
from datetime import timedelta
from html import escape, unescape
from pathlib import Path

import pytest

from postern.app.wire import open_site, read_site, tidy
from postern.core.consent import StorageMode
from postern.core.event import By, Revoked, Withdrawn
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.ledger.note import Note, Signer, open_note, parse_vkey
from tests.cli.enrolled import ROSTER, WHY, enrol
from tests.cli.terminal import postern


@dataclass(frozen=True, slots=True)
class Later:
    """A clock that is ahead of another."""

    clock: Clock
    by: timedelta

    def now(self) -> Moment:
        return self.clock.now().plus(self.by.total_seconds())


@pytest.fixture
def site(folder: Path) -> Path:
    with (folder / "site.toml").open("a") as file:
        file.write(ROSTER)
    return folder


def test_consents_are_listed_with_their_state(site: Path) -> None:
    """Who, how, where, until when; and which have ended."""
    assert "Nobody has agreed to anything.\n" == postern("consents", "list").out
    kept = enrol(site)
    enrol(site, "Yan", StorageMode.PASS)
    postern("consents", "withdraw", kept.consent.id)
    out = postern("consents", "list").out

    (zoe,), (yan,) = (
        [line for line in out.splitlines() if name in line] for name in ("Zoe", "Yan")
    )
    assert all(word in zoe for word in (kept.consent.id, "roster", "door", "taken back on"))
    assert all(word in yan for word in ("pass", "door", "in force"))
    listed = json.loads(postern("consents", "list", "--json").out)
    assert {"p-zoe": False, "p-yan": True} == {one["person"]: one["in_force"] for one in listed}


def test_what_was_agreed_to_is_shown_word_for_word(site: Path) -> None:
    """In any language, also after the site has changed what it asks."""
    kept = enrol(site)
    text = (site / "site.toml").read_text()
    (site / "site.toml").write_text(text + '[consent]\ntext_version = "2"\npurpose = "To count."\n')

    english = postern("consents", "show", kept.consent.id).out
    assert "At these access points, and nowhere else: door." in english
    assert WHY in english
    assert "To count." not in english
    german = json.loads(
        postern("consents", "show", kept.consent.id, "--locale", "de", "--json").out
    )
    assert "An diesen Zugängen und nirgends sonst: door." in [c["text"] for c in german["text"]]


def test_withdrawal_destroys_what_the_consent_covered_and_says_who_wanted_it(site: Path) -> None:
    """Once; a second time finishes what may have been left and records nothing."""
    kept = enrol(site)
    told = postern("consents", "withdraw", kept.consent.id, "--by", "person")

    assert "entry 2 of the log" in told.err
    assert "ended before" in postern("consents", "withdraw", kept.consent.id).err
    with open_site(read_site(site / "site.toml")) as installation:
        assert 0 == installation.store.credentials.count_sealed()
        assert frozenset() == installation.vault.keyed()
        (event,) = [e.event for e in installation.records.list() if isinstance(e.event, Withdrawn)]
    assert (By.PERSON, kept.consent.id) == (event.by, event.consent)


@pytest.mark.parametrize("by", By)
def test_everything_of_a_person_is_taken_back_by_who_wants_it(site: Path, by: By) -> None:
    """The event says who; that it ran out is nobody's wish, and is not offered."""
    enrol(site)
    told = postern("person", "withdraw", "p-zoe", "--by", by)
    with open_site(read_site(site / "site.toml")) as installation:
        ends = [e.event.by for e in installation.records.list() if isinstance(e.event, Withdrawn)]

    assert ((2, []) if by is By.EXPIRY else (0, [by])) == (told.code, ends)
    for command in ("consents", "person"):
        assert "expiry" not in postern(command, "withdraw", "--help").out


def test_withdrawal_ends_the_pass_that_went_by_it(site: Path) -> None:
    """Its key is gone, and it is known as one that counts no more."""
    kept = enrol(site, mode=StorageMode.PASS)
    assert kept.issued is not None
    postern("consents", "withdraw", kept.consent.id)

    with open_site(read_site(site / "site.toml")) as installation:
        assert frozenset() == installation.vault.keyed()
        (shown,) = installation.store.credentials.of(kept.consent.person)
        assert (kept.issued.credential.id, False) == (shown.id, shown.enabled)
        events = [e.event for e in installation.records.list()]
    assert [shown.id] == [e.credential for e in events if isinstance(e, Revoked)]


def test_expiry_is_noticed_once(site: Path) -> None:
    """What it covered goes, and one event says that nobody took it back."""
    text = (site / "site.toml").read_text()
    (site / "site.toml").write_text(text + "[consent]\nvalid_days = 1\n")
    kept = enrol(site)
    with open_site(read_site(site / "site.toml")) as installation:
        late = Later(installation.clock, timedelta(days=1))
        for _ in range(2):
            tidy(replace(installation, clock=late))
        events = [e.event for e in installation.records.list() if isinstance(e.event, Withdrawn)]
        assert [By.EXPIRY] == [event.by for event in events]
        assert 0 == installation.store.credentials.count_sealed()
        assert frozenset() == installation.vault.keyed()
    listed = postern("consents", "list").out
    assert "ran out on" in listed
    assert kept.consent.id in listed


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("show", "consent-none"), 4, "There is no consent of that id."),
        (("withdraw", "consent-none"), 4, "There is no consent of that id."),
        (("receipt", "consent-none", "--out", "r.html"), 4, "There is no consent of that id."),
        (("withdraw", "consent-none", "--by", "expiry"), 2, "is not one of 'person', 'operator'"),
        (("receipt", "consent-none", "--out", "r.pdf"), 3, "ends in .html, and r.pdf does not"),
        (("show", "consent-none", "--locale", "xx"), 4, "no texts in the language 'xx'"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    site: Path, typed: tuple[str, ...], code: int, said: str
) -> None:
    """And nothing is written."""
    told = postern("consents", *typed)

    assert code == told.code
    assert said in " ".join(told.err.replace("│", " ").split())
    assert not list(site.glob("r.*"))


def test_receipt_is_for_the_person_and_signed_by_the_site(site: Path) -> None:
    """A new file that only its owner may read, with the event's number and the whole text."""
    kept = enrol(site)
    assert 0 == postern("consents", "receipt", kept.consent.id, "--out", "r.html").code
    page = (site / "r.html").read_text()

    assert 0o600 == stat.S_IMODE((site / "r.html").stat().st_mode)
    for said in ("Garage", "Zoe (p-zoe)", kept.consent.id, "door", escape(WHY), "in force"):
        assert said in page
    assert f"Entry in the log: {kept.event}\n" in page
    signed = _note(page)
    vkey = (site / "data/ledger/log.vkey").read_text().strip()
    note, signatures = open_note(signed, [parse_vkey(vkey)])
    assert 1 == len(signatures)
    assert note.text.startswith("postern consent receipt 1\n")
    assert kept.consent.id in note.text


def test_receipt_is_checked_by_the_site_and_by_whoever_has_its_key(site: Path) -> None:
    """What was signed is shown, and the key with it; also of an erasure's, and away from the
    site."""
    kept = enrol(site)
    postern("consents", "receipt", kept.consent.id, "--out", "r.html")
    postern("person", "remove", "--yes", "p-zoe", "--receipt", "e.html")
    vkey = (site / "data/ledger/log.vkey").read_text().strip()
    for file, first in (("r.html", "consent"), ("e.html", "erasure")):
        for key in ((), ("--key", vkey, "--site", "nowhere.toml")):
            told = postern("consents", "check", file, *key)
            assert 0 == told.code, told.err
            assert told.out.startswith(f"postern {first} receipt 1\n")
            assert "Zoe (p-zoe)" in told.out
            assert vkey in told.err


def test_attack_receipt_that_was_altered_or_is_anothers_is_refused(site: Path) -> None:
    """In what was signed; what is altered beside it is not shown."""
    kept = enrol(site)
    postern("consents", "receipt", kept.consent.id, "--out", "r.html")
    page = (site / "r.html").read_text()
    stranger = Signer("stranger", bytes(32))
    foreign = Note("x\n", (stranger.sign("x\n"),)).encode().decode()
    pages = {
        page.replace("in force", "not in force"): 3,
        page.replace("<pre>", "<p>"): 3,
        page.split("</pre>")[0]: 3,
        "": 3,
        f"<pre>\n{foreign}</pre>": 6,
        f"<pre>\n{_checkpoint(site)}</pre>": 3,
    }
    for number, (altered, code) in enumerate(pages.items()):
        (site / f"{number}.html").write_text(altered)
        told = postern("consents", "check", f"{number}.html")
        assert (code, "") == (told.code, told.out), altered[-200:]

    (site / "beside.html").write_text(page.replace("<dd>", "<dd>Not this: "))
    assert "Not this" not in postern("consents", "check", "beside.html").out
    other = postern("consents", "check", "r.html", "--key", stranger.verifier.vkey)
    assert (6, "") == (other.code, other.out)
    assert 4 == postern("consents", "check", "none.html").code
    os.mkfifo("pipe.html")
    assert 3 == postern("consents", "check", "pipe.html").code


def _checkpoint(site: Path) -> str:
    """What the site has signed with the same key, and is no receipt."""
    with open_site(read_site(site / "site.toml")) as installation:
        installation.records.settle()
    return (site / "data/ledger/checkpoint").read_text()


def test_receipt_needs_nothing_from_anywhere(site: Path) -> None:
    """No script, no picture, no font, no address is loaded."""
    kept = enrol(site)
    postern("consents", "receipt", kept.consent.id, "--out", "r.html", "--locale", "de")
    page = (site / "r.html").read_text()

    assert '<html lang="de">' in page
    assert "Beleg über Ihre Einwilligung" in page
    for loading in ("http://", "https://", "<script", "<img", "<link", "url(", "@import", "src="):
        assert loading not in page


def test_receipt_never_overwrites_a_file(site: Path) -> None:
    """Whatever it is."""
    kept = enrol(site)
    (site / "r.html").write_text("mine")
    told = postern("consents", "receipt", kept.consent.id, "--out", "r.html")

    assert 5 == told.code
    assert "mine" == (site / "r.html").read_text()


def test_attack_name_with_markup_is_shown_as_it_is(site: Path) -> None:
    """A name is a name."""
    kept = enrol(site, "<script>alert(1)</script>")
    postern("consents", "receipt", kept.consent.id, "--out", "r.html")
    page = (site / "r.html").read_text()

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def _note(page: str) -> bytes:
    return unescape(page.split("<pre>\n")[1].split("</pre>")[0]).encode()

"""Receipts that a person keeps: one file each, that needs nothing else to be read or printed.

1. A page and its plain text say the same; what the site signs is the text.
2. Its fields follow the consent record of ISO/IEC TS 27560, as far as a site has them.
3. It is made when it is asked for, in the language that is asked for: neither is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from postern.app.consent_text import Clause, Clauses, contact, purpose
from postern.app.erasure import Erasure
from postern.app.site import ConsentTerms, Site
from postern.app.wording import Wording
from postern.core.consent import Consent
from postern.core.errors import invalid
from postern.core.ids import EventId
from postern.core.person import Person
from postern.ledger.note import Verifier, open_note

#: Gives a signed note (C2SP) of a text: the text, a blank line, and the site's signature.
Sign = Callable[[str], bytes]
#: What the signed text of a page comes after, and nothing else on it does.
_NOTE = "<pre>\n"
_CONSENT, _ERASURE = "postern consent receipt 1", "postern erasure receipt 1"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a receipt.

    Attributes:
        label: What it is.
        values: What it says; often just one thing.
    """

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a page says.

    Attributes:
        kind: What programs know it by.
        words: The texts of its language.
        title: What people know it by.
        lead: What it is good for.
        facts: What is known, line by line.
        parts: What there is to read.
        advice: What the person can do, which comes first; None where there is nothing to do.
        footer: When it was made, and by what.
    """

    kind: str
    words: Wording = field(repr=False)
    title: str
    lead: str
    facts: tuple[Fact, ...]
    parts: Clauses
    advice: Clause | None
    footer: str

    def text(self) -> str:
        """The same without its looks."""
        facts = "\n".join(f"{fact.label}: {'; '.join(fact.values)}" for fact in self.facts)
        shown = (self.advice, *self.parts) if self.advice else self.parts
        parts = "\n\n".join(f"{part.heading}\n{part.text}" for part in shown)
        return f"{self.kind}\n{self.title}\n\n{facts}\n\n{parts}\n\n{self.footer}\n"

    def page(self, sign: Sign) -> str:
        """The page, in HTML.

        Args:
            sign: Signs its text for the site.
        """
        environment = Environment(
            loader=PackageLoader("postern.app"), autoescape=True, undefined=StrictUndefined
        )
        template = environment.get_template("receipt.html.jinja")
        note = sign(self.text()).decode()
        return template.render(receipt=self, say=self.words.say, note=note)


def consent_receipt(
    site: Site,
    person: Person,
    consent: Consent,
    text: Clauses,
    event: EventId | None,
    made: "Made",
) -> Receipt:
    """What a person agreed to.

    Args:
        site: What `site.toml` says.
        person: Who agreed.
        consent: The consent.
        text: What they read, in the receipt's language; empty where it is not kept in it.
        event: The number of the event of the consent; None where it has expired.
        made: The language and the time of the receipt.
    """
    words, ask = made.words, contact(site, made.words)
    said = {
        "who_asked": f"{site.name} ({ask})",
        "who_agreed": f"{person.name} ({person.id})",
        "purpose": _purpose(consent, words),
        "places": ", ".join(sorted(consent.places)),
        "kind": words.say("receipt.kind_text"),
        "mode": words.say(f"mode.{consent.mode}"),
        "given": words.time(made.here(consent.given)),
        "expires": words.time(made.here(consent.expires)),
        "state": state(consent, made),
        "version": consent.text_version,
        "number": consent.id,
        "event": event or words.say("receipt.no_event"),
    }
    facts = tuple(Fact(words.say(f"receipt.{key}"), (value,)) for key, value in said.items())
    shown = text or (Clause(words.say("receipt.text"), words.say("receipt.no_text")),)
    ways = Clause(words.say("receipt.withdraw"), words.say("receipt.withdraw_text", contact=ask))
    return Receipt(
        _CONSENT,
        words,
        words.say("receipt.title"),
        words.say("receipt.lead"),
        facts,
        shown,
        ways,
        made.footer("receipt.printed"),
    )


def erasure_receipt(site: Site, erasure: Erasure, made: "Made") -> Receipt:
    """What was destroyed, and what remains."""
    words = made.words
    counted = {
        "keys": erasure.keys,
        "references": erasure.references,
        "passes": erasure.passes,
        "others": erasure.others,
        "consents": erasure.consents,
        "permits": erasure.permits,
        "presence": erasure.presence,
    }
    destroyed = [words.say("erasure.name")]
    destroyed += [f"{words.say(f'erasure.{key}')}: {n}" for key, n in counted.items() if n]
    said = {
        "who": (f"{erasure.person.name} ({erasure.person.id})",),
        "site": (f"{site.name} ({contact(site, words)})",),
        "when": (words.time(made.here(erasure.at)),),
        "destroyed": tuple(destroyed),
        "event": (erasure.event,),
    }
    remains = tuple(
        Clause(
            words.say(f"erasure.{what}.heading"),
            words.say(f"erasure.{what}.text", retention=site.retention.days),
        )
        for what in ("records", "proofs", "backups")
    )
    return Receipt(
        _ERASURE,
        words,
        words.say("erasure.title"),
        words.say("erasure.lead"),
        tuple(Fact(words.say(f"erasure.{key}"), values) for key, values in said.items()),
        remains,
        None,
        made.footer("erasure.printed"),
    )


def signed_text(page: bytes, site: Verifier) -> str:
    """What a site signed of a receipt. Only this counts: a page can show anything beside it.

    Args:
        page: The file, or as much of it as there is.
        site: The public key of the site's log.

    Raises:
        PosternError: `invalid` where it is no receipt, or was altered; `unauthorized` where it is
            not signed with that key.
    """
    _, begins, rest = page.decode(errors="replace").partition(_NOTE)
    note, ends, _ = rest.partition("</pre>")
    if not (begins and ends):
        raise invalid("This is no receipt.", "Name a file that postern made as one.")
    text = open_note(unescape(note).encode(), [site])[0].text
    if text.partition("\n")[0] not in (_CONSENT, _ERASURE):
        raise invalid("This is signed, but no receipt.")
    return text


@dataclass(frozen=True, slots=True)
class Made:
    """In which language a receipt is made, and when.

    Attributes:
        words: The texts of the language.
        at: The present time, on the site's clock.
    """

    words: Wording
    at: datetime

    def here(self, at: datetime) -> datetime:
        """A time on the site's clock."""
        return at.astimezone(self.at.tzinfo)

    def footer(self, key: str) -> str:
        """When it was made, and by what, in the words of that key."""
        program = version("postern")
        return self.words.say(key, date=self.words.time(self.at), program=program)


def state(consent: Consent, made: Made) -> str:
    """Whether a consent is in force, and since when it is not."""
    now, words = made.at, made.words
    if consent.expired(now):
        return words.say("state.expired", date=words.date(made.here(consent.expires)))
    if consent.withdrawn is not None:
        return words.say("state.withdrawn", date=words.date(made.here(consent.withdrawn)))
    return words.say("state.stands")


def _purpose(consent: Consent, words: Wording) -> str:
    """The purpose that was agreed to; the usual one in the language of the receipt."""
    return purpose(ConsentTerms(purpose=consent.purpose), words)

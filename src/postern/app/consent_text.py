"""The text that a person reads before a camera may know them.

1. It is put together from the site's settings and the way the reference is kept; only the access
   points are left blank, as each consent names its own.
2. What somebody agreed to is kept word for word, in every language, so that it can be shown again
   in any of them and does not tell which one the person reads.
3. Under one version a text never changes: where it comes out otherwise, nobody is enrolled.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from postern.app.site import ConsentTerms, Site
from postern.app.wording import Wording, locales, wording
from postern.core.consent import Consent, StorageMode
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import AccessPointId
from postern.store.consent_texts import ConsentTexts

_CLAUSES = ("what_for", "where", "kept", "records", "until", "rights", "another_way")


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of the text.

    Attributes:
        heading: What it is about.
        text: What it says.
    """

    heading: str
    text: str


Clauses = tuple[Clause, ...]


def compose(site: Site, mode: StorageMode, words: Wording) -> Clauses:
    """The text of a site in one language, with a blank where the access points go."""
    terms = site.consent
    blanks = {
        "site": _literal(site.name),
        "purpose": _literal(purpose(terms, words)),
        "justification": _literal(site.roster.justification or ""),
        "retention": site.retention.days,
        "days": terms.valid_days,
        "contact": _literal(contact(site, words)),
        "places": "{places}",
    }

    def clause(name: str) -> Clause:
        key = f"consent.{name}.{mode.value if name == 'kept' else 'text'}"
        return Clause(words.say(f"consent.{name}.heading"), words.say(key, **blanks))

    return tuple(map(clause, _CLAUSES))


def fill(clauses: Clauses, places: Iterable[AccessPointId]) -> Clauses:
    """A text with its access points."""
    named = ", ".join(sorted(places))
    return tuple(Clause(one.heading, one.text.format(places=named)) for one in clauses)


def purpose(terms: ConsentTerms, words: Wording) -> str:
    """What people are recognised for; the usual purpose in their language."""
    usual = terms.purpose == ConsentTerms().purpose
    return words.say("consent.purpose") if usual else terms.purpose


def contact(site: Site, words: Wording) -> str:
    """Whom to ask."""
    return site.consent.contact or words.say("consent.contact", site=site.name)


def check_text(site: Site, kept: ConsentTexts) -> None:
    """Refuses a text that came out otherwise than it was when people agreed to it.

    Raises:
        PosternError: `conflict` where it did; `invalid` where a kept text is damaged; `unavailable`
            where the store cannot be read now.
    """
    version = site.consent.text_version
    for locale in locales():
        for mode, shown in _kept(kept, version, locale).items():
            if shown != compose(site, mode, wording(locale)):
                raise PosternError(
                    Code.CONFLICT,
                    f"The consent text is not the one that people agreed to as version "
                    f"{version!r}: something that it says has changed.",
                    "Raise text_version under [consent] in site.toml, or change it back.",
                )


def keep_text(site: Site, mode: StorageMode, kept: ConsentTexts) -> None:
    """Keeps the text that somebody is about to agree to, in every language.

    Raises:
        PosternError: as `check_text`.
    """
    check_text(site, kept)
    version = site.consent.text_version
    for locale in locales():
        before = _kept(kept, version, locale)
        if mode not in before:
            shown = compose(site, mode, wording(locale))
            kept.keep(version, locale, _encode({**before, mode: shown}))


def agreed_text(consent: Consent, locale: str, kept: ConsentTexts) -> Clauses:
    """What a person agreed to, in that language; empty where it is not kept in it.

    Raises:
        PosternError: `invalid` where it is damaged; `unavailable`.
    """
    text = _kept(kept, consent.text_version, locale).get(consent.mode, ())
    return fill(text, consent.places)


def _literal(text: str) -> str:
    """The operator's words: braces in them are no blanks."""
    return text.replace("{", "{{").replace("}", "}}")


def _kept(kept: ConsentTexts, version: str, locale: str) -> dict[StorageMode, Clauses]:
    body = kept.find(version, locale)
    return {} if body is None else _decode(body)


def _encode(texts: Mapping[StorageMode, Clauses]) -> str:
    record = {m.value: [[c.heading, c.text] for c in clauses] for m, clauses in texts.items()}
    return json.dumps(record, ensure_ascii=False, sort_keys=True)


def _decode(body: str) -> dict[StorageMode, Clauses]:
    try:
        return {
            StorageMode(mode): tuple(Clause(str(heading), str(text)) for heading, text in clauses)
            for mode, clauses in json.loads(body).items()
        }
    except (ValueError, TypeError, AttributeError):
        raise invalid(
            "A kept consent text is damaged.", "Restore the store from a backup."
        ) from None

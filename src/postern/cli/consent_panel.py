"""The consent text in a terminal, and the person's answer."""

from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from postern.app.consent_text import Clauses, compose, fill
from postern.app.enrolment import Applicant
from postern.app.site import Site
from postern.app.wording import Wording, wording
from postern.cli.terminal import ERR, confirmed
from postern.core.errors import Code, PosternError

#: Columns in which a text reads well.
_WIDTH = 92


def ask(site: Site, applicant: Applicant, locale: str) -> None:
    """Shows the text before any look is taken, and asks.

    Raises:
        PosternError: `not_found` where there is no text in that language; `unauthorized` where the
            person does not agree.
    """
    words = wording(locale)
    clauses = fill(compose(site, applicant.mode, words), applicant.places)
    ERR.print(_panel(site, clauses, words))
    question = words.say("consent.question", name=applicant.person.name)
    if not confirmed(question):
        raise PosternError(
            Code.UNAUTHORIZED, "Nothing was kept: without consent nobody is enrolled."
        )


def draw(clauses: Clauses) -> Group:
    """The clauses, one below the other."""
    parts = [
        Padding(Text(one.heading, "bold").append(f"\n{one.text}", "not bold"), (0, 0, 1, 0))
        for one in clauses
    ]
    return Group(*parts)


def _panel(site: Site, clauses: Clauses, words: Wording) -> Panel:
    version = site.consent.text_version
    title = words.say("consent.title", site=site.name, version=version)
    return Panel(
        draw(clauses), title=Text(title), width=min(_WIDTH, ERR.width), padding=(1, 2, 0, 2)
    )

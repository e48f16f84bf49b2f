"""What stands on a pass beside its code, in the language of whoever carries it."""

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from postern.core.errors import Code, PosternError, invalid


@dataclass(frozen=True, slots=True)
class Label:
    """What a pass says to people. A name stands on it only where somebody asks for it.

    Attributes:
        site: The site's name, as people know it.
        until: The last day on which the pass counts, where the site is.
        language: Of its words, such as `en` (BCP 47).
        holder: Whose pass it is; left out where empty, so that a pass found tells no name.
    """

    site: str
    until: date
    language: str
    holder: str = ""

    def __post_init__(self) -> None:
        for text in (self.site, self.holder):
            if not (text.isprintable() and len(text) <= 80):
                raise invalid("What stands on a pass is one line of at most 80 characters.")
        if not self.site.strip():
            raise invalid("A pass names its site.")


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one pass, ready to be drawn."""

    title: str
    until: str
    keep: str
    lost: str
    hold: str
    print_it: str


def words(label: Label) -> Words:
    """The sentences of a pass in its language.

    Raises:
        PosternError: `not_found` where there are none in that language.
    """
    languages = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
    if label.language not in languages:
        raise PosternError(
            Code.NOT_FOUND,
            f"There are no passes in the language {label.language[:20]!r}.",
            f"There are: {', '.join(languages)}.",
        )
    found = languages[label.language]
    return Words(
        found["pass"], found["until"].format(date=label.until.isoformat()), found["keep"],
        found["lost"], found["hold"], found["print"],
    )  # fmt: skip

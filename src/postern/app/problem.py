"""What is wrong with a file that somebody wrote, line by line."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from postern.core.errors import Code, PosternError

#: Characters of somebody else's text that an error repeats.
_SHOWN = 40


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: Where, counted from 1.
        path: What, by its name from the top of the file; empty where the file itself is meant.
        message: What is wrong, in one sentence.
        hint: What to do about it; may be empty.
    """

    line: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.message} {self.hint}".rstrip()


class ConfigError(PosternError):
    """Everything that is wrong with a file, in the order of its lines.

    Its message has one line for the file and one for every problem.

    Args:
        file: The file.
        problems: At least one.
    """

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        title = f"{file.name} has {'an error' if count == 1 else f'{count} errors'}:"
        super().__init__(Code.INVALID, "\n  ".join([title, *map(str, self.problems)]))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what somebody meant: the nearest known word, else all of them."""
    words = tuple(known)
    return did_you_mean(word, words) or (f"Known: {', '.join(words)}." if words else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question; empty where none is near."""
    by_form = {_form(one): one for one in known}
    near = get_close_matches(_form(word[:_SHOWN]), by_form, n=1)
    return f"Did you mean {by_form[near[0]]}?" if near else ""


def shown(text: str) -> str:
    """Somebody else's text in quotes, short and without characters that a terminal obeys."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _form(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")

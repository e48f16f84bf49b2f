"""Safeguard: nothing takes an image, a vector or a person and answers where, who or how alike.

The command line is walked as it is. An option that takes a file, and every place in the program
that compares references, is listed here with the reason why it is no search; what somebody adds
fails first and has to be argued for in this file.
"""

import ast
import inspect
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer
from rich.console import Console

import postern
from postern import cli
from postern.cli.run import LineObserver
from postern.core.decision import Decision, Reason
from postern.core.ids import AttemptId, PermitId
from postern.engine.ports import Outcome
from tests.people import ALICE, DOOR

#: Every option that takes a path, and what it is for.
FILES = {
    ("demo", "video"): "plays in place of the demo's clip, before a throw-away store",
    ("demo", "report"): "is written",
    ("demo", "svg"): "is written",
    ("models import", "file"): "is a model, recognised by its hash",
    ("calibrate", "main"): "folders of pictures, from which counts are made",
    ("calibrate", "other"): "likewise",
    ("calibrate", "out"): "is written",
    ("evaluate faces", "folder"): "folders of pictures, compared with one another and nobody else",
    ("evaluate faces", "out"): "is written",
    ("bench", "peers"): "is a program",
    ("bench", "data"): "folders of pictures, compared with one another and nobody else",
    ("bench", "out"): "is written",
}
#: The site's own file, which most commands take.
SITE = {"site", "file"}
SITED = {
    "run", "check", "enrol", "events", "person list", "person withdraw", "person remove",
    "vehicle add", "vehicle list", "vehicle remove", "permit add", "permit list", "permit remove",
}  # fmt: skip
#: Options that name a person or vehicle, and what they do with it.
HOLDERS = {
    ("person withdraw", "person"): "takes their consent back",
    ("person remove", "person"): "forgets them",
    ("permit add", "person"): "lets them through",
    ("permit add", "vehicle"): "lets it through",
    ("enrol", "name"): "is what they want to be called",
    ("vehicle add", "plate"): "registers it",
    ("vehicle remove", "plate"): "forgets it",
}
#: Words of whatever could be looked for.
SOUGHT = (
    "person", "people", "vehicle", "plate", "face", "image", "picture", "photo", "embedding",
    "vector", "template", "name", "who", "holder", "search", "find", "match", "query",
)  # fmt: skip
#: Modules that may compare looks with references.
COMPARE = {
    "engine/lane.py": "an attempt at an access point, with its own references only",
    "app/matching.py": "hands the lane's comparison on",
}


def test_no_command_takes_a_file_that_could_be_looked_for() -> None:
    """Paths are taken by these commands only, for these reasons."""
    found = {
        (option.command, option.name)
        for option in _options()
        if "Path" in option.kind and (option.name not in SITE or option.command not in SITED)
    }

    assert FILES.keys() == found


def test_no_command_asks_after_anybody() -> None:
    """Whoever is named in an option is let through or forgotten, and not looked for."""
    found = {
        (option.command, option.name)
        for option in _options()
        if any(word in option.name.split("_") for word in SOUGHT)
    }

    assert HOLDERS.keys() == found - {("models fetch", "name")}


def test_events_cannot_be_asked_about_one_person() -> None:
    """They are shown in order and no otherwise."""
    options = {option.name for option in _options() if option.command == "events"}

    assert {"limit", "as_json", "site"} == options


def test_references_are_compared_in_an_attempt_only() -> None:
    """No other module of the program that runs a site calls a matcher."""
    callers = {name for name in _modules() if _calls_a_matcher(name)}

    assert COMPARE.keys() == callers


def _identify(picture: Path, person: str = "") -> None:
    """What must not be there."""


def test_walk_and_search_can_fail() -> None:
    """A command that searches, and a call that compares, would be seen."""

    alone = typer.Typer()
    alone.command()(_identify)
    options = tuple(_parameters("identify", typer.main.get_command(alone)))
    assert {("picture", True), ("person", False)} == {(o.name, "Path" in o.kind) for o in options}
    assert _compares(ast.parse("matcher.match(probes, references, seen)"))
    assert not _compares(ast.parse("re.match(pattern, text)"))


@pytest.mark.parametrize("granted", [True, False])
def test_a_guard_is_told_neither_a_name_nor_a_chance(granted: bool) -> None:
    """The line of `postern run` says where and why, for a grant as for a denial."""
    reason = Reason.PERMITTED if granted else Reason.AMBIGUOUS
    decision = Decision(
        AttemptId("a"), reason, PermitId("permit-of-alice"), (ALICE,), bound=1 / 124_848
    )
    told = io.StringIO()
    observer = LineObserver(Console(file=told, width=200))
    observer.ended(Outcome(DOOR.id, AttemptId("a"), decision, 3, (), "opened", 0.1))

    assert f"door: {'granted' if granted else 'denied'}" in told.getvalue()
    for secret in (ALICE, "alice", "124", "1 in", "e-06"):
        assert secret not in told.getvalue()


@dataclass(frozen=True)
class Option:
    """One thing that a command can be told.

    Attributes:
        command: The command's words.
        name: Its name in the program.
        kind: Its type as it is written.
    """

    command: str
    name: str
    kind: str


def _options() -> Iterator[Option]:
    """Everything that any command can be told."""
    for name in cli.COMMANDS:
        yield from _parameters(name, cli._load(name))


def _parameters(words: str, command: Any) -> Iterator[Option]:
    below = getattr(command, "commands", None)
    if below is None:
        hints = get_type_hints(inspect.unwrap(command.callback))
        hints.pop("return", None)
        yield from (Option(words, name, str(kind)) for name, kind in hints.items())
        return
    for name, one in below.items():
        yield from _parameters(f"{words} {name}", one)


def _modules() -> Iterator[str]:
    """The modules that run a site; evaluation compares pictures with one another."""
    root = Path(postern.__file__).parent
    for path in root.rglob("*.py"):
        name = str(path.relative_to(root))
        if not name.startswith("bench/"):
            yield name


def _calls_a_matcher(name: str) -> bool:
    return _compares(ast.parse((Path(postern.__file__).parent / name).read_text("utf-8")))


def _compares(tree: ast.AST) -> bool:
    """Whether it calls `match` with probes, references and a moment."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "match"
        and len(node.args) + len(node.keywords) >= 3
        for node in ast.walk(tree)
    )

"""Safeguard: nothing takes an image, a vector or a person and answers where, who or how alike.

The command line and everything that answers over HTTP are walked as they are. An option that takes
a file, a call over the network, and every place in the program that compares references or turns a
look into somebody, is listed here with the reason why it is no search; what somebody adds fails
first and has to be argued for in this file.
"""

import ast
import inspect
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_type_hints

import cv2
import httpx
import numpy as np
import pytest
import typer
from litestar import Litestar, post
from litestar.routes import HTTPRoute
from rich.console import Console

import postern
from postern import api, cli
from postern.api.witness import witness_app
from postern.app.clock import SystemClock
from postern.app.witness_folder import open_witness
from postern.cli.run import LineObserver
from postern.core.decision import Decision, Reason
from postern.core.ids import AttemptId, PermitId
from postern.engine.ports import Outcome
from postern.ledger.witness import MOST_BODY
from tests.api.serving import serving
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
    ("verify", "folder"): "a log, which names nobody",
    ("enrol", "out"): "is written",
    ("pass issue", "out"): "is written",
    ("pass renew", "out"): "is written",
    ("consents receipt", "out"): "is written",
    ("consents check", "file"): "a receipt, of which only its own text is shown",
    ("person export", "out"): "is written",
    ("person remove", "receipt"): "is written",
    ("prove", "out"): "is written",
    ("prove", "checked"): "a proof that an entry is in a log",
    ("witness serve", "folder"): "the witness's key, and checkpoints",
    ("witness key", "folder"): "likewise",
    ("backup", "file"): "is written",
    ("restore", "file"): "a backup of this very site, whole",
}
#: Options that name a person or vehicle, and what they do with it.
HOLDERS = {
    ("enrol", "person"): "takes new looks of them, as they stand before the camera",
    ("pass issue", "person"): "likewise, for a pass",
    ("person show", "person"): "what is kept about them, for them to see",
    ("person export", "person"): "likewise, which is recorded",
    ("person withdraw", "person"): "takes their consent back",
    ("person remove", "person"): "forgets them",
    ("permit add", "person"): "lets them through",
    ("permit add", "vehicle"): "lets it through",
    ("enrol", "name"): "is what they want to be called",
    ("events", "person"): "what was recorded of somebody known, for a reason, which is recorded",
    ("vehicle add", "plate"): "registers it",
    ("vehicle remove", "plate"): "forgets it",
}
#: Options with a name of no person.
NAMES_OF_THINGS = {("models fetch", "name"), ("witness serve", "name")}
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
#: What a camera saw, in any form; and who it could be, or how likely.
SEEN = {"Image", "Frame", "Sighting", "Look", "Track", "Template", "Vector", "Vectors", "NDArray"}
SOMEBODY = {
    "Person", "PersonId", "Vehicle", "VehicleId", "Holder", "Credential", "CredentialId",
    "Evidence", "Reference",
}  # fmt: skip
#: Modules with a function that makes one of the other.
TELLERS = {
    "frame.py": "the port of the next three",
    "vision/faces/match.py": "compares faces with the references that it is handed",
    "vision/plates/match.py": "compares plates likewise",
    "app/matching.py": "turns probes as the references are turned, and hands on",
    "engine/lane.py": "asks them, in an attempt, about its own access point's references",
}
#: What a refusal over HTTP says: words, and no number, name or list.
REFUSAL = re.compile(r"[A-Z][A-Za-z' ,:;.-]*\n?")
#: Every call over HTTP.
CALLS = {("POST", "/add-checkpoint"): "a witness signs the checkpoint of a log, or says why not"}


def test_no_command_takes_a_file_that_could_be_looked_for() -> None:
    """Paths are taken by these commands only, for these reasons."""
    found = {
        (option.command, option.name)
        for option in _options()
        if "Path" in option.kind and not _is_the_site(option)
    }

    assert FILES.keys() == found


def test_no_command_asks_after_anybody() -> None:
    """Whoever is named in an option is let through or forgotten, and not looked for."""
    found = {
        (option.command, option.name)
        for option in _options()
        if any(word in option.name.split("_") for word in SOUGHT)
    }

    assert HOLDERS.keys() == found - NAMES_OF_THINGS


def test_events_cannot_be_asked_about_a_face_or_a_stranger() -> None:
    """They are shown in order; of one person only by the id of somebody known, for a reason."""
    options = {option.name for option in _options() if option.command == "events"}

    assert {"limit", "person", "reason", "verify", "as_json", "site"} == options


def test_references_are_compared_in_an_attempt_only() -> None:
    """No other module of the program that runs a site calls a matcher."""
    callers = {name for name in _modules() if _calls_a_matcher(name)}

    assert COMPARE.keys() == callers


def test_looks_become_evidence_where_references_are_compared_and_nowhere_else() -> None:
    """No other function takes a picture, a look or a vector and gives a person or a chance."""
    found = {name for name in _modules() for _ in _tellers(_tree(name))}

    assert TELLERS.keys() == found


def test_nothing_over_http_takes_a_look_or_gives_a_person(tmp_path: Path) -> None:
    """Every call of every application is listed; there is no page that describes more."""
    found = {call for app in _applications(tmp_path) for call in _calls(app)}

    assert CALLS.keys() == found


@pytest.mark.parametrize("path", ["/add-checkpoint", "/match", "/identify", "/faces", "/"])
def test_attack_picture_or_vector_sent_over_http(path: str, tmp_path: Path) -> None:
    """Wherever it is sent to: refused, and the answer says nothing of it."""
    picture = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
    vector = np.linspace(-0.2, 0.2, 128, dtype=np.float32)
    bodies = (picture, vector.tobytes(), str(vector.tolist()).encode(), b'{"person": "p-alice"}')
    for number, app in enumerate(_applications(tmp_path)):
        with serving(app) as address, httpx.Client(trust_env=False) as client:
            for method, body in product(("GET", "POST", "PUT"), bodies):
                answer = client.request(method, f"{address}{path}", content=body)
                assert 400 <= answer.status_code < 500, number
                assert REFUSAL.fullmatch(answer.text), answer.text


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
    assert list(_tellers(ast.parse("def who(look: Template) -> PersonId: ...")))
    assert not list(_tellers(ast.parse("def ring(place: AccessPointId) -> PersonId: ...")))

    @post("/identify")
    async def identify() -> str:
        return "p-alice"

    assert {("POST", "/identify")} == set(_calls(Litestar([identify], openapi_config=None)))


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


def _is_the_site(option: "Option") -> bool:
    """Whether it is the site's own file, which most commands take."""
    return option.name == "site" or (option.name == "file" and option.command in ("run", "check"))


def _applications(folder: Path) -> tuple[Litestar, ...]:
    """Everything that answers over HTTP; whatever module is new has to be walked, too."""
    assert {"server", "witness"} == {module.name for module in iter_modules(api.__path__)}
    witness, _ = open_witness(folder / "witness", "witness.example", [], SystemClock())
    return (witness_app(witness, MOST_BODY, lambda _: None),)


def _calls(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute), route.path
        methods = {
            str(method) for handler in route.route_handlers for method in handler.http_methods
        }
        yield from ((method, route.path) for method in methods - {"OPTIONS", "HEAD"})


def _tellers(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions that take what a camera saw, and give somebody or how likely they are it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            taken = {name for one in arguments for name in _named(one.annotation)}
            if taken & SEEN and set(_named(node.returns)) & SOMEBODY:
                yield node


def _named(annotation: ast.AST | None) -> Iterator[str]:
    for node in ast.walk(annotation) if annotation else ():
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


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
    return _compares(_tree(name))


def _tree(name: str) -> ast.AST:
    return ast.parse((Path(postern.__file__).parent / name).read_text("utf-8"))


def _compares(tree: ast.AST) -> bool:
    """Whether it calls `match` with probes, references and a moment."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "match"
        and len(node.args) + len(node.keywords) >= 3
        for node in ast.walk(tree)
    )

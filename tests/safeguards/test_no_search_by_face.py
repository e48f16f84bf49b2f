"""Safeguard: nothing takes an image, a vector or a person and answers where, who or how alike.

The command line and everything that answers over HTTP are walked as they are. An option that takes
a file, a call over the network, and every place in the program that compares references or turns a
look into somebody, is listed here with the reason why it is no search; what somebody adds fails
first and has to be argued for in this file.
"""

import ast
import inspect
import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus
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
from postern.api.aim import aim_app
from postern.api.health import health_app
from postern.api.live import live_app
from postern.api.v1 import Nouns, api_app
from postern.api.witness import witness_app
from postern.app.clock import SystemClock
from postern.app.witness_folder import open_witness
from postern.cli.lines import TextLines
from postern.core.decision import MEANING, Decision, Reason
from postern.core.ids import AccessPointId, AttemptId, PermitId
from postern.core.ports import Report
from postern.engine.ports import Outcome
from postern.ledger.witness import MOST_BODY
from postern.web.problem import PROBLEM_TYPE
from tests.api.registry import opened_desk, told
from tests.console.desk import desk
from tests.people import ALICE, DOOR
from tests.web.serving import serving

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
    ("verify", "earlier"): "a checkpoint, likewise",
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
    ("upgrade", "root"): "the folder that Postern was installed into",
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
NAMES_OF_THINGS = {
    ("models fetch", "name"), ("witness serve", "name"),
    # Those who work with the site, and programs.
    ("user add", "name"), ("user disable", "name"), ("user enable", "name"), ("user role", "name"),
    ("user reset", "name"), ("key add", "name"), ("key revoke", "name"),
}  # fmt: skip
#: Every other option that takes a text, and what it is.
TEXTS = {
    ("upgrade", "release"): "a release's tarball or folder, whose program is installed",
    ("upgrade", "sha256"): "the hash of that tarball",
    ("aim", "camera"): "a camera of site.toml, whose pictures are measured",
    ("enrol", "camera"): "a camera of site.toml",
    ("enrol", "at"): "access points that they agree to",
    ("enrol", "locale"): "the language of what they read",
    ("person export", "locale"): "likewise",
    ("person remove", "locale"): "likewise",
    ("consents show", "locale"): "likewise",
    ("consents receipt", "locale"): "likewise",
    ("pass issue", "locale"): "likewise",
    ("pass renew", "locale"): "likewise",
    ("pass issue", "camera"): "a camera of site.toml",
    ("pass renew", "camera"): "likewise",
    ("consents show", "consent"): "the id of a consent, to read it",
    ("consents withdraw", "consent"): "likewise, to take it back",
    ("consents receipt", "consent"): "likewise, for its receipt",
    ("pass show", "pass_id"): "the id of a pass, which is listed",
    ("pass revoke", "pass_id"): "likewise, to make it count no more",
    ("vehicle add", "label"): "what it is called",
    ("permit add", "at"): "access points",
    ("permit add", "schedule"): "a schedule of site.toml",
    ("permit remove", "permit"): "the id of a permit, to take it away",
    ("mode set", "access_point"): "access points",
    ("mode set", "by"): "who orders it",
    ("mode set", "span"): "for how long",
    ("mode set", "until"): "until when",
    ("mode set", "why"): "why, which is recorded",
    ("mode end", "by"): "who lifts it",
    ("mode end", "order"): "the id of an order",
    ("events", "reason"): "why somebody looks, which is recorded",
    ("consents check", "key"): "a log's public key",
    ("verify", "key"): "likewise",
    ("verify", "witness"): "a witness's public key",
    ("prove", "event"): "an event's number",
    ("prove", "key"): "a log's public key",
    ("prove", "witness"): "a witness's public key",
    ("witness serve", "log"): "logs' public keys",
    ("witness serve", "host"): "where it listens",
    ("calibrate", "detector"): "a model",
    ("evaluate faces", "detector"): "a model",
    ("bench", "part"): "what is measured",
}
#: Numbers, switches, and choices of a few words.
CLOSED = {
    "postern.cli.upgrade.Step | None",
    "<class 'float'>",
    "<enum 'Role'>", "list[postern.core.role.Right]",
    "<class 'int'>", "int | None", "<class 'bool'>", "<enum 'Asker'>", "<enum 'Mode'>",
    "postern.core.consent.StorageMode | None", "postern.app.pass_drawing.Form | None",
}  # fmt: skip
#: Every command, and what whoever types it is told of people.
COMMANDS = {
    "demo": "of made-up people, in a throw-away store",
    "run": "where and why, at every attempt, and not of whom",
    "console": "where it is",
    "user add": "a code for somebody who is to work with the site",
    "user list": "who may sign in",
    "user disable": "that they may not any more",
    "user enable": "that they may again",
    "user role": "what they may do",
    "user reset": "a code for them",
    "user code": "a code for an administrator",
    "key add": "a program's key",
    "key list": "which programs have one",
    "key revoke": "that it counts no more",
    "check": "how the site is set up",
    "aim": "how large, sharp and lit a face or plate is, whoever it is",
    "doctor": "how the machine is that it runs on",
    "enrol": "what they agree to, and their new id",
    "person list": "who is registered, by name",
    "person show": "what is kept about one of them",
    "person export": "likewise, in a file for them",
    "person withdraw": "that a consent ended",
    "person remove": "that they are gone, and a receipt",
    "consents list": "who agreed to what",
    "consents show": "what one of them agreed to",
    "consents withdraw": "that it ended",
    "consents receipt": "a file for them",
    "consents check": "what the site signed of a receipt that is at hand",
    "pass issue": "a pass for somebody registered who stands before the camera",
    "pass renew": "another for whoever holds up an old one",
    "pass list": "who carries one",
    "pass show": "whose one of them is, by its id",
    "pass revoke": "that it counts no more",
    "vehicle add": "a plate that was typed in",
    "vehicle list": "plates that were typed in",
    "vehicle remove": "that one is gone",
    "permit add": "a permit's id",
    "permit list": "who may pass where",
    "permit remove": "that it is gone",
    "mode set": "the id of an order, to everybody alike",
    "mode end": "that it is lifted",
    "mode list": "what is ordered, where and why",
    "events": "what happened; of one person for a reason, which is recorded",
    "verify": "nothing: whether a log is whole",
    "prove": "one event, by its number, under pseudonyms",
    "witness serve": "nothing",
    "witness key": "nothing",
    "rekey": "how many references were sealed anew",
    "backup": "nothing",
    "restore": "how many did not come back",
    "upgrade": "which version serves the site",
    "models list": "nothing",
    "models fetch": "nothing",
    "models import": "nothing",
    "calibrate": "counts over a folder of pictures",
    "evaluate faces": "rates over a folder of pictures",
    "bench": "how long things take, and rates likewise",
}
#: Modules that have a reference opened, and for whom.
OPENERS = {
    "app/register.py": "for a lane, those that a permit there names",
    "app/claims.py": "for a lane, that of the pass which is held up",
}
#: Modules that read every sealed reference, and what they do with them.
READERS = {
    "app/backup.py": "drops those whose key is gone",
    "app/references.py": "tells how it stands with each",
    "app/rekey.py": "has them sealed anew",
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
#: What a refusal over HTTP says besides the name of its status, and every header that it has.
REFUSALS = {"This is not a request of a log.\n"}
HEADERS = {"content-type", "content-length", "date"}
#: Every call over HTTP.
CALLS = {
    ("POST", "/add-checkpoint"): "a witness signs the checkpoint of a log, or says why not",
    ("GET", "/health/live"): "a service says that it runs",
    ("GET", "/health/ready"): "and how its cameras, access points and actuators are",
    ("GET", "/{secret:str}"): "how a camera is placed, with a picture in which faces are covered",
    ("GET", "/live"): "the lanes as a page, and what happens now on a socket of the machine; "
    "strangers under no name, pictures too coarse for faces",
    ("POST", "/access-points/{name:str}/release"): "opens by hand, there; answers whether it did",
    # Signing in, and what is somebody's own there.
    ("POST", "/api/v1/sessions"): "signs an operator in by a password",
    ("POST", "/api/v1/sessions/code"): "by the code that follows it",
    ("POST", "/api/v1/sessions/passkey-options"): "asks a passkey, of nobody by name",
    ("POST", "/api/v1/sessions/passkey"): "signs an operator in by it",
    ("GET", "/api/v1/sessions/current"): "who is signed in, to themselves",
    ("DELETE", "/api/v1/sessions/current"): "ends it",
    ("DELETE", "/api/v1/sessions"): "ends all of theirs",
    ("POST", "/api/v1/sessions/current/proof"): "has them prove once more that it is they",
    ("POST", "/api/v1/sessions/current/passkey-options"): "asks one of their passkeys",
    ("POST", "/api/v1/sessions/current/passkey-proof"): "takes its answer",
    ("PUT", "/api/v1/me/password"): "changes their own password",
    ("POST", "/api/v1/me/codes"): "offers them codes of an app",
    ("PUT", "/api/v1/me/codes"): "takes the first of them",
    ("POST", "/api/v1/me/codes/removal"): "takes codes away",
    ("GET", "/api/v1/me/passkeys"): "their own passkeys",
    ("POST", "/api/v1/me/passkeys"): "takes a new one",
    ("POST", "/api/v1/me/passkeys/options"): "asks a device for it",
    ("DELETE", "/api/v1/me/passkeys/{passkey:str}"): "takes one away",
    ("GET", "/api/v1/setup"): "whether anybody administers the site",
    ("POST", "/api/v1/setup"): "takes a code of the terminal's",
    # Operators and programs.
    ("GET", "/api/v1/users"): "who works with the site",
    ("POST", "/api/v1/users"): "one more",
    ("GET", "/api/v1/users/{name:str}"): "one of them",
    ("PATCH", "/api/v1/users/{name:str}"): "gives them another role, or shuts them out",
    ("POST", "/api/v1/users/{name:str}/reset"): "takes away what they sign in by",
    ("GET", "/api/v1/keys"): "which programs have one",
    ("POST", "/api/v1/keys"): "one more",
    ("DELETE", "/api/v1/keys/{name:str}"): "one less",
    # The lanes.
    ("GET", "/api/v1/live"): "what happens now; strangers under no name",
    ("POST", "/api/v1/access-points/{access_point:str}/release"): "opens by hand",
    # The same as pages.
    ("GET", "/"): "leads to the lanes",
    ("GET", "/live/stream"): "what changes on that page",
    ("POST", "/live/{number:int}/release"): "opens by hand",
    ("GET", "/sign-in"): "a form",
    ("POST", "/sign-in"): "signs an operator in by a password",
    ("POST", "/sign-in/code"): "by the code that follows it",
    ("GET", "/setup"): "a form",
    ("POST", "/setup"): "takes a code of the terminal's",
    ("GET", "/prove"): "a form",
    ("POST", "/prove"): "has them prove once more that it is they",
    ("POST", "/sign-out"): "ends it",
    ("GET", "/static/{file_path:path}"): "a style and two scripts",
    ("GET", "/metrics"): "and how many attempts there were, by access point and reason",
    ("GET", "/api/v1/openapi.json"): "what the calls below are",
    ("GET", "/api/v1/people"): "who is registered, by a part of their name",
    ("GET", "/api/v1/people/{person:str}"): "one of them, by id",
    ("PATCH", "/api/v1/people/{person:str}"): "calls them otherwise",
    ("DELETE", "/api/v1/people/{person:str}"): "forgets them",
    ("GET", "/api/v1/people/{person:str}/consents"): "what they agreed to",
    ("POST", "/api/v1/people/{person:str}/withdrawal"): "takes all of it back",
    ("GET", "/api/v1/people/{person:str}/record"): "all about them, for a reason that is recorded",
    ("GET", "/api/v1/vehicles"): "what is registered, by a part of a plate that was typed in",
    ("POST", "/api/v1/vehicles"): "registers a plate that was typed in",
    ("GET", "/api/v1/vehicles/{vehicle:str}"): "one of them, by id",
    ("DELETE", "/api/v1/vehicles/{vehicle:str}"): "forgets it",
    ("GET", "/api/v1/consents/{consent:str}"): "what somebody agreed to, by its id",
    ("GET", "/api/v1/consents/{consent:str}/text"): "in the words that they were shown",
    ("POST", "/api/v1/consents/{consent:str}/withdrawal"): "takes it back",
    ("GET", "/api/v1/credentials"): "what somebody known is recognised by, and nothing of it",
    ("GET", "/api/v1/credentials/{credential:str}"): "one of them, by id",
    ("PATCH", "/api/v1/credentials/{credential:str}"): "switches it on or off",
    ("DELETE", "/api/v1/credentials/{credential:str}"): "ends it",
    ("GET", "/api/v1/permits"): "who may pass where",
    ("POST", "/api/v1/permits"): "lets somebody through",
    ("GET", "/api/v1/permits/{permit:str}"): "one of them, by id",
    ("PUT", "/api/v1/permits/{permit:str}"): "changes it",
    ("DELETE", "/api/v1/permits/{permit:str}"): "takes it away",
    ("GET", "/api/v1/schedules"): "what site.toml says",
    ("GET", "/api/v1/schedules/{schedule:str}"): "likewise",
    ("GET", "/api/v1/access-points"): "likewise",
    ("GET", "/api/v1/access-points/{access_point:str}"): "likewise",
    ("GET", "/api/v1/areas"): "likewise, and how many are inside",
    ("GET", "/api/v1/areas/{area:str}"): "likewise",
    ("GET", "/api/v1/events"): "what happened; of one holder for a reason, which is recorded",
    ("GET", "/api/v1/events/{number:int}"): "one event, by its number, under pseudonyms",
    ("GET", "/api/v1/events/{number:int}/proof"): "likewise, with its proof",
    ("GET", "/api/v1/log"): "how long the log is, and who signed it",
}


def test_every_command_is_listed_with_what_it_tells() -> None:
    """Another one has to be argued for."""
    assert COMMANDS.keys() == {words for words, _ in _commands()}


def test_every_text_that_a_command_takes_is_listed() -> None:
    """Whatever else it can be told is a path of those below, a number, or one of a few words."""
    others = [option for option in _options() if "Path" not in option.kind]
    texts = {(o.command, o.name) for o in others if re.search(r"\bstr\b", o.kind)}

    assert TEXTS.keys() | HOLDERS.keys() | NAMES_OF_THINGS == texts
    assert not TEXTS.keys() & HOLDERS.keys()
    assert CLOSED == {o.kind for o in others if (o.command, o.name) not in texts}


def test_references_are_opened_for_lanes_only() -> None:
    """Nothing else of the whole program, evaluation included, has the vault open one, nor looks
    through them all but to keep them."""
    trees = {
        name: _tree(name) for name in _modules(evaluation=True) if not name.startswith("vault/")
    }

    assert OPENERS.keys() == {name for name, tree in trees.items() if _opens(tree)}
    found = {name for name, tree in trees.items() if _takes(tree, "references", "all")}
    assert READERS.keys() == found


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
    with desk(tmp_path) as there:
        applications = (*_applications(tmp_path), there.console.app)
        found = {call for app in applications for call in _calls(app)}

    assert CALLS.keys() == found


@pytest.mark.parametrize(
    "path", ["/add-checkpoint", "/match", "/identify", "/faces", "/", "/api/v1/faces"]
)
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
                phrase = HTTPStatus(answer.status_code).phrase
                if answer.headers["content-type"] == PROBLEM_TYPE:
                    assert {"type", "title", "status", "detail"} == answer.json().keys()
                    assert (phrase, f"{phrase}.") == (
                        answer.json()["title"],
                        answer.json()["detail"],
                    )
                    continue
                assert answer.text in {f"{phrase}\n", *REFUSALS}
                assert HEADERS == answer.headers.keys()
                assert "text/plain; charset=utf-8" == answer.headers["content-type"]


def test_attack_picture_or_vector_sent_to_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an administrator, to every call that takes anything: refused, and nobody is named."""
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    picture = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
    vector = np.linspace(-0.2, 0.2, 128, dtype=np.float32)
    listed = str(vector.tolist())
    bodies = (
        (picture, "image/jpeg"), (picture, "application/json"),
        (vector.tobytes(), "application/octet-stream"), (listed.encode(), "application/json"),
        (b'{"face": ' + listed.encode() + b"}", "application/json"),
    )  # fmt: skip
    with opened_desk(tmp_path) as desk:
        for method, path in [c for c in _calls(_api()) if c[0] in ("POST", "PUT", "PATCH")]:
            at = re.sub(r"\{person:str\}", "p-zoe", path.removeprefix("/api/v1"))
            for body, kind in bodies:
                headers = {"Content-Type": kind, "If-Match": "*"}
                answer = desk.call(method, at, content=body, headers=headers)
                assert answer.status_code in (400, 415, 422), (method, path, kind)
                assert not re.search("zoe|ömer", answer.text, re.IGNORECASE)
        for path in ("/people", "/events", "/credentials", "/permits"):
            for name in ("face", "image", "embedding", "like", "similar_to"):
                assert 422 == desk.call("GET", path, params={name: listed[:500]}).status_code


def test_api_has_no_room_for_a_picture_or_a_vector() -> None:
    """What is sent is JSON; no field takes numbers in a row, bytes, or whatever it is given."""
    document: Any = next(
        handler.fn() for route in _api().routes if isinstance(route, HTTPRoute)
        for handler in route.route_handlers if "openapi.json" in route.path
    )  # fmt: skip
    described = json.loads(document.content)
    calls = [call for calls in described["paths"].values() for call in calls.values()]
    sent = [call["requestBody"]["content"] for call in calls if "requestBody" in call]
    assert sent
    assert {"application/json"} == {kind for content in sent for kind in content}
    names = {content["application/json"]["schema"]["$ref"].split("/")[-1] for content in sent}
    assert {"Name", "NewVehicle", "Switch", "Terms", "Withdrawal"} == names
    for name in names:
        for field, schema in described["components"]["schemas"][name]["properties"].items():
            assert not _holds_anything(schema), (name, field)
    assert _holds_anything({"type": "array", "items": {"type": "number"}})
    assert _holds_anything({})


def _holds_anything(schema: dict[str, Any]) -> bool:
    if "$ref" in schema or "oneOf" in schema:
        return any(map(_holds_anything, schema.get("oneOf", ())))
    if schema.get("type") == "array":
        return schema["items"].get("type") != "string" or "maxItems" not in schema
    if schema.get("type") == "string":
        return schema.get("format") in ("binary", "byte")
    return schema.get("type") not in ("integer", "boolean", "null")


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
    for taken in ("site.vault.open(kept)", "find = self._vault.open", "v.open(Sealed(c, p, b))"):
        assert _opens(ast.parse(taken)), taken
    assert not _opens(ast.parse("path.open()"))
    assert list(_tellers(ast.parse("def who(look: Template) -> PersonId: ...")))
    assert not list(_tellers(ast.parse("def ring(place: AccessPointId) -> PersonId: ...")))

    @post("/identify")
    async def identify() -> str:
        return "p-alice"

    assert {("POST", "/identify")} == set(_calls(Litestar([identify], openapi_config=None)))


@pytest.mark.parametrize("reason", Reason)
def test_a_guard_is_told_neither_a_name_nor_a_chance(reason: Reason) -> None:
    """The line of `postern run` says where and why, for every reason, and nothing else."""
    decision = Decision(
        AttemptId("a"), reason, PermitId("permit-of-alice"), (ALICE,), bound=1 / 124_848
    )
    told = io.StringIO()
    observer = TextLines(Console(file=told, width=200))
    observer.ended(Outcome(DOOR.id, AttemptId("a"), decision, 3, (), "what came of it", 0.1, True))

    why = MEANING[reason]
    assert told.getvalue() == (
        f"door: granted ({why}) what came of it 100 ms after the frame.\n"
        if decision.granted
        else f"door: denied ({why}: what came of it)\n"
    )
    assert not any(secret in why for secret in (ALICE, "alice", "124", "1 in"))


def _is_the_site(option: "Option") -> bool:
    """Whether it is the site's own file, which most commands take."""
    return option.name == "site" or (
        option.name == "file" and option.command in ("run", "console", "check", "doctor")
    )


def _applications(folder: Path) -> tuple[Litestar, ...]:
    """Everything that answers over HTTP; whatever module is new has to be walked, too."""
    modules = {module.name for module in iter_modules(api.__path__)}
    parts = {"call", "idempotency", "locale", "moments", "paging", "reason", "version"}
    calls = {"keys", "lanes", "me", "sessions", "setup", "users", "reception"}
    nouns = {"access_points", "consents", "credentials", "events", "log", "people", "permits",
             "schedules", "vehicles"}  # fmt: skip
    assert {"aim", "health", "live", "witness", "v1"} | parts | calls | nouns == modules
    witness, _ = open_witness(folder / "witness", "witness.example", [], SystemClock())
    return (
        witness_app(witness, MOST_BODY, lambda _: None),
        health_app(_Quiet()),
        aim_app(_Quiet(), "token"),
        live_app(_Quiet(), _Quiet()),
    )


def _api() -> Litestar:
    """The API, of which nobody can ask anything here."""
    nouns: dict[str, Any] = dict.fromkeys(Nouns.__dataclass_fields__)
    return api_app(Nouns(**nouns), [told])


class _Quiet:
    """A service of which there is nothing to say."""

    def ready(self) -> tuple[bool, object]:
        return True, {}

    def metrics(self) -> str:
        return ""

    def page(self) -> str:
        return ""

    async def watch(self, *, pictures: bool) -> AsyncIterator[bytes]:
        yield b""

    def release(self, access_point: AccessPointId, by: str, why: str) -> Report:
        return Report(False, "")


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
    for words, command in _commands():
        yield from _parameters(words, command)


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words; those that only hold others are none."""
    found = [(name, cli._load(name)) for name in cli.COMMANDS]
    while found:
        words, command = found.pop()
        below = getattr(command, "commands", None)
        if below is None:
            yield words, command
        else:
            found += [(f"{words} {name}", one) for name, one in below.items()]


def _parameters(words: str, command: Any) -> Iterator[Option]:
    hints = get_type_hints(inspect.unwrap(command.callback))
    hints.pop("return", None)
    yield from (Option(words, name, str(kind)) for name, kind in hints.items())


def _modules(*, evaluation: bool = False) -> Iterator[str]:
    """The modules that run a site; evaluation compares pictures with one another."""
    root = Path(postern.__file__).parent
    for path in root.rglob("*.py"):
        name = str(path.relative_to(root))
        if evaluation or not name.startswith("bench/"):
            yield name


def _calls_a_matcher(name: str) -> bool:
    return _compares(_tree(name))


def _tree(name: str) -> ast.AST:
    return ast.parse((Path(postern.__file__).parent / name).read_text("utf-8"))


def _opens(tree: ast.AST) -> bool:
    """Whether it takes `open` of what is called a vault, or calls it with what is sealed."""
    return _takes(tree, "vault", "open") or any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "open"
        and any("Sealed" in _named(argument) for argument in node.args)
        for node in ast.walk(tree)
    )


def _takes(tree: ast.AST, whose: str, what: str) -> bool:
    """Whether it uses the attribute `what` of something that is called `whose`."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == what
        and next(_named(node.value), "").lstrip("_") == whose
        for node in ast.walk(tree)
    )


def _compares(tree: ast.AST) -> bool:
    """Whether it calls `match` with probes, references and a moment."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "match"
        and len(node.args) + len(node.keywords) >= 3
        for node in ast.walk(tree)
    )

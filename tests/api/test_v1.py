"""The API as a whole: who may call what, what it describes, and what it refuses."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from postern.api.v1 import PATH, Nouns, api_app
from postern.core.role import RIGHTS, STEP_UP, Right, Role
from postern.web.problem import PROBLEM_TYPE
from tests.api.registry import ROLE, STALE, WHY, Desk
from tests.needs import missing

#: Calls that nobody has to be known for.
OPEN = {("GET", f"{PATH}/openapi.json")}
READ, SEE = (Right.READ,), (Right.READ, Right.WATCH)
#: Every other, with the rights of which one is enough.
CALLS = {
    ("GET", "/people"): READ,
    ("GET", "/people/{person}"): READ,
    ("PATCH", "/people/{person}"): (Right.ENROL,),
    ("DELETE", "/people/{person}"): (Right.ERASE,),
    ("GET", "/people/{person}/consents"): READ,
    ("POST", "/people/{person}/withdrawal"): (Right.ERASE,),
    ("GET", "/people/{person}/record"): (Right.EXPORT,),
    ("GET", "/vehicles"): READ,
    ("POST", "/vehicles"): (Right.ENROL,),
    ("GET", "/vehicles/{vehicle}"): READ,
    ("DELETE", "/vehicles/{vehicle}"): (Right.ERASE,),
    ("GET", "/consents/{consent}"): READ,
    ("GET", "/consents/{consent}/text"): READ,
    ("POST", "/consents/{consent}/withdrawal"): (Right.ERASE,),
    ("GET", "/credentials"): READ,
    ("GET", "/credentials/{credential}"): READ,
    ("PATCH", "/credentials/{credential}"): (Right.ENROL,),
    ("DELETE", "/credentials/{credential}"): (Right.ERASE,),
    ("GET", "/permits"): READ,
    ("POST", "/permits"): (Right.PERMIT,),
    ("GET", "/permits/{permit}"): READ,
    ("PUT", "/permits/{permit}"): (Right.PERMIT,),
    ("DELETE", "/permits/{permit}"): (Right.PERMIT,),
    ("GET", "/schedules"): SEE,
    ("GET", "/schedules/{schedule}"): SEE,
    ("GET", "/access-points"): SEE,
    ("GET", "/access-points/{access_point}"): SEE,
    ("GET", "/areas"): SEE,
    ("GET", "/areas/{area}"): SEE,
    ("GET", "/events"): (Right.READ_LOG,),
    ("GET", "/events/{number}"): (Right.READ_LOG,),
    ("GET", "/events/{number}/proof"): (Right.READ_LOG,),
    ("GET", "/log"): (Right.READ_LOG,),
}
#: What makes a call one that is answered, for those who may make it.
QUERY = {
    "/credentials": {"holder": "p-zoe"},
    "/people/{person}/record": {"reason": WHY},
}
BODY = {"/people/{person}": {"name": "X"}, "/credentials/{credential}": {"enabled": True}}


def handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every call that an application has."""
    for route in app.routes:
        assert isinstance(route, HTTPRoute), route.path
        for handler in route.route_handlers:
            for method in {*map(str, handler.http_methods)} - {"OPTIONS"}:
                yield method, route.path_format, handler


def app_of(desk: Desk) -> Litestar:
    """The application, which nobody calls."""
    nouns: dict[str, Any] = dict.fromkeys(Nouns.__dataclass_fields__)
    return api_app(Nouns(**nouns), [])


def test_every_call_names_its_right_or_is_open_to_all(desk: Desk) -> None:
    """Whatever is added has to be listed here."""
    found = {}
    for method, path, handler in handlers(app_of(desk)):
        rights = [getattr(guard, "rights", ()) for guard in handler.guards or ()]
        found[method, path] = tuple(right for some in rights for right in some)

    assert OPEN == {call for call, rights in found.items() if not rights}
    asked = {(m, path.removeprefix(PATH)): r for (m, path), r in found.items() if r}
    assert {call: set(rights) for call, rights in CALLS.items()} == {
        call: set(rights) for call, rights in asked.items()
    }


@pytest.mark.parametrize("role", [*Role, None])
def test_only_those_are_answered_who_may_call(desk: Desk, role: Role | None) -> None:
    """Of each role, at each call; whoever may is never told that they may not."""
    held = RIGHTS[role] if role else frozenset()
    for (method, path), rights in CALLS.items():
        headers = {"If-Match": '"none"', **({ROLE: role.value} if role else {})}
        body = BODY.get(path, {}) if method in ("PATCH", "POST", "PUT") else None
        at = path.format(person="p-1", vehicle="v-1", consent="c-1", credential="x", permit="p",
                         schedule="s", access_point="a", area="r", number=7)  # fmt: skip
        answer = desk.client.request(
            method, f"{PATH}{at}", headers=headers, json=body, params=QUERY.get(path)
        )
        case = f"{role} {method} {path}: {answer.status_code}"
        if role is None:
            assert 401 == answer.status_code, case
        elif held.intersection(rights):
            assert answer.status_code in (200, 404, 422), case
        else:
            assert 403 == answer.status_code, case
        if answer.status_code >= 400:
            assert PROBLEM_TYPE == answer.headers["Content-Type"], case


def test_calls_that_ask_once_more_who_it_is(desk: Desk) -> None:
    """Of somebody who signed in a while ago: all that change, and what is taken along."""
    stale = {STALE: "1", "If-Match": '"none"'}
    for (method, path), rights in CALLS.items():
        answer = desk.call(method, path.replace("{number}", "1"), headers=stale)
        proves = set(rights) <= STEP_UP
        assert proves is (method != "GET" or path.endswith("/record")), path
        if proves:
            assert (401, "urn:postern:problem:step-up") == (
                answer.status_code, answer.json()["type"],
            )  # fmt: skip


def test_document_describes_every_call(desk: Desk) -> None:
    """In OpenAPI 3.1, with who may call and how it is refused; there is no page beside it."""
    answer = desk.client.get(f"{PATH}/openapi.json")
    document = answer.json()
    described = {
        (method.upper(), path.removeprefix(PATH)): call
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    }

    assert document["openapi"].startswith("3.1")
    assert CALLS.keys() == described.keys()
    assert {"session", "key"} == document["components"]["securitySchemes"].keys()
    assert "__Host-postern" == document["components"]["securitySchemes"]["session"]["name"]
    for call, told in described.items():
        assert told["summary"], call
        assert told["description"], call
        assert [{"session": []}, {"key": []}] == told["security"]
        for status, response in told["responses"].items():
            if int(status) >= 400:
                assert {PROBLEM_TYPE} == response["content"].keys(), (call, status)
        assert {"400", "401", "403", "422", "503"} <= told["responses"].keys()
    assert len({told["operationId"] for told in described.values()}) == len(described)
    for path in ("", "/", "/schema", "/openapi.yaml", "/openapi.yml", "/swagger", "/redoc"):
        assert 404 == desk.client.get(f"{PATH}{path}").status_code
    assert b"http" not in answer.content.replace(b'"http"', b"")


def test_nothing_that_is_sent_is_called_as_what_calls_are_handed(desk: Desk) -> None:
    """What is wrong with it would be taken for a fault of ours."""
    document = desk.client.get(f"{PATH}/openapi.json").json()
    schemas = document["components"]["schemas"]
    bodies = re.findall(r"\'requestBody\'.*?schemas/(\w+)", str(document["paths"]))
    fields = {name for body in bodies for name in schemas[body]["properties"]}
    fields |= {
        parameter["name"]
        for calls in document["paths"].values()
        for call in calls.values()
        for parameter in call.get("parameters", ())
    }

    assert {"people", "holder", "plate", "enabled", "asked_by"} <= fields
    assert not fields & {*Nouns.__dataclass_fields__, "caller", "request"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"plate": "B123"', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"B123"', "application/json", 422),
        (b'{"plate": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"plate": "' + b"B" * 300_000 + b'"}', "application/json", 413),
        (b'{"plate": "B123"}', "text/plain", 415),
        (b"plate=B123", "application/x-www-form-urlencoded", 415),
        (b"\x81\xa5plate\xa4B123", "application/x-msgpack", 415),
        (b'--x\r\nContent-Disposition: form-data; name="plate"\r\n\r\nB123\r\n--x--',
         "multipart/form-data; boundary=x", 415),
        (b'{"plate": "B123"}', "", 415),
    ],
)  # fmt: skip
def test_body_that_cannot_be_read_is_a_problem(
    desk: Desk, body: bytes, kind: str, status: int
) -> None:
    """Of any sort; never a fault of ours."""
    headers = {"Content-Type": kind} if kind else {}
    answer = desk.call("POST", "/vehicles", content=body, headers=headers)

    assert (status, PROBLEM_TYPE) == (answer.status_code, answer.headers["Content-Type"])
    assert [] == desk.get("/vehicles")["items"]


def test_parameters_that_a_call_does_not_have_are_refused(desk: Desk) -> None:
    """A filter that is misspelt would show everything; one that is there twice, either."""
    for query in ("?nam=zoe", "?limit=1&limit=2", "?name=a&name=b", "?person=p-zoe"):
        answer = desk.call("GET", f"/people{query}")
        assert 422 == answer.status_code
        assert "Known: cursor, limit, name" in answer.json()["errors"][0]["allowed"]


def test_no_input_that_the_document_allows_finds_a_fault_of_ours(
    desk: Desk, tmp_path: Path
) -> None:
    """Schemathesis makes them up, from the document; no answer is 5xx."""
    program = Path(sys.executable).with_name("st")
    if not program.exists():
        missing("schemathesis")
    command = [
        str(program), "run", f"{desk.address}{PATH}/openapi.json",
        "--header", f"{ROLE}: administrator",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance",
        "--phases", "examples,fuzzing", "--max-examples", "4", "--seed", "7", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all",
        "--generation-database", "none",
    ]  # fmt: skip
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )

    assert 0 == ran.returncode, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert re.search(rf"Operations:.*\b{len(CALLS)}\b", ran.stdout), ran.stdout[-3000:]


def test_answers_are_not_kept_by_others(desk: Desk) -> None:
    """Lists and refusals not at all; a single thing only to be asked for anew."""
    for path in ("/people", "/events", "/log", "/permits", "/people/p-nobody"):
        assert "no-store" == desk.call("GET", path).headers["Cache-Control"]
    assert "private, no-cache" == desk.call("GET", "/people/p-zoe").headers["Cache-Control"]
    assert json.loads(desk.call("GET", "/people/p-zoe").text)

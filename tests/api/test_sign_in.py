"""Signing in over HTTP, and who calls from then on."""

from base64 import b32decode
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from postern.core.role import NOT_BY_KEY, RIGHTS, Right, Role
from postern.web.authenticate import COOKIE, for_everybody, proven, signed_in
from postern.web.problem import PROBLEM_TYPE
from tests.api.desk import Browser, ServedDesk, app, served_desk
from tests.app.signin.front_desk import GUSS, MARIAS, NOBODYS, ORIGIN, FrontDesk
from tests.authenticator import Authenticator


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ServedDesk]:
    with served_desk(tmp_path / "data") as made:
        yield made


@pytest.fixture
def maria(desk: ServedDesk) -> Browser:
    """Maria's browser, in which she is signed in."""
    browser = desk.browser()
    assert 201 == browser.enter("maria", MARIAS).status_code
    return browser


def kind(answer: httpx.Response) -> str:
    """Which problem it is."""
    assert PROBLEM_TYPE == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    return str(answer.json()["type"]).removeprefix("urn:postern:problem:")


def test_password_signs_in_and_the_session_says_whose_it_is(desk: ServedDesk) -> None:
    """With what its pages have to bring along."""
    browser = desk.browser()
    entered = browser.enter("gus", GUSS)
    current = browser.call("GET", "/sessions/current")

    assert {"user": "gus", "role": "guard", "csrf": browser.csrf} == entered.json()
    assert sorted(RIGHTS[Role.GUARD]) == current.json()["rights"]
    assert ("gus", True, False) == tuple(current.json()[k] for k in ("user", "fresh", "codes"))
    assert browser.csrf == current.json()["csrf"] != browser.token
    assert "no-store" == current.headers["cache-control"] == entered.headers["cache-control"]
    assert "user:gus" == browser.call("GET", "/watched").text


def test_cookie_is_for_this_host_over_tls_and_for_no_script(desk: ServedDesk) -> None:
    """And is gone with the browser."""
    written = desk.browser().enter("maria", MARIAS).headers["set-cookie"]
    (cookie,) = SimpleCookie(written).values()

    assert COOKIE == cookie.key == "__Host-postern"
    assert (True, True, "lax", "/") == tuple(
        cookie[name] for name in ("secure", "httponly", "samesite", "path")
    )
    assert ("", "", "") == tuple(cookie[name] for name in ("domain", "max-age", "expires"))


@pytest.mark.parametrize("path", ["/sessions/current", "/watched", "/users", "/me/passkeys"])
def test_nobody_is_let_in_without_a_session(desk: ServedDesk, path: str) -> None:
    """Nor with one that is made up."""
    browser = desk.browser()
    assert "sign-in" == kind(browser.call("GET", path))
    browser.token = "A" * 43
    assert "sign-in" == kind(browser.call("GET", path))
    browser.token = "A" * 5000
    assert "sign-in" == kind(browser.call("GET", path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users"), ("GET", "/users/gus"), ("POST", "/users/gus/reset"), ("GET", "/keys"),
        ("GET", "/me/passkeys"), ("POST", "/me/codes"), ("POST", "/me/passkeys/options"),
        ("GET", "/setup"), ("DELETE", "/sessions/current"),
    ],
)  # fmt: skip
def test_answer_stays_in_no_browsers_cache(maria: Browser, method: str, path: str) -> None:
    """Whoever comes after reads neither codes nor who there is."""
    answer = maria.call(method, path)

    assert answer.is_success
    assert "no-store" == answer.headers["cache-control"]


def test_code_follows_the_password(desk: ServedDesk, maria: Browser) -> None:
    """Once an app has them; then it is asked for to prove it again, too."""
    user = desk.front.reception.office.users.named("maria")
    offered = maria.call("POST", "/me/codes").json()
    desk.front.secrets["maria"] = b32decode(offered["secret"])
    assert offered["uri"].startswith("otpauth://totp/North%20gate%3Amaria?")
    assert offered["picture"].startswith("<svg")
    code = {"ticket": offered["ticket"], "code": desk.front.code(user)}
    assert 204 == maria.call("PUT", "/me/codes", code).status_code
    desk.front.clock.advance(30.0)
    browser = desk.browser()
    wanted = browser.enter("maria", MARIAS)

    assert 202 == wanted.status_code
    assert "set-cookie" not in wanted.headers
    code = {"ticket": wanted.json()["ticket"], "code": desk.front.code(user)}
    assert 201 == browser.call("POST", "/sessions/code", code).status_code
    assert browser.call("GET", "/sessions/current").json()["codes"] is True
    shown = {"password": MARIAS}
    assert "wrong" == kind(browser.call("POST", "/sessions/current/proof", shown))
    shown["code"] = desk.front.code(user, 1)
    assert 201 == browser.call("POST", "/sessions/current/proof", shown).status_code
    gone = {"former": MARIAS, "password": NOBODYS, "code": desk.front.code(user, 1)}
    assert "wrong" == kind(browser.call("POST", "/me/codes/removal", gone))
    desk.front.clock.advance(60.0)
    gone["code"] = desk.front.code(user)
    assert 201 == browser.call("POST", "/me/codes/removal", gone).status_code
    assert 201 == desk.browser().enter("maria", NOBODYS).status_code


def test_passkey_is_added_signs_in_proves_and_is_removed(desk: ServedDesk, maria: Browser) -> None:
    """All of it by what browsers send."""
    phone = Authenticator(ORIGIN)
    asked = maria.call("POST", "/me/passkeys/options").json()
    made = {"ticket": asked["ticket"], "name": "Phone", "answer": phone.make(asked["options"])}
    added = maria.call("POST", "/me/passkeys", made)
    browser = desk.browser()
    asked = browser.call("POST", "/sessions/passkey-options").json()
    answer = {"ticket": asked["ticket"], "answer": phone.answer(asked["options"])}
    entered = browser.call("POST", "/sessions/passkey", answer)
    assert (201, "Phone", 201) == (added.status_code, added.json()["name"], entered.status_code)
    desk.front.clock.advance(600.0)
    assert "step-up" == kind(browser.call("GET", "/me/passkeys"))
    asked = browser.call("POST", "/sessions/current/passkey-options").json()
    assert 1 == len(asked["options"]["allowCredentials"])
    answer = {"ticket": asked["ticket"], "answer": phone.answer(asked["options"])}
    former = browser.token
    assert 201 == browser.call("POST", "/sessions/current/passkey-proof", answer).status_code
    assert former != browser.token
    (kept,) = browser.call("GET", "/me/passkeys").json()

    assert added.json()["id"] == kept["id"]
    assert 204 == browser.call("DELETE", f"/me/passkeys/{kept['id']}").status_code
    assert [] == browser.call("GET", "/me/passkeys").json()
    assert "not-found" == kind(browser.call("DELETE", f"/me/passkeys/{kept['id']}"))


def test_leaving_ends_the_session_here_or_everywhere(desk: ServedDesk, maria: Browser) -> None:
    """And the browser forgets the cookie."""
    other, third = desk.browser(), desk.browser()
    other.enter("maria", MARIAS)
    third.enter("maria", MARIAS)
    token = maria.token
    left = maria.call("DELETE", "/sessions/current")
    assert (204, "") == (left.status_code, maria.token)
    assert "Max-Age=0" in left.headers["set-cookie"]
    maria.token = token
    assert "sign-in" == kind(maria.call("GET", "/sessions/current"))
    assert 200 == other.call("GET", "/sessions/current").status_code
    assert 204 == other.call("DELETE", "/sessions").status_code

    assert "sign-in" == kind(third.call("GET", "/sessions/current"))


def test_attack_session_that_was_planted(desk: ServedDesk) -> None:
    """Whoever signs in gets a token that nobody knew before; what was there is over."""
    attacker, victim = desk.browser(), desk.browser()
    attacker.enter("gus", GUSS)
    victim.token, victim.csrf = attacker.token, attacker.csrf
    planted = attacker.token
    assert 201 == victim.enter("maria", MARIAS).status_code

    assert planted != victim.token
    assert "sign-in" == kind(attacker.call("GET", "/sessions/current"))
    assert "maria" == victim.call("GET", "/sessions/current").json()["user"]


CROSS = [
    {"site": "cross-site", "origin": "https://evil.example"},
    {"site": "cross-site", "origin": ORIGIN},
    {"site": "same-site", "origin": "https://other.door.example"},
    {"site": "same-origin", "origin": "https://evil.example"},
    {"site": "none", "origin": "https://evil.example"},
    {"site": "none", "origin": None},
    {"site": None, "origin": None},
    {"site": None, "origin": "null"},
    {"site": None, "origin": "http://door.example"},
]


@pytest.mark.parametrize("said", CROSS)
def test_attack_page_of_somebody_else_posts(
    desk: ServedDesk, maria: Browser, said: dict[str, str | None]
) -> None:
    """In a browser that is signed in, even with what only our pages know; and it signs nobody in
    as somebody else."""
    evil = desk.browser(**said)
    evil.token, evil.csrf = maria.token, maria.csrf
    for call in (
        evil.call("POST", "/opened"),
        evil.call("DELETE", "/sessions"),
        evil.call("POST", "/users", {"name": "mallory", "role": "administrator"}),
        desk.browser(**said).enter("gus", GUSS),
    ):
        assert "origin" == kind(call)

    assert 200 == maria.call("GET", "/sessions/current").status_code
    assert ["gus", "maria"] == [user["name"] for user in maria.call("GET", "/users").json()]


@pytest.mark.parametrize("said", [{}, {"site": None}, {"site": "none"}, {"origin": None}])
def test_our_own_pages_may_post(desk: ServedDesk, said: dict[str, str | None]) -> None:
    """Also in browsers that say only half of it."""
    browser = desk.browser(**said)

    assert 201 == browser.enter("maria", MARIAS).status_code
    assert (201, "user:maria") == (browser.call("POST", "/opened").status_code,
                                   browser.call("POST", "/opened").text)  # fmt: skip


def test_attack_post_without_what_our_pages_know(desk: ServedDesk, maria: Browser) -> None:
    """Nothing, that of another session, that of one before, or nearly right."""
    other = desk.browser()
    other.enter("maria", MARIAS)
    right, former = maria.csrf, other.csrf
    other.call("POST", "/sessions/current/proof", {"password": MARIAS})
    for wrong in ("", "x", other.csrf, former, right[:-1] + ("0" if right[-1] != "0" else "1"),
                  right.upper(), right[:-1]):  # fmt: skip
        maria.csrf = wrong
        assert "csrf" == kind(maria.call("POST", "/opened"))
    maria.csrf = former
    assert "csrf" == kind(maria.call("DELETE", "/sessions"))
    other_token = other.token
    other.token, other.csrf = other_token, former
    assert "csrf" == kind(other.call("POST", "/opened"))
    maria.csrf = right

    assert 201 == maria.call("POST", "/opened").status_code


@pytest.mark.parametrize("how", ["data", "files"])
def test_form_brings_it_along_as_a_field(desk: ServedDesk, maria: Browser, how: str) -> None:
    """In either way in which browsers send forms."""

    headers = {"Cookie": f"{COOKIE}={maria.token}", "Sec-Fetch-Site": "same-origin"}

    def post(fields: dict[str, str]) -> httpx.Response:
        if how == "data":
            return maria.client.post("/api/v1/opened", headers=headers, data=fields)
        parts = {name: (None, value) for name, value in fields.items()}
        return maria.client.post("/api/v1/opened", headers=headers, files=parts)

    assert "csrf" == kind(post({"csrf": "x"}))
    assert "csrf" == kind(post({"other": maria.csrf}))
    assert "user:maria" == post({"csrf": maria.csrf}).text


def test_reading_takes_neither(desk: ServedDesk, maria: Browser) -> None:
    """A link from elsewhere leads in."""
    maria.site, maria.origin, maria.csrf = "cross-site", None, ""

    assert "user:maria" == maria.call("GET", "/watched").text


def test_attack_both_a_session_and_a_key(desk: ServedDesk, maria: Browser) -> None:
    """Nobody has to guess which of them counted."""
    made = maria.call("POST", "/keys", {"name": "payroll", "rights": ["watch"], "days": 9}).json()
    maria.headers = {"Authorization": f"Bearer {made['secret']}"}

    assert "two-callers" == kind(maria.call("GET", "/watched"))
    maria.token = ""
    assert "key:payroll" == maria.call("GET", "/watched").text


def test_program_calls_with_its_key_and_nothing_else(desk: ServedDesk, maria: Browser) -> None:
    """Neither origin nor page is asked for: no browser sends it by itself."""
    made = maria.call("POST", "/keys", {"name": "gate", "rights": ["open"], "days": 9})
    key = made.json()["secret"]
    program = desk.program(key)

    assert 201 == made.status_code
    assert {"name": "gate", "rights": ["open"], "by": "user:maria", "used": None}.items() <= (
        made.json()["key"].items()
    )
    assert "key:gate" == program.post("/api/v1/opened").text
    (listed,) = maria.call("GET", "/keys").json()
    assert desk.front.desk.now().date().isoformat() == listed["used"]
    assert key not in str(listed)
    assert 204 == maria.call("DELETE", "/keys/gate").status_code
    assert "key" == kind(program.post("/api/v1/opened"))
    assert "not-found" == kind(maria.call("DELETE", "/keys/gate"))


@pytest.mark.parametrize("right", Right)
def test_attack_key_with_a_right_that_it_was_not_given(
    desk: ServedDesk, maria: Browser, right: Right
) -> None:
    """It has those that it was given, and no key has those that no key may have."""
    made = maria.call("POST", "/keys", {"name": "key", "rights": [right], "days": 9})
    if right in NOT_BY_KEY:
        assert 422 == made.status_code
        assert "rights" == made.json()["errors"][0]["field"]
        return
    program = desk.program(made.json()["secret"])
    for other, answer in (
        (Right.WATCH, program.get("/api/v1/watched")),
        (Right.OPEN, program.post("/api/v1/opened")),
        (Right.ADMIT, program.get("/api/v1/users")),
        (
            Right.ADMIT,
            program.post("/api/v1/keys", json={"name": "b", "rights": ["read"], "days": 1}),
        ),
    ):
        assert (right is other) is answer.is_success
        assert answer.is_success or "not-allowed" == kind(answer)
    for path in ("/me/passkeys", "/sessions/current"):
        assert "sign-in" == kind(program.get(f"/api/v1{path}"))


@pytest.mark.parametrize(
    "written", ["Basic bWFyaWE6eA==", "Bearer", "Bearer  x", "bearer pk_1_2", "x" * 5000, "pk_"]
)
def test_attack_key_that_is_none(desk: ServedDesk, written: str) -> None:
    """Whatever is written there is not passed over, also where nobody needs one."""
    for path in ("/watched", "/setup"):
        answer = desk.client().get(f"/api/v1{path}", headers={"Authorization": written})
        assert (401, "key") == (answer.status_code, kind(answer))


def test_attack_key_that_has_run_out(desk: ServedDesk, maria: Browser) -> None:
    """To the second."""
    made = maria.call("POST", "/keys", {"name": "k", "rights": ["watch"], "days": 1}).json()
    program = desk.program(made["secret"])
    desk.front.clock.advance(timedelta(days=1).total_seconds() - 1.0)
    assert 200 == program.get("/api/v1/watched").status_code
    desk.front.clock.advance(1.0)

    assert "key" == kind(program.get("/api/v1/watched"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "K", "rights": ["read"], "days": 9}, "name"),
        ({"name": "k", "rights": [], "days": 9}, "rights"),
        ({"name": "k", "rights": ["read"], "days": 0}, "days"),
        ({"name": "k", "rights": ["read"], "days": 401}, "days"),
        ({"name": "k", "rights": ["fly"], "days": 9}, "rights"),
        ({"name": "k", "rights": ["read"]}, "days"),
        ({"name": 5, "rights": ["read"], "days": 9}, "name"),
    ],
)
def test_key_that_cannot_be_made_names_the_field(
    maria: Browser, body: dict[str, object], field: str
) -> None:
    """And nothing is kept of it."""
    answer = maria.call("POST", "/keys", body)

    assert 422 == answer.status_code
    assert field in str(answer.json()["errors"])
    assert [] == maria.call("GET", "/keys").json()


def test_user_is_added_changed_and_started_anew(desk: ServedDesk, maria: Browser) -> None:
    """By an administrator, who never learns a password."""
    made = maria.call("POST", "/users", {"name": "aud", "role": "auditor"})
    code, audrey = made.json()["code"], desk.browser()
    assert [] == made.json()["user"]["signs_in_by"]
    assert ["password"] == maria.call("GET", "/users/maria").json()["signs_in_by"]
    assert "conflict" == kind(maria.call("POST", "/users", {"name": "aud", "role": "viewer"}))
    entered = audrey.call("POST", "/setup", {"code": code.lower(), "password": NOBODYS})
    assert (201, "aud") == (entered.status_code, entered.json()["user"])
    assert "setup-code" == kind(
        desk.browser().call("POST", "/setup", {"code": code, "password": NOBODYS})
    )
    assert "not-allowed" == kind(audrey.call("GET", "/users"))
    assert "viewer" == maria.call("PATCH", "/users/aud", {"role": "viewer"}).json()["role"]
    assert "sign-in" == kind(audrey.call("GET", "/sessions/current"))
    again = maria.call("POST", "/users/aud/reset").json()["code"]
    assert "wrong" == kind(desk.browser().enter("aud", NOBODYS))
    assert 201 == audrey.call("POST", "/setup", {"code": again, "password": GUSS}).status_code
    assert maria.call("PATCH", "/users/aud", {"enabled": False}).json()["enabled"] is False
    assert "sign-in" == kind(audrey.call("GET", "/sessions/current"))
    assert "wrong" == kind(desk.browser().enter("aud", GUSS))
    assert maria.call("PATCH", "/users/aud", {"enabled": True}).json()["enabled"] is True
    assert 201 == desk.browser().enter("aud", GUSS).status_code
    assert "not-found" == kind(maria.call("GET", "/users/nobody"))
    for body in ({}, {"role": "viewer", "enabled": True}):
        assert "invalid" == kind(maria.call("PATCH", "/users/aud", body))


def test_last_administrator_stays_one(desk: ServedDesk, maria: Browser) -> None:
    """Nobody could let anybody in again."""
    for body in ({"enabled": False}, {"role": "viewer"}):
        assert "conflict" == kind(maria.call("PATCH", "/users/maria", body))
    assert "administrator" == maria.call("GET", "/users/maria").json()["role"]


def test_attack_right_is_kept_by_a_screen_that_was_left(desk: ServedDesk, maria: Browser) -> None:
    """What matters asks who it is; what is looked at does not."""
    desk.front.clock.advance(301.0)
    for call in (
        maria.call("GET", "/users"),
        maria.call("POST", "/keys", {"name": "k", "rights": ["read"], "days": 9}),
        maria.call("POST", "/opened"),
        maria.call("POST", "/me/codes"),
        maria.call("PUT", "/me/password", {"former": MARIAS, "password": NOBODYS}),
    ):
        assert "step-up" == kind(call)
    assert 200 == maria.call("GET", "/watched").status_code
    assert "wrong" == kind(maria.call("POST", "/sessions/current/proof", {"password": GUSS}))
    assert 201 == maria.call("POST", "/sessions/current/proof", {"password": MARIAS}).status_code
    assert 200 == maria.call("GET", "/users").status_code


def test_password_is_changed(desk: ServedDesk, maria: Browser) -> None:
    """To one that may be chosen; the field says why not."""
    short = maria.call("PUT", "/me/password", {"former": MARIAS, "password": "short"})
    assert "password" == short.json()["errors"][0]["field"]
    changed = maria.call("PUT", "/me/password", {"former": MARIAS, "password": NOBODYS})

    assert 200 == changed.status_code
    assert 200 == maria.call("GET", "/sessions/current").status_code
    assert "wrong" == kind(desk.browser().enter("maria", MARIAS))
    assert 201 == desk.browser().enter("maria", NOBODYS).status_code


def test_first_administrator_is_made_by_a_code_of_the_terminal(desk: ServedDesk) -> None:
    """Who chooses a name; once, and within half an hour."""
    codes, browser = desk.front.reception.office.codes, desk.browser()
    assert {"needed": False} == browser.call("GET", "/setup").json()
    former, code = (codes.for_administrator("terminal:root") for _ in range(2))
    for name, field in (("", "name"), ("Boss!", "name"), ("boss", "password")):
        body = {"code": code, "name": name, "password": "short"}
        assert field == browser.call("POST", "/setup", body).json()["errors"][0]["field"]
    body = {"code": former, "name": "boss", "password": NOBODYS}
    assert "setup-code" == kind(browser.call("POST", "/setup", body))
    body["code"] = code
    assert 201 == browser.call("POST", "/setup", body).status_code
    assert "administrator" == browser.call("GET", "/sessions/current").json()["role"]
    late = codes.for_administrator("terminal:root")
    desk.front.clock.advance(1800.0)
    body = {"code": late, "name": "late", "password": NOBODYS}
    assert "setup-code" == kind(desk.browser().call("POST", "/setup", body))
    by_them = ("terminal:root", "setup code", "user:boss")
    told = [what for what, _, by in desk.front.told() if by in by_them]

    assert ["code for an administrator"] * 2 == told[:2]
    assert ["user added as administrator", "password set with a code"] == told[2:4]


def test_attack_codes_of_setting_up_are_guessed(desk: ServedDesk) -> None:
    """Each source has five tries."""
    heard = [
        kind(desk.browser().call("POST", "/setup", {"code": f"{n}", "password": NOBODYS}))
        for n in range(6)
    ]

    assert ["setup-code"] * 5 + ["too-many-tries"] == heard


def test_whoever_has_to_wait_is_told_how_long(desk: ServedDesk) -> None:
    """As every program understands it."""
    for _ in range(5):
        desk.browser().enter("maria", NOBODYS)
    answer = desk.browser().enter("maria", MARIAS)

    assert (429, "1") == (answer.status_code, answer.headers["retry-after"])
    assert "too-many-tries" == kind(answer)


def test_attack_source_is_made_up(desk: ServedDesk, tmp_path: Path) -> None:
    """Nobody but a proxy of ours is believed, and that only what it adds itself."""

    def tries(served: ServedDesk, *said: str) -> list[int]:
        found = []
        for number in range(7):
            browser = served.browser()
            browser.headers = {"X-Forwarded-For": ", ".join((f"203.0.113.{number}", *said))}
            found.append(browser.enter(f"n{number}", NOBODYS).status_code)
        return found

    assert [401] * 5 + [429] * 2 == tries(desk)
    with served_desk(tmp_path / "proxied", frozenset({"127.0.0.1", "10.0.0.1"})) as proxied:
        assert [401] * 7 == tries(proxied)
        assert [401] * 5 + [429] * 2 == tries(proxied, "198.51.100.7", "10.0.0.1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sessions", b"{"),
        ("/sessions", b"[]"),
        ("/sessions", b'{"user": 1, "password": "x"}'),
        ("/sessions", b'{"password": "x"}'),
        ("/sessions", b'{"user": "\\ud800", "password": "\\ud800"}'),
        ("/sessions", b'{"user": "a\\u0000", "password": "\\u0000"}'),
        ("/sessions/code", b'{"ticket": "x", "code": ""}'),
        ("/sessions/passkey", b'{"ticket": "x", "answer": {}}'),
        ("/setup", b'{"code": "\\u0000", "password": "x", "name": "../"}'),
        ("/sessions", b'{"user": "' + b"x" * 70_000 + b'", "password": "x"}'),
    ],
)
def test_attack_body_is_anything_at_all(desk: ServedDesk, path: str, body: bytes) -> None:
    """A problem, and never a fault of ours."""
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    answer = desk.client().post(f"/api/v1{path}", content=body, headers=headers)

    assert answer.status_code in (400, 401, 413, 422)
    assert kind(answer)


def test_every_call_says_whom_it_is_for(front: FrontDesk) -> None:
    """One that said nothing would be for everybody; those that are, are these."""
    calls = {
        (f"{method} {route.path}", handler)
        for route in app(front).routes
        for handler in getattr(route, "route_handlers", ())
        for method in _methods(handler)
        if method != "OPTIONS"
    }
    open_to_all = {name for name, handler in calls if for_everybody in (handler.guards or ())}

    assert {
        "POST /api/v1/sessions",
        "POST /api/v1/sessions/code",
        "POST /api/v1/sessions/passkey",
        "POST /api/v1/sessions/passkey-options",
        "GET /api/v1/setup",
        "POST /api/v1/setup",
    } == open_to_all
    assert [] == sorted(name for name, handler in calls if not _asks(handler))
    assert len(calls) > 25


def test_call_that_says_nothing_would_be_found() -> None:
    """By the same search."""

    @get("/x")
    async def silent() -> None: ...

    assert not _asks(silent)


@pytest.fixture
def front(desk: ServedDesk) -> FrontDesk:
    return desk.front


def _methods(handler: HTTPRouteHandler) -> list[str]:
    return [str(method) for method in handler.http_methods]


def _asks(handler: HTTPRouteHandler) -> bool:
    guards = list(handler.guards or ())
    known = (for_everybody, signed_in, proven)
    return any(guard in known or hasattr(guard, "rights") for guard in guards)

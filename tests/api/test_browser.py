"""Signing in by a browser as people have it: its cookie, its headers, its passkeys."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, MediaType, get

from postern.api.reception import routes
from postern.app.wire.reception import reception
from postern.web.authenticate import COOKIE, Authenticate, Front, for_everybody
from postern.web.problem import refused
from tests.api.desk import API, opened, watched
from tests.app.signin.front_desk import MARIAS, FrontDesk, front_desk
from tests.console.browser import Window, window
from tests.web.serving import serving

#: What a page of ours would do.
PAGE = """
<!doctype html><title>x</title><script>
let csrf = null;
async function call(method, path, body) {
  const headers = {"Content-Type": "application/json"};
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const sent = {method, headers, body: body === undefined ? undefined : JSON.stringify(body)};
  const answer = await fetch("/api/v1" + path, sent);
  const json = (answer.headers.get("Content-Type") || "").includes("json");
  const told = json ? await answer.json() : {};
  if (told.csrf) csrf = told.csrf;
  return [answer.status, told];
}
async function add(name) {
  const [, asked] = await call("POST", "/me/passkeys/options");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options);
  const made = await navigator.credentials.create({publicKey});
  return call("POST", "/me/passkeys", {ticket: asked.ticket, name, answer: made.toJSON()});
}
async function show(ask, path) {
  const [, asked] = await call("POST", ask);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const shown = await navigator.credentials.get({publicKey});
  return call("POST", path, {ticket: asked.ticket, answer: shown.toJSON()});
}
</script>
"""


@get("/", media_type=MediaType.HTML, guards=[for_everybody])
async def page() -> str:
    return PAGE


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontDesk]:
    with front_desk(tmp_path / "data") as made:
        yield made


@contextmanager
def served(front: FrontDesk) -> Iterator[str]:
    """The address of a reception that knows its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    origin = f"http://localhost:{port}"
    front.reception = reception(front.desk, origin, front.hasher)
    ports = front.reception.ports(Front(origin))
    made = Litestar(
        [routes(ports, API), watched, opened, page],
        middleware=[Authenticate(front.reception.callers, ports.front)],
        exception_handlers={Exception: refused},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    with serving(made, port):
        yield origin


def asked(browser: Window, script: str, *given: object) -> tuple[int, Any]:
    """What a page of ours hears."""
    status, told = browser.page.evaluate(script, list(given))
    return status, told


def test_browser_signs_in_by_a_password_and_then_by_a_passkey(front: FrontDesk) -> None:
    """With a device that Chromium makes up; what it sends by itself is what is asked for."""
    call = "([method, path, body]) => call(method, path, body)"
    with served(front) as origin, window() as browser:
        device = browser.context.new_cdp_session(browser.page)
        device.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
        }  # fmt: skip
        device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        browser.page.goto(origin)
        entry = {"user": "maria", "password": MARIAS}
        assert 201 == asked(browser, call, "POST", "/sessions", entry)[0]
        (cookie,) = browser.context.cookies()
        assert (COOKIE, True, True) == (cookie["name"], cookie["httpOnly"], cookie["secure"])
        assert "" == browser.page.evaluate("document.cookie")
        status, passkey = asked(browser, "([name]) => add(name)", "My laptop")
        assert (201, "My laptop") == (status, passkey["name"])
        assert 204 == asked(browser, call, "DELETE", "/sessions/current")[0]
        assert [] == browser.context.cookies()
        show = "([ask, path]) => show(ask, path)"
        status, told = asked(browser, show, "/sessions/passkey-options", "/sessions/passkey")
        assert (201, "maria") == (status, told["user"])
        status, told = asked(
            browser, show, "/sessions/current/passkey-options", "/sessions/current/passkey-proof"
        )
        assert (201, "maria") == (status, told["user"])
        assert 201 == asked(browser, call, "POST", "/opened")[0]


def test_attack_another_page_of_the_same_browser(front: FrontDesk) -> None:
    """It calls, and posts a form, with the cookie that the browser sends along by itself."""
    call = "([method, path, body]) => call(method, path, body)"
    form = """([action]) => {
      const made = document.createElement("form");
      made.method = "post"; made.action = action; document.body.append(made); made.submit();
    }"""
    with served(front) as origin, served_elsewhere() as evil, window() as browser:
        browser.page.goto(origin)
        entry = {"user": "maria", "password": MARIAS}
        assert 201 == asked(browser, call, "POST", "/sessions", entry)[0]
        other = browser.context.new_page()
        other.goto(evil)
        with other.expect_navigation():
            other.evaluate(form, [f"{origin}/api/v1/opened"])
        posted = other.inner_text("body")
        other.goto(evil)
        fetched = other.evaluate(
            """([to]) => fetch(to, {method: "POST", credentials: "include", mode: "no-cors"})
                 .then(answer => answer.type)""",
            [f"{origin}/api/v1/opened"],
        )

        assert "urn:postern:problem:origin" in posted
        assert "opaque" == fetched
        assert [] == [told for told in front.told() if told[0] != "signed in"]
        assert 201 == asked(browser, call, "POST", "/opened")[0]


@contextmanager
def served_elsewhere() -> Iterator[str]:
    """The address of another site; to a browser, another name of this machine is one."""

    @get("/", media_type=MediaType.HTML)
    async def evil() -> str:
        return "<!doctype html><title>x</title><body></body>"

    with serving(Litestar([evil], openapi_config=None)) as address:
        yield address

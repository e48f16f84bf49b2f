"""What every page is made of."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from postern.web.authenticate import for_everybody
from tests.console.desk import desk

NOTICES = Path(__file__).resolve().parents[2] / "THIRD_PARTY_NOTICES.md"


def test_scripts_are_those_that_their_authors_published() -> None:
    """Each by its hash, with its licence; there is none besides."""
    listed = dict(re.findall(r"\| `(\S+\.js)`.*`([0-9a-f]{64})` \|", NOTICES.read_text("utf-8")))
    static = Path(str(files("postern.console"))) / "static"
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in static.glob("*.js")
    }
    assert listed == found


def test_no_template_trusts_what_it_is_given() -> None:
    """What is marked as safe was made by a template that escapes: the pieces of the lanes."""
    templates = Path(str(files("postern.console"))) / "templates"
    marked = {
        (path.name, expression)
        for path in templates.rglob("*.jinja")
        for expression in re.findall(r"\{\{ ([^{}]+?) \| ?safe", path.read_text("utf-8"))
    }
    assert all(
        name == "live.html.jinja" and expression.startswith(("shown(", "said.get("))
        for name, expression in marked
    )
    assert marked


def test_every_call_says_whom_it_is_for(tmp_path: Path) -> None:
    """Pages, pieces and the whole API: one that said nothing would be for everybody."""
    with desk(tmp_path) as there:
        handlers = [
            (route.path, handler)
            for route in there.console.app.routes
            for handler in getattr(route, "route_handlers", ())
            if "OPTIONS" not in handler.http_methods  # Made by the framework: tells methods only.
        ]
    everybody = {path for path, one in handlers if for_everybody in _guards(one)}
    silent = {path for path, one in handlers if not _guards(one)}

    assert {
        "/", "/setup", "/sign-in", "/sign-in/code", "/api/v1/sessions", "/api/v1/sessions/code",
        "/api/v1/sessions/passkey", "/api/v1/sessions/passkey-options", "/api/v1/setup",
    } == everybody  # fmt: skip
    # A style and two scripts, and what the calls are.
    assert {"/static/{file_path:path}", "/api/v1/openapi.json"} == silent
    assert len(handlers) > 70


def _guards(handler: Any) -> list[Any]:
    """All that stand before a call: its own, and those of what it is a part of."""
    return [guard for layer in handler.ownership_layers for guard in layer.guards or ()]

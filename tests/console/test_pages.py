"""What every page is made of."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

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

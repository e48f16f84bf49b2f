"""docs/integrate/api.md: its examples are answered as it says, and its tables are the code's."""

import json
import re
import shlex
from pathlib import Path

import pytest

from postern.api.call import REFUSALS
from postern.core.role import Right
from tests.api.registry import Desk
from tests.test_docs import rows, section

PAGE = (Path(__file__).resolve().parents[2] / "docs/integrate/api.md").read_text("utf-8")
SERVER = "https://postern.example/api/v1"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
CURLS = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines() if line]


@pytest.mark.parametrize("line", CURLS)
def test_example_is_answered(desk: Desk, line: str) -> None:
    """As curl would send it, by an administrator, on a site with Zoe."""
    words = iter(shlex.split(line)[1:])
    method, path, body, query = "GET", "", None, []
    headers: dict[str, str] = {}
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body, method = next(words), "POST" if method == "GET" else method
            case "-G":
                pass
            case "--data-urlencode":
                name, _, value = next(words).partition("=")
                query.append((name, value))
            case _:
                assert word.startswith(SERVER), word
                path = word.removeprefix(SERVER)
    assert "Bearer $KEY" == headers.pop("Authorization")
    if "If-Match" in headers:
        assert "$ETAG" == headers["If-Match"]
        headers |= desk.version(path)
    answer = desk.call(method, path, headers=headers, content=body, params=query or None)

    assert answer.status_code in (200, 201), answer.text


def test_examples_are_of_every_sort() -> None:
    """Lists, a change, what is made, a look at somebody, a proof."""
    assert len(CURLS) >= 10
    for word in ("-X PATCH", "Idempotency-Key", "reason=", "/proof", "limit=", "If-Match"):
        assert any(word in line for line in CURLS), word


def test_refusals_are_documented_in_the_codes_own_words() -> None:
    """Every status that a call may be refused with."""
    listed = rows(section(PAGE, "When it is refused"))

    assert [[str(int(status)), told] for status, told in sorted(REFUSALS.items())] == listed


def test_rights_of_nouns_are_rights() -> None:
    """Each that is named in the table of nouns."""
    named = {right for row in rows(section(PAGE, "What there is"))
             for right in re.findall(r"`(\w+)`", row[2])}  # fmt: skip

    assert named <= {right.value for right in Right}
    assert {"read", "enrol", "erase", "export", "permit", "read_log", "watch"} == named


def test_answers_that_are_shown_are_json() -> None:
    """With the fields that there are."""
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]

    assert {"id", "name", "consent_until"} == shown[0]["items"][0].keys()
    assert {"field", "message", "allowed"} == shown[1]["errors"][0].keys()

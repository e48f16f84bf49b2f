"""What some tests need beyond the Python packages, and what happens without it."""

import os
from pathlib import Path

import pytest

#: Data and weights lie beside the repository; they are never part of it.
SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(name: str) -> Path:
    """The path `name` of the shared data; the test is skipped, or fails where all is required."""
    path = SHARED / name
    if not path.exists():
        missing(f"the shared data {name} is not beside the repository")
    return path


def missing(what: str) -> None:
    """Skips the test, saying what it lacks; fails it under POSTERN_REQUIRE_ALL=1."""
    if os.environ.get("POSTERN_REQUIRE_ALL") == "1":
        pytest.fail(f"required, but missing: {what}")
    pytest.skip(what)

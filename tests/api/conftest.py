"""A site with its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.registry import Desk, opened_desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("POSTERN_DATA", raising=False)
    with opened_desk(tmp_path) as opened:
        yield opened

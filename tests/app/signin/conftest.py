"""A reception for every test of signing in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.signin.front_desk import FrontDesk, front_desk


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontDesk]:
    with front_desk(tmp_path / "data") as made:
        yield made

"""A fresh store and a filled one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.store.store import Store, open_store
from tests.store.samples import filled


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened

"""Records come back as they went, and nothing else is taken for one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from postern.bench.rates import Verdict
from postern.bench.record import read, write
from postern.core.errors import PosternError


@dataclass(frozen=True)
class Leaf:
    share: float
    count: int | None


@dataclass(frozen=True)
class Tree:
    made: datetime
    verdict: Verdict
    leaves: tuple[Leaf, ...]
    sure: bool


TREE = Tree(
    datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
    Verdict.WITHIN,
    (Leaf(0.25, 3), Leaf(1.0, None)),
    True,
)


def test_read_gives_back_what_write_wrote() -> None:
    """Every kind of field survives."""

    assert read(write(TREE, "tree/1"), Tree, "tree/1") == TREE


def test_write_refuses_numbers_that_json_does_not_know() -> None:
    """NaN would be read by nobody else."""

    with pytest.raises(ValueError, match="JSON"):
        write(Leaf(float("nan"), 1), "leaf/1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "leaf/2", "share": 1.0, "count": 1}',
        '{"share": 1.0, "count": 1}',
        '{"schema": "leaf/1", "share": 1.0}',
        '{"schema": "leaf/1", "share": 1.0, "count": 1, "more": 2}',
        '{"schema": "leaf/1", "share": "much", "count": 1}',
        '{"schema": "leaf/1", "share": true, "count": 1}',
        '{"schema": "leaf/1", "share": 1.0, "count": 1.5}',
        '{"schema": "leaf/1", "share": 1.0, "count": true}',
    ],
)
def test_read_refuses_anything_else(text) -> None:
    """Broken text, another schema, other fields and other types are one clear error."""

    with pytest.raises(PosternError):
        read(text, Leaf, "leaf/1")


@pytest.mark.parametrize(
    ("old", "new"), [('"within"', '"perhaps"'), ("2026-05-04", "yesterday"), ("[", '"'), ("]", '"')]
)
def test_read_refuses_fields_that_mean_nothing(old, new) -> None:
    """An unknown enum value, time or list is refused and not guessed."""

    with pytest.raises(PosternError):
        read(write(TREE, "tree/1").replace(old, new), Tree, "tree/1")

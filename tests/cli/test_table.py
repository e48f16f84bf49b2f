"""Lists on terminals of any width."""

import io

import pytest
from rich.console import Console

from postern.cli.table import show

COLUMNS = ("permit", "who", "where", "when")
ROWS = (
    ("permit-4adee839", "Alice, Bob, Carol and many others", "barrier, door", "always"),
    ("permit-026b8b0d", "KAMP417", "door", ""),
)


def shown(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(console, COLUMNS, ROWS)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 160])
def test_no_word_is_cut_on_any_terminal(width: int) -> None:
    """People copy ids from lists; whoever cannot see all of one cannot."""
    text = shown(width)
    words = {word.strip(",") for row in ROWS for cell in row for word in cell.split()}
    assert {word for word in words if word not in text} == set()
    assert "…" not in text


def test_a_terminal_that_is_too_narrow_for_a_table_gets_lines() -> None:
    """One thing on each; what is empty is left out."""
    assert [
        "permit-4adee839",
        "  who    Alice, Bob, Carol and many others",
        "  where  barrier, door",
        "  when   always",
        "permit-026b8b0d",
        "  who    KAMP417",
        "  where  door",
    ] == shown(30).splitlines()


def test_a_table_is_no_wider_than_the_terminal() -> None:
    """Texts wrap."""
    assert max(map(len, shown(60).splitlines())) <= 60
    assert "┃" in shown(60)

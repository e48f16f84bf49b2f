"""Lists on a terminal of any width: as a table where its words fit, else a few lines for each row.

What is one word, such as an id or a date, is never cut: people copy it.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Cell = str | Text
#: Columns; more than any table needs.
_ANY = 10_000


def show(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Writes rows under the names of their columns.

    Args:
        console: Where to.
        columns: What the columns are called; the first one tells the rows apart.
        rows: One cell for each column; what is empty is left out where there is no table.
    """
    table = _table(columns, rows)
    # What it needs is to be told apart from what there is.
    anywhere = console.options.update(max_width=_ANY)
    if Measurement.get(console, anywhere, table).minimum <= console.width:
        console.print(table)
    else:
        for row in rows:
            console.print(_lines(columns, row), soft_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    table = Table()
    for place, name in enumerate(columns):
        table.add_column(name, no_wrap=not any(" " in str(row[place]) for row in rows))
    for row in rows:
        table.add_row(*row)
    return table


def _lines(columns: Sequence[str], row: Sequence[Cell]) -> Text:
    width = max(map(len, columns[1:]), default=0)
    lines = [_styled(row[0])]
    for name, cell in zip(columns[1:], row[1:], strict=True):
        if str(cell):
            lines.append(Text(f"  {name:{width}}  ").append(_styled(cell)))
    return Text("\n").join(lines)


def _styled(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell)

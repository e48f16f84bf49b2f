"""`postern bench`: how fast and how good, beside the peers."""

from pathlib import Path
from typing import Annotated

import typer


def bench(
    peers: Annotated[Path, typer.Option(help="The interpreter of the peers' environment.")] = Path(
        ".venv-peers/bin/python"
    ),
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("docs/benchmarks"),
) -> None:
    """Measure everything that is promised; results go to a folder as tables and JSON."""
    raise typer.Exit(1)

"""`postern models`: which models are installed, and bringing the optional ones."""

import urllib.request
from http.client import HTTPException
from pathlib import Path
from socket import gaierror
from typing import Annotated
from urllib.error import URLError

import typer
from rich.text import Text

from postern.app.wire import open_models
from postern.cli import table
from postern.cli.terminal import ERR, OUT, say, show_json
from postern.core.errors import Code, PosternError, invalid
from postern.vision.model import Entry, Models

app = typer.Typer(
    help="List, fetch and import the models that recognise.",
    no_args_is_help=True,
    add_completion=False,
)

#: Bytes. No pack is larger; a server that sends more is cut off.
_MOST = 200 * 1024 * 1024
_TIMEOUT_S = 30.0


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Show every known model: whether it is here, its licence and where it comes from."""
    models = open_models()
    rows = [(entry, _state(models, entry)) for entry in models.entries]
    if as_json:
        show_json(
            [{"name": e.name, "state": state, "licence": e.licence, "sha256": e.sha256,
              "origin": e.origin, "source": e.source} for e, state in rows]
        )  # fmt: skip
        return
    colours = {"ready": "green", "wrong hash": "red"}
    table.show(
        OUT,
        ("model", "state", "licence", "made by"),
        [(e.name, Text(s, colours.get(s, "yellow")), e.licence, e.source) for e, s in rows],
    )


@app.command("fetch")
def fetch(name: Annotated[str, typer.Argument(help="The pack, such as yunet.")]) -> None:
    """Fetch an optional model from its publisher; kept only if its hash fits."""
    models = open_models()
    entry = models.entry(name)
    if entry.origin != "pack":
        raise invalid(f"The model {name} is not fetched: it is part of the installation.")
    with ERR.status(f"Fetching {name} ..."):
        data = _download(entry)
    say(f"{models.keep_pack(data).name} is installed.")


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="The model's file, recognised by its hash.")],
) -> None:
    """Take an optional model from a file, for machines without a network."""
    kept = open_models().import_file(file)
    say(f"{kept.name} is installed.")


def _state(models: Models, entry: Entry) -> str:
    if not models.present(entry.name):
        return {"pack": "not installed", "derived": "made on first use"}.get(
            entry.origin, "missing"
        )
    try:
        models.read(entry.name)
    except PosternError:
        return "wrong hash"
    return "ready"


def _download(entry: Entry) -> bytes:
    if not entry.url.startswith("https://"):
        raise invalid(f"The model {entry.name} has no address to fetch it from.")
    request = urllib.request.Request(entry.url, headers={"User-Agent": "postern"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            data = bytes(answer.read(_MOST + 1))
    except (URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        reason = "no network" if isinstance(reason, gaierror) else reason
        raise PosternError(
            Code.UNAVAILABLE,
            f"The model {entry.name} could not be fetched ({reason}).",
            f"Bring its file from {entry.url} by hand and run: postern models import FILE.",
        ) from None
    if len(data) > _MOST:
        raise invalid(f"The publisher sent more than {_MOST} bytes for {entry.name}.")
    return data

"""`postern verify`: whether a log is what was logged, from a copy of its folder alone."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from postern.cli.console import OUT, progress, show_json, warn
from postern.core.errors import Code, PosternError
from postern.ledger.verify import CHECKPOINT, Verified, verify_log


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The log's folder, or a copy of it.")
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="VKEY", help="The log's public key, kept elsewhere."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Check a whole log offline; name the first entry, tile or checkpoint that does not fit."""
    try:
        _check_place(folder)
        with progress("Verifying ...") as bar:
            found = verify_log(folder, key, perf_counter, bar.of)
    except PosternError as error:
        if as_json:
            show_json({"verified": False, "code": error.code, "fault": error.message})
        raise
    if as_json:
        show_json(_record(found))
        return
    for sentence in _sentences(found):
        _print(sentence)
    tell_absent(found, _print)
    if not found.given:
        warn(
            "The key came with the log: this finds damage, but not a log that was made anew. "
            "Give the key that you keep elsewhere with --key."
        )


def tell_absent(found: Verified, say: Callable[[str], None]) -> None:
    """Says which events are not there, and which of them cannot have gone by themselves."""
    for gap in found.absent:
        if gap.start == 0:
            say(f"What {_entries(gap)} said is not kept here: expired, or removed.")
        else:
            warn(
                f"What {_entries(gap)} said is not kept here, though what came before is: it was "
                "removed, unless the clock was wrong then. What expires goes from the oldest on."
            )


def _print(sentence: str) -> None:
    OUT.print(sentence, soft_wrap=True)


def _entries(gap: range) -> str:
    return f"entries {gap[0]} to {gap[-1]}" if len(gap) > 1 else f"entry {gap[0]}"


def _check_place(folder: Path) -> None:
    if (folder / CHECKPOINT).exists():
        return
    inside = folder / "ledger"
    raise PosternError(
        Code.NOT_FOUND,
        f"There is no log in {folder}: {CHECKPOINT} is missing.",
        f"Did you mean {inside}?"
        if (inside / CHECKPOINT).exists()
        else "It is the folder ledger in a site's data, or a copy of it.",
    )


def _sentences(found: Verified) -> list[str]:
    checkpoint, spent_s = found.checkpoint, found.decoding_s + found.hashing_s
    rate = f", {checkpoint.size / spent_s:,.0f} entries a second" if checkpoint.size else ""
    return [
        f"All {checkpoint.size:,} entries of {checkpoint.origin} are what was logged.",
        f"Events that are still kept: {found.contents:,}. All say what was logged.",
        f"Signed by {found.log.vkey}",
        f"Decoding took {found.decoding_s:.2f} s, hashing {found.hashing_s:.2f} s{rate}.",
    ]


def _record(found: Verified) -> dict[str, object]:
    return {
        "verified": True,
        "origin": found.checkpoint.origin,
        "entries": found.checkpoint.size,
        "root": b64encode(found.checkpoint.root).decode(),
        "key": found.log.vkey,
        "key_given": found.given,
        "events": found.contents,
        "absent": [[gap[0], gap[-1]] for gap in found.absent],
        "decoding_s": found.decoding_s,
        "hashing_s": found.hashing_s,
    }

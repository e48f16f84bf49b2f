"""`postern verify`: whether a log is what was logged, from a copy of its folder alone."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from postern.app.witness import parse_witness_key
from postern.cli.given_file import read_given
from postern.cli.public_key import key_text
from postern.cli.terminal import OUT, progress, show_json, warn
from postern.core.errors import Code, PosternError
from postern.ledger.note import Signed, Verifier
from postern.ledger.verify import CHECKPOINT, Verified, verify_log

#: Bytes.
MOST_CHECKPOINT = 1 << 20
_CHECKPOINT = "Name a file with a checkpoint."


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The log's folder, or a copy of it.")
    ],
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="VKEY", help="The log's public key kept elsewhere, or its file."
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="The key of a witness that must have signed; repeat it."),
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            "--continues", metavar="FILE", help="A checkpoint kept elsewhere, such as a witness's."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Check a whole log offline; name the first entry, tile or checkpoint that does not fit."""
    try:
        _check_place(folder)
        witnesses = tuple(parse_witness_key(key_text(text)) for text in witness or ())
        kept = None if earlier is None else read_given(earlier, MOST_CHECKPOINT, _CHECKPOINT)
        given = None if key is None else key_text(key)
        with progress("Verifying ...") as bar:
            found = verify_log(
                folder, given, perf_counter, bar.of, witnesses=witnesses, earlier=kept
            )
        _check_signed(found, witnesses)
    except PosternError as error:
        if as_json:
            show_json({"verified": False, "code": error.code, "fault": error.message})
        raise
    if as_json:
        show_json(_record(found))
        return
    for sentence in _sentences(found):
        _print(sentence)
    if earlier is not None:
        _print(f"It continues the checkpoint in {earlier}.")
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


def _check_signed(found: Verified, witnesses: tuple[Verifier, ...]) -> None:
    if missing := unsigned(found, witnesses):
        raise PosternError(
            Code.UNAUTHORIZED,
            f"All fits, but the checkpoint has no signature of {', '.join(missing)}.",
            "Where the log has just grown, it is signed within seconds: copy it again.",
        )


def unsigned(found: Verified, witnesses: Iterable[Verifier]) -> list[str]:
    """The names of the witnesses that have not signed the checkpoint."""
    signed = {one.verifier for one in found.cosigned}
    return [witness.name for witness in witnesses if witness not in signed]


def _sentences(found: Verified) -> list[str]:
    checkpoint, spent_s = found.checkpoint, found.decoding_s + found.hashing_s
    rate = f", {checkpoint.size / spent_s:,.0f} entries a second" if checkpoint.size else ""
    return [
        f"Entries of {checkpoint.origin}: {checkpoint.size:,}. All are what was logged.",
        f"Events that are still kept: {found.contents:,}. All say what was logged.",
        f"Signed by {found.log.vkey}",
        *(f"Signed by the witness {one.verifier.name} at {_time(one)}" for one in found.cosigned),
        f"Decoding took {found.decoding_s:.2f} s, hashing {found.hashing_s:.2f} s{rate}.",
    ]


def _time(signed: Signed) -> str:
    return f"{datetime.fromtimestamp(signed.time_s or 0, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _record(found: Verified) -> dict[str, object]:
    return {
        "verified": True,
        "origin": found.checkpoint.origin,
        "entries": found.checkpoint.size,
        "root": b64encode(found.checkpoint.root).decode(),
        "key": found.log.vkey,
        "key_given": found.given,
        "witnesses": {one.verifier.name: one.time_s for one in found.cosigned},
        "events": found.contents,
        "absent": [[gap[0], gap[-1]] for gap in found.absent],
        "decoding_s": found.decoding_s,
        "hashing_s": found.hashing_s,
    }

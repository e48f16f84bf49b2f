"""`postern prove`: the proof of one event, for somebody who does not trust this site."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, assert_never

import typer

from postern.app.proving import MOST_PROOF, Made, Proved, check
from postern.app.wire import prove_event
from postern.app.witness import parse_log_key, parse_witness_key
from postern.app.witness_client import Cosigned, Misconfigured, RolledBack, Unreachable
from postern.cli.given_file import read_given
from postern.cli.new_file import new_file
from postern.cli.public_key import key_text
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, alarm, say, warn
from postern.core.errors import Code, PosternError, invalid
from postern.ledger.checkpoint import from_decimal
from postern.ledger.proof import SUFFIX


def prove(
    event: Annotated[
        str | None, typer.Argument(metavar="[EVENT]", help="The event's number.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new file; else event-N.tlog-proof.")
    ] = None,
    checked: Annotated[
        Path | None, typer.Option("--check", help="Check this proof, offline, instead.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="With --check: the log's public key, or its file.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="With --check: the key of a witness you trust; repeat it."),
    ] = None,
    site: SiteFile = SITE_FILE,
) -> None:
    """Prove to others that an event is in the log, or check such a proof."""
    if (event is None) is (checked is None):
        raise invalid("Name either an event to prove, or a proof with --check.")
    if checked is not None:
        if out is not None:
            raise invalid("Nothing is written where a proof is checked.", "Leave out --out.")
        _check(checked, key, witness or [])
    elif event is not None:
        if key is not None or witness:
            raise invalid("--key and --witness are for checking a proof.", "Add --check FILE.")
        _prove(event, out, site)


def _prove(event: str, out: Path | None, site: Path) -> None:
    try:
        index = from_decimal(event)
    except PosternError:
        raise invalid("An event is named by its number.", "See: postern events") from None
    file = out or Path(f"event-{index}{SUFFIX}")
    with opened(site) as installation, new_file(file) as write:
        made = prove_event(installation, index)
        write(made.file)
    say(f"{file} proves:")
    _show(made.shown)
    _tell(made)
    if made.shown.text is not None:
        say("Whoever gets the file reads the event: give it only to those whom it concerns.")


def _tell(made: Made) -> None:
    """What the site's witnesses said, where they said anything else than their signature."""
    for name in made.broken:
        warn(
            f"witness {name}: its signature below the checkpoint did not hold; it was asked again."
        )
    for name, submission in made.asked:
        match submission:
            case Cosigned():
                pass
            case Unreachable(sentence):
                warn(f"witness {name}: {sentence}")
            case RolledBack(sentence) | Misconfigured(sentence):
                alarm(f"witness {name}: {sentence}")
            case _:
                assert_never(submission)
    away = all(isinstance(submission, Unreachable) for _, submission in made.asked)
    if made.asked and away and not made.shown.witnesses:
        warn("No witness could be asked now; a proof made later may be stronger.")


def _check(file: Path, key: str | None, witnesses: list[str]) -> None:
    if key is None:
        raise invalid(
            "A proof is checked against the log's public key.",
            "Add --key with the key that the site gave you, not one that came with the proof.",
        )
    log = parse_log_key(key_text(key))
    trusted = tuple(parse_witness_key(key_text(text)) for text in witnesses)
    data = read_given(file, MOST_PROOF + 1, "Name the file that postern prove wrote.")
    try:
        shown = check(data, log, trusted)
    except PosternError as error:
        raise PosternError(error.code, f"{file}: {error.message}", error.hint) from None
    _show(shown)
    missing = [w.name for w in trusted if w not in [one.verifier for one in shown.witnesses]]
    if missing:
        raise PosternError(
            Code.UNAUTHORIZED,
            f"It holds, but has no signature of {', '.join(missing)}.",
            "Ask the site for a proof that was made later.",
        )


def _show(shown: Proved) -> None:
    checkpoint = shown.opened.checkpoint
    say(
        f"Event {shown.index} is in the log {checkpoint.origin}, as one of {checkpoint.size} whose "
        "number, order and content the log's key has signed."
    )
    for one in shown.witnesses:
        say(f"The witness {one.verifier.name} signed the same log at {_time(one.time_s or 0)}.")
    if not shown.witnesses:
        say("No witness vouches for it: the owner of the log's key could have written another.")
    if shown.text is None:
        say("What the event said is no longer kept; that it was there can still be proved.")
    else:
        # A forged log may hold anything, and a terminal obeys some characters.
        OUT.print(shown.text if shown.text.isprintable() else ascii(shown.text), soft_wrap=True)


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"

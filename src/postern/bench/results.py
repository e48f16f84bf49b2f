"""Results written down: tables for people, JSON for programs, with the machine they ran on."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from postern.bench.face_holdout import CLAIMS, Held
from postern.bench.ledger import Appending, Verifying
from postern.bench.peers import Timing

#: Entries a second that `postern verify` is to check.
PROMISED_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures were measured on.

    Attributes:
        processor: Its model name.
        cores: How many.
        python: The interpreter's version.
        commit: The revision of Postern, with a plus where files were changed.
        models: The sha256 of every model that is installed, by name.
    """

    processor: str
    cores: int
    python: str
    commit: str
    models: Mapping[str, str]


def this_machine(models: Mapping[str, str]) -> Machine:
    """The machine that this runs on."""
    return Machine(
        _processor(), os.cpu_count() or 1, platform.python_version(), _commit(), dict(models)
    )


def write(folder: Path, name: str, title: str, body: str, record: object) -> None:
    """Writes one page and the record behind it.

    Args:
        folder: Where.
        name: Of both files.
        title: Of the page.
        body: The page in Markdown.
        record: What JSON can hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(f"# {title}\n\n{body.rstrip()}\n", "utf-8")
    text = json.dumps(record, indent=1, sort_keys=True, default=str)
    (folder / f"{name}.json").write_text(text + "\n", "utf-8")


def setting(machine: Machine, command: str) -> str:
    """The lines that say how to get the figures again."""
    return (
        f"Command: `{command}`. Measured on {machine.processor}, {machine.cores} cores, Python "
        f"{machine.python}, revision {machine.commit}, one thread for everybody.\n\n"
    )


def speed_table(timings: Sequence[Timing]) -> str:
    """Timings as a Markdown table."""
    lines = [
        "| case | Postern, median (p99) ms | peer, median (p99) ms | ratio | promised | |",
        "|---|---|---|---|---|---|",
    ]
    for t in timings:
        promised = ", ".join(
            part
            for part in (
                f">= {t.target:g}x" if t.target else "",
                f"<= {t.limit_ms:g} ms" if t.limit_ms else "",
            )
            if part
        )
        verdict = "met" if t.met else "missed"
        lines.append(
            f"| {t.name} | {t.ours_ms:.1f} ({t.ours_p99_ms:.1f}) | {t.peer_ms:.1f} "
            f"({t.peer_p99_ms:.1f}) | {t.ratio:.1f}x | {promised} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def held_table(found: Sequence[Held]) -> str:
    """Held-out claims as a Markdown table."""
    head = " | ".join(f"claim {claim:g}: passed (times the claim)" for claim in CLAIMS)
    lines = [
        f"| tables made of | strangers | people | attempts | {head} |",
        "|---" * (4 + len(CLAIMS)) + "|",
    ]
    for one in found:
        cells = " | ".join(
            f"{passed} ({one.times(at):.2f}x)" for at, passed in enumerate(one.passed)
        )
        lines.append(
            f"| {one.tables} | {one.strangers} | {one.people} | {one.attempts:,} | {cells} |"
        )
    return "\n".join(lines) + "\n"


def ledger_tables(timed: Sequence[Appending], verified: Verifying) -> str:
    """What the log keeps and how fast it is verified, as Markdown."""
    lines = [
        "Events a second that are durable when the call returns, on the disk of the results' "
        "folder. SQLite keeps them in WAL mode with `synchronous=FULL`, as plain rows and as rows "
        "with three indexes; the log also hides ids, salts, and commits. All take turns.\n",
        "| events | log | plain rows | rows with indexes | promised: at least as fast as plain |",
        "|---|---|---|---|---|",
    ]
    for one in timed:
        verdict = "met" if one.met else "missed"
        lines.append(
            f"| {one.name} | {one.ours:,.0f} | {one.plain:,.0f} | {one.indexed:,.0f} | "
            f"{one.ours / one.plain:.2f}x, {verdict} |"
        )
    met = "met" if verified.both >= PROMISED_ENTRIES else "missed"
    lines.append(
        f"\nA log of {verified.entries:,} entries is verified at {verified.both:,.0f} entries a "
        f"second (promised: {PROMISED_ENTRIES:,}, {met}); reading and decoding alone runs at "
        f"{verified.decoding:,.0f}, hashing and comparing with the tiles at "
        f"{verified.hashing:,.0f}."
    )
    return "\n".join(lines) + "\n"


def timing_records(timings: Sequence[Timing]) -> list[dict[str, object]]:
    """Timings as JSON can hold them."""
    return [asdict(t) | {"ratio": t.ratio, "met": t.met} for t in timings]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "an unknown processor"


def _commit() -> str:
    try:
        run = ["git", "describe", "--always", "--dirty=+"]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

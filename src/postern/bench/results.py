"""Results written down: tables for people, JSON for programs, with the machine they ran on."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from postern.bench.face_holdout import CLAIMS, Held
from postern.bench.peers import Timing


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

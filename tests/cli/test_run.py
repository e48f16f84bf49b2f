"""`postern run`, in a process of its own, on recorded clips."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from sqlite3 import connect
from threading import Thread

import pytest

from postern.cli.demo.barrier import VISIT_S, Visit, write_barrier_clip
from postern.ledger.note import KeyType, Signer
from tests.cli.terminal import Answer, ended, postern, started

WITNESS = Signer("witness.example", bytes(32), KeyType.WITNESS)
BARRIER = """\
[site]
name = "Garage"

[camera.lane]
kind = "file"
path = "barrier.mp4"
sees = "plate"

[actuator.boom]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
"""


@pytest.fixture
def garage(folder: Path) -> Path:
    """A barrier with one registered vehicle."""
    (folder / "site.toml").write_text(BARRIER, "utf-8")
    assert 0 == postern("vehicle", "add", "KA MP 417").code
    assert 0 == postern("permit", "add", "--vehicle", "KAMP417", "--at", "barrier").code
    return folder


def test_recorded_clip_opens_the_gate_end_to_end(garage: Path) -> None:
    """The registered vehicle is let through once, and the event says what the actuator did."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)

    told = ended(started("run", cwd=garage))

    assert 0 == told.code, told
    assert 1 == told.err.count("barrier: granted (a permit lets through) The simulated actuator")
    assert "" == told.out
    newest, before = json.loads(postern("events", "--json", "--limit", "2").out)
    assert ("acted", True) == (newest["kind"], newest["event"]["done"])
    assert ("decided", "permitted") == (before["kind"], before["event"]["reason"])


def test_one_service_serves_a_site_and_ends_when_told(garage: Path) -> None:
    """A second one is refused while the first runs; Ctrl-C ends it with exit code 0."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("HD TR 92")] * 5, seed=1)
    first = started("run", cwd=garage)
    _wait_for(garage / "data" / "service.lock")

    second = ended(started("run", cwd=garage))
    # Commands work meanwhile.
    added = postern("vehicle", "add", "AB123")
    assert first.poll() is None, "the clip is shorter than the test"
    first.send_signal(signal.SIGINT)
    told = ended(first, timeout_s=VISIT_S)

    assert 0 == added.code
    assert 5 == second.code
    assert "Another Postern is serving this site already." in second.err
    assert (0, True) == (told.code, "stopped" in told.err)


def test_damaged_recording_is_told_and_is_a_failure(garage: Path) -> None:
    """One red sentence for the camera, no traceback, and an exit code that a manager sees."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("HD TR 92")], seed=1)
    whole = (garage / "barrier.mp4").read_bytes()
    (garage / "barrier.mp4").write_bytes(whole[: len(whole) // 2])

    told = ended(started("run", cwd=garage))

    assert 7 == told.code
    assert "lane: red - " in told.err
    assert _lines_are_sentences(told)


def test_nothing_is_watched_where_the_log_cannot_be_opened_and_nobody_leaves(garage: Path) -> None:
    """No way out to watch: it ends with a sentence, and whoever starts it has to try again."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    (garage / "data" / "ledger" / "checkpoint").unlink()

    told = ended(started("run", cwd=garage))

    assert 4 == told.code
    assert told.err.startswith("postern: checkpoint is missing.\n")
    assert "is watched" not in told.err


def test_verified_events_are_shown_as_the_log_has_them(garage: Path) -> None:
    """Attack: somebody changes an event in the database, where it is not the last."""
    before = postern("events", "--json").out
    with closing(connect(garage / "data" / "postern.db")) as connection, connection:
        forged = connection.execute(
            "UPDATE events SET body = replace(body, 'plate-', 'pass-') WHERE seq = 0"
        )
        assert 1 == forged.rowcount
    assert "pass-" in postern("events", "--json").out

    assert before == postern("events", "--verify", "--json").out


def test_program_that_reads_the_keys_keeps_no_service_from_starting(garage: Path) -> None:
    """What has run out cannot be overwritten then, which is told; the gate opens all the same."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    with closing(connect(garage / "data" / "keys.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM keys").fetchall()
        with closing(connect(garage / "data" / "keys.db")) as writer, writer:
            writer.execute("UPDATE keys SET epoch = epoch")
            writer.execute("PRAGMA user_version = 2")
        told = ended(started("run", cwd=garage))

    assert "barrier: granted" in told.err, told
    assert "What has run out is still kept: " in told.err
    assert 0 == told.code


def test_witness_that_refuses_is_told_and_is_no_failure(garage: Path) -> None:
    """The gate opens all the same, and the recordings were played: exit code 0."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    with _refusing() as url:
        witness = f'[witness.hub]\nurl = "{url}"\nkey = "{WITNESS.verifier.vkey}"\n'
        (garage / "site.toml").write_text(BARRIER + witness, "utf-8")
        told = ended(started("run", cwd=garage))

    assert "witness hub: red - " in told.err
    assert "barrier: granted" in told.err
    assert 0 == told.code, told


@contextmanager
def _refusing() -> Iterator[str]:
    """A witness that knows no log."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _lines_are_sentences(told: Answer) -> bool:
    return "Traceback" not in told.err and "[h264" not in told.err + told.out


def _wait_for(file: Path) -> None:
    deadline_s = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)

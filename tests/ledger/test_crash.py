"""Processes are killed at random moments, and the log keeps its promises."""

import json
import subprocess
import sys

ROUNDS = 40


def test_log_keeps_its_promises_when_processes_are_killed() -> None:
    """No pulse without its event, no gap, nothing acknowledged lost, the tree verifies."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.ledger.crash", "--rounds", str(ROUNDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == run.returncode, run.stdout + run.stderr
    seen = json.loads(run.stdout)
    assert (ROUNDS, 0) == (seen["rounds"], seen["violations"])
    # The loop met what it is there for.
    assert seen["rounds with unpublished events"]
    assert seen["rounds with unfinished grants"]
    assert seen["pulses"]

"""Vehicles on the command line, beyond what the script shows."""

from pathlib import Path

from tests.cli.terminal import postern


def test_a_vehicle_stays_where_its_removal_cannot_be_recorded(folder: Path) -> None:
    """The log leaves no change out that was made."""
    postern("vehicle", "add", "AB123")
    # Found missing only when an event is to be written down, long after the log was opened.
    key = next((folder / "data" / "ledger" / "pseudonyms").glob("*.key"))
    kept = key.read_bytes()
    key.unlink()
    told = postern("vehicle", "remove", "AB123")
    assert 3 == told.code
    assert "The key" in told.err
    key.write_bytes(kept)

    assert "AB123" in postern("vehicle", "list").out
    assert 0 == postern("vehicle", "remove", "AB123").code
    assert "vehicle removed" in postern("events").out

"""Public keys as options."""

from pathlib import Path

import pytest

from postern.cli.public_key import key_text

KEY = "postern.invalid/x+37d9ed24+BEPNwCPSLV+eEH0aBpNFfTXR0Q630hxyEZL1b13kBmXT"


def test_a_key_is_taken_as_text_or_from_its_file(tmp_path: Path) -> None:
    """As the log's folder has it, with its newline."""
    (tmp_path / "log.vkey").write_text(f"{KEY}\n")
    assert KEY == key_text(KEY) == key_text(f" {KEY}\n") == key_text(str(tmp_path / "log.vkey"))


@pytest.mark.parametrize("given", ["", ".", "/dev/null", "x" * 5000, "nothing\0here", "missing"])
def test_what_is_no_key_is_left_to_be_refused(given: str) -> None:
    """By whoever reads it, in one sentence."""
    assert given.strip() == key_text(given)

"""`postern witness` as it is typed, where it cannot begin; `tests/api` has what it does."""

from pathlib import Path

import pytest

from tests.cli.terminal import postern
from tests.ledger.samples import LOG, WITNESS

SERVE = ("witness", "serve", "--log", LOG.verifier.vkey, "--host", "192.0.2.1", "--folder")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(folder: Path) -> Path:
    """A witness that was started once, on an address that is none of this machine's."""
    answer = postern(*SERVE, str(folder / "hub"), "--name", "witness.example/w1")
    assert "Nothing can listen on 192.0.2.1" in answer.err
    return folder / "hub"


@pytest.mark.parametrize("name", ["w 1", "w+1", "w\t1"])
def test_a_name_that_no_key_can_have_is_refused_before_a_key_is_made(
    folder: Path, name: str
) -> None:
    """With one that could be."""
    answer = postern(*SERVE, "hub", "--name", name)

    assert 3 == answer.code
    assert "has a blank or a plus sign." in answer.err
    assert "Such as: --name witness.example/hub" in answer.err
    assert [] == list(folder.iterdir())


def test_a_file_in_place_of_the_folder_is_named(folder: Path) -> None:
    """For both commands."""
    (folder / "hub").write_text("in the way")

    for command in ((*SERVE, "hub", "--name", "w1"), ("witness", "key", "--folder", "hub")):
        answer = postern(*command)
        assert 3 == answer.code
        assert "hub is no folder." in answer.err
        assert "Name the folder of a witness" in answer.err


def test_a_key_that_cannot_be_read_is_told_with_the_cause(folder: Path) -> None:
    """A folder is in its place."""
    (folder / "hub/witness.vkey").mkdir(parents=True)
    answer = postern("witness", "key", "--folder", "hub")

    assert 7 == answer.code
    assert "hub/witness.vkey cannot be read: Is a directory." in answer.err


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", LOG.verifier.vkey.encode()])
def test_a_damaged_key_is_told_with_where_there_is_a_copy(folder: Path, content: bytes) -> None:
    """Every site that asks this witness has one."""
    (made(folder) / "witness.vkey").write_bytes(content)

    for command in ((*SERVE, "hub"), ("witness", "key", "--folder", "hub")):
        answer = postern(*command)
        assert 3 == answer.code
        assert "hub/witness.vkey is damaged: it has no public key of a witness." in answer.err
        assert "Put back the line that sites have as key in their site.toml." in answer.err


def test_a_file_in_place_of_its_records_is_found_at_the_start(folder: Path) -> None:
    """Before a log asks; it is the witness's folder, and no log's."""
    logs = made(folder) / "logs"
    logs.rmdir()
    logs.write_text("in the way")
    answer = postern(*SERVE, "hub")

    assert 7 == answer.code
    assert "The folder hub/logs cannot be made: File exists." in answer.err
    assert "Check that no file is in its place" in answer.err


def test_a_witnesss_key_is_no_logs(folder: Path) -> None:
    """A witness signs logs only."""
    answer = postern("witness", "serve", "--log", WITNESS.verifier.vkey, "--folder", "hub")

    assert 3 == answer.code
    assert "The key of witness.example/w1 is a witness's, not a log's." in answer.err
    assert [] == list(folder.iterdir())

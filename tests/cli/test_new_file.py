"""Files for people to keep: new, whole, and nobody else's to read."""

import os
import resource
import stat
from pathlib import Path

import pytest

from postern.cli.new_file import new_file
from postern.core.errors import Code, PosternError


def test_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the mask of the process says."""
    before = os.umask(0)
    try:
        with new_file(tmp_path / "page") as write:
            assert (tmp_path / "page").exists()
            write(b"text")
    finally:
        os.umask(before)

    assert b"text" == (tmp_path / "page").read_bytes()
    assert 0o600 == stat.S_IMODE((tmp_path / "page").stat().st_mode)


def test_nothing_is_left_where_nothing_was_written(tmp_path: Path) -> None:
    """Because it failed, or because there was nothing to say."""
    with new_file(tmp_path / "page"):
        pass
    with pytest.raises(ValueError, match="later"), new_file(tmp_path / "page"):
        raise ValueError("later")

    assert [] == list(tmp_path.iterdir())


def test_what_was_written_stays_whatever_fails_later(tmp_path: Path) -> None:
    """It may be the only copy."""

    def write_and_fail() -> None:
        with new_file(tmp_path / "page") as write:
            write(b"text")
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        write_and_fail()
    assert b"text" == (tmp_path / "page").read_bytes()


def test_file_that_cannot_be_written_whole_is_told_and_goes(tmp_path: Path) -> None:
    """The disk has room for its name and not for what is to be in it."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
    try:
        with pytest.raises(PosternError) as refused, new_file(tmp_path / "page") as write:
            write(b"text" * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    assert Code.UNAVAILABLE is refused.value.code
    assert f"{tmp_path / 'page'} cannot be written: File too large." == refused.value.message
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("there", ["file", "folder", "link", "dangling"])
def test_attack_file_that_is_there_is_never_written(tmp_path: Path, there: str) -> None:
    """Nor what a link leads to, whether that is there or not."""
    mine, page = tmp_path / "mine", tmp_path / "page"
    mine.write_bytes(b"mine")
    if there == "file":
        page.write_bytes(b"mine")
    elif there == "folder":
        page.mkdir()
    else:
        page.symlink_to(mine if there == "link" else tmp_path / "other")
    with pytest.raises(PosternError) as refused, new_file(page):
        pass

    assert Code.CONFLICT is refused.value.code
    assert b"mine" == mine.read_bytes()
    assert not (tmp_path / "other").exists()
    assert os.path.lexists(page)


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Another place may do."""
    with pytest.raises(PosternError) as refused, new_file(tmp_path / "nowhere" / "page"):
        pass

    assert Code.UNAVAILABLE is refused.value.code

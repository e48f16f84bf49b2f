"""Secrets in files of their own."""

from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.secret import MOST_BYTES, read_password, read_secret


def written(folder: Path, held: bytes, mode: int = 0o600) -> Path:
    """A secret's file."""
    file = folder / "secret"
    file.write_bytes(held)
    file.chmod(mode)
    return file


def test_password_is_one_line(tmp_path: Path) -> None:
    """Editors end it with a line break, which is no part of it; a space is."""
    assert " pass word " == read_password(written(tmp_path, b" pass word \n"))


@pytest.mark.parametrize("held", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * (MOST_BYTES + 1)])
def test_what_is_no_password_is_refused_without_being_shown(tmp_path: Path, held: bytes) -> None:
    """The sentence names the file."""
    with pytest.raises(PosternError) as caught:
        read_password(written(tmp_path, held))

    assert Code.INVALID is caught.value.code
    assert "two" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """With what to do about it."""
    with pytest.raises(PosternError, match="chmod 600"):
        read_secret(written(tmp_path, b"x", mode))


def test_absent_secret_is_told(tmp_path: Path) -> None:
    """It may come: a disk that is mounted later."""
    with pytest.raises(PosternError) as caught:
        read_secret(tmp_path / "absent")

    assert caught.value.retry_helps

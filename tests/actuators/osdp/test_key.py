"""The key of a secure channel."""

from pathlib import Path

import pytest

from postern.actuators.osdp.key import DEFAULT_KEY, read_key
from postern.core.errors import PosternError
from tests.actuators.osdp.lines import KEY


def written(folder: Path, held: bytes, mode: int = 0o600) -> Path:
    """A key file."""
    file = folder / "key"
    file.write_bytes(held)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("held", [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\n"])
def test_key_is_read_as_bytes_or_digits(tmp_path: Path, held: bytes) -> None:
    """Whatever the panel's software printed."""
    assert KEY == read_key(written(tmp_path, held))


@pytest.mark.parametrize(
    "held", [b"", KEY[:15], KEY + b"\0", b"x" * 32, KEY.hex().encode()[:-1], b"a" * 5000]
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, held: bytes) -> None:
    """One sentence, which names the file and nothing of what is in it."""
    with pytest.raises(PosternError) as caught:
        read_key(written(tmp_path, held))

    assert "key" in str(caught.value)
    assert KEY.hex()[:8] not in str(caught.value)


@pytest.mark.parametrize("held", [DEFAULT_KEY, DEFAULT_KEY.hex().encode(), bytes(16), b"\xff" * 16])
def test_attack_key_that_everybody_knows_is_refused(tmp_path: Path, held: bytes) -> None:
    """The standard prints SCBK-D; whoever uses it has no secure channel."""
    with pytest.raises(PosternError, match="everybody knows"):
        read_key(written(tmp_path, held))


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Also where it was opened up after `site.toml` was checked."""
    with pytest.raises(PosternError, match="chmod 600"):
        read_key(written(tmp_path, KEY, 0o640))

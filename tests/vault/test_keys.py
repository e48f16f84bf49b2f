"""The key file: made once, for one user alone, and never guessed."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.vault.keys import derive_kek, derive_rotation_secret, make_secret, read_secret
from tests.vault.samples import MODEL, OTHER_MODEL, SECRET


def test_secret_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """The file has mode 0600, 32 bytes, and nothing else is left in the folder."""
    path = tmp_path / "site.key"
    secret = make_secret(path)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert secret == read_secret(path)
    assert 32 == len(secret)
    assert [path] == list(tmp_path.iterdir())


def test_secret_is_made_once_when_many_start_together(tmp_path: Path) -> None:
    """Whoever comes second uses the first one's secret."""
    path = tmp_path / "site.key"
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: make_secret(path), range(16)))

    assert {read_secret(path)} == secrets


def test_secret_is_none_when_there_is_no_file(tmp_path: Path) -> None:
    """Reading makes nothing."""
    assert read_secret(tmp_path / "site.key") is None
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o666, 0o620])
def test_secret_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """One clear sentence, with the command that mends it."""
    path = tmp_path / "site.key"
    make_secret(path)
    path.chmod(mode)

    with pytest.raises(PosternError, match="open to others") as refused:
        read_secret(path)
    assert Code.INVALID is refused.value.code
    assert refused.value.hint.startswith("Run: chmod 600 ")


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_secret_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    """A truncated or foreign file is not used, not even in part."""
    path = tmp_path / "site.key"
    path.touch(0o600)
    path.write_bytes(bytes(size))

    with pytest.raises(PosternError, match="exactly 32 bytes"):
        read_secret(path)


def test_a_folder_in_place_of_the_secret_is_refused(tmp_path: Path) -> None:
    """Neither a traceback nor a new secret comes of it."""
    (tmp_path / "site.key").mkdir(0o600)

    with pytest.raises(PosternError):
        read_secret(tmp_path / "site.key")


def test_secret_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A folder that is not there is a sentence, not a traceback."""
    with pytest.raises(PosternError) as refused:
        make_secret(tmp_path / "missing" / "site.key")

    assert Code.UNAVAILABLE is refused.value.code


def test_derived_keys_differ_by_purpose_epoch_and_model() -> None:
    """No two purposes share a key, and a new epoch or model changes them."""
    keys = {
        derive_kek(SECRET, 1),
        derive_kek(SECRET, 2),
        derive_rotation_secret(SECRET, 1, MODEL),
        derive_rotation_secret(SECRET, 2, MODEL),
        derive_rotation_secret(SECRET, 1, OTHER_MODEL),
    }

    assert 5 == len(keys)


def test_derived_keys_are_golden() -> None:
    """References of an installed site depend on these bytes."""
    assert (
        "ad4dfb36ed559daca6b751d3e30360c5b216a3240fcfea0a7938c1d66ab67d12"
        == derive_kek(SECRET, 1).hex()
    )
    assert (
        "3caadd26f26ba2536326f34b447bd75cd13bcbb3f97606ff2ae93b2b4af0cb07"
        == derive_rotation_secret(SECRET, 1, MODEL).hex()
    )

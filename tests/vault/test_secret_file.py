"""The key file: made once, for one user alone, and never guessed."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.vault.secret_file import Origin, SecretFile, make_secret, read_secret


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
    (tmp_path / "site.key").mkdir(0o755)

    with pytest.raises(PosternError, match="must be a file of exactly 32 bytes"):
        read_secret(tmp_path / "site.key")


def test_secret_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A folder that is not there is a sentence, not a traceback."""
    with pytest.raises(PosternError) as refused:
        make_secret(tmp_path / "missing" / "site.key")

    assert Code.UNAVAILABLE is refused.value.code


@pytest.mark.parametrize(
    ("origin", "mode"),
    [
        (Origin.DATA, 0o400),
        (Origin.NAMED, 0o600),
        (Origin.NAMED, 0o400),
        (Origin.CREDENTIAL, 0o400),
        # What systemd shows where an access list lets the service's user read it.
        (Origin.CREDENTIAL, 0o440),
    ],
)
def test_secret_of_every_origin_is_read(tmp_path: Path, origin: Origin, mode: int) -> None:
    """Whoever provides it, if nobody else may read it."""
    path = tmp_path / "key"
    secret = make_secret(path)
    path.chmod(mode)

    assert secret == SecretFile(path, origin).read() == SecretFile(path, origin).make()


@pytest.mark.parametrize(
    ("origin", "mode"),
    [
        (Origin.DATA, 0o440),
        (Origin.NAMED, 0o440),
        (Origin.NAMED, 0o444),
        (Origin.CREDENTIAL, 0o444),
        (Origin.CREDENTIAL, 0o460),
    ],
)
def test_secret_of_any_origin_open_to_others_is_refused(
    tmp_path: Path, origin: Origin, mode: int
) -> None:
    """The group's bits are allowed where they are systemd's alone, and never to write."""
    path = tmp_path / "key"
    make_secret(path)
    path.chmod(mode)

    with pytest.raises(PosternError, match="open to others"):
        SecretFile(path, origin).read()


@pytest.mark.parametrize("origin", [Origin.NAMED, Origin.CREDENTIAL])
def test_secret_that_was_promised_is_never_made(tmp_path: Path, origin: Origin) -> None:
    """Whoever names a file has it; a new one in its place would open nothing."""
    with pytest.raises(PosternError, match="no key file") as refused:
        SecretFile(tmp_path / "key", origin).make()

    assert Code.INVALID is refused.value.code
    assert [] == list(tmp_path.iterdir())


def test_a_pipe_in_place_of_the_secret_is_refused_at_once(tmp_path: Path) -> None:
    """The program does not wait for somebody to write into it."""
    os.mkfifo(tmp_path / "site.key", 0o600)

    with pytest.raises(PosternError, match="exactly 32 bytes"):
        read_secret(tmp_path / "site.key")

"""Secrets from elsewhere than the data folder, as commands meet them."""

from pathlib import Path

import pytest

from postern.vault.secret_file import make_secret
from tests.cli.terminal import postern


def test_named_secrets_are_used_and_none_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither key appears in the data folder."""
    for variable in ("POSTERN_SITE_KEY_FILE", "POSTERN_SIGNING_KEY_FILE"):
        make_secret(folder / variable)
        monkeypatch.setenv(variable, str(folder / variable))
    assert 0 == postern("vehicle", "add", "AB123").code

    assert [] == list((folder / "data").glob("*.key"))
    assert "AB123" in postern("vehicle", "list").out


def test_credentials_of_systemd_are_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mode that systemd gives them; one that others may read is refused."""
    (folder / "handed").mkdir()
    for name in ("postern-site-key", "postern-signing-key"):
        make_secret(folder / "handed" / name)
        (folder / "handed" / name).chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder / "handed"))
    assert 0 == postern("vehicle", "add", "AB123").code
    assert [] == list((folder / "data").glob("*.key"))

    (folder / "handed" / "postern-site-key").chmod(0o444)
    told = postern("vehicle", "list")
    assert 3 == told.code
    assert "open to others (mode 0444)" in told.err


@pytest.mark.parametrize("variable", ["POSTERN_SITE_KEY_FILE", "POSTERN_SIGNING_KEY_FILE"])
def test_a_named_secret_that_is_not_there_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """In one sentence; nothing is made in its place."""
    monkeypatch.setenv(variable, str(folder / "missing"))
    told = postern("vehicle", "add", "AB123")

    assert 3 == told.code
    assert "There is no key file" in told.err
    assert not (folder / "missing").exists()


def test_another_key_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes on with the key that it began with, or not at all."""
    assert 0 == postern("vehicle", "add", "AB123").code
    make_secret(folder / "other")
    monkeypatch.setenv("POSTERN_SIGNING_KEY_FILE", str(folder / "other"))
    told = postern("vehicle", "add", "AB456")

    assert 6 == told.code
    assert "signing key is not that of the log" in told.err
    monkeypatch.delenv("POSTERN_SIGNING_KEY_FILE")
    assert "AB456" not in postern("vehicle", "list").out

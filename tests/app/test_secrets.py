"""Where the site's secrets come from, and that none is ever made in place of one that is used."""

import stat
from pathlib import Path

import pytest

from postern.app.config import provided_secrets
from postern.app.secrets import Provided, signing_secret
from postern.core.errors import Code, PosternError
from postern.vault.keys import derive_seed
from postern.vault.secret_file import Origin, make_secret


def test_secrets_are_in_the_data_folder_by_default(tmp_path: Path) -> None:
    """Nothing in the environment, nothing handed over."""
    secrets = provided_secrets({}).secrets(tmp_path)

    assert (tmp_path / "site.key", Origin.DATA) == (secrets.site.path, secrets.site.origin)
    assert (tmp_path / "signing.key", Origin.DATA) == (secrets.signing.path, secrets.signing.origin)


def test_the_environment_names_files(tmp_path: Path) -> None:
    """Each on its own; an empty variable is none."""
    secrets = provided_secrets(
        {"POSTERN_SITE_KEY_FILE": str(tmp_path / "a"), "POSTERN_SIGNING_KEY_FILE": ""}
    ).secrets(tmp_path)

    assert (tmp_path / "a", Origin.NAMED) == (secrets.site.path, secrets.site.origin)
    assert Origin.DATA is secrets.signing.origin


def test_credentials_of_systemd_are_taken_where_they_are(tmp_path: Path) -> None:
    """By the names in the unit; a named file comes first, and other credentials mean nothing."""
    handed = tmp_path / "credentials"
    handed.mkdir()
    make_secret(handed / "postern-signing-key")
    make_secret(handed / "something-else")
    environment = {"CREDENTIALS_DIRECTORY": str(handed)}
    secrets = provided_secrets(environment).secrets(tmp_path)
    assert Origin.DATA is secrets.site.origin
    assert Origin.CREDENTIAL is secrets.signing.origin
    assert handed / "postern-signing-key" == secrets.signing.path

    environment["POSTERN_SIGNING_KEY_FILE"] = str(tmp_path / "b")
    assert tmp_path / "b" == provided_secrets(environment).secrets(tmp_path).signing.path


def test_signing_secret_is_made_once(tmp_path: Path) -> None:
    """At the first start, for its owner alone."""
    secrets = Provided().secrets(tmp_path)
    made = signing_secret(secrets, in_use=False)

    assert made == signing_secret(secrets, in_use=True) == signing_secret(secrets, in_use=False)
    assert 0o600 == stat.S_IMODE((tmp_path / "signing.key").stat().st_mode)
    assert derive_seed(made, b"postern log 1") != derive_seed(made, b"postern pass 1")


def test_signing_secret_in_use_is_not_made_anew(tmp_path: Path) -> None:
    """A log that is signed with a lost key goes on with no other."""
    with pytest.raises(PosternError, match=r"signing\.key is missing") as refused:
        signing_secret(Provided().secrets(tmp_path), in_use=True)

    assert Code.INVALID is refused.value.code
    assert [] == list(tmp_path.iterdir())


def test_signing_secret_that_was_named_must_be_there(tmp_path: Path) -> None:
    """Nor is it made in the data folder instead."""
    secrets = Provided(signing_file=tmp_path / "elsewhere").secrets(tmp_path)

    with pytest.raises(PosternError, match="no key file"):
        signing_secret(secrets, in_use=False)
    assert [] == list(tmp_path.iterdir())

"""Which files the site's two secrets come from.

The site's key opens references, the signing key vouches for the log and for passes. Each comes from
the first of:

1. the file that the environment names;
2. the credential that systemd hands over;
3. the file in the data folder, made at the first start.
"""

from dataclasses import dataclass
from pathlib import Path

from postern.core.errors import Code, PosternError
from postern.vault.secret_file import Origin, SecretFile
from postern.vault.vault import KEY_FILE

SIGNING_FILE = "signing.key"
#: What systemd's unit calls them: `LoadCredential=postern-site-key:...`.
SITE_CREDENTIAL, SIGNING_CREDENTIAL = "postern-site-key", "postern-signing-key"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The two secret files of a site, there or not.

    Attributes:
        site: The site's key.
        signing: What the signing keys are derived from.
    """

    site: SecretFile
    signing: SecretFile


@dataclass(frozen=True, slots=True)
class Provided:
    """What the environment says about secrets.

    Attributes:
        site_file: The file that holds the site's key, if one is named.
        signing_file: The same for the signing key.
        credentials: The folder of systemd's credentials, if there is one.
    """

    site_file: Path | None = None
    signing_file: Path | None = None
    credentials: Path | None = None

    def secrets(self, data: Path) -> Secrets:
        """The files of a site whose data are in that folder."""
        return Secrets(
            self._file(self.site_file, SITE_CREDENTIAL, data / KEY_FILE),
            self._file(self.signing_file, SIGNING_CREDENTIAL, data / SIGNING_FILE),
        )

    def _file(self, named: Path | None, credential: str, own: Path) -> SecretFile:
        if named is not None:
            return SecretFile(named, Origin.NAMED)
        if self.credentials is not None and (self.credentials / credential).exists():
            return SecretFile(self.credentials / credential, Origin.CREDENTIAL)
        return SecretFile(own)


def signing_secret(secrets: Secrets, *, in_use: bool) -> bytes:
    """The 32 bytes behind the site's signing keys, made at the first start.

    Args:
        secrets: The site's.
        in_use: Whether anything was signed already: then a missing file is not made anew, because
            nobody would believe the new one.

    Raises:
        PosternError: `invalid` where the file is open to others, damaged, or missing although it is
            in use; `unavailable` where it cannot be used now.
    """
    secret = secrets.signing.read()
    if secret is None and in_use:
        raise PosternError(
            Code.INVALID,
            f"The file {secrets.signing.path.name} is missing although the log is signed with it.",
            "Put it back from where you keep it.",
        )
    return secret or secrets.signing.make()

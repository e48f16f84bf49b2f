"""What is derived from the site's secrets, each for one purpose (HKDF-SHA-256, RFC 5869).

Whoever holds the site's key file, the file of keys and the store can open its references; whoever
has the store alone can open none.

    site secret ── site id, wrapping of the epochs' secrets, marks of the erased, backups, codes of
                   those who sign in
    epoch secret ─ wrapping of the references' keys, rotations, pepper of the shared ones
    signing secret ─ seeds of the signing keys
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from postern.core.ids import CredentialId, PersonId

#: Bytes.
SITE_SIZE = 16
SHARE_SIZE = 32
_KEY = 32


@dataclass(frozen=True, slots=True)
class Epoch:
    """A span of time in which references are sealed under the same secret.

    Attributes:
        number: Counted from 1.
        secret: 32 bytes; random, but for the first epoch of a site that was set up before epochs
            had secrets of their own: there it is the site's.
    """

    number: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a reference is bound to beside its header; `site` is 16 bytes."""

    site: bytes
    person: PersonId
    credential: CredentialId


def derive_site(secret: bytes) -> bytes:
    """The 16 bytes that name the site; public, and the same as long as its secret is.

    The name in the configuration may change without losing a reference.
    """
    return _derive(secret, b"site", SITE_SIZE)


def derive_epoch_kek(secret: bytes) -> bytes:
    """The 32 bytes that wrap the epochs' secrets; `secret` is the site's."""
    return _derive(secret, b"epochs", _KEY)


def derive_mark_key(secret: bytes) -> bytes:
    """The 32 bytes behind the marks of erased people; `secret` is the site's."""
    return _derive(secret, b"erased", _KEY)


def derive_backup_key(secret: bytes) -> bytes:
    """The 32 bytes behind the seal of a readable backup; `secret` is the site's."""
    return _derive(secret, b"backup", _KEY)


def derive_sealing_key(secret: bytes) -> bytes:
    """The 32 bytes behind the keys of sealed backups; `secret` is the site's."""
    return _derive(secret, b"sealed backup", _KEY)


def derive_sign_in_key(secret: bytes) -> bytes:
    """The 32 bytes that seal what users' codes are made from; `secret` is the site's."""
    return _derive(secret, b"sign-in", _KEY)


def derive_stream_key(sealing: bytes, header: bytes) -> bytes:
    """The 32 bytes that seal one backup.

    Args:
        sealing: From `derive_sealing_key`.
        header: Its header, which has random bytes of its own.
    """
    return _derive(sealing, b"stream " + header, _KEY)


def derive_kek(secret: bytes, epoch: int) -> bytes:
    """The 32 bytes that wrap every reference's key in this epoch; `secret` is the epoch's."""
    return _derive(secret, b"wrapping" + _number(epoch), _KEY)


def derive_shared_kek(share: bytes, epoch: Epoch, binding: Binding) -> bytes:
    """The 32 bytes that wrap the key of one reference which needs a secret from outside.

    Args:
        share: 32 bytes, from the holder's token or the bank's host.
        epoch: Gives the pepper, without which the share is worth nothing.
        binding: Whose reference it is, so that one share never opens two.
    """
    pepper = _derive(epoch.secret, b"pepper" + _number(epoch.number), _KEY)
    return _derive(share + pepper, b"shared" + _number(epoch.number) + named(binding), _KEY)


def derive_rotation_secret(secret: bytes, epoch: int, model: str) -> bytes:
    """The 32 bytes behind the rotation of one model's vectors; `secret` is the epoch's."""
    return _derive(secret, b"rotation" + _number(epoch) + bytes.fromhex(model), _KEY)


def derive_epoch_name(epoch: Epoch) -> bytes:
    """The 16 bytes that tell this epoch from another site's, or another one's of that number."""
    return _derive(epoch.secret, b"name" + _number(epoch.number), SITE_SIZE)


def derive_seed(signing: bytes, purpose: bytes) -> bytes:
    """The 32 bytes of an Ed25519 key for one purpose, such as `b"postern log 1"`."""
    return HKDF(SHA256(), _KEY, salt=None, info=purpose).derive(signing)


def named(binding: Binding) -> bytes:
    """A binding as bytes that no other binding gives: each part after its length."""
    parts = (binding.site, binding.person.encode(), binding.credential.encode())
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _number(epoch: int) -> bytes:
    return epoch.to_bytes(4, "big")


def _derive(secret: bytes, purpose: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=None, info=b"postern vault 1 " + purpose).derive(secret)

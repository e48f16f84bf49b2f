"""Which key opens which reference: found, made, made anew, or the reason why there is none."""

import hmac
import os
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import PersonId
from postern.vault.epochs import Epochs
from postern.vault.keyring import KeyName, Keyring
from postern.vault.keys import SHARE_SIZE, Binding, Epoch, derive_mark_key, derive_shared_kek
from postern.vault.seal import Header


@dataclass(frozen=True, slots=True)
class Key:
    """The key of one reference.

    Attributes:
        epoch: The epoch that it belongs to.
        secret: 32 bytes.
    """

    epoch: Epoch
    secret: bytes = field(repr=False)


class Locks:
    """The keys of a site's references; usable from any thread.

    Args:
        secret: The site's 32 secret bytes.
        keyring: Has the keys, wrapped.
        epochs: Has what wraps them.
    """

    def __init__(self, secret: bytes, keyring: Keyring, epochs: Epochs) -> None:
        self._mark_key = derive_mark_key(secret)
        self._keyring = keyring
        self._epochs = epochs

    def mark(self, person: PersonId) -> bytes:
        """The 32 bytes by which a person who was erased is known again."""
        return hmac.digest(self._mark_key, person.encode(), sha256)

    def exists(self, binding: Binding, header: Header) -> bool:
        """Whether there is a key of that reference, a share or not.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now; so do the others below.
        """
        return self._keyring.find(_name(binding, header.epoch)) is not None

    def find(self, binding: Binding, header: Header, share: bytes | None) -> Key:
        """The key of a reference.

        Raises:
            PosternError: as `Vault.open`.
        """
        found = self._keyring.find(_name(binding, header.epoch))
        if found is None:
            raise self.absent(binding, header)
        epoch = self._epochs.opened(header.epoch, found.epoch)
        kek = self._kek(epoch, binding, header.mode, share)
        return Key(epoch, _unwrap(kek, found.key, header.mode))

    def first(
        self, binding: Binding, epoch: Epoch, mode: StorageMode, share: bytes | None
    ) -> Key | None:
        """The key of a new reference, durable; the one that is there already, if there is one.

        Returns:
            None where that epoch is not the present one any more.

        Raises:
            PosternError: as `Vault.seal`.
        """
        kek = self._kek(epoch, binding, mode, share)
        fresh, name = aes_key_wrap(kek, os.urandom(32)), _name(binding, epoch.number)
        wrapped = self._keyring.keep(name, fresh, self.mark(binding.person))
        return Key(epoch, _unwrap(kek, wrapped, mode)) if wrapped else None

    def next(
        self, binding: Binding, epoch: Epoch, header: Header, share: bytes | None
    ) -> Key | None:
        """The key for a later epoch of a reference that has one in its header's; otherwise as
        `first`.

        Returns:
            None also where that former key is gone.
        """
        kek = self._kek(epoch, binding, header.mode, share)
        fresh, name = aes_key_wrap(kek, os.urandom(32)), _name(binding, epoch.number)
        wrapped = self._keyring.renew(name, fresh, header.epoch)
        return Key(epoch, _unwrap(kek, wrapped, header.mode)) if wrapped else None

    def absent(self, binding: Binding, header: Header) -> PosternError:
        """Why there is no key for a reference."""
        if self._keyring.is_erased(self.mark(binding.person)):
            return PosternError(
                Code.NOT_FOUND, "This person was erased; the keys of their faces were destroyed."
            )
        if header.epoch > self._epochs.present().number:
            return invalid(
                f"The reference names key epoch {header.epoch}, which this site has not begun.",
                "It was altered, or the file of keys is an old copy.",
            )
        if self._epochs.find(header.epoch) is None:
            return PosternError(
                Code.NOT_FOUND,
                f"Key epoch {header.epoch} has ended; its references open no more.",
                "Enrol the person again, or issue their pass anew.",
            )
        return PosternError(
            Code.NOT_FOUND,
            "The key of this person's reference was destroyed.",
            "Enrol the person again if they want to be recognised.",
        )

    def _kek(self, epoch: Epoch, binding: Binding, mode: StorageMode, share: bytes | None) -> bytes:
        """What wraps the key of a reference of that mode."""
        if mode is StorageMode.SHARED:
            return derive_shared_kek(_share(share), epoch, binding)
        if share is not None:
            raise invalid("A key share was given for a reference that needs none.")
        return self._epochs.kek(epoch)


def _name(binding: Binding, epoch: int) -> KeyName:
    return KeyName(binding.person, binding.credential, epoch)


def _share(share: bytes | None) -> bytes:
    if share is None:
        raise PosternError(
            Code.UNAUTHORIZED,
            "This reference opens only together with its holder's key share.",
            "Present the card or token that it was enrolled with.",
        )
    if len(share) != SHARE_SIZE:
        raise invalid(f"A key share has {SHARE_SIZE} bytes.")
    return share


def _unwrap(kek: bytes, wrapped: bytes, mode: StorageMode) -> bytes:
    try:
        return aes_key_unwrap(kek, wrapped)
    except InvalidUnwrap:
        if mode is StorageMode.SHARED:
            raise invalid("The key share does not belong to this reference.") from None
        raise invalid("A reference's key was not wrapped by this site's key file.") from None

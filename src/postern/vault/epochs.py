"""The epochs of a site's keys, each with its secret, its wrapping key and its rotations."""

import os
from threading import Lock

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from postern.core.errors import invalid
from postern.vault.keyring import Keyring
from postern.vault.keys import Epoch, derive_kek, derive_rotation_secret
from postern.vault.rotation import Rotation, derive_rotation
from postern.vault.seal import check_model


class Epochs:
    """The epochs in a keyring; usable from any thread.

    Args:
        kek: 32 bytes that wrap the epochs' secrets.
        keyring: Has them.
    """

    def __init__(self, kek: bytes, keyring: Keyring) -> None:
        self._kek = kek
        self._keyring = keyring
        self._lock = Lock()  # Guards the next three. What they hold can be had again.
        self._opened: dict[bytes, Epoch] = {}
        self._keks: dict[Epoch, bytes] = {}
        self._rotations: dict[tuple[bytes, str, int], Rotation] = {}

    def present(self) -> Epoch:
        """The epoch under which references are sealed now.

        Raises:
            PosternError: `invalid` where there is none or its secret was altered; `unavailable`.
        """
        kept = self._keyring.epochs()
        if not kept:
            raise invalid("The file of keys has no epoch.", "Put back the one of this site.")
        number = max(kept)
        return self.opened(number, kept[number])

    def find(self, number: int) -> Epoch | None:
        """The epoch of that number; None where its secret was destroyed, or it has not begun."""
        wrapped = self._keyring.epochs().get(number)
        return None if wrapped is None else self.opened(number, wrapped)

    def begin(self, number: int, secret: bytes | None = None) -> None:
        """Begins an epoch, unless another process was first.

        Args:
            number: One more than the present one's.
            secret: 32 bytes; random if absent.
        """
        self._keyring.begin(number, aes_key_wrap(self._kek, secret or os.urandom(32)))

    def opened(self, number: int, wrapped: bytes) -> Epoch:
        """An epoch of its wrapped secret.

        Raises:
            PosternError: `invalid` where the site's key did not wrap it.
        """
        with self._lock:
            if wrapped not in self._opened:
                self._opened[wrapped] = Epoch(number, self._unwrap(wrapped))
            epoch = self._opened[wrapped]
        if epoch.number != number:
            raise invalid("The epochs in the file of keys were mixed up.")
        return epoch

    def kek(self, epoch: Epoch) -> bytes:
        """The 32 bytes that wrap the keys of an epoch's references, but for the shared ones."""
        with self._lock:
            if epoch not in self._keks:
                self._keks[epoch] = derive_kek(epoch.secret, epoch.number)
            return self._keks[epoch]

    def rotation(self, epoch: Epoch, model: str, dimension: int) -> Rotation:
        """The rotation of a model's vectors in an epoch.

        Raises:
            PosternError: `invalid` for a model that is not named by its sha256, or a dimension
                that no vector has.
        """
        check_model(model)
        seed = derive_rotation_secret(epoch.secret, epoch.number, model)
        with self._lock:
            if (seed, model, dimension) not in self._rotations:
                self._rotations[seed, model, dimension] = derive_rotation(seed, dimension)
            return self._rotations[seed, model, dimension]

    def _unwrap(self, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._kek, wrapped)
        except InvalidUnwrap:
            raise invalid(
                "The secret of a key epoch was altered, or is another site's.",
                "Put back the file of keys of this site.",
            ) from None

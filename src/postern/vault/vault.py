"""The vault: templates go in as sealed references and come out rotated.

1. A plain template exists in memory only; what is kept is rotated, quantised and encrypted.
2. Everything that `open` gives lies in one set of axes, those of the epoch that was the present one
   when the vault was opened. References of other epochs are turned into them, and so are probes: a
   re-keying by another process changes nothing for this one. Nothing is ever rotated back.
3. A reference is erased by destroying its key; what is left of it is noise.
"""

import hmac
from collections.abc import Collection, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CredentialId, PersonId
from postern.frame import Template
from postern.vault.epochs import Epochs
from postern.vault.keyring import KeyName, Keyring, open_keyring
from postern.vault.keyring_file import KeysLostError
from postern.vault.keys import (
    Binding,
    Epoch,
    derive_backup_key,
    derive_epoch_kek,
    derive_epoch_name,
    derive_sealing_key,
    derive_sign_in_key,
    derive_site,
    derive_stream_key,
)
from postern.vault.locks import Key, Locks
from postern.vault.quantise import Quantised, dequantise, quantise, roundtrip
from postern.vault.rotation import Rotation, turn, turn_back
from postern.vault.seal import Header, Sealed, decrypt, encrypt, read_header
from postern.vault.secret_file import SecretFile
from postern.vault.standing import Standing

KEY_FILE = "site.key"
KEYRING_FILE = "keys.db"
#: Times to try again when another process begins an epoch in between.
_PATIENCE = 3


class Vault:
    """Seals and opens the references of one site; usable from any thread.

    Args:
        secret: The site's 32 secret bytes.
        keyring: The wrapped keys of its references.
        epochs: The epochs in the keyring.
        home: The epoch in whose axes templates are given.
    """

    def __init__(self, secret: bytes, keyring: Keyring, epochs: Epochs, home: Epoch) -> None:
        self._site = derive_site(secret)
        self._locks = Locks(secret, keyring, epochs)
        self._backup_key = derive_backup_key(secret)
        self._sealing_key = derive_sealing_key(secret)
        self._sign_in_key = derive_sign_in_key(secret)
        self._keyring = keyring
        self._epochs = epochs
        self._home = home

    @property
    def site(self) -> bytes:
        """The 16 bytes that name the site."""
        return self._site

    def close(self) -> None:
        """Lets go of the file of keys."""
        self._keyring.close()

    def version(self) -> int:
        """A number that is another one after any key was made or destroyed, by any process.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now.
        """
        return self._keyring.version()

    def epoch(self) -> tuple[int, bytes]:
        """The present epoch: its number, and 16 bytes that no other epoch anywhere has.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now.
        """
        present = self._epochs.present()
        return present.number, derive_epoch_name(present)

    def seal(
        self,
        credential: CredentialId,
        person: PersonId,
        template: Template,
        *,
        mode: StorageMode = StorageMode.ROSTER,
        share: bytes | None = None,
    ) -> Sealed:
        """A reference to keep as its mode says; its key is durable when this returns.

        Args:
            credential: The face credential it will belong to.
            person: Whose face it is.
            template: As the recogniser made it, one vector of float32, not rotated.
            mode: Where it is going to be kept.
            share: 32 bytes from outside, without which a `shared` reference will not open; None
                for the other modes.

        Raises:
            PosternError: `invalid` for a template that is no vector of finite numbers, or a share
                that does not fit the mode; `unauthorized` where a shared reference is to be sealed
                without one; `conflict` where the person was erased; `unavailable` where the key
                cannot be kept now.
        """
        values = _vector(template)
        binding = Binding(self._site, person, credential)
        try:
            for _ in range(_PATIENCE):
                epoch = self._epochs.present()
                header = Header(mode, epoch.number, template.looks, values.size, template.model)
                turned = turn(values, self._epochs.rotation(epoch, template.model, values.size))
                kept = quantise(turned)
                turned.fill(0.0)
                key = self._locks.first(binding, epoch, mode, share)
                if key is not None:
                    return Sealed(credential, person, _sealed(key, binding, header, kept))
                kept.wipe()
        finally:
            values.fill(0.0)  # The vault's own copy; the caller's is the caller's to wipe.
        raise _busy()

    def open(self, sealed: Sealed, share: bytes | None = None) -> Template:
        """The template inside a reference, in the vault's axes.

        Args:
            sealed: The reference.
            share: The 32 bytes from outside that it was sealed with, if it is a shared one.

        Raises:
            PosternError: `not_found` where its key was destroyed, or the key's epoch has ended;
                `unauthorized` where it needs a share and there is none; `invalid` where the share
                is wrong, or the bytes were altered or belong to another person, credential, site,
                epoch, model or mode; `unavailable` where the keys cannot be read now.
        """
        header = read_header(sealed.blob)
        epoch, values = self._opened(sealed, header, share)
        if epoch.secret != self._home.secret:
            values = self._turned(values, header, epoch, self._home)
        return Template(values, header.model, header.looks)

    def reseal(self, sealed: Sealed, share: bytes | None = None) -> Sealed:
        """The reference sealed anew in the present epoch, its key durable; itself if it is there.

        The former key still opens the former bytes. Once the new ones are kept, `settle` them.

        Raises:
            PosternError: as `open`; `not_found` also where it was destroyed meanwhile.
        """
        header, binding = read_header(sealed.blob), self._binding(sealed)
        for _ in range(_PATIENCE):
            present = self._epochs.present()
            if present.number == header.epoch:
                return sealed
            kept = self._kept_in(present, sealed, header, share)
            key = self._locks.next(binding, present, header, share)
            if key is not None:
                renewed = replace(header, epoch=present.number)
                return replace(sealed, blob=_sealed(key, binding, renewed, kept))
            kept.wipe()
        raise _busy()

    def reissue(
        self,
        sealed: Sealed,
        credential: CredentialId,
        share: bytes | None = None,
        fresh: bytes | None = None,
    ) -> Sealed:
        """A reference sealed for another credential of its person, in the present epoch.

        It has a key of its own, durable when this returns; the former key opens the former bytes
        until it is destroyed.

        Args:
            sealed: The reference.
            credential: The face credential it will belong to.
            share: The 32 bytes that it was sealed with, if it is a shared one.
            fresh: Likewise those without which the new one will not open.

        Raises:
            PosternError: as `open` and `seal`.
        """
        header, binding = read_header(sealed.blob), Binding(self._site, sealed.person, credential)
        for _ in range(_PATIENCE):
            present = self._epochs.present()
            kept = self._kept_in(present, sealed, header, share)
            key = self._locks.first(binding, present, header.mode, fresh)
            if key is not None:
                renewed = replace(header, epoch=present.number)
                return Sealed(credential, sealed.person, _sealed(key, binding, renewed, kept))
            kept.wipe()
        raise _busy()

    def settle(self, sealed: Sealed) -> None:
        """Removes the keys of earlier epochs of a reference that is kept as it is now.

        Their traces go with the next `retire`.

        Raises:
            PosternError: `unavailable` where they cannot be removed now.
        """
        epoch = read_header(sealed.blob).epoch
        self._drop(
            name
            for name in self._keyring.names(sealed.person)
            if name.credential == sealed.credential and name.epoch < epoch
        )

    def prune(self, known: Collection[tuple[PersonId, CredentialId]], before: int) -> None:
        """Removes keys from before an epoch that belong to no reference any more.

        Younger ones may belong to one that is being enrolled at this moment.

        Raises:
            PosternError: `unavailable` where they cannot be removed now.
        """
        self._drop(
            name
            for name in self._keyring.names()
            if name.epoch < before and (name.person, name.credential) not in known
        )

    def begin_epoch(self) -> int:
        """Begins the next epoch, or finds that another process has; gives its number.

        Raises:
            PosternError: `unavailable` where it cannot be kept now.
        """
        present = self._epochs.present().number
        self._epochs.begin(present + 1)
        return self._epochs.present().number

    def retire(self) -> tuple[int, ...]:
        """Destroys the secrets of epochs that nothing needs; gives the epochs that still live.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; call it again.
        """
        self._keyring.retire()
        return tuple(sorted(self._keyring.epochs()))

    def rotate(self, template: Template) -> Template:
        """A probe in the vault's axes, ready to be compared with what `open` gives.

        Raises:
            PosternError: `invalid` for a template that is no vector of finite numbers.
        """
        values = _vector(template)
        rotation = self._rotation(template.model, values.size)
        return replace(template, values=turn(values, rotation))

    def rotate_rows(self, vectors: npt.NDArray[np.float32], model: str) -> npt.NDArray[np.float32]:
        """Many vectors of one model in the vault's axes, such as a cohort; (N, d) float32."""
        return turn(vectors, self._rotation(model, vectors.shape[-1]))

    def roundtrip(self, vectors: npt.NDArray[np.float32], model: str) -> npt.NDArray[np.float32]:
        """Vectors as they come back from a reference, in the model's axes; (N, d) float32."""
        return roundtrip(vectors, self._rotation(model, vectors.shape[-1]))

    def erase(self, person: PersonId) -> None:
        """Destroys a person's keys for good, and remembers that they were erased.

        What is remembered is a mark that tells nothing without the site's secret and the person's
        id. By it a backup from before cannot bring them back. Twice is the same.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; erase again.
        """
        self._keyring.erase(person, self._locks.mark(person))

    def is_erased(self, person: PersonId) -> bool:
        """Whether that person was erased.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now.
        """
        return self._keyring.is_erased(self._locks.mark(person))

    def forget(self, person: PersonId) -> None:
        """Destroys a person's keys, and with them every reference; the person may come back.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; call it again.
        """
        self._keyring.forget(person)

    def destroy(self, credential: CredentialId, person: PersonId) -> None:
        """Destroys the key of one reference: a pass was lost, or another took its place.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; call it again.
        """
        self._keyring.destroy(person, credential)

    def keyed(self, *, before: int | None = None) -> frozenset[tuple[PersonId, CredentialId]]:
        """Which references have a key, in any epoch or in one before that of the number given.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now.
        """
        return frozenset(
            (name.person, name.credential)
            for name in self._keyring.names()
            if before is None or name.epoch < before
        )

    def standing(self, sealed: Sealed, embedder: str | None) -> Standing:
        """How it stands with a reference; a shared one is ready if all but the share is there.

        Args:
            sealed: The reference.
            embedder: The sha256 of the model that the site uses now; None for any.

        Raises:
            PosternError: `unavailable` where the keys cannot be read now.
        """
        try:
            header = read_header(sealed.blob)
            if header.mode is not StorageMode.SHARED:
                self._opened(sealed, header, None)[1].fill(0.0)
            elif not self._locks.exists(self._binding(sealed), header):
                raise self._locks.absent(self._binding(sealed), header)
        except PosternError as error:
            if error.retry_helps:
                raise
            return self._lacking(error, sealed)
        fits = embedder is None or header.model == embedder
        return Standing.READY if fits else Standing.NEEDS_NEW_LOOKS

    def authenticate(self, content: bytes) -> bytes:
        """32 bytes that only this site can make for that content; for its readable backups."""
        return hmac.digest(self._backup_key, content, sha256)

    def backup_key(self, header: bytes) -> bytes:
        """The 32 bytes that seal the backup with that header; no other site has them."""
        return derive_stream_key(self._sealing_key, header)

    def sign_in_key(self) -> bytes:
        """The 32 bytes that seal what users' codes are made from; no other site has them."""
        return self._sign_in_key

    def _drop(self, names: Iterable[KeyName]) -> None:
        for name in tuple(names):
            self._keyring.drop(name)

    def _lacking(self, error: PosternError, sealed: Sealed) -> Standing:
        if error.code is not Code.NOT_FOUND:
            return Standing.ALTERED
        lives = self._epochs.find(read_header(sealed.blob).epoch) is not None
        return Standing.KEY_MISSING if lives else Standing.EPOCH_RETIRED

    def _opened(
        self, sealed: Sealed, header: Header, share: bytes | None
    ) -> tuple[Epoch, npt.NDArray[np.float32]]:
        """The values inside a reference, in the axes of its own epoch."""
        epoch, quantised = self._decrypted(sealed, header, share)
        values = dequantise(quantised)
        quantised.wipe()
        return epoch, values

    def _decrypted(
        self, sealed: Sealed, header: Header, share: bytes | None
    ) -> tuple[Epoch, Quantised]:
        """What is kept of a reference, and the epoch in whose axes it is."""
        key = self._locks.find(self._binding(sealed), header, share)
        return key.epoch, decrypt(key.secret, self._binding(sealed), sealed.blob)

    def _kept_in(
        self, epoch: Epoch, sealed: Sealed, header: Header, share: bytes | None
    ) -> Quantised:
        """What is to be kept of a reference in an epoch; as it is where it is from that one."""
        former, quantised = self._decrypted(sealed, header, share)
        if former == epoch:
            return quantised
        turned = self._turned(dequantise(quantised), header, former, epoch)
        quantised.wipe()
        kept = quantise(turned, fine=True)
        turned.fill(0.0)
        return kept

    def _turned(
        self, values: npt.NDArray[np.float32], header: Header, former: Epoch, other: Epoch
    ) -> npt.NDArray[np.float32]:
        """Values in the axes of another epoch; the ones handed in are wiped."""
        model, size = header.model, values.size
        plain = turn_back(values, self._epochs.rotation(former, model, size))
        turned = turn(plain, self._epochs.rotation(other, model, size))
        values.fill(0.0)
        plain.fill(0.0)
        return turned

    def _binding(self, sealed: Sealed) -> Binding:
        return Binding(self._site, sealed.person, sealed.credential)

    def _rotation(self, model: str, dimension: int) -> Rotation:
        return self._epochs.rotation(self._home, model, dimension)


def open_vault(folder: Path, references: int = 0, key: SecretFile | None = None) -> Vault:
    """The vault in that folder. The key file is made at the first start.

    Args:
        folder: Where `keys.db` lies, and `site.key` unless another is named; must exist.
        references: How many references the site has already, on passes too.
        key: The key file, where it is not `site.key` in the folder.

    Raises:
        PosternError: `invalid` where the key file is open to others, of the wrong size, not the one
            that the keys were wrapped with, or missing though the site has been in use;
            `unavailable` where the files cannot be used now.
    """
    file, keyring_path = key or SecretFile(folder / KEY_FILE), folder / KEYRING_FILE
    secret = file.read()
    if references and not keyring_path.exists():
        raise _lost(KEYRING_FILE)
    if references and secret is None:
        raise _lost(file.path.name)
    keyring = open_keyring(keyring_path)
    try:
        used = bool(references or keyring.names())
        if secret is None and (used or keyring.site() is not None):
            raise _lost(file.path.name)
        secret = secret or file.make()
        _check_site(keyring, derive_site(secret), file.path.name, used=used)
        epochs = Epochs(derive_epoch_kek(secret), keyring)
        if not keyring.epochs():
            # Keys without an epoch come from before epochs had secrets of their own.
            epochs.begin(1, secret if used else None)
        return Vault(secret, keyring, epochs, epochs.present())
    except PosternError:
        keyring.close()
        raise


def _check_site(keyring: Keyring, site: bytes, file: str, *, used: bool) -> None:
    if keyring.site() == site:
        return
    another = f"The key file {file} is not the one that {KEYRING_FILE} was made with."
    if used:
        raise PosternError(
            Code.INVALID, another, "Put back the two files that this site was set up with."
        )
    if keyring.site() is not None:
        # Nothing opens with it yet, but backups are this site's only with the same one.
        raise KeysLostError(another)
    keyring.claim(site)


def _lost(name: str) -> KeysLostError:
    return KeysLostError(f"The file {name} is missing although the site has been in use.")


def _busy() -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, "The keys are being changed by another program.", "Try again."
    )


def _sealed(key: Key, binding: Binding, header: Header, vector: Quantised) -> bytes:
    """The sealed bytes of a vector, which is wiped."""
    blob = encrypt(key.secret, binding, header, vector)
    vector.wipe()
    return blob


def _vector(template: Template) -> npt.NDArray[np.float32]:
    values = template.values
    if values.ndim != 1 or values.dtype != np.float32 or not np.isfinite(values).all():
        raise invalid("A face's template is one vector of finite float32 numbers.")
    return values.astype(np.float32)

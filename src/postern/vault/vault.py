"""The vault: templates go in as sealed references and come out rotated.

1. A plain template exists in memory only; what is kept is rotated, quantised and encrypted.
2. What `open` gives stays in the site's own axes. Probes are rotated to meet it there, and nothing
   is ever rotated back for comparison.
3. A person is erased by destroying their key; what is left of their references is noise.
"""

import os
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CredentialId, PersonId
from postern.frame import Template
from postern.vault.keyring import Keyring, open_keyring
from postern.vault.keys import (
    derive_kek,
    derive_rotation_secret,
    derive_site,
    make_secret,
    read_secret,
)
from postern.vault.quantise import dequantise, quantise, roundtrip
from postern.vault.rotation import Rotation, derive_rotation, turn
from postern.vault.seal import (
    Binding,
    Header,
    Mode,
    Sealed,
    check_model,
    decrypt,
    encrypt,
    read_header,
)

KEY_FILE = "site.key"
KEYRING_FILE = "keys.db"
#: The first epoch; a later one comes with re-keying.
EPOCH = 1


class Vault:
    """Seals and opens the references of one site; usable from any thread.

    Args:
        secret: The site's 32 secret bytes.
        keyring: The wrapped keys of its people.
    """

    def __init__(self, secret: bytes, keyring: Keyring) -> None:
        self._secret = secret
        self._kek = derive_kek(secret, EPOCH)
        self._site = derive_site(secret)
        self._keyring = keyring
        self._rotations: dict[tuple[str, int], Rotation] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Lets go of the file of keys."""
        self._keyring.close()

    def seal(self, credential: CredentialId, person: PersonId, template: Template) -> Sealed:
        """A reference for the store to keep; the person's key is durable when this returns.

        Args:
            credential: The face credential it will belong to.
            person: Whose face it is.
            template: As the recogniser made it, one vector of float32, not rotated.

        Raises:
            PosternError: `invalid` for a template that is no vector of finite numbers;
                `unavailable` where the key cannot be kept now.
        """
        values = _vector(template)
        header = Header(Mode.ROSTER, EPOCH, template.looks, values.size, template.model)
        kept = quantise(turn(values, self._rotation(template.model, values.size)))
        binding = Binding(self._site, person, credential)
        blob = encrypt(self._key_for(person), binding, header, kept)
        return Sealed(credential, person, blob)

    def open(self, sealed: Sealed) -> Template:
        """The template inside a reference, in the site's own axes.

        Raises:
            PosternError: `not_found` where the person's key is not there or was destroyed;
                `invalid` where the bytes were altered or belong to another person, credential,
                site, epoch, model or mode; `unavailable` where the keys cannot be read now.
        """
        header = read_header(sealed.blob)
        if header.mode is not Mode.ROSTER or header.epoch != EPOCH:
            raise invalid("This reference cannot be opened with the site's present key alone.")
        key = self._key_of(sealed.person)
        binding = Binding(self._site, sealed.person, sealed.credential)
        values = dequantise(decrypt(key, binding, sealed.blob))
        return Template(values, header.model, header.looks)

    def rotate(self, template: Template) -> Template:
        """A probe in the site's own axes, ready to be compared with what `open` gives.

        Raises:
            PosternError: `invalid` for a template that is no vector of finite numbers.
        """
        values = _vector(template)
        return replace(template, values=turn(values, self._rotation(template.model, values.size)))

    def rotate_rows(self, vectors: npt.NDArray[np.float32], model: str) -> npt.NDArray[np.float32]:
        """Many vectors of one model in the site's own axes, such as a cohort; (N, d) float32."""
        return turn(vectors, self._rotation(model, vectors.shape[-1]))

    def roundtrip(self, vectors: npt.NDArray[np.float32], model: str) -> npt.NDArray[np.float32]:
        """Vectors as they come back from a reference, in the model's axes; (N, d) float32."""
        return roundtrip(vectors, self._rotation(model, vectors.shape[-1]))

    def erase(self, person: PersonId) -> None:
        """Destroys a person's key, and with it every reference of theirs; twice is the same.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; erase again.
        """
        self._keyring.destroy(person)

    def _rotation(self, model: str, dimension: int) -> Rotation:
        check_model(model)
        with self._lock:
            if (model, dimension) not in self._rotations:
                seed = derive_rotation_secret(self._secret, EPOCH, model)
                self._rotations[model, dimension] = derive_rotation(seed, dimension)
            return self._rotations[model, dimension]

    def _key_for(self, person: PersonId) -> bytes:
        if self._keyring.find(person) is None:
            self._keyring.keep(person, EPOCH, aes_key_wrap(self._kek, os.urandom(32)))
        return self._key_of(person)

    def _key_of(self, person: PersonId) -> bytes:
        found = self._keyring.find(person)
        if found is None:
            raise PosternError(
                Code.NOT_FOUND,
                "The key of this person's reference was destroyed.",
                "Enrol the person again if they want to be recognised.",
            )
        epoch, wrapped = found
        if epoch != EPOCH:
            raise invalid("This person's key belongs to another epoch of the site's key.")
        try:
            return aes_key_unwrap(self._kek, wrapped)
        except InvalidUnwrap:
            raise invalid("A person's key was not wrapped by this site's key file.") from None


def open_vault(folder: Path, references: int = 0) -> Vault:
    """The vault in that folder. The key file is made at the first start.

    Args:
        folder: Where `site.key` and `keys.db` lie; must exist.
        references: How many sealed references the store holds already.

    Raises:
        PosternError: `invalid` where the key file is open to others, of the wrong size, not the one
            that the keys were wrapped with, or missing though there are references; `unavailable`
            where the files cannot be used now.
    """
    key_path, keyring_path = folder / KEY_FILE, folder / KEYRING_FILE
    secret = read_secret(key_path)
    if references and not keyring_path.exists():
        raise _lost(KEYRING_FILE)
    if references and secret is None:
        raise _lost(KEY_FILE)
    keyring = open_keyring(keyring_path)
    try:
        unused = not references and keyring.count() == 0
        if secret is None and not unused:
            raise _lost(KEY_FILE)
        if secret is None:
            secret = make_secret(key_path)
        _check_site(keyring, derive_site(secret), unused)
    except PosternError:
        keyring.close()
        raise
    return Vault(secret, keyring)


def _check_site(keyring: Keyring, site: bytes, unused: bool) -> None:
    known = keyring.site()
    if known == site:
        return
    if not unused:
        raise PosternError(
            Code.INVALID,
            f"The key file {KEY_FILE} is not the one that this store was sealed with.",
            "Put back the file that this site was set up with.",
        )
    keyring.claim(site)


def _lost(name: str) -> PosternError:
    return PosternError(
        Code.INVALID,
        f"The file {name} is missing although the store holds references.",
        "Put it back from where you keep it; without it everybody has to be enrolled again.",
    )


def _vector(template: Template) -> npt.NDArray[np.float32]:
    values = template.values
    if values.ndim != 1 or values.dtype != np.float32 or not np.isfinite(values).all():
        raise invalid("A face's template is one vector of finite float32 numbers.")
    return values.astype(np.float32)

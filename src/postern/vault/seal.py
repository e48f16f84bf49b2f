"""The bytes of a sealed reference: AES-256-GCM over a quantised vector, bound to what it is for.

Layout; whole numbers are big-endian:

    4   "PSTN"
    1   version: 1 for levels of one byte, 2 for levels of two
    1   mode: 1 pass, 2 shared, 3 roster (CNIL's types of template storage)
    4   key epoch, from 1
    2   looks, at least 1
    2   dimension d
    32  sha256 of the model
    12  nonce, random
    4   ciphertext of the scale (float32, little-endian)
    d   ciphertext of the levels (int8), or 2 d (int16, little-endian)
    16  tag

The associated data are the first 46 bytes, then the site (16 bytes), the person and the credential,
each preceded by its length in two bytes. So a reference opens only for the person, credential,
site, epoch, model and mode that it was sealed for.
"""

import os
import struct
from dataclasses import dataclass
from math import isfinite

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from postern.core.consent import StorageMode
from postern.core.errors import PosternError, invalid
from postern.core.ids import CredentialId, PersonId
from postern.vault.keys import SITE_SIZE, Binding, named
from postern.vault.quantise import Levels, Quantised
from postern.vault.rotation import MAX_DIMENSION

_MAGIC = b"PSTN"
#: How the levels are written, by version.
_LEVELS: dict[int, np.dtype[np.int8] | np.dtype[np.int16]] = {
    1: np.dtype(np.int8),
    2: np.dtype("<i2"),
}
_MODES = {1: StorageMode.PASS, 2: StorageMode.SHARED, 3: StorageMode.ROSTER}
_HEADER = struct.Struct(">4sBBIHH32s")
_NONCE = 12
_TAG = 16
_SCALE = struct.Struct("<f")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A reference that only the vault can open; this is what the store keeps.

    Attributes:
        credential: The credential it belongs to.
        person: Whose face it is.
        blob: The sealed bytes; 206 of them for a vector of 128, 334 once it was re-keyed.
    """

    credential: CredentialId
    person: PersonId
    blob: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed reference says openly.

    Attributes:
        mode: Where it is kept, and who can open it.
        epoch: Which epoch of the site's keys, counted from 1.
        looks: How many looks the reference holds.
        dimension: Entries of its vector.
        model: The sha256 of the model that made it, in lower-case hex.
    """

    mode: StorageMode
    epoch: int
    looks: int
    dimension: int
    model: str

    def __post_init__(self) -> None:
        if not (1 <= self.epoch < 2**32 and 1 <= self.looks < 2**16):
            raise invalid("A reference has a key epoch and a number of looks from 1.")
        if not 2 <= self.dimension <= MAX_DIMENSION:
            raise invalid(f"A reference has 2 to {MAX_DIMENSION} numbers.")
        check_model(self.model)


def check_model(model: str) -> None:
    """Refuses what is not a sha256 in lower-case hex.

    Raises:
        PosternError: `invalid`.
    """
    if len(model) != 64 or not set(model) <= set("0123456789abcdef"):
        raise invalid("A template names its model by a sha256 in lower-case hex.")


def encrypt(key: bytes, binding: Binding, header: Header, vector: Quantised) -> bytes:
    """The sealed bytes of a vector.

    Args:
        key: 32 bytes, the reference's own.
        binding: Whom it is for.
        header: What it is.
        vector: The rotated, quantised vector.

    Raises:
        PosternError: `invalid` where the vector is not of the header's dimension.
    """
    if vector.levels.shape != (header.dimension,):
        raise invalid("The vector to be sealed is not of the size that its header says.")
    version = vector.levels.dtype.itemsize
    head = _HEADER.pack(
        _MAGIC, version, _mode_number(header.mode), header.epoch, header.looks, header.dimension,
        bytes.fromhex(header.model),
    )  # fmt: skip
    plain = bytearray(_SCALE.size + vector.levels.nbytes)
    _SCALE.pack_into(plain, 0, vector.scale)
    np.frombuffer(plain, _LEVELS[version], offset=_SCALE.size)[:] = vector.levels
    nonce = os.urandom(_NONCE)
    try:
        return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, binding))
    finally:
        plain[:] = bytes(len(plain))


def decrypt(key: bytes, binding: Binding, blob: bytes) -> Quantised:
    """The quantised vector inside sealed bytes; wipe it after use.

    The buffer that it was decrypted into is zeroed.

    Raises:
        PosternError: `invalid` where the bytes are not a sealed reference, were altered, or were
            sealed for anything else than `binding`.
    """
    read_header(blob)
    nonce_end = _HEADER.size + _NONCE
    aad = _bound(blob[: _HEADER.size], binding)
    plain = bytearray(len(blob) - nonce_end - _TAG)
    try:
        AESGCM(key).decrypt_into(blob[_HEADER.size : nonce_end], blob[nonce_end:], aad, plain)
        (scale,) = _SCALE.unpack_from(plain)
        if not (isfinite(scale) and scale > 0.0):
            raise _spoilt()
        version = blob[len(_MAGIC)]
        kept = np.frombuffer(plain, _LEVELS[version], offset=_SCALE.size)
        levels: Levels = kept.astype(np.int8) if version == 1 else kept.astype(np.int16)
    except InvalidTag:
        raise _spoilt() from None
    finally:
        plain[:] = bytes(len(plain))
    return Quantised(levels, np.float32(scale))


def read_header(blob: bytes) -> Header:
    """What sealed bytes say openly; not yet proven genuine.

    Raises:
        PosternError: `invalid` where they are not of the format.
    """
    if len(blob) < _HEADER.size:
        raise _spoilt()
    magic, version, mode, epoch, looks, dimension, model = _HEADER.unpack_from(blob)
    if magic != _MAGIC:
        raise _spoilt()
    if version not in _LEVELS:
        raise invalid("This reference was sealed by a newer Postern.", "Update this one.")
    if mode not in _MODES:
        raise _spoilt()
    if len(blob) != _HEADER.size + _NONCE + _SCALE.size + dimension * version + _TAG:
        raise _spoilt()
    return Header(_MODES[mode], epoch, looks, dimension, model.hex())


def _mode_number(mode: StorageMode) -> int:
    """CNIL's type of template storage."""
    return next(number for number, one in _MODES.items() if one is mode)


def _bound(head: bytes, binding: Binding) -> bytes:
    if len(binding.site) != SITE_SIZE:
        raise invalid(f"A site is named by {SITE_SIZE} bytes.")
    sizes = (len(binding.person.encode()), len(binding.credential.encode()))
    if not all(0 < size < 2**16 for size in sizes):
        raise invalid("A reference is bound to a person and a credential.")
    return head + named(binding)


def _spoilt() -> PosternError:
    return invalid(
        "A sealed reference was altered, or belongs to another person, site or model.",
        "Enrol the person again, or restore the store from a backup of this site.",
    )

"""The bytes of a sealed reference: AES-256-GCM over a quantised vector, bound to what it is for.

Layout of version 1; whole numbers are big-endian:

    4   "PSTN"
    1   version, 1
    1   mode: 1 pass, 2 shared, 3 roster (CNIL's types of template storage)
    4   key epoch, from 1
    2   looks, at least 1
    2   dimension d
    32  sha256 of the model
    12  nonce, random
    4+d ciphertext of the scale (little-endian float32) and the levels (int8)
    16  tag

The associated data are the first 46 bytes, then the site (16 bytes), the person and the credential,
each preceded by its length in two bytes. So a reference opens only for the person, credential,
site, epoch, model and mode that it was sealed for.
"""

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from postern.core.errors import PosternError, invalid
from postern.core.ids import CredentialId, PersonId
from postern.vault.quantise import Quantised
from postern.vault.rotation import MAX_DIMENSION

_MAGIC = b"PSTN"
_VERSION = 1
_HEADER = struct.Struct(">4sBBIHH32s")
_NONCE = 12
_TAG = 16
_SCALE = struct.Struct("<f")
_SITE = 16


class Mode(IntEnum):
    """Who can open a reference."""

    PASS = 1
    SHARED = 2
    ROSTER = 3


@dataclass(frozen=True, slots=True)
class Sealed:
    """A reference that only the vault can open; this is what the store keeps.

    Attributes:
        credential: The credential it belongs to.
        person: Whose face it is.
        blob: The sealed bytes; 206 of them for a vector of 128.
    """

    credential: CredentialId
    person: PersonId
    blob: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed reference says openly.

    Attributes:
        mode: Who can open it.
        epoch: Which site key, counted from 1.
        looks: How many looks the reference holds.
        dimension: Entries of its vector.
        model: The sha256 of the model that made it, in lower-case hex.
    """

    mode: Mode
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


@dataclass(frozen=True, slots=True)
class Binding:
    """What a reference is bound to beside its header; `site` is 16 bytes."""

    site: bytes
    person: PersonId
    credential: CredentialId


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
        key: 32 bytes, the person's own.
        binding: Whom it is for.
        header: What it is.
        vector: The rotated, quantised vector.

    Raises:
        PosternError: `invalid` where the vector is not of the header's dimension.
    """
    if vector.levels.shape != (header.dimension,):
        raise invalid("The vector to be sealed is not of the size that its header says.")
    head = _HEADER.pack(
        _MAGIC, _VERSION, header.mode, header.epoch, header.looks, header.dimension,
        bytes.fromhex(header.model),
    )  # fmt: skip
    plain = bytearray(_SCALE.pack(vector.scale) + vector.levels.tobytes())
    nonce = os.urandom(_NONCE)
    try:
        return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, binding))
    finally:
        plain[:] = bytes(len(plain))


def decrypt(key: bytes, binding: Binding, blob: bytes) -> Quantised:
    """The quantised vector inside sealed bytes. The buffer it was decrypted into is zeroed.

    Raises:
        PosternError: `invalid` where the bytes are not a sealed reference, were altered, or were
            sealed for anything else than `binding`.
    """
    header = read_header(blob)
    nonce_end = _HEADER.size + _NONCE
    aad = _bound(blob[: _HEADER.size], binding)
    plain = bytearray(_SCALE.size + header.dimension)
    try:
        AESGCM(key).decrypt_into(blob[_HEADER.size : nonce_end], blob[nonce_end:], aad, plain)
        (scale,) = _SCALE.unpack_from(plain)
        if not (isfinite(scale) and scale > 0.0):
            raise _spoilt()
        levels = np.frombuffer(plain, np.int8, offset=_SCALE.size).copy()
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
    if version != _VERSION:
        raise invalid("This reference was sealed by a newer Postern.", "Update this one.")
    if mode not in Mode.__members__.values():
        raise _spoilt()
    if len(blob) != _HEADER.size + _NONCE + _SCALE.size + dimension + _TAG:
        raise _spoilt()
    return Header(Mode(mode), epoch, looks, dimension, model.hex())


def _bound(head: bytes, binding: Binding) -> bytes:
    if len(binding.site) != _SITE:
        raise invalid(f"A site is named by {_SITE} bytes.")
    names = (binding.person.encode(), binding.credential.encode())
    if not all(0 < len(name) < 2**16 for name in names):
        raise invalid("A reference is bound to a person and a credential.")
    return head + b"".join(
        len(part).to_bytes(2, "big") + part for part in (binding.site, *names)
    )  # fmt: skip


def _spoilt() -> PosternError:
    return invalid(
        "A sealed reference was altered, or belongs to another person, site or model.",
        "Enrol the person again, or restore the store from a backup of this site.",
    )

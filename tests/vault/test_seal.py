"""Sealed bytes: they open for what they were sealed for and for nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.vault.keys import Binding
from postern.vault.quantise import Quantised, quantise
from postern.vault.seal import Header, decrypt, encrypt, read_header
from tests.people import ALICE, BOB
from tests.vault.samples import FACE_1, MODEL, OTHER_MODEL, vectors

KEY = bytes(range(32, 64))
BINDING = Binding(b"s" * 16, ALICE, FACE_1)
HEADER = Header(StorageMode.ROSTER, 1, 3, 128, MODEL)
VECTOR = quantise(vectors(1)[0])
BLOB = encrypt(KEY, BINDING, HEADER, VECTOR)


def test_sealed_bytes_give_back_the_vector() -> None:
    """Levels and scale come back exactly, and the header says what was sealed."""
    opened = decrypt(KEY, BINDING, BLOB)

    assert HEADER == read_header(BLOB)
    assert np.array_equal(VECTOR.levels, opened.levels)
    assert VECTOR.scale == opened.scale
    assert 206 == len(BLOB)


def test_fine_steps_take_two_bytes() -> None:
    """A re-keyed vector comes back exactly as well."""
    fine = quantise(vectors(1)[0], fine=True)
    sealed = encrypt(KEY, BINDING, HEADER, fine)
    opened = decrypt(KEY, BINDING, sealed)

    assert np.int16 == opened.levels.dtype
    assert np.array_equal(fine.levels, opened.levels)
    assert fine.scale == opened.scale
    assert 334 == len(sealed)


def test_sealed_bytes_of_another_width_are_refused() -> None:
    """Half as many numbers of two bytes have the same length, and do not open."""
    relabelled = bytearray(BLOB)
    relabelled[4] = 2
    relabelled[12:14] = (64).to_bytes(2, "big")

    assert 64 == read_header(bytes(relabelled)).dimension
    with pytest.raises(PosternError):
        decrypt(KEY, BINDING, bytes(relabelled))


def test_wiped_steps_are_gone() -> None:
    """What was decrypted can be overwritten where it lies."""
    opened = decrypt(KEY, BINDING, BLOB)
    opened.wipe()

    assert not opened.levels.any()


def test_sealing_twice_gives_different_bytes() -> None:
    """The nonce is fresh each time, so that equal references do not show."""
    assert encrypt(KEY, BINDING, HEADER, VECTOR)[46:] != BLOB[46:]


@pytest.mark.parametrize(
    "binding",
    [
        replace(BINDING, person=BOB),
        replace(BINDING, credential=CredentialId("face-2")),
        replace(BINDING, site=b"t" * 16),
    ],
)
def test_swap_to_another_person_credential_or_site_is_refused(binding: Binding) -> None:
    """A reference copied into another row, or another site's store, opens nothing."""
    with pytest.raises(PosternError) as refused:
        decrypt(KEY, binding, BLOB)

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize(
    "header",
    [
        replace(HEADER, model=OTHER_MODEL),
        replace(HEADER, epoch=2),
        replace(HEADER, mode=StorageMode.SHARED),
        replace(HEADER, looks=9),
    ],
)
def test_relabelling_model_epoch_mode_or_looks_is_refused(header: Header) -> None:
    """The header of one reference over the body of another does not open."""
    relabelled = encrypt(KEY, BINDING, header, VECTOR)[:46] + BLOB[46:]

    assert header == read_header(relabelled)
    with pytest.raises(PosternError):
        decrypt(KEY, BINDING, relabelled)


def test_another_key_is_refused() -> None:
    """Without the person's key there is nothing to be had."""
    with pytest.raises(PosternError):
        decrypt(bytes(32), BINDING, BLOB)


def test_every_flipped_bit_is_refused() -> None:
    """No bit of the sealed bytes can be changed unnoticed."""
    for index in range(len(BLOB) * 8):
        forged = bytearray(BLOB)
        forged[index // 8] ^= 1 << index % 8
        with pytest.raises(PosternError):
            decrypt(KEY, BINDING, bytes(forged))


def test_every_other_length_is_refused() -> None:
    """Cut short or with something behind, the bytes do not parse."""
    for blob in [*(BLOB[:size] for size in range(len(BLOB))), BLOB + b"\0"]:
        with pytest.raises(PosternError):
            read_header(blob)


@given(st.binary(max_size=300) | st.binary(max_size=260).map(lambda tail: BLOB[:6] + tail))
def test_hostile_bytes_raise_only_our_error(blob: bytes) -> None:
    """Whatever bytes come, the answer is a refusal in one sentence."""
    with pytest.raises(PosternError):
        decrypt(KEY, BINDING, blob)


def test_a_newer_version_says_so() -> None:
    """A reference of a later format is told apart from a damaged one."""
    with pytest.raises(PosternError, match="newer Postern"):
        read_header(BLOB[:4] + b"\3" + BLOB[5:])


def test_a_scale_that_is_no_number_is_refused() -> None:
    """Even a genuine seal over NaN opens nothing."""
    spoilt = encrypt(KEY, BINDING, HEADER, Quantised(VECTOR.levels, np.float32("nan")))

    with pytest.raises(PosternError):
        decrypt(KEY, BINDING, spoilt)


def test_names_do_not_run_into_one_another() -> None:
    """Moving a letter from the person to the credential changes what the seal is bound to."""
    shifted = Binding(BINDING.site, type(ALICE)(ALICE + "x"), CredentialId("y"))
    other = Binding(BINDING.site, ALICE, CredentialId("xy"))

    with pytest.raises(PosternError):
        decrypt(KEY, other, encrypt(KEY, shifted, HEADER, VECTOR))

"""Key epochs: references move into the present one, and what an epoch held ends with it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.frame import Template
from postern.vault.keys import (
    Binding,
    derive_epoch_kek,
    derive_kek,
    derive_rotation_secret,
    derive_site,
)
from postern.vault.quantise import quantise
from postern.vault.rotation import derive_rotation, turn
from postern.vault.seal import Header, Sealed, encrypt, read_header
from postern.vault.secret_file import make_secret
from postern.vault.standing import Standing
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.people import ALICE, BOB
from tests.vault.samples import FACE_1, MODEL, OTHER_MODEL, distances, template, values, vectors
from tests.vault.test_keyring import FIRST_TABLES

SHARE = bytes(range(32))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = open_vault(tmp_path)
    yield opened
    opened.close()


def test_a_resealed_reference_is_the_same_in_the_same_axes(vault: Vault) -> None:
    """A service that runs on while the site is re-keyed compares as before."""
    sealed = vault.seal(FACE_1, ALICE, template())
    before = values(vault.open(sealed))
    assert 2 == vault.begin_epoch()
    renewed = vault.reseal(sealed)

    assert 2 == read_header(renewed.blob).epoch
    assert sealed.blob[46:] != renewed.blob[46:]
    assert np.abs(before - values(vault.open(renewed))).max() < 1e-4
    assert np.abs(before - values(vault.open(sealed))).max() == 0.0
    assert renewed is vault.reseal(renewed)


def test_a_vault_opened_later_has_other_axes(tmp_path: Path, vault: Vault) -> None:
    """The rotation is renewed; probes and references still meet."""
    renewed = _renewed(vault, vault.seal(FACE_1, ALICE, template()))
    later = open_vault(tmp_path, references=1)

    assert np.linalg.norm(values(vault.open(renewed)) - values(later.open(renewed))) > 0.5
    for one in (vault, later):
        apart = values(one.open(renewed)) - values(one.rotate(template()))
        assert np.linalg.norm(apart) < 0.03
    later.close()


def test_references_of_two_epochs_lie_in_one_set_of_axes(tmp_path: Path, vault: Vault) -> None:
    """Between a re-keying and a shared reference's next visit both kinds are compared alike."""
    looks = vectors(6)
    old = [vault.seal(_name(i), ALICE, Template(row, MODEL, 1)) for i, row in enumerate(looks)]
    vault.begin_epoch()
    mixed = [vault.reseal(one) if i % 2 else one for i, one in enumerate(old)]
    later = open_vault(tmp_path, references=1)

    for one in (vault, later):
        opened = np.stack([values(one.open(sealed)) for sealed in mixed])
        apart = ~np.eye(len(looks), dtype=bool)
        ratio = distances(opened, opened)[apart] / distances(looks, looks)[apart]
        assert np.abs(ratio - 1.0).max() < 0.01
    later.close()


def test_ten_rekeyings_add_next_to_nothing(vault: Vault) -> None:
    """The first rounding, which the tables account for, stays the only one that counts."""
    looks = vectors(10)
    sealed = [vault.seal(_name(i), ALICE, Template(row, MODEL, 1)) for i, row in enumerate(looks)]
    first = np.stack([values(vault.open(one)) for one in sealed])
    for _ in range(10):
        vault.begin_epoch()
        sealed = [vault.reseal(one) for one in sealed]
    last = np.stack([values(vault.open(one)) for one in sealed])
    rotated = np.stack([values(vault.rotate(Template(row, MODEL, 1))) for row in looks])

    drift = np.linalg.norm(last - first, axis=1)
    rounding = np.linalg.norm(first - rotated, axis=1)
    assert 11 == vault.epoch()[0]
    assert drift.max() < 3e-4
    assert drift.max() < rounding.min() / 20


def test_sealing_goes_by_the_present_epoch(tmp_path: Path, vault: Vault) -> None:
    """Also in a process that was started before the epoch began."""
    other = open_vault(tmp_path)
    other.begin_epoch()
    other.close()
    sealed = vault.seal(FACE_1, ALICE, template())

    assert 2 == read_header(sealed.blob).epoch
    assert np.linalg.norm(values(vault.open(sealed)) - values(vault.rotate(template()))) < 0.03


def test_shared_is_resealed_with_its_share_only(vault: Vault) -> None:
    """At the next visit; until then it opens as before."""
    sealed = vault.seal(FACE_1, ALICE, template(), mode=StorageMode.SHARED, share=SHARE)
    vault.begin_epoch()
    with pytest.raises(PosternError, match="key share"):
        vault.reseal(sealed)
    with pytest.raises(PosternError, match="does not belong"):
        vault.reseal(sealed, bytes(32))

    renewed = vault.reseal(sealed, SHARE)
    assert (StorageMode.SHARED, 2) == (read_header(renewed.blob).mode, 2)
    assert 3 == vault.open(renewed, SHARE).looks
    with pytest.raises(PosternError, match="key share"):
        vault.open(renewed)
    assert (1, 2) == vault.retire()
    vault.settle(renewed)
    assert (2,) == vault.retire()


def test_an_epoch_ends_with_its_last_key(tmp_path: Path, vault: Vault) -> None:
    """After it the former bytes open nothing, and the reason says that it has ended."""
    sealed = vault.seal(FACE_1, ALICE, template())
    carried = vault.seal(FACE_1, BOB, template(), mode=StorageMode.PASS)
    before = _epoch_secrets(tmp_path)
    renewed = _renewed(vault, sealed)
    assert (1, 2) == vault.retire()
    assert 3 == vault.open(carried).looks

    vault.destroy(FACE_1, BOB)
    assert (2,) == vault.retire()
    with pytest.raises(PosternError, match="epoch 1 has ended") as ended:
        vault.open(sealed)
    assert Code.NOT_FOUND is ended.value.code
    assert 3 == vault.open(renewed).looks
    assert [] == _holding(tmp_path, before[1])


def test_settling_removes_no_other_key(vault: Vault) -> None:
    """Neither the present one, nor another reference's, nor another person's."""
    sealed = [vault.seal(_name(i), person, template()) for i in (0, 1) for person in (ALICE, BOB)]
    vault.begin_epoch()
    renewed = vault.reseal(sealed[0])
    vault.settle(renewed)
    vault.settle(sealed[1])

    for one in (renewed, *sealed[1:]):
        assert 3 == vault.open(one).looks
    with pytest.raises(PosternError):
        vault.open(sealed[0])


def test_pruning_removes_what_belongs_to_no_reference(vault: Vault) -> None:
    """A key whose reference never arrived goes; one of the present epoch may be on its way."""
    kept, orphan = vault.seal(FACE_1, ALICE, template()), vault.seal(FACE_1, BOB, template())
    known = {(ALICE, FACE_1)}
    vault.prune(known, 1)
    assert 3 == vault.open(orphan).looks
    vault.begin_epoch()
    young = vault.seal(_name(2), BOB, template())

    vault.prune(known, 2)
    assert {(ALICE, FACE_1), (BOB, _name(2))} == vault.keyed()
    for one in (kept, young):
        assert 3 == vault.open(one).looks
    with pytest.raises(PosternError):
        vault.open(orphan)


def test_an_epoch_that_has_not_begun_is_refused(vault: Vault) -> None:
    """An altered header, or keys from an old copy."""
    sealed = vault.seal(FACE_1, ALICE, template())
    strange = replace(sealed, blob=sealed.blob[:6] + (9).to_bytes(4, "big") + sealed.blob[10:])

    with pytest.raises(PosternError, match="not begun") as refused:
        vault.open(strange)
    assert Code.INVALID is refused.value.code


def test_a_reference_relabelled_to_another_living_epoch_is_refused(vault: Vault) -> None:
    """Even where both epochs have a key for it."""
    sealed = vault.seal(FACE_1, ALICE, template())
    vault.begin_epoch()
    vault.reseal(sealed)
    relabelled = replace(sealed, blob=sealed.blob[:6] + (2).to_bytes(4, "big") + sealed.blob[10:])

    with pytest.raises(PosternError, match="altered"):
        vault.open(relabelled)


@pytest.mark.parametrize("way", [Vault.forget, Vault.erase])
def test_resealing_does_not_bring_back_what_was_destroyed(
    tmp_path: Path, vault: Vault, way
) -> None:
    """A withdrawal by another process while the site is re-keyed wins."""
    sealed = vault.seal(FACE_1, ALICE, template())
    vault.begin_epoch()
    other = open_vault(tmp_path)
    way(other, ALICE)
    other.close()

    with pytest.raises(PosternError):
        vault.reseal(sealed)
    assert frozenset() == vault.keyed()


def test_each_new_site_s_first_epoch_has_a_secret_of_its_own(tmp_path: Path) -> None:
    """So that it can be destroyed although the site's key file stays."""
    vault = open_vault(tmp_path)
    (number, name) = vault.epoch()
    vault.close()
    again = open_vault(tmp_path)
    assert (number, name) == again.epoch()
    assert 1 == number
    again.begin_epoch()
    assert name != again.epoch()[1]
    again.close()

    secret = (tmp_path / KEY_FILE).read_bytes()
    assert aes_key_wrap(derive_epoch_kek(secret), secret) not in _epoch_secrets(tmp_path).values()


def test_references_of_version_1_still_open(tmp_path: Path) -> None:
    """A site that was set up before epochs had secrets goes on, and can be re-keyed."""
    secret = make_secret(tmp_path / KEY_FILE)
    sealed = _sealed_in_version_1(tmp_path, secret)

    vault = open_vault(tmp_path, references=1)
    opened = vault.open(sealed)
    assert np.abs(values(opened) - values(vault.rotate(template()))).max() < 0.003
    assert 1 == vault.epoch()[0]
    renewed = _renewed(vault, sealed)
    vault.retire()
    vault.close()

    again = open_vault(tmp_path, references=1)
    assert 3 == again.open(renewed).looks
    assert Standing.EPOCH_RETIRED is again.standing(sealed, MODEL)
    again.close()


def test_standing_says_what_a_reference_lacks(vault: Vault) -> None:
    """One word for each: ready, another model's, destroyed, ended, altered."""
    sealed = vault.seal(FACE_1, ALICE, template())
    shared = vault.seal(FACE_1, BOB, template(), mode=StorageMode.SHARED, share=SHARE)
    assert Standing.READY is vault.standing(sealed, MODEL)
    assert Standing.READY is vault.standing(shared, MODEL)
    assert Standing.NEEDS_NEW_LOOKS is vault.standing(sealed, OTHER_MODEL)
    assert Standing.NEEDS_NEW_LOOKS is vault.standing(shared, OTHER_MODEL)
    for blob in (sealed.blob[:-1] + bytes([sealed.blob[-1] ^ 1]), b"", sealed.blob[:100]):
        assert Standing.ALTERED is vault.standing(replace(sealed, blob=blob), MODEL)

    vault.forget(BOB)
    assert Standing.KEY_MISSING is vault.standing(shared, MODEL)
    _renewed(vault, sealed)
    vault.retire()
    assert Standing.EPOCH_RETIRED is vault.standing(sealed, MODEL)
    assert Standing.EPOCH_RETIRED is vault.standing(shared, MODEL)


def test_what_is_handed_out_is_another_copy(vault: Vault) -> None:
    """Wiping the buffers behind it leaves the template whole, also across epochs."""
    sealed = vault.seal(FACE_1, ALICE, template())
    vault.begin_epoch()
    renewed = vault.reseal(sealed)

    for one in (sealed, renewed):
        assert np.abs(values(vault.open(one))).max() > 0.1


def _renewed(vault: Vault, sealed: Sealed) -> Sealed:
    vault.begin_epoch()
    renewed = vault.reseal(sealed)
    vault.settle(renewed)
    return renewed


def _name(index: int) -> CredentialId:
    return CredentialId(f"face-{index}")


def _sealed_in_version_1(folder: Path, secret: bytes) -> Sealed:
    """Alice's reference and its key as the first version wrote them."""
    name, key = CredentialId(f"face-{ALICE}"), bytes(range(50, 82))
    rotation = derive_rotation(derive_rotation_secret(secret, 1, MODEL), 128)
    vector = quantise(turn(values(template()), rotation))
    header = Header(StorageMode.ROSTER, 1, 3, 128, MODEL)
    blob = encrypt(key, Binding(derive_site(secret), ALICE, name), header, vector)
    with sqlite3.connect(folder / KEYRING_FILE) as keys:
        keys.executescript(FIRST_TABLES)
        keys.execute("INSERT INTO site VALUES (1, ?)", (derive_site(secret),))
        wrapped = aes_key_wrap(derive_kek(secret, 1), key)
        keys.execute("INSERT INTO keys VALUES (?, 1, ?)", (ALICE, wrapped))
    keys.close()
    return Sealed(name, ALICE, blob)


def _epoch_secrets(folder: Path) -> dict[int, bytes]:
    keys = sqlite3.connect(folder / KEYRING_FILE)
    found = dict(keys.execute("SELECT epoch, wrapped FROM epochs").fetchall())
    keys.close()
    return found


def _holding(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]

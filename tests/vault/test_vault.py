"""The vault as a whole, on real files."""

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.frame import Template
from postern.vault.keys import derive_site
from postern.vault.seal import Sealed
from postern.vault.secret_file import Origin, SecretFile, make_secret
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.people import ALICE, BOB, CAROL
from tests.vault.samples import FACE_1, MODEL, OTHER_MODEL, distances, template, values, vectors


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = open_vault(tmp_path)
    yield opened
    opened.close()


def test_open_gives_the_rotated_template(vault: Vault) -> None:
    """What was sealed comes back in the site's axes, with its model and looks."""
    opened = vault.open(vault.seal(FACE_1, ALICE, template()))
    rotated = vault.rotate(template())

    assert (MODEL, 3) == (opened.model, opened.looks)
    assert np.float32 == opened.values.dtype
    assert np.abs(values(opened) - values(rotated)).max() < 0.003
    assert np.abs(values(opened) - values(template())).max() > 0.1


def test_distances_to_probes_are_those_of_the_plain_vectors(vault: Vault) -> None:
    """A reference from the vault and a rotated probe compare as the originals would."""
    looks = vectors(30)
    sealed = [
        vault.seal(CredentialId(f"face-{i}"), ALICE, Template(row, MODEL, 1))
        for i, row in enumerate(looks)
    ]
    opened = np.stack([values(vault.open(one)) for one in sealed])
    probes = np.stack([values(vault.rotate(Template(row, MODEL, 1))) for row in looks])
    apart = ~np.eye(len(looks), dtype=bool)
    before = distances(looks, looks)[apart]
    after = distances(opened, probes)[apart]

    assert np.quantile(np.abs(after / before - 1.0), 0.999) < 0.006


def test_rotate_rows_and_rotate_agree(vault: Vault) -> None:
    """A cohort that is rotated at once lies where its vectors would lie one by one."""
    rows = vectors(4)
    at_once = vault.rotate_rows(rows, MODEL)

    for row, turned in zip(rows, at_once, strict=True):
        one = values(vault.rotate(Template(row, MODEL, 1)))
        assert np.abs(one - turned).max() < 1e-6


def test_roundtrip_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """The rotation belongs to the key file and to nothing else."""
    rows = vectors(4)
    first = open_vault(tmp_path)
    before = first.roundtrip(rows, MODEL)
    first.close()
    second = open_vault(tmp_path)
    after = second.roundtrip(rows, MODEL)
    second.close()

    assert np.array_equal(before, after)


def test_models_have_rotations_of_their_own(vault: Vault) -> None:
    """A template of another model does not lie in the same axes."""
    one, other = vault.rotate(template()), vault.rotate(template(model=OTHER_MODEL))

    assert np.linalg.norm(values(one) - values(other)) > 0.5


def test_references_open_after_a_restart(tmp_path: Path) -> None:
    """Keys are durable when `seal` returns."""
    first = open_vault(tmp_path)
    sealed = first.seal(FACE_1, ALICE, template())
    first.close()
    second = open_vault(tmp_path, references=1)

    assert MODEL == second.open(sealed).model
    second.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, person=BOB),
        lambda s: replace(s, credential=CredentialId("face-2")),
        lambda s: replace(s, blob=s.blob[:14] + bytes(32) + s.blob[46:]),
        lambda s: replace(s, blob=s.blob[:6] + (2).to_bytes(4, "big") + s.blob[10:]),
        lambda s: replace(s, blob=s.blob[:5] + b"\1" + s.blob[6:]),
    ],
    ids=["person", "credential", "model", "epoch", "mode"],
)
def test_swap_in_the_store_is_refused(vault: Vault, change) -> None:
    """Another person, credential, model, epoch or mode than was sealed opens nothing."""
    sealed = vault.seal(FACE_1, ALICE, template())
    # There are keys for what the row is changed to: the seal itself refuses.
    vault.seal(FACE_1, BOB, template(2))
    vault.seal(CredentialId("face-2"), ALICE, template(3))

    with pytest.raises(PosternError) as refused:
        vault.open(change(sealed))
    assert Code.INVALID is refused.value.code
    assert 3 == vault.open(sealed).looks


def test_swapped_keys_are_refused(tmp_path: Path, vault: Vault) -> None:
    """Giving Bob's row Alice's wrapped key does not make her reference his."""
    sealed = vault.seal(FACE_1, ALICE, template())
    vault.seal(FACE_1, BOB, template(2))
    with sqlite3.connect(tmp_path / KEYRING_FILE) as keys:
        keys.execute(
            "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE person = ?)", (ALICE,)
        )
    keys.close()

    with pytest.raises(PosternError):
        vault.open(replace(sealed, person=BOB))


def test_every_reference_has_a_key_of_its_own(tmp_path: Path, vault: Vault) -> None:
    """One credential is destroyed without the other, and no key opens both."""
    one = vault.seal(FACE_1, ALICE, template())
    other = vault.seal(CredentialId("face-2"), ALICE, template())
    assert 2 == len(set(_wrapped(tmp_path, ALICE)))

    vault.destroy(FACE_1, ALICE)

    with pytest.raises(PosternError, match="destroyed"):
        vault.open(one)
    assert 3 == vault.open(other).looks
    assert {(ALICE, CredentialId("face-2"))} == vault.keyed()


@pytest.mark.parametrize("way", [Vault.erase, Vault.forget])
def test_keys_are_destroyed_with_every_trace_of_them(tmp_path: Path, vault: Vault, way) -> None:
    """After it nothing of the person opens, and the wrapped keys are in no file of the vault."""
    sealed = [vault.seal(CredentialId(f"face-{i}"), ALICE, template()) for i in range(2)]
    kept = vault.seal(FACE_1, BOB, template(2))
    wrapped = _wrapped(tmp_path, ALICE)
    assert all(_holding(tmp_path, one) for one in wrapped)

    way(vault, ALICE)

    for one in sealed:
        with pytest.raises(PosternError, match="destroyed") as gone:
            vault.open(one)
        assert Code.NOT_FOUND is gone.value.code
    assert [[], []] == [_holding(tmp_path, one) for one in wrapped]
    assert 3 == vault.open(kept).looks


def test_a_destroyed_key_leaves_no_trace(tmp_path: Path, vault: Vault) -> None:
    """Nor while the vault stays open, and the person's other key with it."""
    vault.seal(FACE_1, ALICE, template())
    (wrapped,) = _wrapped(tmp_path, ALICE)
    kept = vault.seal(CredentialId("face-2"), ALICE, template())
    assert _holding(tmp_path, wrapped)

    vault.destroy(FACE_1, ALICE)

    assert [] == _holding(tmp_path, wrapped)
    assert 3 == vault.open(kept).looks


def test_erase_twice_is_the_same(vault: Vault) -> None:
    """Erasing somebody who has no key is no failure, so that it can be tried again."""
    vault.erase(CAROL)
    vault.erase(CAROL)
    assert vault.is_erased(CAROL)
    assert not vault.is_erased(ALICE)


def test_erase_leaves_nobody_s_name(tmp_path: Path, vault: Vault) -> None:
    """What is remembered says nothing to whoever has not the site's secret and the id."""
    vault.seal(FACE_1, ALICE, template())
    vault.erase(ALICE)

    assert [] == _holding(tmp_path, ALICE.encode())


def test_erase_says_so_when_a_reader_keeps_the_traces(tmp_path: Path, vault: Vault) -> None:
    """The key is gone at once; the traces go when the other program has finished."""
    sealed = vault.seal(FACE_1, ALICE, template())
    (wrapped,) = _wrapped(tmp_path, ALICE)
    reader = sqlite3.connect(tmp_path / KEYRING_FILE, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM keys").fetchall()

    with pytest.raises(PosternError) as waiting:
        vault.erase(ALICE)
    assert waiting.value.retry_helps
    with pytest.raises(PosternError, match="erased"):
        vault.open(sealed)

    reader.close()
    vault.erase(ALICE)
    assert [] == _holding(tmp_path, wrapped)


def test_a_person_who_comes_back_gets_another_key(vault: Vault) -> None:
    """What was sealed before the withdrawal stays shut for good."""
    before = vault.seal(FACE_1, ALICE, template())
    vault.forget(ALICE)
    after = vault.seal(FACE_1, ALICE, template())

    assert 3 == vault.open(after).looks
    with pytest.raises(PosternError):
        vault.open(before)


def test_a_person_who_was_erased_does_not_come_back(tmp_path: Path, vault: Vault) -> None:
    """Not under the same id: a restored backup must not make them anew."""
    vault.erase(ALICE)

    with pytest.raises(PosternError, match="erased"):
        vault.seal(FACE_1, ALICE, template())
    assert [] == _people(tmp_path)


def test_missing_key_file_is_refused_when_there_are_references(tmp_path: Path) -> None:
    """A new secret is never made over references that it could not open."""
    open_vault(tmp_path).close()
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(PosternError, match=r"site\.key is missing"):
        open_vault(tmp_path, references=1)
    assert not (tmp_path / KEY_FILE).exists()


def test_missing_key_file_is_refused_when_there_are_keys(tmp_path: Path) -> None:
    """Nor over keys that it did not wrap."""
    first = open_vault(tmp_path)
    first.seal(FACE_1, ALICE, template())
    first.close()
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(PosternError, match=r"site\.key is missing"):
        open_vault(tmp_path)


def test_missing_keys_are_refused_when_there_are_references(tmp_path: Path) -> None:
    """A lost file of keys is said at the start, not at the door."""
    open_vault(tmp_path).close()
    (tmp_path / KEYRING_FILE).unlink()

    with pytest.raises(PosternError, match=r"keys\.db is missing"):
        open_vault(tmp_path, references=1)
    assert not (tmp_path / KEYRING_FILE).exists()


def test_another_sites_key_file_is_refused(tmp_path: Path) -> None:
    """A key file from elsewhere is told apart before anything is opened with it."""
    first = open_vault(tmp_path)
    first.seal(FACE_1, ALICE, template())
    first.close()
    (tmp_path / KEY_FILE).unlink()
    make_secret(tmp_path / KEY_FILE)

    with pytest.raises(PosternError, match="not the one that keys.db was made with"):
        open_vault(tmp_path, references=1)


def test_stolen_database_without_the_key_file_opens_nothing(tmp_path: Path) -> None:
    """A thief with both databases, who changes them as they like, opens 0 of 20."""
    site, thief = tmp_path / "site", tmp_path / "thief"
    site.mkdir()
    thief.mkdir()
    owner = open_vault(site)
    sealed = [owner.seal(CredentialId(f"face-{i}"), ALICE, template(i)) for i in range(20)]
    owner.close()
    shutil.copy(site / KEYRING_FILE, thief / KEYRING_FILE)
    with pytest.raises(PosternError):
        open_vault(thief, references=20)

    secret = make_secret(thief / KEY_FILE)
    with sqlite3.connect(thief / KEYRING_FILE) as keys:
        keys.execute("UPDATE site SET id = ?", (derive_site(secret),))
    keys.close()
    with pytest.raises(PosternError, match="epoch"):
        open_vault(thief, references=20)

    with sqlite3.connect(thief / KEYRING_FILE) as keys:
        keys.execute("DELETE FROM epochs")
    keys.close()
    forced = open_vault(thief, references=20)
    assert 0 == sum(_opens(forced, one) for one in sealed)
    forced.close()


def test_damaged_keys_are_refused_in_one_sentence(tmp_path: Path) -> None:
    """A file that is no database is neither used nor replaced."""
    (tmp_path / KEYRING_FILE).write_bytes(b"not a database" * 100)

    with pytest.raises(PosternError, match="damaged") as refused:
        open_vault(tmp_path)
    assert Code.INVALID is refused.value.code


def test_newer_keys_are_refused(tmp_path: Path) -> None:
    """A file of keys from a later program is left as it is."""
    open_vault(tmp_path).close()
    with sqlite3.connect(tmp_path / KEYRING_FILE) as keys:
        keys.execute("PRAGMA user_version = 3")
    keys.close()

    with pytest.raises(PosternError, match="newer Postern"):
        open_vault(tmp_path)


@pytest.mark.parametrize(
    "numbers",
    [
        np.zeros((2, 128), np.float32),
        np.full(128, np.nan, np.float32),
        np.zeros(128, np.float32),
        np.ones(128, np.float64),
        np.ones(1, np.float32),
        np.ones(2000, np.float32),
    ],
)
def test_seal_refuses_what_is_no_template(tmp_path: Path, vault: Vault, numbers) -> None:
    """And no key is made for it."""
    with pytest.raises(PosternError) as refused:
        vault.seal(FACE_1, ALICE, Template(numbers, MODEL, 1))

    assert Code.INVALID is refused.value.code
    assert [] == _people(tmp_path)


def test_a_model_without_a_hash_is_refused(vault: Vault) -> None:
    """Templates name their model by its sha256, so that no other model's compare with them."""
    with pytest.raises(PosternError, match="sha256"):
        vault.rotate(replace(template(), model="facenet"))


def test_a_key_file_from_elsewhere_is_used(tmp_path: Path) -> None:
    """The service manager's credential takes the place of the file in the folder."""
    make_secret(tmp_path / "credential")
    (tmp_path / "credential").chmod(0o440)
    named = SecretFile(tmp_path / "credential", Origin.CREDENTIAL)
    (tmp_path / "site").mkdir()
    vault = open_vault(tmp_path / "site", key=named)
    sealed = vault.seal(FACE_1, ALICE, template())
    vault.close()

    assert not (tmp_path / "site" / KEY_FILE).exists()
    again = open_vault(tmp_path / "site", 1, named)
    assert 3 == again.open(sealed).looks
    again.close()
    with pytest.raises(PosternError, match=r"site\.key is missing"):
        open_vault(tmp_path / "site", 1)


def test_threads_share_a_vault(vault: Vault) -> None:
    """Eight threads seal for the same new person and open at once."""

    def work(index: int) -> bool:
        name = CredentialId(f"face-{index % 5}")
        return _opens(vault, vault.seal(name, ALICE, template(index)))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
    assert 5 == len(vault.keyed())


def _opens(vault: Vault, sealed: Sealed) -> bool:
    try:
        vault.open(sealed)
    except PosternError:
        return False
    return True


def _wrapped(folder: Path, person: str) -> list[bytes]:
    keys = sqlite3.connect(folder / KEYRING_FILE)
    rows = keys.execute("SELECT wrapped FROM keys WHERE person = ?", (person,)).fetchall()
    keys.close()
    return [bytes(row[0]) for row in rows]


def _people(folder: Path) -> list[str]:
    keys = sqlite3.connect(folder / KEYRING_FILE)
    people = [row[0] for row in keys.execute("SELECT person FROM keys")]
    keys.close()
    return people


def _holding(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]

"""Safeguard: a plain template never touches the disk, and a stolen store opens nothing.

Three people are enrolled through the real vault and the real store. Then every byte of every file
that either of them wrote, and of every temporary file of the process, is searched for any form in
which a template might have leaked. The search is shown to find each form when it is planted. Files
that were removed again cannot be searched: none is opened but those that stay.
"""

import base64
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from postern.core.errors import PosternError
from postern.core.evidence import Factor
from postern.core.ids import PersonId
from postern.frame import Template
from postern.store.store import STORE_FILE, Store, open_store
from postern.vault.keys import derive_site
from postern.vault.quantise import quantise
from postern.vault.seal import Sealed
from postern.vault.secret_file import make_secret
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.people import ALICE, CAROL, DOOR, ERIN, NOW, PERSONS, consent, credential, permit

MODEL = "ab" * 32
ENROLLED = (ALICE, CAROL, ERIN)
#: Bytes. Long enough that chance does not hit, short enough to find a leaked fragment.
WINDOW = 24

#: Files that were opened for writing; None while nobody asks.
_written: list[Path] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _written is not None and event == "open":
        path, _, flags = arguments
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if isinstance(path, str | bytes) and isinstance(flags, int) and flags & writes:
            _written.append(Path(os.fsdecode(path)))


sys.addaudithook(_note)


@dataclass(frozen=True, slots=True)
class Site:
    """A site's folder with three people enrolled in it."""

    folder: Path
    store: Store
    vault: Vault

    def files(self) -> dict[str, bytes]:
        """What lies in its folder and in the folder for temporary files, by name."""
        paths = [path for path in self.folder.parent.rglob("*") if path.is_file()]
        return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder, temporary = tmp_path / "site", tmp_path / "temporary"
    temporary.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    # Python looks at the environment once, which is long ago.
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    store = open_store(folder)
    vault = open_vault(folder)
    for person in PERSONS:
        if person.id in ENROLLED:
            store.people.add(person)
            store.consents.add(consent(person.id))
            _enrol(store, vault, person.id)
    store.permits.add(permit(*ENROLLED))
    yield Site(folder, store, vault)
    vault.close()
    store.close()


def test_plain_templates_are_in_no_file(site: Site) -> None:
    """While the store is open, with its write-ahead logs full, and after it was closed."""
    expected = {STORE_FILE, f"{STORE_FILE}-wal", KEYRING_FILE, f"{KEYRING_FILE}-wal", KEY_FILE}
    assert expected <= site.files().keys()
    # The references did arrive: what is searched for is missing because it is sealed.
    assert 3 == len(_open_all(site.vault, site.store))

    forms = _all_forms(site.vault)
    assert [] == _leaks(site.files(), forms)
    site.store.close()
    site.vault.close()
    assert [] == _leaks(site.files(), forms)


def test_search_finds_every_form_of_a_template(site: Site) -> None:
    """Two thirds of each form, planted in a copy of the database, are found."""
    forms = _all_forms(site.vault)
    database = site.files()[STORE_FILE]
    half = len(database) // 2
    for name, form in forms.items():
        planted = site.folder.parent / "temporary" / "planted"
        planted.write_bytes(database[:half] + form[len(form) // 3 :] + database[half:])
        found = _leaks({"planted": site.files()["planted"]}, {name: form})
        assert [("planted", name)] == found


def test_search_finds_a_template_in_a_temporary_file(site: Site) -> None:
    """Wherever Python puts one."""
    handle, path = tempfile.mkstemp()
    with os.fdopen(handle, "wb") as file:
        file.write(_vector(ALICE).tobytes())

    leaks = _leaks(site.files(), _all_forms(site.vault))
    assert (Path(path).name, f"{ALICE}'s float32") in leaks


def test_sealing_opens_no_file_that_does_not_stay(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written and removed again has been on the disk."""
    site.store.credentials.remove(credential(Factor.FACE, ALICE).id)
    written: list[Path] = []
    monkeypatch.setattr(sys.modules[__name__], "_written", written)
    _enrol(site.store, site.vault, ALICE)
    assert [] == [path for path in written if not path.exists()]

    os.close(tempfile.mkstemp()[0])
    assert [site.folder.parent / "temporary"] == [path.parent for path in written]


def test_search_finds_a_template_kept_unsealed(site: Site) -> None:
    """A store that was handed the plain vector is caught."""
    site.store.credentials.remove(credential(Factor.FACE, ALICE).id)
    plain = _vector(ALICE).tobytes()
    site.store.credentials.add(credential(Factor.FACE, ALICE), now=NOW, sealed=plain)

    leaks = _leaks(site.files(), _all_forms(site.vault))
    assert (f"{STORE_FILE}-wal", f"{ALICE}'s float32") in leaks


def test_keys_are_in_no_file_of_the_store(site: Site) -> None:
    """Neither the site's secret nor a wrapped key travels with a copy of the database."""
    secret = (site.folder / KEY_FILE).read_bytes()
    with sqlite3.connect(site.folder / KEYRING_FILE) as keys:
        wrapped = [bytes(row[0]) for row in keys.execute("SELECT wrapped FROM keys")]
    keys.close()
    assert 3 == len(wrapped)

    for path in site.folder.glob(f"{STORE_FILE}*"):
        assert secret not in path.read_bytes()
        assert not any(key in path.read_bytes() for key in wrapped)
    for path in site.folder.glob(f"{KEYRING_FILE}*"):
        assert secret not in path.read_bytes()


def test_attack_stolen_database_without_the_key_file(site: Site, tmp_path: Path) -> None:
    """The thief's own vault refuses, and one that was tampered with opens 0 of 3."""
    thief = tmp_path / "thief"
    shutil.copytree(site.folder, thief, ignore=shutil.ignore_patterns(KEY_FILE))
    with open_store(thief) as store:
        references = store.credentials.count_sealed()
        assert 3 == references
        with pytest.raises(PosternError, match="missing"):
            open_vault(thief, references)

        secret = make_secret(thief / KEY_FILE)
        with sqlite3.connect(thief / KEYRING_FILE) as keys:
            keys.execute("UPDATE site SET id = ?", (derive_site(secret),))
            keys.execute("DELETE FROM epochs")
        keys.close()
        forced = open_vault(thief, references)
        assert [] == _open_all(forced, store)
        forced.close()


def test_attack_row_swapped_in_the_store(site: Site) -> None:
    """Carol's reference under Alice's name opens for nobody, nor with Carol's key beside it."""
    kept = {one.person: one for one in site.store.credentials.references(DOOR.id, NOW)}
    swapped = Sealed(kept[ALICE].credential, ALICE, kept[CAROL].blob)
    with pytest.raises(PosternError):
        site.vault.open(swapped)

    with sqlite3.connect(site.folder / KEYRING_FILE) as keys:
        (key,) = keys.execute("SELECT wrapped FROM keys WHERE person = ?", (CAROL,)).fetchone()
        keys.execute("UPDATE keys SET wrapped = ? WHERE person = ?", (key, ALICE))
    keys.close()
    with pytest.raises(PosternError):
        site.vault.open(swapped)
    assert {CAROL, ERIN} == set(_open_all(site.vault, site.store))


def test_withdrawal_leaves_nothing_to_open(site: Site) -> None:
    """After it a full copy of everything, key file and all, opens the others' references only."""
    before = {one.person: one for one in site.store.credentials.references(DOOR.id, NOW)}
    site.store.consents.withdraw(consent(ALICE).id, NOW, site.vault.destroy)

    assert {CAROL, ERIN} == set(_open_all(site.vault, site.store))
    assert [] == [name for name, content in site.files().items() if before[ALICE].blob in content]
    # Not even with the sealed bytes from an old backup of the store.
    with pytest.raises(PosternError, match="destroyed"):
        site.vault.open(Sealed(before[ALICE].credential, ALICE, before[ALICE].blob))


def _enrol(store: Store, vault: Vault, person: PersonId) -> None:
    face = credential(Factor.FACE, person)
    sealed = vault.seal(face.id, person, Template(_vector(person), MODEL, 3))
    store.credentials.add(face, now=NOW, sealed=sealed.blob)


def _open_all(vault: Vault, store: Store) -> list[PersonId]:
    opened = []
    for kept in store.credentials.references(DOOR.id, NOW):
        try:
            vault.open(Sealed(kept.credential, kept.person, kept.blob))
        except PosternError:
            continue
        opened.append(kept.person)
    return opened


def _vector(person: PersonId) -> npt.NDArray[np.float32]:
    """A vector that nobody else has and that is the same every time."""
    numbers = np.random.default_rng(list(person.encode())).normal(size=128) * 0.12
    return numbers.astype(np.float32)


def _forms(vault: Vault, person: PersonId) -> dict[str, bytes]:
    """Every form in which this person's template might have been written down."""
    plain = _vector(person)
    rotated = vault.rotate(Template(plain, MODEL, 3)).values.astype(np.float32)
    forms: dict[str, bytes] = {}
    for label, vector in (("", plain), ("rotated ", rotated)):
        forms |= {
            f"{label}float32": vector.tobytes(),
            f"{label}float32 big-endian": vector.astype(">f4").tobytes(),
            f"{label}float16": vector.astype(np.float16).tobytes(),
            f"{label}float64": vector.astype(np.float64).tobytes(),
            f"{label}int8": quantise(vector).levels.tobytes(),
            f"{label}text": ", ".join(str(number) for number in vector[:8]).encode(),
        }
    written = {}
    for name, form in forms.items():
        written[f"{name} in hex"] = form.hex().encode()
        written[f"{name} in capital hex"] = form.hex().upper().encode()
        written[f"{name} in base64"] = base64.b64encode(form)
    return forms | written


def _all_forms(vault: Vault) -> dict[str, bytes]:
    return {
        f"{person}'s {name}": form
        for person in ENROLLED
        for name, form in _forms(vault, person).items()
    }


def _leaks(files: dict[str, bytes], forms: dict[str, bytes]) -> list[tuple[str, str]]:
    """Which file holds which form, in whole or in part."""
    return [
        (file, name)
        for name, form in forms.items()
        for file, content in files.items()
        if any(fragment in content for fragment in _fragments(form))
    ]


def _fragments(form: bytes) -> Iterator[bytes]:
    """Pieces from all over a form, so that a part of it is found as well."""
    for start in range(0, len(form) - WINDOW + 1, WINDOW):
        yield form[start : start + WINDOW]

"""Safeguard: stolen files open no reference, but all together that its mode needs.

A site keeps three people on a roster, a fourth whose reference needs a secret on their card, and a
fifth carries theirs on a pass. A thief gets every combination of the site's files, the card and the
pass, and goes about it as far as the program's own parts can be made to go: a missing key file is
made up, and the file of keys is changed so that it is believed. Then every run of 32 bytes in what
was stolen is tried as a key.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Flag, auto
from itertools import product
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from postern.app.archive import unpack
from postern.app.backup import back_up
from postern.app.secrets import SIGNING_FILE
from postern.core.consent import StorageMode
from postern.core.errors import PosternError
from postern.core.ids import PersonId
from postern.store.store import STORE_FILE
from postern.vault.keys import Binding, derive_epoch_kek, derive_kek, derive_site, named
from postern.vault.seal import Sealed
from postern.vault.secret_file import make_secret
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.app.sealed_site import MODES, SHARE, SealedSite, make_site
from tests.people import ALICE, BOB, DAN, GARAGE, NOW


class Stolen(Flag):
    """What a thief has."""

    NOTHING = 0
    STORE = auto()
    KEYS = auto()
    SITE_KEY = auto()
    SIGNING_KEY = auto()
    CARD = auto()
    PASS = auto()


#: All that a mode needs; whatever lacks one of these opens nothing of it.
NEEDED = {
    StorageMode.ROSTER: Stolen.STORE | Stolen.KEYS | Stolen.SITE_KEY,
    StorageMode.SHARED: Stolen.STORE | Stolen.KEYS | Stolen.SITE_KEY | Stolen.CARD,
    StorageMode.PASS: Stolen.KEYS | Stolen.SITE_KEY | Stolen.PASS,
}
FILES = {
    Stolen.STORE: STORE_FILE,
    Stolen.KEYS: KEYRING_FILE,
    Stolen.SITE_KEY: KEY_FILE,
    Stolen.SIGNING_KEY: SIGNING_FILE,
}
EVERYTHING = Stolen((1 << len(Stolen)) - 1)
#: Of 32 random bytes fewer differ once in 10**12 times; of text and tables nearly always.
VARIED = 20


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    make_secret(made.folder / SIGNING_FILE)
    yield made
    made.close()


def test_every_combination_of_stolen_files(site: SealedSite, tmp_path: Path) -> None:
    """Of all 64, those open a reference that have everything that its mode needs, and no other."""
    references = {person: site.sealed(person) for person in MODES}
    site.close()
    for number in range(EVERYTHING.value + 1):
        stolen = Stolen(number)
        wanted = {person for person, mode in MODES.items() if NEEDED[mode] in stolen}
        thief = _thief(site.folder, tmp_path / f"thief-{number}", stolen)
        assert wanted == _opened(thief, references, stolen), stolen


def test_a_stolen_backup_shows_no_name_no_plate_and_no_id(site: SealedSite, tmp_path: Path) -> None:
    """Nothing that the store has of people, vehicles, consents and permits can be found in it; with
    every other file but the site's key, it does not open either."""
    site.store.vehicles.add(GARAGE[0])
    back_up(site.folder, site.vault, site.log, tmp_path / "backup", NOW)
    stolen = (tmp_path / "backup").read_bytes()
    telling = list(_telling(site))
    site.close()

    assert {"Alice", "Dan", str(GARAGE[0].plate)} <= {one.decode() for one in telling}
    assert [] == [one for one in telling if one in stolen]
    assert b"SQLite" not in stolen
    thief = _thief(site.folder, tmp_path / "thief", EVERYTHING & ~Stolen.SITE_KEY)
    with pytest.raises(PosternError), (tmp_path / "backup").open("rb") as file:
        unpack(file, open_vault(thief))


def test_a_name_that_is_planted_in_a_backup_is_found(site: SealedSite, tmp_path: Path) -> None:
    """What the other test looks for is in the very same backup, once it is opened."""
    site.store.vehicles.add(GARAGE[0])
    back_up(site.folder, site.vault, site.log, tmp_path / "backup", NOW)
    with (tmp_path / "backup").open("rb") as file:
        opened = b"".join(unpack(file, site.vault).store())

    assert all(one in opened for one in _telling(site))


def test_no_32_bytes_of_what_is_stolen_are_a_key(site: SealedSite, tmp_path: Path) -> None:
    """Neither the store with a backup, nor the file of keys, holds anything that opens anything."""
    reference = site.sealed(ALICE)
    back_up(site.folder, site.vault, site.log, tmp_path / "backup", NOW)
    with (tmp_path / "backup").open("rb") as file:
        opened = b"".join(unpack(file, site.vault).store())
    secret = (site.folder / KEY_FILE).read_bytes()
    site.close()
    files = [tmp_path / "backup", *(p for p in site.folder.iterdir() if p.name != KEY_FILE)]
    stolen = b"\0".join([*(path.read_bytes() for path in files if path.is_file()), opened])
    keys = _wrapped(site.folder / KEYRING_FILE)

    assert stolen.count(reference.blob) >= 2
    assert not list(_keys_in(stolen, secret, reference, keys))


def test_a_key_that_is_planted_is_found(site: SealedSite) -> None:
    """The site's secret, an epoch's, and the key of one reference, each somewhere in a file."""
    reference = site.sealed(ALICE)
    secret = (site.folder / KEY_FILE).read_bytes()
    site.close()
    keys = _wrapped(site.folder / KEYRING_FILE)
    epoch = aes_key_unwrap(derive_epoch_kek(secret), keys[0])
    every = [aes_key_unwrap(derive_kek(epoch, 1), one) for one in keys[1:] if _is_ours(epoch, one)]
    (own,) = (key for key in every if _opens(key, secret, reference))
    store = (site.folder / STORE_FILE).read_bytes()

    for key in (secret, epoch, own):
        planted = store[:5001] + key + store[5001:]
        assert key in set(_keys_in(planted, secret, reference, keys))


def test_attack_stolen_card_of_another_person(site: SealedSite) -> None:
    """Everything of the site, and a card, opens the reference of that card's holder only."""
    for share in (bytes(32), SHARE[::-1], SHARE[1:] + SHARE[:1]):
        with pytest.raises(PosternError):
            site.vault.open(site.sealed(BOB), share)
    with pytest.raises(PosternError):
        site.vault.open(site.sealed(ALICE), SHARE)
    assert site.recognised(BOB)
    assert site.recognised(DAN)


def _telling(site: SealedSite) -> Iterator[bytes]:
    """Everything in the store that tells of somebody or something: names, plates, labels, ids."""
    for person in site.store.people.all():
        yield from (person.name.encode(), person.id.encode())
    for vehicle in site.store.vehicles.all():
        yield from (vehicle.plate.encode(), vehicle.id.encode())
    for one in site.store.consents.all():
        yield one.id.encode()
    for permit in site.store.permits.all():
        yield permit.id.encode()


def _thief(site: Path, folder: Path, stolen: Stolen) -> Path:
    """A folder with what was stolen; what is missing is made up so as to be believed."""
    folder.mkdir()
    for part, name in FILES.items():
        if part in stolen:
            shutil.copy2(site / name, folder / name)
    if Stolen.SITE_KEY not in stolen:
        secret = make_secret(folder / KEY_FILE)
        if Stolen.KEYS in stolen:
            with sqlite3.connect(folder / KEYRING_FILE) as keys:
                keys.execute("UPDATE site SET id = ?", (derive_site(secret),))
                keys.execute("DELETE FROM epochs")
            keys.close()
    return folder


def _opened(folder: Path, references: dict[PersonId, Sealed], stolen: Stolen) -> set[PersonId]:
    """Whose references the thief's own vault opens, with each secret that there is."""
    vault = open_vault(folder)
    try:
        at_hand = [person for person in MODES if _is_at_hand(person, stolen)]
        return {person for person in at_hand if _tried(vault, references[person], stolen)}
    finally:
        vault.close()


def _is_at_hand(person: PersonId, stolen: Stolen) -> bool:
    """Whether the sealed bytes are among what was stolen."""
    where = Stolen.PASS if MODES[person] is StorageMode.PASS else Stolen.STORE
    return where in stolen


def _tried(vault: Vault, sealed: Sealed, stolen: Stolen) -> bool:
    for share in (None, SHARE if Stolen.CARD in stolen else bytes(32)):
        with suppress(PosternError):
            vault.open(sealed, share)
            return True
    return False


def _wrapped(keyring: Path) -> list[bytes]:
    """The wrapped secret of the epoch, and the wrapped keys."""
    with sqlite3.connect(keyring) as keys:
        found = [row[0] for row in keys.execute(
            "SELECT wrapped FROM epochs UNION ALL SELECT wrapped FROM keys")]  # fmt: skip
    keys.close()
    return found


def _keys_in(
    stolen: bytes, secret: bytes, reference: Sealed, wrapped: Sequence[bytes]
) -> Iterator[bytes]:
    """Every run of 32 bytes that unwraps anything, or opens the reference, as whatever key."""
    tried = {stolen[at : at + 32] for at in range(len(stolen) - 31)}
    for run in tried:
        if len(set(run)) < VARIED:
            continue
        keks = (run, derive_epoch_kek(run), derive_kek(run, 1))
        unwraps = any(_unwrapped(kek, one) for kek, one in product(keks, wrapped))
        if unwraps or _opens(run, secret, reference):
            yield run


def _is_ours(epoch: bytes, wrapped: bytes) -> bool:
    """Whether a key was wrapped for its epoch alone, and not for a card's holder."""
    return _unwrapped(derive_kek(epoch, 1), wrapped) is not None


def _unwrapped(kek: bytes, wrapped: bytes) -> bytes | None:
    try:
        return aes_key_unwrap(kek, wrapped)
    except InvalidUnwrap:
        return None


def _opens(key: bytes, secret: bytes, reference: Sealed) -> bool:
    """Whether these are the bytes that a reference was encrypted with."""
    head, nonce, sealed = reference.blob[:46], reference.blob[46:58], reference.blob[58:]
    binding = Binding(derive_site(secret), reference.person, reference.credential)
    try:
        AESGCM(key).decrypt(nonce, sealed, head + named(binding))
    except InvalidTag:
        return False
    return True

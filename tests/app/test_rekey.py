"""Re-keying: complete, at any moment that it is cut off at, and never bringing anybody back."""

import multiprocessing
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from postern.app.rekey import rekey, rekeying, renew
from postern.core.consent import StorageMode
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.engine.ports import Claim
from postern.store.credentials import MAX_SEALED, KeptReference
from postern.store.store import open_store
from postern.vault.keys import Binding
from postern.vault.quantise import quantise
from postern.vault.rotation import MAX_DIMENSION
from postern.vault.seal import Header, Sealed, encrypt, read_header
from postern.vault.vault import KEYRING_FILE, open_vault
from tests.app.pass_office import open_office
from tests.app.sealed_site import MODEL, MODES, ROSTER, SHARE, SealedSite, make_site, open_ledger
from tests.people import ALICE, BOB, CAROL, DAN, ERIN

ROUNDS = 25
#: Rounds after which a machine that is too busy to be cut off in the middle is given up.
MOST_ROUNDS = 200


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


class CutError(Exception):
    """The moment at which a test cuts something off."""


def test_rekeying_renews_the_roster_and_leaves_the_rest(site: SealedSite) -> None:
    """The site's own references at once; the shared and the pass wait, and everybody gets in."""
    before = {person: site.sealed(person).blob for person in MODES}
    told: list[tuple[int, int]] = []
    began: list[int] = []
    done = rekey(site.store, site.vault, began.append, lambda *so_far: told.append(so_far))

    assert (2, True, 3, 0, 1, 1, True) == (
        done.epoch, done.begun, done.renewed, done.lost, done.shared, done.passes, done.scrubbed
    )  # fmt: skip
    assert [2] == began
    assert (3, 3) == told[-1]
    for person in MODES:
        assert site.recognised(person)
        late = read_header(site.sealed(person).blob).epoch == 1
        assert late is (person not in ROSTER)
    for person in ROSTER:
        former = Sealed(site.sealed(person).credential, person, before[person])
        with pytest.raises(PosternError, match="destroyed"):
            site.vault.open(former)
        assert not _in_files(site.folder, before[person])


def test_the_epoch_lives_until_its_last_key_goes(site: SealedSite) -> None:
    """The shared reference at its holder's visit, then the pass, and the first epoch is over."""
    assert site.rekey().begun
    bob = _kept(site, BOB)
    with pytest.raises(PosternError, match="key share"):
        renew(site.store, site.vault, bob)
    with pytest.raises(PosternError, match="does not belong"):
        renew(site.store, site.vault, bob, bytes(32))
    assert bob == _kept(site, BOB)

    assert renew(site.store, site.vault, bob, SHARE)
    assert 2 == read_header(site.sealed(BOB).blob).epoch
    assert site.recognised(BOB)
    assert (1, 2) == site.vault.retire()
    assert site.recognised(DAN)

    site.vault.destroy(site.carried.credential, DAN)
    assert (2,) == site.vault.retire()
    with pytest.raises(PosternError, match="epoch 1 has ended"):
        site.vault.open(site.carried)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_rekeying_goes_on_where_it_was_cut_off(site: SealedSite, after: int) -> None:
    """No further epoch begins for it; the next re-keying is one of its own again."""

    def cut(done: int, total: int) -> None:
        if done > after and site.vault.epoch()[0] == 2:
            raise CutError

    with pytest.raises(CutError):
        rekey(site.store, site.vault, lambda _: None, cut)
    site = site.reopened()
    assert all(map(site.recognised, MODES))

    done = site.rekey()
    # Where all were renewed before it was cut off, nothing was left to finish.
    expected = (3, True, 3) if after == 2 else (2, False, 2 - after)
    assert expected == (done.epoch, done.begun, done.renewed)
    assert {done.epoch} == {read_header(site.sealed(person).blob).epoch for person in ROSTER}
    assert all(map(site.recognised, MODES))
    site.rekey()
    assert all(map(site.recognised, MODES))
    site.close()


def test_a_key_whose_bytes_never_arrived_is_used_next_time(site: SealedSite) -> None:
    """Cut off after the new key, before the new bytes."""
    site.vault.begin_epoch()
    site.vault.reseal(site.sealed(ALICE))
    site = site.reopened()
    assert site.recognised(ALICE)

    assert 3 == site.rekey().renewed
    assert site.recognised(ALICE)
    site.close()


def test_a_former_key_that_was_left_goes_next_time(site: SealedSite) -> None:
    """Cut off after the new bytes, before the former key went."""
    former = site.sealed(ALICE)
    site.vault.begin_epoch()
    assert site.store.references.replace(_kept(site, ALICE), site.vault.reseal(former).blob)
    assert site.vault.open(former).looks == 3

    site.rekey()
    with pytest.raises(PosternError, match="destroyed"):
        site.vault.open(former)
    assert site.recognised(ALICE)


def test_the_largest_reference_fits_the_store_once_it_was_rekeyed() -> None:
    """With steps of two bytes it is nearly twice as long."""
    header = Header(StorageMode.ROSTER, 2, 3, MAX_DIMENSION, MODEL)
    vector = quantise(np.ones(MAX_DIMENSION, np.float32), fine=True)
    sealed = encrypt(bytes(32), Binding(b"s" * 16, ALICE, CredentialId("c")), header, vector)

    assert 2126 == len(sealed) <= MAX_SEALED


def test_no_epoch_begins_of_which_the_ledger_does_not_know(site: SealedSite) -> None:
    """Where it cannot be recorded, nothing is done."""

    def full(_: int) -> None:
        raise PosternError(Code.UNAVAILABLE, "The ledger cannot be written.")

    with pytest.raises(PosternError, match="ledger"):
        rekey(site.store, site.vault, full)
    assert 1 == site.vault.epoch()[0]
    assert all(map(site.recognised, MODES))


def test_a_withdrawal_meanwhile_wins(site: SealedSite) -> None:
    """Carol takes her consent back while the site is re-keyed; no key of hers comes of it."""

    def withdraw(done: int, total: int) -> None:
        if done == 1 and site.vault.epoch()[0] == 2:
            site.vault.forget(CAROL)

    done = rekey(site.store, site.vault, lambda _: None, withdraw)

    assert (2, 1) == (done.renewed, done.lost)
    assert CAROL not in {person for person, _ in site.vault.keyed()}
    assert site.recognised(ALICE)
    assert site.recognised(ERIN)


def test_an_erasure_between_key_and_bytes_wins(site: SealedSite) -> None:
    """Her row goes after the new key was made for it; the key goes with the next re-keying."""
    site.vault.begin_epoch()
    anew = site.vault.reseal(site.sealed(CAROL))
    kept = _kept(site, CAROL)
    site.store.people.remove(CAROL, site.vault.erase)

    assert not site.store.references.replace(kept, anew.blob)
    assert CAROL not in {person for person, _ in site.vault.keyed()}
    with pytest.raises(PosternError, match="erased"):
        site.vault.open(anew)


def test_an_altered_reference_keeps_nobody_else_back(site: SealedSite) -> None:
    """It is counted, stays as it is, and the others move on."""
    kept = _kept(site, CAROL)
    for spoilt in (kept.blob[:-1] + bytes([kept.blob[-1] ^ 1]), b"PSTN"):
        site.store.references.replace(_kept(site, CAROL), spoilt)
        done = site.rekey()
        assert (2, 1) == (done.renewed, done.lost)
        assert spoilt == _kept(site, CAROL).blob
    assert site.recognised(ALICE)


def test_passes_and_tokens_go_on_and_move_with_their_holders(tmp_path: Path) -> None:
    """After a re-keying both are let in; a token's reference moves when it is shown, a pass's with
    the next pass, and then the epoch is over."""
    with open_office(tmp_path / "office") as office:
        carried, token = office.issue(ALICE).text, office.issue(CAROL).text
        done = rekey(office.store, office.vault, lambda _: None)
        assert (1, 1) == (done.shared, done.passes)

        assert isinstance(office.shown(carried), Claim)
        (kept,) = office.store.references.all()
        assert 1 == read_header(kept.blob).epoch
        for _ in range(2):
            assert isinstance(office.shown(token), Claim)
            (kept,) = office.store.references.all()
            assert 2 == read_header(kept.blob).epoch
        assert (1, 2) == office.vault.retire()

        again = office.issue(ALICE).text
        assert (2,) == office.vault.retire()
        assert isinstance(office.shown(again), Claim)
        assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(carried)


def test_a_token_is_accepted_where_its_reference_cannot_be_renewed(tmp_path: Path) -> None:
    """Another program holds the keys: the holder is let in, and it is done another time."""
    with open_office(tmp_path / "office") as office:
        token = office.issue(CAROL).text
        rekey(office.store, office.vault, lambda _: None)
        with closing(sqlite3.connect(tmp_path / "office" / KEYRING_FILE)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert isinstance(office.shown(token), Claim)
        (kept,) = office.store.references.all()
        assert 1 == read_header(kept.blob).epoch


def test_one_rekeying_at_a_time(site: SealedSite) -> None:
    """A second one is refused and changes nothing."""
    with (
        rekeying(site.folder),
        pytest.raises(PosternError, match="already") as refused,
        rekeying(site.folder),
    ):
        pass
    assert Code.CONFLICT is refused.value.code
    with rekeying(site.folder):
        assert site.rekey().begun


@pytest.mark.timeout(300)
def test_kill_at_any_moment_loses_nobody(tmp_path: Path) -> None:
    """Killed (kill -9) at random moments, it leaves everybody's reference open, and is finished by
    running it again."""
    template = make_site(tmp_path / "template")
    carried = template.carried
    template.close()
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.app.test_rekey"])
    copytree(tmp_path / "template", tmp_path / "whole")
    took_s = _run_and_kill(forking, tmp_path / "whole", None)
    chance = random.Random(1)  # noqa: S311 - moments, not keys
    cut_off = 0

    for number in range(MOST_ROUNDS):
        # How long it takes is measured once: a busy machine may hit the middle late.
        if number >= ROUNDS and cut_off:
            break
        folder = tmp_path / f"site-{number}"
        copytree(tmp_path / "template", folder)
        _run_and_kill(forking, folder, chance.uniform(0.0, took_s))
        store = open_store(folder)
        vault = open_vault(folder, store.credentials.count_sealed())
        with closing(SealedSite(folder, store, vault, carried, open_ledger(folder))) as site:
            assert all(map(site.recognised, MODES))
            epochs = {read_header(site.sealed(person).blob).epoch for person in ROSTER}
            cut_off += epochs == {1, 2}
            present = site.vault.epoch()[0]
            done = site.rekey()
            assert done.epoch == (present if 1 in epochs and present == 2 else present + 1)
            assert all(map(site.recognised, MODES))
            assert {done.epoch} == {read_header(site.sealed(p).blob).epoch for p in ROSTER}
            wanting = {person for person, _ in site.vault.keyed(before=done.epoch)}
            assert {BOB, DAN} == wanting
    assert cut_off, "no round was cut off in the middle"


def _run_and_kill(forking: Any, folder: Path, after_s: float | None) -> float:
    """Re-keys in another process, killed so many seconds after it began; gives how long it took."""
    begun, ended = forking.Event(), forking.Event()
    worker = forking.Process(target=_work, args=(folder, begun, ended))
    worker.start()
    assert begun.wait(60)
    start = time.monotonic()
    if after_s is None:
        assert ended.wait(60)
    else:
        time.sleep(after_s)
        worker.kill()
    took_s = time.monotonic() - start
    worker.join()
    return took_s


def _work(folder: Path, begun: Any, ended: Any) -> None:
    store = open_store(folder)
    vault = open_vault(folder, store.credentials.count_sealed())
    rekey(store, vault, lambda _: begun.set())
    ended.set()


def _kept(site: SealedSite, person: str) -> KeptReference:
    (kept,) = (one for one in site.store.references.all() if one.person == person)
    return kept


def _in_files(folder: Path, needle: bytes) -> bool:
    return any(needle in path.read_bytes() for path in folder.iterdir())

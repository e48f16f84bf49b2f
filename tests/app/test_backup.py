"""Backups: what is in them and what is not, and what does not come back with them."""

import io
import multiprocessing
import os
import random
import resource
import shutil
import sqlite3
import stat
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.app.archive import MAGIC, pack, unpack
from postern.app.backup import Restored, back_up, clear_drafts, restore
from postern.app.duty import on_duty
from postern.app.readable_archive import Manifest, packed
from postern.app.records import Records
from postern.app.rekey import rekeying
from postern.core.api_key import ApiKey
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import By, Changed, Event, Withdrawn
from postern.core.evidence import Factor
from postern.core.ids import ConsentId, KeyId, PersonId, UserId
from postern.core.person import Person
from postern.core.role import Right, Role
from postern.core.user import User
from postern.engine.ports import Claim
from postern.store.copy import COPIED, LEFT_OUT, copied
from postern.store.schema import metadata
from postern.store.sessions import Session
from postern.store.store import STORE_FILE, open_store
from postern.vault.stream import CHUNK, TAG
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.app.pass_office import open_office
from tests.app.sealed_site import MODES, SealedSite, face, ledger_of, make_site, open_ledger
from tests.people import (
    ALICE,
    BARRIER,
    BOB,
    CAROL,
    DAN,
    DOOR,
    ERIN,
    GARAGE,
    NOW,
    OFFICE,
    consent,
    credential,
)

LATER = NOW + timedelta(days=1)
ROUNDS = 12
#: Bytes of a backup's header, and of a chunk as it is sealed.
HEADER, BLOCK = 60, CHUNK + TAG


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture
def backup(site: SealedSite, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar"
    back_up(site.folder, site.vault, site.log, path, NOW)
    return path


def put_back(site: SealedSite, path: Path) -> Restored:
    return restore(site.folder, site.vault, site.log, path, LATER, "operator")


@pytest.mark.parametrize("person", [ALICE, BOB, DAN], ids=["roster", "shared", "pass"])
def test_erased_people_do_not_come_back(site: SealedSite, backup: Path, person: PersonId) -> None:
    """Neither their reference, wherever it was kept, nor their name, consent and part in permits;
    everybody else is as before."""
    sealed = site.sealed(person)
    name = site.store.people.find(person).name
    site.store.people.remove(person, site.vault.erase)
    assert not _in_files(site.folder, name.encode())
    assert name.encode() in unpacked(backup.read_bytes(), site.vault)

    done = put_back(site, backup)

    assert Restored(NOW, 4, erased=1, taken_back=0, dropped=0, ended=0, told=True) == done
    with pytest.raises(PosternError, match="erased"):
        site.vault.open(sealed, b"\0" * 32 if person == BOB else None)
    assert person not in {one.id for one in site.store.people.all()}
    assert () == site.store.credentials.of(person)
    assert person not in site.store.permits.all()[0].holders
    assert not _in_files(site.folder, name.encode())
    assert not _in_files(site.folder, person.encode())
    assert all(site.recognised(other) for other in MODES if other != person)


def test_attack_user_who_was_shut_out_does_not_come_back(site: SealedSite, tmp_path: Path) -> None:
    """Nobody signs in by what a backup has until they are enabled; keys and sessions are gone."""
    maria = User(UserId("user-1"), "maria", Role.ADMINISTRATOR, NOW)
    rights = frozenset({Right.READ})
    key = ApiKey(KeyId("key-1"), "payroll", rights, NOW, NOW + timedelta(days=9), maria.by)
    site.store.users.add(maria)
    site.store.users.set_password(maria.id, "$argon2id$old")
    site.store.api_keys.add(key, "ab" * 32)
    site.store.sessions.add(Session("cd" * 32, maria.id, NOW, NOW, NOW, LATER))
    later = tmp_path / "later.tar"
    back_up(site.folder, site.vault, site.log, later, NOW)
    site.store.users.set_password(maria.id, "$argon2id$new")
    site.store.users.become(replace(maria, enabled=False))
    site.store.api_keys.remove(key.id)
    put_back(site, later)

    assert (replace(maria, enabled=False),) == site.store.users.all()
    assert "$argon2id$old" == site.store.users.proofs(maria.id).password
    assert () == site.store.api_keys.all()
    assert site.store.sessions.known("cd" * 32) is None


def test_withdrawn_references_do_not_come_back(site: SealedSite, backup: Path) -> None:
    """The person stays, without a reference, and the consent that comes back is ended as it was."""
    site.withdrawals.withdraw(consent(CAROL).id, By.PERSON, NOW)
    done = put_back(site, backup)

    assert Restored(NOW, 5, erased=0, taken_back=1, dropped=0, ended=0, told=True) == done
    assert "Carol" == site.store.people.find(CAROL).name
    assert () == site.store.credentials.of(CAROL)
    assert [NOW] == [one.withdrawn for one in site.store.consents.of(CAROL)]
    assert [None] == [one.withdrawn for one in site.store.consents.of(ERIN)]
    assert all(site.recognised(other) for other in MODES if other != CAROL)
    assert [Changed(LATER, "store restored", "", "operator")] == happened(site)[-1:]


def test_consent_to_what_was_lost_ends_with_an_event_where_the_log_does_not_tell_why(
    site: SealedSite, backup: Path
) -> None:
    """A withdrawal was cut off after the key was destroyed: Carol wanted it, and it counts."""
    site.vault.destroy(credential(Factor.FACE, CAROL).id, CAROL)
    done = put_back(site, backup)

    assert Restored(NOW, 5, erased=0, taken_back=0, dropped=1, ended=1, told=True) == done
    assert [LATER] == [one.withdrawn for one in site.store.consents.of(CAROL)]
    assert Withdrawn(LATER, consent(CAROL).id, CAROL, By.OPERATOR) in happened(site)


def test_withdrawn_consents_do_not_come_back_beside_others(
    site: SealedSite, tmp_path: Path
) -> None:
    """Carol agreed to two doors one after the other, and took the second back: her reference stays
    for the first, and no backup opens the second again. A clock that was set back hides nothing."""
    second = replace(consent(CAROL), id=ConsentId("consent-second"), places=frozenset({BARRIER.id}))
    site.store.consents.add(second)
    path, earlier = tmp_path / "backup.tar", NOW - timedelta(hours=5)
    back_up(site.folder, site.vault, site.log, path, NOW)
    site.withdrawals.withdraw(second.id, By.PERSON, earlier)
    assert site.recognised(CAROL)
    done = put_back(site, path)

    assert Restored(NOW, 5, erased=0, taken_back=1, dropped=0, ended=0, told=True) == done
    assert {second.id: earlier, consent(CAROL).id: None} == {
        one.id: one.withdrawn for one in site.store.consents.of(CAROL)
    }
    assert site.recognised(CAROL)


def test_nothing_is_told_to_be_whole_whose_events_have_expired(
    site: SealedSite, backup: Path
) -> None:
    """What the log no longer tells may have been a withdrawal: whoever restores hears of it."""
    site.withdrawals.withdraw(consent(CAROL).id, By.PERSON, NOW)
    site.log.expire(NOW + timedelta(days=2))
    done = put_back(site, backup)

    assert Restored(NOW, 5, erased=0, taken_back=0, dropped=1, ended=1, told=False) == done
    assert [LATER] == [one.withdrawn for one in site.store.consents.of(CAROL)]


def test_nothing_is_told_to_be_whole_where_the_log_was_begun_anew(
    site: SealedSite, tmp_path: Path
) -> None:
    """Its events are others'."""
    site.records.append(Changed(NOW, "thing", "", "operator"))
    back_up(site.folder, site.vault, site.log, tmp_path / "backup.tar", NOW)
    site.log.close()
    shutil.rmtree(ledger_of(site.folder))
    site.log = open_ledger(site.folder)

    assert not put_back(site, tmp_path / "backup.tar").told


@pytest.mark.parametrize("person", [ALICE, CAROL], ids=["pass", "token"])
def test_revoked_passes_do_not_come_back(tmp_path: Path, person: PersonId) -> None:
    """Lost and revoked after the backup was made, it stays so, and its owner need not consent
    again; another's counts as before."""
    with open_office(tmp_path / "office") as office, closing(open_ledger(office.folder)) as log:
        records = Records(log, office.store.events, office.store.ids)
        lost = office.issue(person)
        other = office.issue(CAROL if person == ALICE else ALICE)
        back_up(office.folder, office.vault, log, tmp_path / "backup.tar", NOW)
        replace(office.passes, ledger=records).revoke(lost.credential.id, NOW)

        path = tmp_path / "backup.tar"
        done = restore(office.folder, office.vault, log, path, LATER, "operator")
        assert (1, 0) == (done.dropped, done.ended)
        assert () == office.store.credentials.of(person)
        assert [None] == [one.withdrawn for one in office.store.consents.of(person)]
        assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(lost.text)
        assert isinstance(office.shown(other.text), Claim)


def test_consent_without_a_pass_at_the_time_stands(tmp_path: Path) -> None:
    """Alice had lost hers and it was revoked; she will have another, and has agreed to it."""
    with open_office(tmp_path / "office") as office, closing(open_ledger(office.folder)) as log:
        office.passes.revoke(office.issue(ALICE).credential.id, NOW)
        path = tmp_path / "backup.tar"
        back_up(office.folder, office.vault, log, path, NOW)

        assert 0 == restore(office.folder, office.vault, log, path, LATER, "operator").ended
        assert [None] == [one.withdrawn for one in office.store.consents.of(ALICE)]


def test_who_came_after_the_backup_is_gone_with_their_keys(site: SealedSite, backup: Path) -> None:
    """Of somebody without a consent in the store, no key is left either."""
    new = Person(PersonId("p-new"), "Nora")
    site.store.people.add(new)
    site.vault.seal(credential(Factor.FACE, new.id).id, new.id, face(ALICE))
    assert new.id in {person for person, _ in site.vault.keyed()}

    put_back(site, backup)
    assert set(MODES) == {person for person, _ in site.vault.keyed()}
    assert all(map(site.recognised, MODES))


def test_a_backup_has_neither_keys_nor_what_happened(site: SealedSite, tmp_path: Path) -> None:
    """Names and sealed references are found under its seal; keys, events and movements are not."""
    with sqlite3.connect(site.folder / STORE_FILE) as store:
        happened = (0, "2026-03-04T12:00:00.000000Z", "changed", False, "subject-of-it")
        store.execute(
            "INSERT INTO events (seq, at, kind, grants, body) VALUES (?, ?, ?, ?, ?)", happened
        )
    store.close()
    site.store.areas.entered(OFFICE.id, (ERIN,), NOW)
    with closing(sqlite3.connect(site.folder / KEYRING_FILE)) as keys:
        # Out of its log and into the file, so that a copy of that file has them, too.
        keys.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        secrets = [bytes(row[0]) for row in keys.execute("SELECT wrapped FROM keys")]
        secrets += [bytes(row[0]) for row in keys.execute("SELECT wrapped FROM epochs")]
    assert 6 == len(secrets)
    assert all(secret in (site.folder / KEYRING_FILE).read_bytes() for secret in secrets)
    path = tmp_path / "backup.tar"
    back_up(site.folder, site.vault, site.log, path, NOW)
    content = unpacked(path.read_bytes(), site.vault)
    site.close()

    assert b"Alice" in content
    assert site.reopened().sealed(ALICE).blob in content
    assert 1 == content.count(b"SQLite format 3\0")
    for secret in (*secrets, (site.folder / KEY_FILE).read_bytes()):
        assert secret not in content
        assert secret not in path.read_bytes()
    assert _in_files(site.folder, b"subject-of-it")
    assert b"subject-of-it" not in content
    with closing(_database(site, path)) as copy:
        for table in LEFT_OUT:
            query = f"SELECT count(*) FROM {table.name}"  # noqa: S608 - a table's name
            assert [(0,)] == copy.execute(query).fetchall()


def test_every_table_is_copied_or_left_out_on_purpose() -> None:
    """Whoever adds one decides; what is copied is known to be no record of what people did."""
    assert {table.name for table in LEFT_OUT} == {
        *("events", "published", "inside", "areas", "throttles", "modes", "mode_places"),
        *("sessions", "setup_codes", "sign_in_tries", "api_keys", "api_key_rights"),
        # Whom events name, and what was asked for in the last day.
        *("event_names", "replies"),
    }
    assert set(metadata.tables) == {table.name for table in (*COPIED, *LEFT_OUT)}
    assert {
        *("meta", "holders", "people", "vehicles", "consents", "consent_texts", "consent_places"),
        *("credentials", "permits", "permit_holders", "permit_places", "permit_factors"),
        # What people can do with them is taken away when they come back.
        *("users", "passkeys"),
        # How often it was changed who may pass; another number in every copy.
        "revisions",
    } == {table.name for table in COPIED}


def test_a_backup_brings_back_what_was_lost(site: SealedSite, backup: Path) -> None:
    """People, vehicles and permits; a program that has the store open sees it."""
    site.store.vehicles.add(GARAGE[0])
    site.store.permits.remove(site.store.permits.all()[0].id)
    before, (roll, _) = site.store.version(), site.store.standing(DOOR, None)
    put_back(site, backup)

    assert roll is not site.store.standing(DOOR, roll)[0]
    assert () == site.store.vehicles.all()
    assert set(MODES) == set(site.store.permits.all()[0].holders)
    assert before != site.store.version()
    assert 3 == len(site.store.credentials.references(DOOR.id, NOW)) - 1


def test_a_backup_can_be_made_while_the_store_is_written(site: SealedSite, tmp_path: Path) -> None:
    """It is one moment's picture: people and their consents go together."""
    stop = threading.Event()

    def enrol() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            person = Person(PersonId(f"p-{number}"), f"Person {number}")
            with site.store.together():
                site.store.people.add(person)
                site.store.consents.add(consent(person.id))

    writer = threading.Thread(target=enrol)
    writer.start()
    try:
        for number in range(3):
            time.sleep(0.05)
            back_up(site.folder, site.vault, site.log, tmp_path / f"{number}.tar", NOW)
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        with closing(_database(site, tmp_path / f"{number}.tar")) as copy:
            people, consents = (
                copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in ("people", "consents")
            )
            assert people == consents > 5
            assert [("ok",)] == copy.execute("PRAGMA integrity_check").fetchall()


def test_place_that_cannot_be_looked_at_is_said_with_what_to_do(
    site: SealedSite, tmp_path: Path
) -> None:
    """As root's own folder is to the service's user, for whom `sudo postern backup` runs."""
    path = tmp_path / ("x" * 300)
    with pytest.raises(PosternError, match="The backup .* cannot be written: ") as refused:
        back_up(site.folder, site.vault, site.log, path, NOW)

    assert "a folder that the service's user may write to" in refused.value.hint


def test_a_backup_is_a_new_file_for_its_owner_alone(site: SealedSite, tmp_path: Path) -> None:
    """Nothing is overwritten, and nothing is left where it cannot be written."""
    path = tmp_path / "kept"
    path.write_text("mine")
    with pytest.raises(PosternError, match="already") as taken:
        back_up(site.folder, site.vault, site.log, path, NOW)
    assert Code.CONFLICT is taken.value.code
    assert "mine" == path.read_text()
    with pytest.raises(PosternError, match="cannot be written"):
        back_up(site.folder, site.vault, site.log, tmp_path / "missing" / "file", NOW)

    back_up(site.folder, site.vault, site.log, tmp_path / "new", NOW)
    assert 0o600 == stat.S_IMODE((tmp_path / "new").stat().st_mode)
    assert {"kept", "new", "site", "site-ledger"} == {one.name for one in tmp_path.iterdir()}


def test_a_full_disk_leaves_no_half_of_a_backup(site: SealedSite, tmp_path: Path) -> None:
    """It is told, and nothing lies where the backup would be."""
    (tmp_path / "there").mkdir()
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, kept[1]))
    try:
        with pytest.raises(PosternError, match="cannot be written") as full:
            back_up(site.folder, site.vault, site.log, tmp_path / "there" / "backup.tar", NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)

    assert full.value.retry_helps
    assert [] == list((tmp_path / "there").iterdir())


def test_a_backup_of_another_site_is_refused(
    site: SealedSite, backup: Path, tmp_path: Path
) -> None:
    """Its references would open nothing here, and its permits are not this site's."""
    other = make_site(tmp_path / "other")
    with pytest.raises(PosternError, match="another site") as refused:
        put_back(other, backup)

    assert Code.CONFLICT is refused.value.code
    assert all(map(other.recognised, MODES))
    other.close()


def test_a_backup_of_another_epoch_is_refused(site: SealedSite, backup: Path) -> None:
    """After a re-keying its references open no more; the store stays as it is."""
    site.rekey()
    with pytest.raises(PosternError, match="epoch 1") as refused:
        put_back(site, backup)

    assert Code.CONFLICT is refused.value.code
    assert all(map(site.recognised, MODES))


def test_a_backup_of_lost_keys_is_refused(site: SealedSite, backup: Path, tmp_path: Path) -> None:
    """The same key file with a new file of keys: the epoch has the same number, not the name."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(site.folder / KEY_FILE, fresh / KEY_FILE)
    vault = open_vault(fresh)
    assert 1 == vault.epoch()[0]
    with pytest.raises(PosternError, match="epoch 1"):
        restore(fresh, vault, site.log, backup, LATER, "operator")
    assert not (fresh / STORE_FILE).exists()
    vault.close()


def test_a_backup_is_refused_while_the_site_is_served(site: SealedSite, backup: Path) -> None:
    """Whoever is inside, and what the service remembers, would not fit the store any more."""
    with on_duty(site.folder), pytest.raises(PosternError, match="serving") as refused:
        put_back(site, backup)
    assert Code.CONFLICT is refused.value.code
    assert put_back(site, backup).people == 5


def test_a_backup_is_refused_while_the_site_is_being_rekeyed(
    site: SealedSite, backup: Path
) -> None:
    """Its references would be of an epoch that ends at that moment."""
    with (
        rekeying(site.folder),
        pytest.raises(PosternError, match="re-keyed already") as refused,
    ):
        put_back(site, backup)
    assert Code.CONFLICT is refused.value.code
    assert [] == happened(site)


def test_any_changed_byte_is_refused(site: SealedSite, backup: Path) -> None:
    """Found before anything is unpacked, wherever it is; the same for a file that was cut, or that
    has more."""
    content = backup.read_bytes()
    chance = random.Random(1)  # noqa: S311 - positions, not keys
    places = [*range(200), *chance.choices(range(len(content)), k=200), len(content) - 1]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1 << chance.randrange(8)
        with pytest.raises(PosternError) as refused:
            unpack(io.BytesIO(altered), site.vault)
        assert refused.value.code in (Code.INVALID, Code.CONFLICT)
    cuts = [*range(0, 128, 7), *(HEADER + number * BLOCK for number in range(3)), len(content) - 1]
    for size in cuts:
        with pytest.raises(PosternError):
            unpack(io.BytesIO(content[:size]), site.vault)
    for more in (b"\0", b"\0" * TAG, content):
        with pytest.raises(PosternError):
            unpack(io.BytesIO(content + more), site.vault)
    assert NOW == unpack(io.BytesIO(content), site.vault).manifest.created


def test_chunks_that_were_moved_are_refused(site: SealedSite, backup: Path) -> None:
    """Two of one backup in another order, one left out, and one of another backup of the same
    store."""
    content = backup.read_bytes()
    head, first, second, rest = _chunks(content)
    back_up(site.folder, site.vault, site.log, backup.with_name("other"), NOW)
    _, other, *_ = _chunks(backup.with_name("other").read_bytes())
    assert other != first
    for mixed in (
        head + second + first + rest,
        head + first + rest,
        head + first + first + rest,
        head + other + second + rest,
    ):
        with pytest.raises(PosternError, match="altered"):
            unpack(io.BytesIO(mixed), site.vault)
    assert unpack(io.BytesIO(head + first + second + rest), site.vault)


def test_attack_backup_is_changed_between_the_look_and_the_use(
    site: SealedSite, backup: Path
) -> None:
    """Whoever can write the file waits until it was found to be whole."""
    with backup.open("r+b") as file:
        archive = unpack(file, site.vault)
        file.seek(HEADER + BLOCK + 5)
        file.write(b"changed")
        with pytest.raises(PosternError, match="altered"):
            b"".join(archive.store())


def test_header_tells_which_site_epoch_and_when_and_nothing_more(
    site: SealedSite, backup: Path
) -> None:
    """What anybody may read of it; two backups of one moment have no sealed byte in common."""
    content = backup.read_bytes()
    micros = int(NOW.timestamp() * 1e6).to_bytes(8, "big")
    told = MAGIC + site.vault.site + (1).to_bytes(4, "big") + micros
    assert told == content[: len(told)]
    back_up(site.folder, site.vault, site.log, backup.with_name("other"), NOW)
    same = sum(
        a == b
        for a, b in zip(
            content[HEADER:], backup.with_name("other").read_bytes()[HEADER:], strict=True
        )
    )
    assert same < len(content) / 100


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2048), st.booleans())
def test_hostile_bytes_raise_only_our_error(site: SealedSite, content: bytes, headed: bool) -> None:
    """Whatever is given for a backup, the answer is one sentence."""
    ours = MAGIC + site.vault.site if headed else b""
    with pytest.raises(PosternError):
        unpack(io.BytesIO(ours + content), site.vault)


def test_attack_a_backup_made_by_somebody_else(site: SealedSite, backup: Path) -> None:
    """A store with one more permit, under this site's mark, is refused without the site's key."""
    forged = _forged(site, backup)
    fresh = backup.parent / "mallory"
    fresh.mkdir()
    own = open_vault(fresh)
    made = b"".join(pack([forged], own, 0, NOW)).replace(own.site, site.vault.site)
    own.close()

    with pytest.raises(PosternError, match="altered"):
        unpack(io.BytesIO(made), site.vault)
    right = unpack(io.BytesIO(b"".join(pack([forged], site.vault, 0, NOW))), site.vault)
    assert forged == b"".join(right.store())


def test_readable_backup_of_an_earlier_version_is_put_back(site: SealedSite, backup: Path) -> None:
    """Its people and permits, less whoever was erased since."""
    backup.write_bytes(_readable(site, unpacked(backup.read_bytes(), site.vault)))
    assert b"Alice" in backup.read_bytes()
    site.store.people.remove(ALICE, site.vault.erase)
    site.store.vehicles.add(GARAGE[0])
    done = put_back(site, backup)

    assert (NOW, 4, 1) == (done.created, done.people, done.erased)
    assert () == site.store.vehicles.all()
    assert all(site.recognised(other) for other in MODES if other != ALICE)


def test_any_changed_byte_of_a_readable_backup_is_refused(site: SealedSite, backup: Path) -> None:
    """As it always was; and one of a version that nobody knows."""
    content = _readable(site, unpacked(backup.read_bytes(), site.vault))
    chance = random.Random(1)  # noqa: S311 - positions, not keys
    places = [*range(700), *range(1536, 1600), *chance.choices(range(len(content)), k=100)]
    places += [len(content) - 1, content.rindex(b"seal")]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1 << chance.randrange(8)
        with pytest.raises(PosternError):
            unpack(io.BytesIO(altered), site.vault)
    for size in [*range(0, 2048, 64), len(content) - 512, len(content) - 1]:
        with pytest.raises(PosternError):
            unpack(io.BytesIO(content[:size]), site.vault)
    for other in (content.replace(b'"version": 2', b'"version": 9'), b"postern.backup/9" + content):
        with pytest.raises(PosternError, match="another version"):
            unpack(io.BytesIO(other), site.vault)
    assert NOW == unpack(io.BytesIO(content), site.vault).manifest.created


def test_memory_does_not_grow_with_the_store(site: SealedSite, tmp_path: Path) -> None:
    """A backup of 64 MiB is looked at and unpacked in a hundredth of that."""
    path, pieces = tmp_path / "large", 64
    with path.open("wb") as file:
        for piece in pack((bytes(1 << 20) for _ in range(pieces)), site.vault, 0, NOW):
            file.write(piece)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            size = sum(map(len, unpack(file, site.vault).store()))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert pieces << 20 == size
    assert most < size / 100


def test_a_backup_of_a_newer_store_is_refused(site: SealedSite, tmp_path: Path) -> None:
    """And one whose store is no database; what is there stays."""
    newer = tmp_path / "newer.tar"
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(copied(site.folder / STORE_FILE))
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
        copy.commit()
        newer.write_bytes(b"".join(pack([copy.serialize()], site.vault, 0, NOW)))
    with pytest.raises(PosternError, match="newer"):
        put_back(site, newer)
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"".join(pack([b"no database" * 1000], site.vault, 0, NOW)))
    with pytest.raises(PosternError, match="damaged"):
        put_back(site, broken)
    with pytest.raises(PosternError, match="no file"):
        put_back(site, tmp_path / "missing.tar")

    assert all(map(site.recognised, MODES))
    assert not (site.folder / "restore.draft").exists()


@pytest.mark.parametrize("damage", ["missing", "overwritten", "cut", "log left"])
def test_a_lost_or_damaged_store_is_replaced(site: SealedSite, backup: Path, damage: str) -> None:
    """What backups are for; nothing of the former store is left beside the new one."""
    sealed = site.sealed(ALICE).blob
    site.close()
    path = site.folder / STORE_FILE
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        os.truncate(path, 5000)
    else:
        path.write_bytes(b"no database" * 1000)
    if damage == "log left":
        path.with_name(path.name + "-wal").write_bytes(b"log of the former store" * 1000)

    vault, log = open_vault(site.folder), open_ledger(site.folder)
    assert 5 == restore(site.folder, vault, log, backup, LATER, "operator").people
    log.close()
    vault.close()
    again = site.reopened()
    assert all(map(again.recognised, MODES))
    assert sealed == again.sealed(ALICE).blob
    again.close()
    names = {one.name for one in site.folder.iterdir()}
    assert not [name for name in names if "damaged" in name or "draft" in name]


def test_what_a_cut_off_restore_left_is_cleared(site: SealedSite) -> None:
    """Before the next one, and whenever the service starts."""
    (site.folder / "restore.draft").mkdir()
    (site.folder / "restore.draft" / STORE_FILE).write_bytes(b"Alice")
    (site.folder / f"{STORE_FILE}.damaged-wal").write_bytes(b"Alice")
    clear_drafts(site.folder)

    assert not [p for p in site.folder.iterdir() if "damaged" in p.name or "draft" in p.name]
    assert all(map(site.recognised, MODES))


@pytest.mark.timeout(180)
def test_kill_at_any_moment_leaves_the_one_or_the_other(site: SealedSite, tmp_path: Path) -> None:
    """Killed (kill -9) at random moments of a restore, the store is the former one or the
    restored one; Alice, who was erased, is in neither, and what Carol took back stands in neither.
    """
    backup = tmp_path / "backup.tar"
    second = replace(consent(CAROL), id=ConsentId("consent-second"), places=frozenset({BARRIER.id}))
    site.store.consents.add(second)
    back_up(site.folder, site.vault, site.log, backup, NOW)
    site.withdrawals.withdraw(second.id, By.PERSON, NOW)
    site.store.people.remove(ALICE, site.vault.erase)
    site.store.vehicles.add(GARAGE[0])
    site.close()
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.app.test_backup"])
    took_s, chance, seen = 0.0, random.Random(2), set()  # noqa: S311 - moments, not keys
    for number in range(ROUNDS):
        folder = tmp_path / f"site-{number}"
        shutil.copytree(site.folder, folder)
        shutil.copytree(ledger_of(site.folder), ledger_of(folder))
        after_s = chance.uniform(0.0, took_s) if number else None
        took_s = max(took_s, _restore_and_kill(forking, folder, backup, after_s))

        with open_store(folder) as store:
            vault = open_vault(folder, store.credentials.count_sealed())
            names = {one.name for one in store.people.all()}
            former = bool(store.vehicles.all())
            seen.add(former)
            assert NOW == store.consents.find(second.id).withdrawn
            assert {"Bob", "Carol", "Dan", "Erin"} == names
            assert {p for p, _ in store.references.names()} == set(MODES) - {ALICE}
            log = open_ledger(folder)
            assert 4 == restore(folder, vault, log, backup, LATER, "operator").people
            assert () == store.vehicles.all()
            log.close()
            vault.close()
    assert {True, False} == seen


def _restore_and_kill(forking: Any, folder: Path, backup: Path, after_s: float | None) -> float:
    """Restores in another process, killed after so long; gives how long it took."""
    begun, ended = forking.Event(), forking.Event()
    worker = forking.Process(target=_work, args=(folder, backup, begun, ended))
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
    return took_s if after_s is None else 0.0


def _work(folder: Path, backup: Path, begun: Any, ended: Any) -> None:
    vault, log = open_vault(folder, 1), open_ledger(folder)
    begun.set()
    restore(folder, vault, log, backup, LATER, "operator")
    ended.set()


def happened(site: SealedSite) -> list[Event]:
    """Every event, oldest first, by the ids that the store has now."""
    return [one.event for one in reversed(site.records.list())]


def unpacked(content: bytes, vault: Vault) -> bytes:
    """The store in a backup."""
    return b"".join(unpack(io.BytesIO(content), vault).store())


def _chunks(content: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The header of a backup, its first two chunks, and the rest."""
    first, second = content[HEADER : HEADER + BLOCK], content[HEADER + BLOCK : HEADER + 2 * BLOCK]
    return content[:HEADER], first, second, content[HEADER + 2 * BLOCK :]


def _forged(site: SealedSite, backup: Path) -> bytes:
    with closing(_database(site, backup)) as copy:
        copy.execute("INSERT INTO holders VALUES ('p-mallory')")
        copy.execute("INSERT INTO people VALUES ('p-mallory', 'Mallory', 'mallory')")
        copy.commit()
        return copy.serialize()


def _readable(site: SealedSite, store: bytes) -> bytes:
    """A backup as version 2 had it."""
    return packed(
        Manifest(site.vault.site, *site.vault.epoch(), NOW, site.log.size()), store, site.vault
    )


def _database(site: SealedSite, path: Path) -> sqlite3.Connection:
    vault = open_vault(site.folder, 1)
    store = unpacked(path.read_bytes(), vault)
    vault.close()
    copy = sqlite3.connect(":memory:")
    copy.deserialize(store)
    return copy


def _in_files(folder: Path, needle: bytes) -> bool:
    return any(needle in path.read_bytes() for path in folder.rglob("*") if path.is_file())

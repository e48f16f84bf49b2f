"""Safeguard: whoever is erased is gone from every file, and no backup brings them back.

Alice and Carol are enrolled at a site with its whole house: store, keys, log and index. Everything
by which Alice could be found is looked for in every file before she is erased, where each is found,
and afterwards, where nothing is; then the backup from before is put back, and it is looked for
again. The log goes on to verify: her events stand under a pseudonym that leads to nobody.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from postern.app.archive import unpack
from postern.app.records import LEDGER
from postern.app.wire import Installation, build_register, open_site, read_site
from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.event import Acted, Consented, Decided, Enrolled, Erased
from postern.core.evidence import Factor
from postern.core.ids import AttemptId, ConsentId, CredentialId, PersonId
from postern.core.look import Kind
from postern.core.person import Person
from postern.frame import Template
from postern.ledger.verify import verify_log
from postern.vault.seal import Sealed
from postern.vault.vault import KEYRING_FILE
from tests.cli.terminal import postern
from tests.people import DOOR, PLACES, consent, credential, permit
from tests.safeguards.traces import Form, Search, vector_forms

MODEL = "ab" * 32
#: Ids as Postern makes them, and a name that is nobody else's.
ALICE, CAROL = PersonId("p-4f1c0a9d7b3e"), PersonId("p-77aa01c2d3e4")
NAME = "Alice Quillfeather"


@dataclass(frozen=True)
class Kept:
    """What a site keeps of Alice.

    Attributes:
        sealed: Her reference.
        forms: Everything by which she could be found in files.
    """

    sealed: Sealed
    forms: Search


@pytest.fixture
def kept(folder: Path) -> Kept:
    """The site in the present folder, with both in it, a few events, and a backup."""
    with _site(folder) as installation:
        sealed = _enrol(installation, ALICE, NAME)
        _enrol(installation, CAROL, "Carol")
        now = installation.clock.now().utc
        for attempt in ("one", "two"):
            decided = Decided(now, DOOR.id, AttemptId(attempt), Reason.PERMITTED, None, (ALICE,), 4)
            installation.records.append(decided)
            installation.records.append(Acted(now, DOOR.id, AttemptId(attempt), True, "opened"))
        installation.store.areas.entered(DOOR.area.id, (ALICE,), now)
        installation.store.throttles.failed(DOOR.id, ALICE, now)
        forms = Search(_forms(installation, sealed))
    assert 0 == postern("backup", "before.backup").code
    return Kept(sealed, forms)


def _unpacked(folder: Path) -> bytes:
    """The store in the backup, as whoever has the site's key can read it."""
    with _site(folder) as installation, (folder / "before.backup").open("rb") as file:
        return b"".join(unpack(file, installation.vault).store())


def test_every_trace_is_there_before_and_none_after(folder: Path, kept: Kept) -> None:
    """In every file below the site's folder but her receipt, which is hers."""
    before = _found(folder, kept.forms)
    assert {"name", "id", "consent", "credential", "reference", "wrapped key"} == before
    told = postern("person", "remove", "--yes", ALICE, "--receipt", "receipt.html")

    assert 0 == told.code, told.err
    assert set() == _found(folder, kept.forms)
    assert NAME in (folder / "receipt.html").read_text("utf-8")
    assert NAME not in postern("person", "list").out


def test_backup_does_not_bring_her_back(folder: Path, kept: Kept) -> None:
    """It has her name; put back, it has not. Carol is there as before, and her reference opens."""
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    assert NAME.encode() in _unpacked(folder)
    told = postern("restore", "before.backup", "--yes")

    assert 0 == told.code, told.err
    assert set() == _found(folder, kept.forms)
    with _site(folder) as installation:
        assert [CAROL] == [one.id for one in installation.store.people.all()]
        (carols,) = installation.store.references.all()
        opened = installation.vault.open(Sealed(carols.credential, carols.person, carols.blob))
        assert opened.values.shape == (128,)
        with pytest.raises(PosternError, match="erased"):
            installation.vault.open(kept.sealed)


def test_nobody_at_the_door_is_compared_with_her(folder: Path, kept: Kept) -> None:
    """She was among the references; now only Carol is, also after the backup came back."""
    assert {ALICE, CAROL} == _compared(folder)
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    assert {CAROL} == _compared(folder)
    assert 0 == postern("restore", "before.backup", "--yes").code
    assert {CAROL} == _compared(folder)


def test_her_events_lead_to_nobody_and_the_log_verifies(folder: Path, kept: Kept) -> None:
    """Who they were about was known before. No id that the site still knows explains them."""
    assert ALICE in str(_holders(folder))
    with _site(folder) as installation:
        size = installation.records.log.size()
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    shown = _holders(folder)

    assert 2 == len(shown)
    assert all(re.fullmatch(r"p-[0-9a-f]{20}", holder) for holder in shown)
    with _site(folder) as installation:
        records = installation.records
        at = installation.clock.now().utc
        explained = records.log.pseudonyms.names(at, installation.store.ids())
        assert not set(shown) & explained.keys()
        assert any(isinstance(entry.event, Erased) for entry in records.list())
        published = records.settle().checkpoint
        assert published.size > size
        data = installation.site.data
        found = verify_log(data / LEDGER, records.log.verifier.vkey, lambda: 0.0, lambda *_: None)
    assert found.checkpoint == published


def test_erasing_again_finds_nothing_and_says_so(folder: Path, kept: Kept) -> None:
    """In one sentence."""
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    told = postern("person", "remove", "--yes", ALICE)

    assert told.code != 0
    assert "erased before" in told.err


def test_limit_an_older_copy_of_the_keys_opens_an_older_store(folder: Path, kept: Kept) -> None:
    """Whoever copied the keys before she was erased, and has the site's key and her reference,
    opens it for as long as they have that copy, a re-keying later too. docs/threat-model.md says
    so."""
    old = (folder / "data" / KEYRING_FILE).read_bytes()
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    assert 0 == postern("rekey").code
    (folder / "data" / KEYRING_FILE).write_bytes(old)

    with _site(folder) as installation:
        assert installation.vault.open(kept.sealed).values.shape == (128,)


def test_limit_an_older_backup_explains_pseudonyms_until_they_expire(
    folder: Path, kept: Kept
) -> None:
    """Her id is in the backup; with it and the month's key her events can be told from others'.
    docs/threat-model.md says so. The key goes with the last event of its month."""
    assert 0 == postern("person", "remove", "--yes", ALICE).code
    assert ALICE.encode() in _unpacked(folder)
    with _site(folder) as installation:
        at = installation.clock.now().utc
        explained = installation.records.log.pseudonyms.names(at, [ALICE])

    assert set(_holders(folder)) <= explained.keys()


def _site(folder: Path) -> AbstractContextManager[Installation]:
    return open_site(read_site(folder / "site.toml"))


def _enrol(installation: Installation, person: PersonId, name: str) -> Sealed:
    """Somebody on the roster, as an enrolment leaves them."""
    store, now = installation.store, installation.clock.now().utc
    given = replace(
        consent(person, given=now, expires=now + timedelta(days=300)),
        id=ConsentId(f"consent-{person[2:]}"),
    )
    face = replace(
        credential(Factor.FACE, person, valid_from=now), id=CredentialId(f"face-{person}")
    )
    sealed = installation.vault.seal(face.id, person, Template(_vector(person), MODEL, 3))
    with store.together():
        store.people.add(Person(person, name))
        store.consents.add(given)
        store.credentials.add(face, now=now, sealed=sealed.blob)
        store.permits.add(permit(person, at=PLACES, valid_from=now, name=f"of-{person}"))
    installation.records.append(Consented(now, given.id, person, given.text_version))
    installation.records.append(Enrolled(now, face.id, person))
    return sealed


def _vector(person: PersonId) -> "np.typing.NDArray[np.float32]":
    numbers = np.random.default_rng(list(person.encode())).normal(size=128) * 0.12
    return numbers.astype(np.float32)


def _forms(installation: Installation, sealed: Sealed) -> Iterator[Form]:
    """Everything by which she could be found; her vector in any form should never be."""
    yield Form("name", NAME.encode())
    yield Form("id", ALICE.encode())
    yield Form("id", ALICE[2:].encode())
    yield Form("consent", f"consent-{ALICE[2:]}".encode())
    yield Form("credential", sealed.credential.encode())
    yield Form("reference", sealed.blob[46:])
    with sqlite3.connect(installation.site.data / KEYRING_FILE) as keys:
        for (wrapped,) in keys.execute("SELECT wrapped FROM keys WHERE person = ?", (ALICE,)):
            yield Form("wrapped key", wrapped)
    keys.close()
    plain = Template(_vector(ALICE), MODEL, 3)
    turned = np.asarray(installation.vault.rotate(plain).values, np.float32)
    yield from vector_forms("vector", {"as it is": _vector(ALICE), "turned": turned})


def _found(folder: Path, forms: Search) -> set[str]:
    """What is found of her in the site's data, all programs having ended."""
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert len(files) > 8
    return set().union(*(forms.names(path.read_bytes()) for path in files))


def _compared(folder: Path) -> set[PersonId]:
    """Whom whoever stands before the door is compared with."""
    with _site(folder) as installation:
        door = installation.site.access_points[DOOR.id]
        known = build_register(installation).known(door, installation.clock.now())
    return {PersonId(one.holder) for one in known.references.get(Kind.FACE, ())}


def _holders(folder: Path) -> list[str]:
    """Whom the decisions on record are about, as far as the site can tell."""
    with _site(folder) as installation:
        events = [entry.event for entry in installation.records.list()]
    return [holder for event in events if isinstance(event, Decided) for holder in event.holders]

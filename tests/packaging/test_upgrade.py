"""Real releases take each other's place on a real installation; one of them always serves it."""

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from postern.app.upgrade import Order, Places
from postern.app.upgrade.places import COMPLETE, CURRENT, PROVED
from postern.core.evidence import Factor
from postern.store.store import STORE_FILE, open_store
from postern.vault.vault import open_vault
from tests.app.sealed_site import face
from tests.installed import ROOT, Machine, make_machine, make_release, migration
from tests.people import ALICE, BOB, CAROL, PERSONS, consent, credential

#: Each starts a dozen programs of its own, one after the other.
pytestmark = pytest.mark.timeout(900)
OLD, NEW = "0.1.1", "0.1.2"
_NEWER = {
    "store/migrations/versions/r9001_newer.py": migration(
        'op.execute("CREATE TABLE newer (one INTEGER)")'
    )
}
_CHECK = '''\
"""A check that finds fault, after somebody was erased and somebody else took their consent back."""

import subprocess
import sys

from postern.core.errors import invalid


def check() -> None:
    """Fails."""
    program = [sys.executable, sys.argv[0]]
    for words in (["person", "remove", "{alice}", "--yes"], ["person", "withdraw", "{carol}"]):
        subprocess.run([*program, *words], check=False, capture_output=True)
    raise invalid("It is not sound.")
'''
_RUN = '''\
"""A service that ends by itself."""

import time

from postern.cli.terminal import say


def run() -> None:
    """Ends."""
    say("nothing is watched")
    time.sleep(0.3)
'''
_KEYS = (ROOT / "src/postern/vault/keyring_file.py").read_text("utf-8")
FAULTS = {
    "migration": {
        "store/migrations/versions/r9001_newer.py": migration('op.execute("CREATE nothing")')
    },
    "check": {**_NEWER, "cli/check.py": _CHECK.format(alice=ALICE, carol=CAROL)},
    "ends": {**_NEWER, "cli/run.py": _RUN},
    "keys": {
        "vault/keyring_file.py": _KEYS.replace("_VERSION = 2", "_VERSION = 3"),
        "cli/check.py": _CHECK.format(alice=ALICE, carol=CAROL),
    },
}
SAID = {
    "migration": "The service does not start.",
    "check": "It is not sound.",
    "ends": "The service ended by itself.",
    "keys": "It is not sound.",
}


#: Seconds that the service has to stay up; the one that ends by itself does so before.
STEADY = "1"


@dataclass(frozen=True, slots=True)
class Releases:
    """Folders of releases: the one that is installed, and the one that takes its place."""

    old: Path
    new: Path


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    made = tmp_path_factory.mktemp("releases")
    return Releases(make_release(made, OLD), make_release(made, NEW, _NEWER))


@pytest.fixture(scope="module")
def installed(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the old version, three people, a vehicle and a permit; kept as it is at the
    beginning in the folder `before`, and the new version, as installed, in the folder `new`."""
    machine = make_machine(tmp_path_factory.mktemp("machine") / "root")
    done = machine.install(releases.old)
    assert 0 == done.returncode, done.stderr
    for words in (
        ("vehicle", "add", "AB123"),
        ("permit", "add", "--vehicle", "AB123", "--at", "barrier"),
    ):
        assert 0 == machine.postern(*words).returncode
    _enrol(machine.data)
    shutil.copytree(machine.data, machine.root / "before")
    done = machine.install(releases.new, "--beside")
    assert 0 == done.returncode, done.stderr
    (machine.versions / NEW).rename(machine.root / "new")
    yield machine
    machine.kill()


@pytest.fixture
def machine(installed: Machine) -> Machine:
    """The machine as it was at the beginning, with the service running."""
    installed.kill()
    shutil.rmtree(installed.data)
    shutil.copytree(installed.root / "before", installed.data)
    places = Places(installed.root)
    for link in (CURRENT, PROVED):
        places.name(link, OLD)
    for one in ("previous", "upgrade.json", "upgraded.json"):
        (installed.versions / one).unlink(missing_ok=True)
    shutil.rmtree(installed.versions / NEW, ignore_errors=True)
    assert 0 == installed.systemctl("start", "postern.service")
    return installed


def _enrol(data: Path) -> None:
    with open_store(data) as store:
        vault = open_vault(data, 1)
        for person in (one for one in PERSONS if one.id in (ALICE, BOB, CAROL)):
            store.people.add(person)
            store.consents.add(consent(person.id))
            name = credential(Factor.FACE, person.id)
            sealed = vault.seal(name.id, person.id, face(person.id))
            store.credentials.add(name, now=consent(person.id).given, sealed=sealed.blob)
        vault.close()


def _put_beside(machine: Machine, changes: Mapping[str, str]) -> None:
    """Has the new version installed already, with those of its files changed: an installation takes
    a while, and is the same for every fault."""
    place = machine.versions / NEW
    shutil.copytree(machine.root / "new", place, symlinks=True, copy_function=os.link)
    (package,) = place.glob("lib/python*/site-packages/postern")
    for name in {*_NEWER, *changes}:
        (package / name).unlink(missing_ok=True)
    for name, content in changes.items():
        (package / name).write_text(content, "utf-8")


def rows(file: Path, query: str) -> set[str]:
    """What is in a database, in one column; read as it is, by no version's command."""
    with closing(sqlite3.connect(file)) as opened:
        return {row[0] for row in opened.execute(query)}


def people(machine: Machine) -> set[str]:
    return rows(machine.data / STORE_FILE, "SELECT name FROM people")


def vehicles(machine: Machine) -> list[str]:
    return [one["label"] for one in json.loads(machine.postern("vehicle", "list", "--json").stdout)]


def serves(machine: Machine, version: str) -> bool:
    """Whether that version runs, with nothing under way, and reads what there was."""
    assert version == machine.named(CURRENT) == machine.named(PROVED)
    assert not (machine.versions / "upgrade.json").exists()
    assert ["AB123"] == vehicles(machine)
    return machine.is_up()


def test_release_takes_the_place_of_the_one_that_runs(machine: Machine, releases: Releases) -> None:
    """Store, people and service go over; by hand the former one returns, once it was said what is
    lost by that."""
    done = machine.postern("upgrade", str(releases.new), "--steady", "0.5")
    assert 0 == done.returncode, done.stderr
    assert f"Postern {NEW} serves the site; it was {OLD}." in done.stderr
    assert serves(machine, NEW)
    assert f"postern {NEW}\n" == machine.postern("--version").stdout
    assert {"Alice", "Bob", "Carol"} == people(machine)
    assert 0o600 == (machine.data / f"before-{NEW}.backup").stat().st_mode & 0o777

    assert 0 == machine.postern("person", "remove", ALICE, "--yes").returncode
    assert 0 == machine.postern("vehicle", "add", "CD456").returncode
    asked = machine.postern("upgrade", "--back", "--steady", "0.5", answer="n\n")
    assert 6 == asked.returncode
    assert f"Postern {OLD} cannot read the store any more" in asked.stderr
    assert NEW == machine.named(CURRENT)
    back = machine.postern("upgrade", "--back", "--steady", "0.5", answer="y\n")
    assert 0 == back.returncode, back.stderr
    assert serves(machine, OLD)
    assert {"Bob", "Carol"} == people(machine)


@pytest.mark.parametrize("fault", FAULTS)
def test_release_that_does_not_work_is_gone_back_from(
    machine: Machine, releases: Releases, fault: str
) -> None:
    """One sentence says why; whoever was erased meanwhile stays erased, and what was taken back
    stays so, though the store is the one from before."""
    _put_beside(machine, FAULTS[fault])
    done = machine.postern("upgrade", str(releases.new), "--steady", STEADY)

    assert 3 == done.returncode, done.stderr
    assert f"Postern {NEW} did not prove itself: {SAID[fault]}" in done.stderr
    assert f"Postern {OLD} serves the site again." in done.stderr
    assert serves(machine, OLD)
    assert not (machine.versions / NEW).exists()
    meanwhile = fault in ("check", "keys")
    assert {"Alice", "Bob", "Carol"} - ({"Alice"} if meanwhile else set()) == people(machine)
    assert [] == [one.name for one in machine.data.glob("before-*") if "keys" in one.name]
    kept = rows(machine.data / "keys.db", "SELECT person FROM keys")
    assert kept == ({BOB} if meanwhile else {ALICE, BOB, CAROL})
    ended = "SELECT person FROM consents WHERE withdrawn IS NOT NULL"
    assert ({CAROL} if meanwhile else set()) == rows(machine.data / STORE_FILE, ended)


def test_killed_at_a_step_one_of_the_two_serves(machine: Machine) -> None:
    """At two steps of the way back, with a power cut after each; all of both ways, and without,
    are gone through in `tests/app/upgrade/test_carry.py`."""
    _put_beside(machine, FAULTS["check"])
    chance = random.Random("check")  # noqa: S311 - steps, not keys
    Places(machine.root).give(Order(OLD, NEW, restore=False, steady_s=0.5))
    for at in sorted(chance.sample(range(12), 2)):
        if not machine.cut_off(at, chance.choice([None, 0.5])):
            break
        machine.kill()
        machine.boot()
        assert (machine.versions / machine.named(CURRENT) / COMPLETE).exists()
        assert (machine.versions / machine.named(PROVED) / COMPLETE).exists()
    machine.systemctl("start", "postern-upgrade.service")

    assert serves(machine, OLD)
    assert {"Bob", "Carol"} == people(machine)

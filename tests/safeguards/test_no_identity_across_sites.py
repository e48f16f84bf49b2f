"""Safeguard: what two sites keep of the same people cannot be put together.

The forty people of faces-orl enrol at several sites, each time with looks of its own. Every site's
vault seals them. Then a thief compares: what lies on the sites' disks, and (with the keys of every
site, but as the service holds them in memory) the opened references. References of one person at
two sites are to look as those of two people do; within one site the same people are found, so that
the comparison would show it.

How far two sets of scores lie apart is told by the area under the ROC curve (0.5: not at all, 1:
wholly) and by the global measure of linkability D_sys (0 to 1) of Gomez-Barrero, Galbally, Rathgeb
and Busch, "General framework to evaluate unlinkability in biometric template protection systems",
IEEE TIFS 13(6), 2018, sections III-C and III-D, which ISO/IEC 30136 asks for.
"""

import itertools
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from postern.app.clock import SystemClock
from postern.app.matching import SiteFaceMatcher
from postern.app.records import log_origin, log_seed
from postern.bench.face_folder import read_people, usable
from postern.core.decision import Reason
from postern.core.event import Decided
from postern.core.ids import AttemptId, CredentialId, PersonId
from postern.frame import Reference, Template
from postern.ledger.log import Log, open_log
from postern.vault.seal import Sealed
from postern.vault.vault import Vault, open_vault
from postern.vision.faces.load import (
    DetectorName,
    load_calibration,
    load_cohort,
    load_recogniser,
)
from postern.vision.faces.reference import reference
from postern.vision.model import Models, read_manifest
from tests.needs import SHARED, shared
from tests.people import ALICE, DOOR, NOW, moment

Floats = npt.NDArray[np.float64]
SITES = 6
#: Pictures of each person; so many of them can be compared with nearly everybody.
PICTURES, LOOKS = 8, 7
#: Two enrolments of three looks each; sites take turns with them; a look more is shown.
ENROLMENTS, SHOWN = ((0, 1, 2), (3, 4, 5)), 6
#: Where nothing can be told apart, the 15 pairs of six sites give areas of 0.5 with a deviation of
#: 0.004, or 0.024 without what all faces share, and D_sys of 0.03 to 0.07.
AREAS, CENTRED_AREAS, MAX_LINKABILITY = (0.45, 0.55), (0.38, 0.62), 0.15
YUNET = "models/yunet_n_dynamic.onnx"


@dataclass(frozen=True)
class Site:
    """A site with everybody's references.

    Attributes:
        folder: Its data.
        vault: Its vault.
        sealed: What it keeps of each person.
        opened: The same as its service holds it in memory, one row per person.
        shown: Everybody before its door, turned as it turns probes.
        matcher: What compares there.
    """

    folder: Path
    vault: Vault
    sealed: tuple[Sealed, ...]
    opened: Floats
    shown: Floats
    matcher: SiteFaceMatcher


@dataclass(frozen=True)
class People:
    """The vectors of everybody's looks, (40, 7, 128), and which detector saw them."""

    vectors: npt.NDArray[np.float32]
    detector: DetectorName


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder = tmp_path_factory.mktemp("people")
    for person in shared("data/faces-orl").iterdir():
        if person.is_dir():
            (folder / person.name).mkdir()
            for picture in sorted(person.iterdir())[:PICTURES]:
                (folder / person.name / picture.name).symlink_to(picture)
    models = Models(tmp_path_factory.mktemp("models"), read_manifest())
    detector: DetectorName = "dlib"
    if (SHARED / YUNET).exists():
        models.import_file(SHARED / YUNET)
        detector = "yunet"
    found = list(usable(read_people(folder, load_recogniser(models, detector), lambda *_: None)))
    enough = [looks[:LOOKS] for looks in found if len(looks) >= LOOKS]
    return People(np.stack(enough), detector)


@pytest.fixture(scope="module")
def sites(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    made = []
    for number in range(SITES):
        folder = tmp_path_factory.mktemp("site")
        made.append(_site(folder, people, ENROLMENTS[number % 2]))
    yield made
    for site in made:
        site.vault.close()


def test_enough_people_enrolled(people: People) -> None:
    """Nearly all forty have enough looks that can be compared."""
    assert len(people.vectors) >= 36


def test_the_same_people_are_found_within_one_site(sites: list[Site]) -> None:
    """Otherwise the rest would show nothing: the same measure tells them apart wholly."""
    scores = [_scores(site.opened, site.shown) for site in sites]

    assert area(*scores_of(scores)) > 0.99
    assert linkability(*scores_of(scores)) > 0.85


def test_opened_references_of_two_sites_look_like_strangers(sites: list[Site]) -> None:
    """By distance and by angle, over all pairs of sites, also without what all faces share."""
    for compare, (low, high) in ((_scores, AREAS), (_angles, AREAS), (_centred, CENTRED_AREAS)):
        across = [compare(a.opened, b.opened) for a, b in itertools.combinations(sites, 2)]
        assert low < area(*scores_of(across)) < high, compare.__name__
        assert linkability(*scores_of(across)) < MAX_LINKABILITY, compare.__name__


def test_limit_opened_references_of_two_sites_agree_in_their_length(sites: list[Site]) -> None:
    """Turning a vector does not change how long it is. Whoever can open the references of both
    sites could also turn them back: what keeps them apart on the disk is that they are sealed.
    docs/safeguards.md says so; were it not so any more, the page should change."""
    across = [_lengths(a.opened, b.opened) for a, b in itertools.combinations(sites, 2)]

    assert area(*scores_of(across)) > 0.75


def test_one_sites_reference_is_no_match_at_another(sites: list[Site], people: People) -> None:
    """Even handed to the other site's own matcher as what its door saw, nobody is anybody."""
    model = load_calibration(people.detector).embedder
    found = []
    for site, other in itertools.pairwise(sites):
        references = tuple(
            Reference(one.credential, one.person, site.vault.open(one)) for one in site.sealed
        )
        for row in other.opened[:10]:
            probe = Template(row.astype(np.float32), model, 1)
            evidence = site.matcher.match((probe, probe, probe), references, moment())
            found += [one.p for one in evidence]

    assert min(found) > 1e-2
    # At its own site the door does see them.
    site = sites[0]
    own = tuple(Reference(o.credential, o.person, site.vault.open(o)) for o in site.sealed)
    look = Template(people.vectors[0, SHOWN], model, 1)
    best = site.matcher.match((look,), own, moment())[0]
    assert PersonId("p-0") == best.holder
    assert best.p < 1e-2


def test_sealed_references_of_two_sites_share_no_bytes(sites: list[Site]) -> None:
    """But for what every reference of that model says openly; not with the same looks either."""
    open_part = re.compile(rb"PSTN.{42}", re.DOTALL)
    heads = {open_part.match(one.blob).group() for site in sites for one in site.sealed}  # type: ignore[union-attr]
    assert 1 == len(heads)
    (head,) = heads
    bodies = [[one.blob[len(head) :] for one in site.sealed] for site in sites]
    bits = [np.unpackbits(np.frombuffer(b"".join(b), np.uint8)).reshape(len(b), -1) for b in bodies]
    # Sites 0 and 2 took in the very same looks.
    across = [_alike(a, b) for a, b in itertools.combinations(bits, 2)]
    low, high = AREAS
    assert low < area(*scores_of(across)) < high
    windows = [{body[at : at + 6] for body in b for at in range(len(body) - 5)} for b in bodies]
    assert all(not a & b for a, b in itertools.combinations(windows, 2))


def test_files_of_two_sites_name_neither_site_nor_person_alike(sites: list[Site]) -> None:
    """No site id, epoch's secret, key or mark of one is in any file of another; the same person
    erased at both leaves marks that differ."""
    for site in sites[:2]:
        site.vault.erase(PersonId("p-0"))
    ids = [site.vault.site for site in sites]
    assert SITES == len(set(ids))
    secrets = [_secrets(site.folder) for site in sites]

    for a, b in itertools.combinations(range(SITES), 2):
        assert not secrets[a] & secrets[b]
    assert any(ids[0] in path.read_bytes() for path in sites[0].folder.rglob("*") if path.is_file())
    for site, own in zip(sites, ids, strict=True):
        files = b"".join(p.read_bytes() for p in site.folder.rglob("*") if p.is_file())
        assert not any(other in files for other in ids if other != own)


def test_logs_of_two_sites_cannot_be_joined(tmp_path: Path) -> None:
    """The same decision on the same person at the same time has nothing in common at two sites:
    neither pseudonym nor commitment nor name of the log. Within one site and month it has."""
    decided = Decided(NOW, DOOR.id, AttemptId("a"), Reason.PERMITTED, None, (ALICE,), 4)
    logs = [_log(tmp_path / name) for name in ("one", "two")]
    for log in logs:
        log.append(decided)
        log.append(decided)
        log.publish()
    kept = [list(log.entries()) for log in logs]
    names = [{found for e in entries for found in re.findall(r"p-[0-9a-f]{20}", e.text)}
             for entries in kept]  # fmt: skip

    assert [1, 1] == [len(found) for found in names]
    assert not names[0] & names[1]
    assert ALICE not in "".join(e.text for entries in kept for e in entries)
    leaves = [e.leaf[-32:] for entries in kept for e in entries]
    assert 4 == len(set(leaves))
    assert logs[0].verifier.name != logs[1].verifier.name
    one, two = (_tokens(tmp_path / name) for name in ("one", "two"))
    assert not {token for token in one & two if _tells(token)}
    for log in logs:
        log.close()


def test_measures_of_linkability_can_tell() -> None:
    """Nothing between equal distributions, all between distinct ones, some in between."""
    rng = np.random.default_rng(4)
    alike, other, apart = rng.normal(size=600), rng.normal(size=20_000), rng.normal(6.0, 1.0, 600)

    assert AREAS[0] < area(alike, other) < AREAS[1]
    assert linkability(alike, other) < MAX_LINKABILITY
    assert area(apart, other) > 0.99
    assert linkability(apart, other) > 0.95
    slightly = rng.normal(1.0, 1.0, 600)
    assert area(slightly, other) > CENTRED_AREAS[1]
    assert linkability(slightly, other) > MAX_LINKABILITY


def area(mated: Floats, others: Floats) -> float:
    """How likely a mated score is higher than another: the area under the ROC curve."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, mated, "left") + np.searchsorted(ordered, mated, "right")
    return float(below.mean() / (2 * len(ordered)))


def linkability(mated: Floats, others: Floats, bins: int = 20) -> float:
    """The global measure D_sys, for equal prior chances.

    Args:
        mated: Scores of one person at two sites.
        others: Scores of two people.
        bins: As many quantiles of all scores as the densities have steps.
    """
    edges = np.quantile(np.concatenate([mated, others]), np.linspace(0.0, 1.0, bins + 1))
    edges[0], edges[-1] = -np.inf, np.inf
    p = np.histogram(mated, edges)[0] / len(mated)
    q = np.histogram(others, edges)[0] / len(others)
    ratio = np.divide(p, q, out=np.full(bins, np.inf), where=q > 0)
    # D(s) = 2 P(mated | s) - 1 where a mated pair is likelier than not, else 0.
    local = np.where(ratio > 1.0, 1.0 - 2.0 / (1.0 + ratio), 0.0)
    return float((local * p).sum())


def scores_of(tables: list[Floats]) -> tuple[Floats, Floats]:
    """The scores of one person at both, and those of two people, of all tables."""
    off = ~np.eye(len(tables[0]), dtype=bool)
    return np.concatenate([t.diagonal() for t in tables]), np.concatenate([t[off] for t in tables])


def _scores(rows: Floats, columns: Floats) -> Floats:
    """How near everybody is to everybody, (N, N)."""
    return np.asarray(-np.linalg.norm(rows[:, None] - columns[None], axis=2), np.float64)


def _angles(rows: Floats, columns: Floats) -> Floats:
    return _unit(rows) @ _unit(columns).T


def _centred(rows: Floats, columns: Floats) -> Floats:
    return _angles(rows - rows.mean(axis=0), columns - columns.mean(axis=0))


def _lengths(rows: Floats, columns: Floats) -> Floats:
    lengths = [np.linalg.norm(vectors, axis=1) for vectors in (rows, columns)]
    return np.asarray(-np.abs(lengths[0][:, None] - lengths[1][None]), np.float64)


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / lengths, np.float64)


def _alike(rows: npt.NDArray[np.uint8], columns: npt.NDArray[np.uint8]) -> Floats:
    """In how many bits everybody's bytes agree with everybody's."""
    signed = [2.0 * bits - 1.0 for bits in (rows, columns)]
    return np.asarray(signed[0] @ signed[1].T, np.float64)


def _site(folder: Path, people: People, taken: tuple[int, ...]) -> Site:
    calibration = load_calibration(people.detector)
    vault, model = open_vault(folder), calibration.embedder
    sealed = []
    for number, looks in enumerate(people.vectors):
        template = reference([Template(look, model, 1) for look in looks[list(taken)]])
        person = PersonId(f"p-{number}")
        sealed.append(vault.seal(CredentialId(f"face-{person}"), person, template))
    opened = np.stack([np.asarray(vault.open(one).values, np.float64) for one in sealed])
    turned = vault.rotate_rows(people.vectors[:, SHOWN], model).astype(np.float64)
    matcher = SiteFaceMatcher(vault, calibration, load_cohort(people.detector))
    return Site(folder, vault, tuple(sealed), opened, turned, matcher)


def _secrets(folder: Path) -> set[bytes]:
    """Every value of sixteen bytes and more in a site's file of keys, and its secret."""
    found = {(folder / "site.key").read_bytes()}
    with sqlite3.connect(f"file:{folder / 'keys.db'}?mode=ro", uri=True) as keys:
        for (table,) in keys.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
            for row in keys.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own names
                found |= {value for value in row if isinstance(value, bytes) and len(value) >= 16}
    keys.close()
    return found


def _log(folder: Path) -> Log:
    folder.mkdir()
    vault = open_vault(folder)
    site = vault.site
    vault.close()
    return open_log(folder / "ledger", log_seed(site * 2), log_origin(site), SystemClock())


def _tokens(folder: Path) -> set[bytes]:
    """Every run of eight letters, digits or signs of base64 and more in a site's log."""
    files = (path for path in (folder / "ledger").rglob("*") if path.is_file())
    return {
        token for path in files for token in re.findall(rb"[A-Za-z0-9+/=.-]{8,}", path.read_bytes())
    }


def _tells(token: bytes) -> bool:
    """Whether it could name anything: not a word of the format or the time that both share."""
    return bool(re.search(rb"[0-9a-f]{12}|[A-Za-z0-9+/]{30}", token))

"""What `postern check` and `postern person` say of the people."""

import io
import json
import shlex
import stat
from pathlib import Path

import numpy as np
import pytest

from postern.app.roster import CAP
from postern.app.wire import enrolments, open_site, read_site
from postern.cli.enrol import _applicant
from postern.cli.operator import operator
from postern.cli.pass_file import pass_file
from postern.core.consent import Consent, StorageMode
from postern.core.credential import Credential
from postern.core.event import Changed
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, CredentialId, PersonId
from postern.core.person import Person
from postern.frame import Template
from postern.vision.faces.load import load_calibration
from tests.cli.enrolled import ROSTER, WHY, enrol
from tests.cli.terminal import postern
from tests.people import DAY
from tests.store.samples import BLOB


@pytest.fixture
def site(folder: Path) -> Path:
    with (folder / "site.toml").open("a") as file:
        file.write(ROSTER)
    return folder


def test_check_shows_the_rosters_justification(site: Path) -> None:
    """Beside how many are on it."""
    enrol(site, model=load_calibration("dlib").embedder)
    told = postern("check")

    assert 0 == told.code, told.err
    assert "holds 1 person of at most 500" in told.out
    assert WHY in told.out
    assert "cannot be used" not in told.err


def test_check_refuses_a_roster_that_nobody_justifies_any_more(site: Path) -> None:
    """The people on it were told why; somebody took the reason away."""
    enrol(site)
    text = (site / "site.toml").read_text().replace(ROSTER, "")
    (site / "site.toml").write_text(text + '[consent]\ntext_version = "2"\n')
    told = postern("check")

    assert 3 == told.code
    assert "nobody has justified it" in told.err


def test_check_refuses_a_roster_beyond_its_cap(site: Path) -> None:
    """However it came about; and nobody can be added to a permit there."""
    with open_site(read_site(site / "site.toml")) as installation:
        store, now = installation.store, installation.clock.now().utc
        with store.together():
            for at in range(CAP + 1):
                person = PersonId(f"p-{at}")
                store.people.add(Person(person, "Somebody"))
                store.consents.add(
                    Consent(
                        ConsentId(f"c-{at}"), person, "to open", frozenset({AccessPointId("door")}),
                        "1", StorageMode.ROSTER, now - DAY, now + DAY,
                    )
                )  # fmt: skip
                face = Credential(
                    CredentialId(f"face-{at}"), Factor.FACE, person, True, now,
                    mode=StorageMode.ROSTER,
                )  # fmt: skip
                store.credentials.add(face, now=now, sealed=BLOB)

    for told in (postern("check"), postern("permit", "add", "--at", "door", "--person", "p-1")):
        assert 5 == told.code
        assert "The roster of door would hold 501 people" in told.err
    assert "[]\n" == postern("permit", "list", "--json").out


def test_check_refuses_a_text_that_changed_under_its_version(site: Path) -> None:
    """It names the key to raise; raised, it is sound."""
    enrol(site)
    text = (site / "site.toml").read_text()
    (site / "site.toml").write_text(text + '[consent]\npurpose = "To count you."\n')
    told = postern("check")
    assert 5 == told.code
    assert "Raise text_version under [consent]" in told.err

    (site / "site.toml").write_text(
        text + '[consent]\npurpose = "To count you."\ntext_version = "2"\n'
    )
    assert 0 == postern("check").code


def test_references_of_another_model_are_told_with_the_way_out(site: Path) -> None:
    """By the check and in the list; never only at the door."""
    enrol(site, "Zoe", model="ab" * 32)
    enrol(site, "Yan", model=load_calibration("dlib").embedder)
    told = postern("check").err

    assert "p-zoe cannot be used: needs new looks" in told
    assert "postern enrol --person p-zoe --mode roster --camera corridor\n" in told
    assert "p-yan" not in told
    listed = {one["id"]: one for one in json.loads(postern("person", "list", "--json").out)}
    assert [{"mode": "roster", "standing": "needs new looks"}] == listed["p-zoe"]["references"]
    assert [{"mode": "roster", "standing": "ready"}] == listed["p-yan"]["references"]
    assert "roster: needs new looks" in postern("person", "list").out


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_way_out_that_is_told_leads_out(site: Path, mode: StorageMode) -> None:
    """Somebody's who is not kept as the site usually does, and may pass at one place only: by the
    command as it is printed, and also without saying how."""
    embedder = load_calibration("dlib").embedder
    enrol(site, "Zoe", mode, model="ab" * 32)
    enrol(site, "Yan", mode, model=embedder)
    told = postern("check").err
    assert "p-yan" not in told
    (listed,) = json.loads(postern("person", "list", "--json").out)[1:]
    assert [{"mode": mode, "standing": "needs new looks"}] == listed["references"]
    assert "needs new looks: Another model" in postern("person", "show", "p-zoe").out

    (line,) = [line.strip() for line in told.splitlines() if line.startswith("  postern ")]
    typed = shlex.split(line)[1:]
    # All that is wrong with it here is that a picture stands in for the camera.
    answer = postern(*typed)
    assert (6, True) == (answer.code, "in front of a live camera" in answer.err)
    said = dict(zip(typed[1::2], typed[2::2], strict=True))
    with open_site(read_site(site / "site.toml")) as installation:
        meant = _applicant(installation, None, said["--person"], StorageMode(said["--mode"]), None)
        assert meant == _applicant(installation, None, said["--person"], None, None)
        looks = Template(np.ones(128, np.float32), embedder, 3)
        now = installation.clock.now().utc
        with pass_file(site / said["--out"], None, installation.site, "en") as hand:
            kept = enrolments(installation).keep(meant, looks, now, hand)
        assert kept.event is None
    assert "p-zoe" not in postern("check").err
    assert 1 == postern("person", "list").out.count("Zoe")
    assert "needs new looks" not in postern("person", "list").out


def test_person_who_is_kept_in_two_ways_is_asked_which(site: Path) -> None:
    """New looks in the one leave the other as it is."""
    enrol(site, "Zoe")
    enrol(site, "Zoe", StorageMode.PASS)
    told = postern("enrol", "--person", "p-zoe", "--camera", "corridor")

    assert 3 == told.code
    assert "kept in 2 ways" in told.err
    assert "--mode pass or --mode roster" in told.err


def test_many_references_of_another_model_are_counted(site: Path) -> None:
    """A screen that is full of names helps nobody."""
    for at in range(12):
        enrol(site, f"N{at}")
    told = postern("check").err

    assert 10 == told.count("cannot be used")
    assert "So it is with 2 more" in told


def test_export_to_a_file_is_for_its_owner_and_overwrites_nothing(site: Path) -> None:
    """And without a file it goes to standard output."""
    enrol(site)
    assert 0 == postern("person", "export", "p-zoe", "--out", "zoe.json").code
    assert 0o600 == stat.S_IMODE((site / "zoe.json").stat().st_mode)
    assert "Zoe" == json.loads((site / "zoe.json").read_text())["person"]["name"]

    again = postern("person", "export", "p-zoe", "--out", "zoe.json")
    assert 5 == again.code
    nowhere = postern("person", "export", "p-zoe", "--out", "nowhere/zoe.json")
    assert 7 == nowhere.code
    viewed = [e for e in json.loads(postern("person", "export", "p-zoe").out)["events"]
              if e["kind"] == "viewed"]  # fmt: skip
    assert 2 == len(viewed)


@pytest.mark.parametrize("command", ["show", "export", "withdraw", "remove"])
def test_nobody_of_that_id_is_told(site: Path, command: str) -> None:
    """And a file that was asked for is not there."""
    told = postern("person", command, "p-nobody")

    assert 4 == told.code
    assert "There is no person of that id." in told.err


def test_a_receipt_that_cannot_be_written_stops_the_erasure(site: Path) -> None:
    """Before anything is destroyed: it could never be made again."""
    enrol(site)
    (site / "r.html").write_text("mine")
    assert 5 == postern("person", "remove", "--yes", "p-zoe", "--receipt", "r.html").code
    assert (
        4
        == postern(
            "person", "remove", "--yes", "p-zoe", "--receipt", "q.html", "--locale", "xx"
        ).code
    )
    assert 3 == postern("person", "remove", "--yes", "p-zoe", "--receipt", "q.pdf").code

    assert ["p-zoe"] == [one["id"] for one in json.loads(postern("person", "list", "--json").out)]
    assert not list(site.glob("q.*"))


def test_permits_are_events_of_whoever_typed_them(site: Path) -> None:
    """Which, and that it came from the command line; for adding one as for taking it away."""
    enrol(site)
    added = postern("permit", "add", "--at", "door", "--person", "p-zoe", "--json")
    permit = json.loads(added.out)["id"]
    assert [("permit added", permit, operator())] == _changes(site, permit)

    assert 0 == postern("permit", "remove", permit).code
    # The newest first.
    assert [("permit removed", permit, operator()), ("permit added", permit, operator())] == (
        _changes(site, permit)
    )


def _changes(site: Path, permit: str) -> list[tuple[str, str, str]]:
    with open_site(read_site(site / "site.toml")) as installation:
        events = [entry.event for entry in installation.records.list(known=[permit])]
    return [(one.what, one.subject, one.by) for one in events if isinstance(one, Changed)]


def test_enrolment_says_who_is_meant(site: Path) -> None:
    """A name or an id of somebody known, not both and not neither."""
    for typed in ((), ("Anna", "--person", "p-zoe")):
        told = postern("enrol", *typed, "--camera", "corridor")
        assert 3 == told.code
        assert "Say who" in told.err
    told = postern("enrol", "--person", "p-nobody", "--camera", "corridor")
    assert 4 == told.code
    told = postern("enrol", "Anna", "--camera", "corridor", "--locale", "xx")
    assert 4 == told.code


def test_nobody_is_forgotten_without_a_yes(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is mistyped easily, and what is destroyed stays so; the question has the name."""
    enrol(site)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    told = postern("person", "remove", "p-zoe", "--receipt", "r.html")

    assert 6 == told.code
    assert "Forget Zoe (p-zoe) for good?" in told.err
    assert "Zoe" in postern("person", "list").out
    assert not (site / "r.html").exists()

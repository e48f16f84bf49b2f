"""`postern pass`: passes made before a camera, listed, and ended."""

import json
import stat
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import pytest
import zxingcpp

from postern.app.pass_days import last_day
from postern.app.passes import IssuedPass, pass_of
from postern.app.wire import Installation, open_site, passes, read_site
from postern.cli.demo.door import Portrait, enrolment_frames
from postern.cli.pass_file import pass_file
from postern.cli.passes import agreed, held_up, renew, renewed
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.event import Event
from postern.core.ids import CameraId, ConsentId, EventId, PersonId
from postern.picture import decode
from postern.vault.passes import Pass
from postern.vault.seal import Sealed
from tests.cli.enrolled import ROSTER, enrol
from tests.cli.terminal import postern
from tests.pass_clips import OWNERS, Visit, altered, pass_site

COLLINS = OWNERS[Portrait.COLLINS]


@pytest.fixture
def site(folder: Path) -> Path:
    """The folder, with a roster that is justified."""
    with (folder / "site.toml").open("a") as file:
        file.write(ROSTER)
    return folder


def issued(folder: Path, name: str, mode: StorageMode = StorageMode.PASS) -> IssuedPass:
    """The pass that somebody gets when they enrol."""
    made = enrol(folder, name, mode).issued
    assert made is not None
    return made


def test_passes_are_listed_with_whether_they_count(site: Path) -> None:
    """Whose they are and until when; nothing of what they carry."""
    zoe, yan = issued(site, "Zoe"), issued(site, "Yan", StorageMode.SHARED)
    assert 0 == postern("pass", "revoke", zoe.credential.id).code
    answer = postern("pass", "list", "--json")

    rows = {row["id"]: row for row in json.loads(answer.out)}
    assert {zoe.credential.id: "revoked", yan.credential.id: "counts"} == {
        name: row["state"] for name, row in rows.items()
    }
    assert {"p-zoe": "nothing", "p-yan": "at the site, shut"} == {
        row["person"]: row["kept"] for row in rows.values()
    }
    shown = postern("pass", "list").out
    assert zoe.credential.id in shown
    assert f" {last_day(yan.until, ZoneInfo('Europe/Bucharest'))} " in shown
    assert "│ Zoe " in shown
    assert yan.text not in shown + answer.out


@pytest.mark.parametrize("command", ["show", "revoke"])
def test_a_pass_that_is_not_there_is_named_as_one(site: Path, command: str) -> None:
    """Also where there is another credential of that id."""
    yan = issued(site, "Yan")
    for name in ("pass-none", str(yan.credential.id).replace("pass-", "face-", 1)):
        answer = postern("pass", command, name)

        assert 4 == answer.code
        assert "There is no pass of that id.\n  See: postern pass list\n" in answer.err


def test_one_pass_is_shown_without_what_it_carries(site: Path) -> None:
    """The same record as in the list."""
    zoe = issued(site, "Zoe")
    answer = postern("pass", "show", zoe.credential.id)

    assert json.loads(postern("pass", "list", "--json").out) == [json.loads(answer.out)]
    assert {"id", "person", "kept", "issued", "until", "state"} == set(json.loads(answer.out))


def test_no_pass_is_told(site: Path) -> None:
    """In a sentence, or as an empty list."""
    assert "There is no pass." in postern("pass", "list").out
    assert [] == json.loads(postern("pass", "list", "--json").out)


def test_revoked_pass_is_told_once(site: Path) -> None:
    """Again is no failure; what is no pass is."""
    zoe = issued(site, "Zoe")

    assert "counts no more" in postern("pass", "revoke", zoe.credential.id).err
    assert "before" in postern("pass", "revoke", zoe.credential.id).err
    assert 4 == postern("pass", "revoke", zoe.face.id).code
    assert 4 == postern("pass", "show", "pass-1").code
    assert 1 == postern("events", "--json").out.count('"kind": "revoked"')


def test_pass_without_consent_is_told(site: Path) -> None:
    """Zoe took hers back, by whatever way."""
    zoe = issued(site, "Zoe")
    postern("person", "withdraw", "p-zoe")
    (row,) = (json.loads(postern("pass", "show", zoe.credential.id).out),)

    assert row["state"] in ("without consent", "revoked")
    assert "nothing" == row["kept"]


@pytest.mark.parametrize(
    ("person", "camera", "out", "code", "says"),
    [
        ("p-nobody", "corridor", "p.png", 4, "no person of that id"),
        ("p-roster", "corridor", "p.png", 6, "has not agreed to carry a pass"),
        ("p-zoe", "corridor", "p.txt", 3, "ends in .png, .svg, .pdf"),
        ("p-zoe", "corridor", "lane.png", 5, "a file lane.png already"),
        ("p-zoe", "hall", "p.png", 4, "no camera called 'hall'"),
        ("p-zoe", "lane", "p.png", 6, "in front of a live camera"),
        ("p-zoe", "corridor", "p.png", 6, "in front of a live camera"),
        ("p-zoe", "corridor", "no/p.png", 7, "cannot be written"),
    ],
)
def test_pass_that_cannot_be_issued_is_refused_and_the_old_one_counts(
    site: Path, person: str, camera: str, out: str, code: int, says: str
) -> None:
    """In a sentence, and no file is left behind."""
    zoe = issued(site, "Zoe")
    enrol(site, "Roster")
    before = sorted(site.iterdir())
    answer = postern("pass", "issue", person, "--camera", camera, "--out", out)

    assert code == answer.code
    assert says in answer.err.replace("\n", " ")
    assert before == sorted(site.iterdir())
    assert "counts" == json.loads(postern("pass", "show", zoe.credential.id).out)["state"]


def test_phone_pass_is_not_printed_and_days_are_days(site: Path) -> None:
    """Options that do not go together."""
    issued(site, "Zoe")
    common = ("pass", "issue", "p-zoe", "--camera", "corridor")

    assert 3 == postern(*common, "--out", "p.pdf", "--form", "phone").code
    assert 3 == postern(*common, "--out", "p.png", "--valid-days", "0").code
    assert 3 == postern(*common, "--out", "p.png", "--valid-days", "9999").code
    assert 4 == postern(*common, "--out", "p.png", "--locale", "tlh").code
    assert not (site / "p.png").exists()


def test_new_looks_make_a_new_pass_and_end_the_one_before(tmp_path: Path) -> None:
    """Before the camera of a throw-away site; it is as good as the one from the enrolment."""
    with pass_site(tmp_path) as made:
        made.admit(Portrait.COLLINS, StorageMode.PASS)
        old = made.issue(Portrait.COLLINS)
        pictures = tmp_path / "door.mp4"
        pictures.mkdir()
        for at, image in enumerate(enrolment_frames(Portrait.COLLINS, seed=3)):
            cv2.imwrite(str(pictures / f"{at}.png"), image)
        text = (tmp_path / "site.toml").read_text()
        (tmp_path / "site.toml").write_text(text.replace('"door.mp4"', '"door.mp4"\nfps = 1.0'))
    with open_site(read_site(tmp_path / "site.toml"), throwaway=True) as installation:
        consent = agreed(installation, COLLINS)
        until = installation.clock.now().utc + timedelta(days=7)
        new = renew(installation, consent, CameraId("corridor"), until)

        assert old.credential.id != new.credential.id
        assert until.replace(microsecond=0) == new.until
        assert [False, True] == _enabled(installation, old, new)


def _enabled(installation: Installation, *made: IssuedPass) -> list[bool]:
    return [passes(installation).find(one.credential.id).enabled for one in made]


@pytest.mark.parametrize(("name", "form"), [("p.png", None), ("p.png", "card"), ("p.png", "a6")])
def test_file_of_a_pass_is_read_back_and_its_owners_alone(
    site: Path, name: str, form: str | None
) -> None:
    """A reader of QR codes finds the very text in it."""
    zoe = issued(site, "Zoe")
    with (
        pass_file(site / name, form, read_site(site / "site.toml"), "en") as hand,  # type: ignore[arg-type]
        hand(zoe),
    ):
        # Before the pass counts, and under its own name already.
        before = (site / name).read_bytes()
    assert before == (site / name).read_bytes()
    image = decode((site / name).read_bytes())
    (code,) = zxingcpp.read_barcodes(image)

    assert zoe.text == code.text
    assert 0o600 == stat.S_IMODE((site / name).stat().st_mode)


@pytest.mark.parametrize("fails", ["records", "file"])
@pytest.mark.parametrize("how", ["issue", "renew"])
def test_pass_that_cannot_be_written_or_recorded_leaves_the_one_before(
    site: Path, how: str, fails: str
) -> None:
    """Nobody is left without both, and no file of a pass that never counted stays."""
    zoe = issued(site, "Zoe")
    with open_site(read_site(site / "site.toml")) as installation:
        office = passes(installation)
        now = installation.clock.now().utc
        read, until = office.reader().read(zoe.text.encode(), now), now + timedelta(days=7)
        assert isinstance(read, Pass)
        template = installation.vault.open(Sealed(zoe.face.id, PersonId("p-zoe"), read.content))
        if fails == "records":
            office = replace(office, ledger=_Broken())
        make = {
            "renew": lambda hand: office.renew(read, until, now, hand),
            "issue": lambda hand: office.issue(
                PersonId("p-zoe"), template, StorageMode.PASS, until, now, hand
            ),
        }[how]
        with (
            pytest.raises(PosternError, match="full"),
            pass_file(site / "p.png", None, installation.site, "en") as written,
        ):
            make(written if fails == "records" else _meets_a_full_disk)

        assert frozenset({(PersonId("p-zoe"), zoe.face.id)}) == installation.vault.keyed()
        assert [True] == _enabled(installation, zoe)
        assert 1 == len(passes(installation).all())
    assert not (site / "p.png").exists()


class _Broken:
    """A ledger on a full disk."""

    def append(self, event: Event) -> EventId:
        raise PosternError(Code.UNAVAILABLE, "The disk is full.")


def _meets_a_full_disk(_: IssuedPass) -> AbstractContextManager[None]:
    raise PosternError(Code.UNAVAILABLE, "The disk is full.")


@pytest.mark.parametrize(
    ("name", "says"), [("東京のビル", "the character '東'"), ("M" * 81, "at most 80 characters")]
)
def test_site_whose_name_no_pass_can_show_is_told_before_anybody_is_asked(
    site: Path, name: str, says: str
) -> None:
    """By the check, and before a camera is opened for a pass; a site of rosters needs none."""
    zoe = issued(site, "Zoe")
    text = (site / "site.toml").read_text("utf-8").replace("Garage", name)
    (site / "site.toml").write_text(f'{text}[consent]\ntext_version = "2"\n', "utf-8")
    assert 0 == postern("check").code
    (site / "site.toml").write_text(
        text.replace('storage = "roster"', 'storage = "pass"') + '[consent]\ntext_version = "2"\n',
        "utf-8",
    )
    before = sorted(site.iterdir())
    make = ("--camera", "corridor", "--out", "p.png")
    for typed in (
        ("check",),
        ("pass", "issue", "p-zoe", *make),
        ("pass", "renew", *make),
    ):
        told = postern(*typed)
        assert 3 == told.code, typed
        assert "name cannot stand on a pass" in told.err
        assert says in told.err
        assert "Change name under [site]" in told.err

    assert before == sorted(site.iterdir())
    assert "counts" == json.loads(postern("pass", "show", zoe.credential.id).out)["state"]


def test_pass_that_comes_to_nothing_leaves_no_file(site: Path) -> None:
    """Whoever walks away in the middle."""
    with (
        pytest.raises(PosternError),
        pass_file(site / "p.pdf", None, read_site(site / "site.toml"), "de"),
    ):
        raise PosternError(Code.UNAVAILABLE, "They walked away.")

    assert not (site / "p.pdf").exists()


def test_permit_of_people_with_passes_asks_for_pass_and_face(site: Path) -> None:
    """And more surely than one for a roster, which is searched; `check` says what it can carry."""
    issued(site, "Zoe")
    issued(site, "Yan", StorageMode.SHARED)
    enrol(site, "Roster")
    with_passes = ("--person", "p-zoe", "--person", "p-yan")
    roster = ("--person", "p-roster")
    asked = {
        who: json.loads(postern("permit", "add", "--at", "door", *who, "--json").out)
        for who in (with_passes, roster, with_passes + roster)
    }

    assert {"pass": 1.0, "face": 1e-4} == asked[with_passes]["factors"]
    assert 1e-4 == asked[with_passes]["max_false_accept"]
    for who in (roster, with_passes + roster):
        assert ({"face": 1e-3}, 1e-3) == (asked[who]["factors"], asked[who]["max_false_accept"])
    answer = postern("check")
    assert 0 == answer.code, answer.err
    assert "pass + face" in answer.out


def test_pass_that_is_held_up_is_renewed(tmp_path: Path) -> None:
    """By the camera of a throw-away site; one that is not there, or not ours, is told."""
    with pass_site(tmp_path) as made:
        made.admit(Portrait.COLLINS, StorageMode.PASS)
        old = made.issue(Portrait.COLLINS, days=(-1.0, 100.0))
        made.film([Visit(Portrait.COLLINS, (old.text,))])
        read = held_up(made.installation, CameraId("corridor"))
        new = renewed(made.installation, read, 30)
        assert [False, True] == _enabled(made.installation, old, new)
        assert 30 <= (new.until - made.now).days <= 31

        made.film([Visit(Portrait.COLLINS, (altered(old.text),))])
        with pytest.raises(PosternError, match="it is damaged"):
            held_up(made.installation, CameraId("corridor"))
        made.film([Visit(None)])
        with pytest.raises(PosternError, match="No pass was held up"):
            held_up(made.installation, CameraId("corridor"))


def test_renewed_pass_goes_by_a_consent_to_its_own_way_of_keeping(tmp_path: Path) -> None:
    """Another one that holds longer is none to it."""
    with pass_site(tmp_path) as made:
        made.admit(Portrait.COLLINS, StorageMode.PASS)
        old = made.issue(Portrait.COLLINS)
        (given,) = made.installation.store.consents.of(COLLINS)
        longer = replace(
            given,
            id=ConsentId("longer"),
            mode=StorageMode.SHARED,
            expires=given.expires + timedelta(days=300),
        )
        made.installation.store.consents.add(longer)
        read = made.passes.reader().read(old.text.encode(), made.now)
        assert isinstance(read, Pass)
        assert given == agreed(made.installation, COLLINS)
        new = renewed(made.installation, read, None)

    assert new.until <= given.expires


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_pass_of_another_model_is_not_renewed(site: Path, mode: StorageMode) -> None:
    """The new one would be refused at the door as the old one is."""
    zoe = issued(site, "Zoe", mode)
    with open_site(read_site(site / "site.toml")) as installation:
        read = passes(installation).reader().read(zoe.text.encode(), installation.clock.now().utc)
        assert isinstance(read, Pass)
        with pytest.raises(PosternError, match="Another model") as refused:
            renewed(installation, read, None)
        assert [True] == _enabled(installation, zoe)

    assert "postern pass issue p-zoe" in refused.value.hint


def test_pass_is_held_up_to_a_reader_on_a_desk_too(tmp_path: Path) -> None:
    """It sees passes and no faces; a camera that sees neither is refused."""
    with pass_site(tmp_path) as made:
        made.admit(Portrait.COLLINS, StorageMode.PASS)
        old = made.issue(Portrait.COLLINS)
        made.film([Visit(Portrait.COLLINS, (old.text,))])
    with (tmp_path / "site.toml").open("a") as file:
        for name, sees in (("desk", "pass"), ("lane", "plate")):
            file.write(f'[camera.{name}]\nsees = "{sees}"\nkind = "file"\npath = "door.mp4"\n')

    with open_site(read_site(tmp_path / "site.toml"), throwaway=True) as again:
        assert old.credential.id == pass_of(held_up(again, CameraId("desk")).handle)
        with pytest.raises(PosternError, match="The camera lane sees no face and no pass"):
            held_up(again, CameraId("lane"))


def test_pass_is_renewed_before_a_live_camera_only(site: Path) -> None:
    """As looks are taken; no file is left behind."""
    answer = postern("pass", "renew", "--camera", "corridor", "--out", "p.png")

    assert 6 == answer.code
    assert not (site / "p.png").exists()

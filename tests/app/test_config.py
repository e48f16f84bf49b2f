"""The whole file: a small one, a large one, every mistake, and whatever bytes there may be."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import MAX_BYTES, load, models_folder, site_file
from postern.app.problem import ConfigError, Problem
from postern.app.site import (
    ClockSource,
    ConsentTerms,
    ConsolePage,
    DetectorChoice,
    HealthPage,
    Log,
    LogLevel,
    Region,
    Site,
    listening,
)
from postern.app.witness import WitnessEntry
from postern.core.access_point import AccessPoint, Area, Direction, Passback
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, AreaId, CameraId
from postern.core.look import Kind
from postern.core.signal import Means
from postern.sources import KINDS as SOURCES
from postern.sources.file.config import Config as FileConfig
from postern.sources.inputs import KINDS as INPUTS
from postern.sources.inputs.modbus.config import Config as ModbusConfig
from postern.sources.v4l.config import Config as V4lConfig
from postern.vision.plates.grammar import SHAPES
from tests.ledger.samples import LOG, WITNESS

LANE, ENTRANCE = CameraId("lane"), CameraId("entrance")
BARRIER, AREA, GARAGE = AccessPointId("barrier"), AreaId("barrier"), AreaId("garage")

REPOSITORY = Path(__file__).resolve().parents[2]
MINIMAL = """\
[site]
name = "My garage"
[camera.lane]
kind = "file"
path = "lane.mp4"
sees = "plate"
[actuator.boom]
kind = "simulated"
[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
"""


def write(folder: Path, content: str | bytes) -> Path:
    """A site's file with that content."""
    file = folder / "site.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(folder: Path, content: str | bytes, **environment: str) -> Site:
    return load(write(folder, content), SOURCES, ACTUATORS, environment, input_kinds=INPUTS)


def problems(folder: Path, content: str | bytes) -> tuple[Problem, ...]:
    """Everything that is wrong with a file."""
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    return caught.value.problems


def sole(folder: Path, content: str | bytes) -> Problem:
    (problem,) = problems(folder, content)
    return problem


def with_lines(*changes: tuple[str, str]) -> str:
    """The smallest file with some of its text replaced."""
    text = MINIMAL
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("127.0.0.1:9463", ("127.0.0.1", 9463)),
        ("[::1]:1", ("::1", 1)),
        ("192.0.2.1:65535", ("192.0.2.1", 65535)),
    ],
)
def test_address_to_listen_on_is_a_number_and_a_port(
    written: str, expected: tuple[str, int]
) -> None:
    """Of either kind; whether others can ask is known."""
    page = HealthPage(written)

    assert expected == listening(page.listen or "")
    assert page.local is not written.startswith("192")
    assert HealthPage().local


@pytest.mark.parametrize(
    "written",
    ["", "9463", ":9463", "localhost:9463", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
     "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1e3", "::1:9463", "[127.0.0.1]:80", "[::1]",
     "127.0.0.1:9463 ", "127.0.0.1:99999999999999999999", "http://127.0.0.1:9463",
     "127.0.0.1:\u0664\u0665"],
)  # fmt: skip
def test_address_that_nothing_can_listen_on_is_refused(written: str) -> None:
    """Names too: what they mean may change."""
    with pytest.raises(PosternError, match="number of this machine and a port"):
        HealthPage(written)


def test_console_is_this_machine_s_own_unless_the_file_says_more() -> None:
    """What browsers call it goes with it."""
    assert "http://localhost:8446" == ConsolePage().origin
    assert "http://localhost:99" == ConsolePage("[::1]:99").origin
    behind = ConsolePage("127.0.0.1:8446", "https://gate.example")
    assert "https://gate.example" == behind.origin
    key, certificate = Path("console.key"), Path("console.pem")
    open_to_others = ConsolePage("0.0.0.0:8446", "https://gate.example:8446", certificate, key)
    assert "https://gate.example:8446" == open_to_others.origin


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"listen": "0.0.0.0:8446"}, "needs a url, a certificate"),
        ({"listen": "0.0.0.0:8446", "url": "https://gate.example"}, "needs a url, a certificate"),
        ({"certificate": Path("console.pem")}, "belong together"),
        ({"key_file": Path("console.key")}, "belong together"),
        *(
            ({"url": url}, "begins with https://")
            for url in (
                "", "http://gate.example", "https://", "https://gate.example/",
                "https://gate.example/console", "https://user@gate.example", "gate.example",
                "https://gate.example:0", "https://-gate.example", "https://gate.example\n",
            )
        ),
    ],
)  # fmt: skip
def test_console_that_could_not_be_trusted_is_refused(fields: dict[str, Any], said: str) -> None:
    """Nobody signs in over a line that others read, or under a name that is none."""
    with pytest.raises(PosternError, match=said):
        ConsolePage(**fields)


def test_the_smallest_file_has_less_than_fifteen_lines_and_the_defaults(tmp_path):
    """A newcomer types no more than this."""
    site = read(tmp_path, MINIMAL)

    assert len(MINIMAL.splitlines()) < 15
    assert ("My garage", tmp_path / "site.toml") == (site.name, site.file)
    assert (tmp_path / "data", timedelta(days=30)) == (site.data, site.retention)
    assert FileConfig(tmp_path / "lane.mp4") == site.cameras[LANE].config
    assert (Kind.PLATE, "file") == (site.cameras[LANE].sees, site.cameras[LANE].kind)
    barrier = AccessPoint(BARRIER, Area(AREA), (LANE,))
    assert {"barrier": barrier} == site.access_points
    assert {"barrier": Area(AREA)} == site.areas
    assert {"barrier": "boom"} == site.actuator_of
    assert (ConsentTerms(), {}) == (site.consent, site.schedules)
    assert (DetectorChoice.AUTO, Log()) == (site.faces.detector, site.log)
    assert (None, ClockSource.RTC) == (site.health.listen, site.clock.source)


def test_the_example_is_sound():
    """What the documentation points at works."""
    file = REPOSITORY / "examples/barrier-and-door/site.toml"
    site = load(file, SOURCES, ACTUATORS, {})

    assert ["barrier", "door"] == sorted(site.access_points)
    garage = Area(GARAGE, 40, Passback.SOFT, timedelta(hours=18))
    assert garage == site.access_points[BARRIER].area == site.areas[GARAGE]
    assert V4lConfig(device=0) == site.cameras[ENTRANCE].config
    assert "Europe/Bucharest" == str(site.zone) == str(site.schedule("office").zone)
    assert ConsentTerms("2026-03", site.consent.purpose, 365) == site.consent


def test_every_setting_is_read(tmp_path):
    """None of them is only said to be."""
    text = MINIMAL + (
        'direction = "exit"\nhold_s = 5\narea = "garage"\n[area.garage]\ncapacity = 3\n'
        'passback = "hard"\n[faces]\ndetector = "dlib"\n[plates]\nregions = ["us", "eu"]\n'
        '[log]\nlevel = "debug"\n[consent]\ntext_version = "7"\npurpose = "Doors."\n'
        "valid_days = 10\n"
    )
    site = read(tmp_path, text.replace("[camera", 'data = "/srv/d"\nretention_days = 7\n[camera'))

    garage = Area(GARAGE, 3, Passback.HARD)
    barrier = AccessPoint(BARRIER, garage, (LANE,), Direction.EXIT, 5.0)
    assert {"barrier": barrier} == site.access_points
    assert {"garage": garage} == site.areas
    assert (Path("/srv/d"), timedelta(days=7)) == (site.data, site.retention)
    assert ConsentTerms("7", "Doors.", 10) == site.consent
    assert (DetectorChoice.DLIB, LogLevel.DEBUG) == (site.faces.detector, site.log.level)
    assert (Region.US, Region.EU) == site.plates.regions


def test_every_region_is_one_that_the_reader_knows():
    """The two lists are the same."""
    assert set(SHAPES) == {str(region) for region in Region}


def test_an_access_point_leads_into_the_area_of_its_own_name(tmp_path):
    """With that area's limits, where it has a table."""
    site = read(tmp_path, MINIMAL + "[area.barrier]\ncapacity = 3\n")

    assert Area(AREA, 3) == site.access_points[BARRIER].area


def test_access_points_may_share_an_actuator_and_cameras_may_be_left_over(tmp_path):
    """A door has two sides and one lock; a camera at the desk only enrols."""
    site = read(
        tmp_path,
        MINIMAL
        + '[camera.desk]\nkind = "v4l"\nsees = "face"\n'
        + '[camera.back]\nkind = "v4l"\nsees = "plate"\n'
        + '[access_point.out]\ncameras = ["back"]\nactuator = "boom"\ndirection = "exit"\n',
    )

    assert {"barrier": "boom", "out": "boom"} == site.actuator_of
    assert {"lane", "desk", "back"} == set(site.cameras)


def test_a_reader_of_passes_stands_beside_a_camera_that_sees_faces(tmp_path):
    """A desk reader is fine; alone it would open nothing, also where there are two of them."""
    desk = '[camera.desk]\nkind = "v4l"\nsees = "pass"\n'
    two = desk + '[camera.other]\nkind = "v4l"\nsees = "pass"\n'
    out = '[access_point.out]\ncameras = [{}]\nactuator = "boom"\n'
    beside = with_lines(('cameras = ["lane"]', 'cameras = ["lane", "desk"]')) + desk

    assert Kind.PASS is read(tmp_path, beside).cameras[CameraId("desk")].sees
    for cameras in ('"desk"', '"desk", "other"'):
        with pytest.raises(ConfigError) as refused:
            read(tmp_path, MINIMAL + two + out.format(cameras))
        (problem,) = refused.value.problems
        assert "access_point.out.cameras" == problem.path
        assert "a pass alone opens nothing" in problem.message


def test_an_unknown_schedule_is_refused_when_a_permit_asks_for_it(tmp_path):
    """With the ones that there are."""
    text = with_lines(("[camera", 'time_zone = "UTC"\n[camera')) + "[schedule.day]\nmonday = []\n"
    site = read(tmp_path, text)

    assert site.schedules["day"] == site.schedule("day")
    with pytest.raises(PosternError, match=r"no schedule called 'night'. site.toml has: day"):
        site.schedule("night")


def test_variables_name_the_data_and_the_model_folders(tmp_path):
    """Relative to where the program runs; an empty variable is none."""
    text = with_lines(("[camera", 'data = "here"\n[camera'))
    site = read(tmp_path, text, POSTERN_DATA="/srv/data", POSTERN_MODELS="models")
    unset = read(tmp_path, text, POSTERN_DATA="", POSTERN_MODELS="")

    assert (Path("/srv/data"), Path.cwd() / "models") == (site.data, site.models)
    assert tmp_path / "here" == unset.data
    assert models_folder({}) == unset.models
    assert ("postern", "models") == unset.models.parts[-2:]


def test_all_mistakes_are_told_together_in_the_order_of_their_lines(tmp_path):
    """So that one run of `postern check` is enough."""
    text = with_lines(
        ('name = "My garage"', 'name = "My garage"\nretention_days = 0\ntime_zone = "Mars/Base"'),
        ('path = "lane.mp4"\nsees = "plate"', 'paht = "lane.mp4"\nfps = "5"\nsees = "plates"'),
        ('kind = "simulated"', 'kind = "simulatd"'),
        ('["lane"]', '[\n"lane", "gate",\n"lane"]'),
        ('actuator = "boom"', 'actuator = "bom"\nhold_s = 100'),
    )
    found = problems(tmp_path, text + "[areas.a]\n[area.b]\ncapacity = 0\n[schedule.s]\nmo = []\n")

    assert [
        (3, "site.retention_days"),
        (4, "site.time_zone"),
        (5, "camera.lane"),
        (7, "camera.lane.paht"),
        (8, "camera.lane.fps"),
        (9, "camera.lane.sees"),
        (11, "actuator.boom.kind"),
        (14, "access_point.barrier.cameras[1]"),
        (15, "access_point.barrier.cameras[2]"),
        (16, "access_point.barrier.actuator"),
        (17, "access_point.barrier.hold_s"),
        (18, "areas"),
        (20, "area.b.capacity"),
        (22, "schedule.s.mo"),
    ] == [(p.line, p.path) for p in found]


def test_the_error_can_be_read_as_it_is(tmp_path):
    """One line for the file and one for every problem, and the code of a wrong input."""
    with pytest.raises(PosternError) as caught:
        read(tmp_path, with_lines(('"file"', '"fiel"'), ('"plate"', '"face"\nx = 1')))

    assert Code.INVALID is caught.value.code
    assert (
        "site.toml has an error:\n  line 4: camera.lane.kind is 'fiel', a kind that Postern does "
        "not know. Did you mean file?"
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('["lane"]', "[]", 10, "cameras names no camera. An access point needs at least one."),
        ('cameras = ["lane"]\n', "", 9, "access_point.barrier lacks the key 'cameras'."),
        ('["lane"]', '["Lane"]', 10, "'Lane', which this file does not have. Did you mean lane?"),
        ('["lane"]', '["lane", "lane"]', 10, "has already. It stands at line 10;"),
        ('"boom"', '"gate"', 11, "the actuator 'gate', which this file does not have. Add it as"),
        ('actuator = "boom"', 'actuator = "boom"\narea = "x"', 12, "names the area 'x', which"),
        ("[camera.lane]", "[camera.'a b']", 3, "camera.'a b' has a name that cannot be used."),
        ("[camera.lane]", "[camera.clock]", 3, "camera.clock has a name under which the service"),
        ("[actuator.boom]", "[actuator]", 7, "actuator needs a name. Write [actuator.NAME]"),
        ("[actuator.boom]", "[[actuator]]", 7, "actuator needs a name. Write [actuator.NAME]"),
        ('name = "My garage"', "", 1, "site lacks the key 'name'. It is a text in quotes."),
        ('"My garage"', '""', 2, "site.name is refused: A name has 1 to 120 printable"),
        ('"My garage"', '"x"\nretention_days = 367', 3, "Events are kept for 1 to 366 days."),
        ('"My garage"', '"x"\ndata = 1', 3, "site.data must be a path in quotes."),
        ('"My garage"', '"x"\ntime_zone = "Europe/Bucarest"', 3, "Did you mean Europe/Bucharest?"),
        ('"My garage"', '"x"\ntime_zone = "Europe"', 3, "'Europe', which is no time zone."),
        ('"My garage"', '"x"\ntime_zone = "/etc/passwd"', 3, "'/etc/passwd', which is no time"),
        ('"My garage"', '"x"\ntime_zone = ""', 3, "'', which is no time zone. Write it as in"),
        ('"My garage"', '"x"\n[schedule.s]\nmonday = []', 1, "lacks the key 'time_zone', by which"),
        ('kind = "simulated"', 'kind = "simulated"\nx = 1', 9, "Known: kind."),
        (
            'sees = "plate"',
            "",
            3,
            'lacks the key \'sees\'. It is "face" or "plate" or "pass".',
        ),
        ('sees = "plate"', 'sees = "plate"\nloop = "true"', 7, "Write it without quotes."),
        ("[access", "[consent]\nvalid_days = 0\n[access", 10, "A consent is valid for 1 to 1826"),
        ("[access", "[consent]\npurpose = ' '\n[access", 10, "A purpose has 1 to 500 characters."),
        ("[access", "[consent]\ntext_version = ''\n[access", 10, "A consent text's version has"),
        ("[access", "[area.a]\npassback_resets_hours = 0\n[access", 10, "more than 0 and at most"),
        ("[access", "[area.a]\npassback_resets_hours = 1e300\n[access", 10, "more than 0 and at"),
        ("[access", "[plates]\nregions = []\n[access", 10, "Name at least one region, and each"),
        ("[access", "[plates]\nregions = ['eu', 'eu']\n[access", 10, "and each only once."),
        ("[access", "[log]\nlevel = 'loud'\n[access", 10, '"debug" or "info" or "warning" or'),
        ("[access", "[faces]\ndetector = 'hog'\n[access", 10, '"auto" or "yunet" or "dlib"'),
        ("[access", "[fases]\n[access", 9, "fases is not a known key. Did you mean faces?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_remedy(tmp_path, before, after, line, said):
    """One sentence, and what to do about it."""
    found = [p for p in problems(tmp_path, with_lines((before, after))) if said in str(p)]

    assert [line] == [p.line for p in found]


@pytest.mark.parametrize(
    "section", ["area", "schedule", "camera", "actuator", "input", "access_point"]
)
@pytest.mark.parametrize("value", ["1", "'x'", "[]", "[1]", "true"])
def test_a_section_that_is_no_table_is_refused(tmp_path, section, value):
    """Whatever stands in its place."""
    found = problems(tmp_path, f"{section} = {value}\n[site]\nname = 'x'\n")

    assert (1, f"{section} needs a name.") in [(p.line, p.message) for p in found]


@pytest.mark.parametrize("section", ["site", "consent", "faces", "plates", "log"])
def test_a_plain_section_that_is_no_table_is_refused(tmp_path, section):
    """Its name is no key."""
    text = MINIMAL.replace("[site]\n", "[x]\n") if section == "site" else MINIMAL
    found = problems(tmp_path, f"{section} = 1\n{text}")

    assert f"{section} must be a table." in [p.message for p in found]


def test_an_empty_file_lacks_a_site_and_an_access_point(tmp_path):
    """At its first line."""
    assert [(1, "Add one as [access_point.NAME]."), (1, 'Begin with: [site] and name = "..."')] == [
        (p.line, p.hint) for p in problems(tmp_path, "")
    ]


def test_a_camera_of_two_access_points_is_refused_with_where_the_other_is(tmp_path):
    """Its looks would count at two places at once."""
    text = MINIMAL + '[access_point.door]\ncameras = [\n  "lane",\n]\nactuator = "boom"\n'
    problem = sole(tmp_path, text)

    assert (14, "access_point.door.cameras[0]") == (problem.line, problem.path)
    assert "which access_point.barrier.cameras[0] has already." in problem.message
    assert problem.hint.startswith("It stands at line 10;")


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("[site]\nname = x\n", 2, 8, "A text stands in quotes; true and false"),
        ("[site]\nname = True\n", 2, 8, "A text stands in quotes; true and false"),
        ('[site]\nname = "x\n', 2, 10, "A closing quote is missing."),
        ("[site]\nname = 'x\n", 3, 1, "A closing quote is missing."),
        ("[site]\nname = 'x\ndata = 'y'\n", 2, 10, "A closing quote is missing."),
        ("[site]\nname 'x'\n", 2, 6, "Write: key = value"),
        ("[site]\nname = 'x'\nname = 'y'\n", 3, 11, "This key is set further up already;"),
        ("[site]\n[log]\n[site]\n", 3, 6, "This table is further up already;"),
        ("[site]\n= 3\n", 2, 1, "A line is a [table], a key = value, or a # comment."),
        ("[site]\nname = 'x' y = 1\n", 2, 12, "Each key has a line of its own;"),
        ("[site]\r\n\r\nname = x\r\n", 3, 8, "A text stands in quotes"),
        ("[site]\nname = [1,\n", 3, 1, ""),
        ("[site", 1, 6, ""),
    ],
)
def test_invalid_toml_is_told_with_line_and_column(tmp_path, text, line, column, hint):
    """And with what is usually behind it."""
    problem = sole(tmp_path, text)

    assert line == problem.line
    assert f"This is not valid TOML at column {column}: " in problem.message
    assert problem.hint.startswith(hint)


def test_a_mark_at_the_beginning_and_windows_line_ends_change_nothing(tmp_path):
    """Editors on Windows write both."""
    windows = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()
    wrong = windows.replace(b'boom"\r\n', b'bom"\r\n')

    assert read(tmp_path, MINIMAL) == read(tmp_path, windows)
    assert [11] == [p.line for p in problems(tmp_path, wrong)]


def test_a_file_in_another_encoding_is_refused_with_the_line(tmp_path):
    """An umlaut in Latin-1 is the usual one."""
    problem = sole(tmp_path, MINIMAL.replace("My garage", "Süd").encode("latin-1"))

    assert (2, "This is not a text in UTF-8.") == (problem.line, problem.message)


def test_a_damaged_text_after_a_mark_is_refused_with_the_line(tmp_path):
    """The mark does not count."""
    assert 2 == sole(tmp_path, b"\xef\xbb\xbf\n\xff").line


def test_a_number_without_end_is_refused_with_the_line(tmp_path):
    """Python refuses to read it, and does not tell where it is."""
    problem = sole(tmp_path, f"[site]\nname = {'1' * 5000}\n")

    assert (2, "A number is too long.") == (problem.line, problem.message)


def test_lists_without_end_are_refused(tmp_path):
    """Rather than end the program."""
    assert "nest too deeply" in sole(tmp_path, f"a = {'[' * 50_000}").message


def test_text_of_the_file_cannot_command_the_terminal(tmp_path):
    """What an error repeats is short and printable."""
    text = MINIMAL.replace("boom", "\\u001b[2J" + "x" * 5000)
    text = text.replace("[actuator.", "[actuator.'").replace("xx]\n", "xx']\n")
    key = "\\u001b]0;x\\u0007" + "y" * 5000

    for content in (text, f'"{key}" = 1\n' + MINIMAL):
        said = "".join(map(str, problems(tmp_path, content)))
        assert said.isprintable()
        assert len(said) < 1000


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    """With where to read how to write one."""
    with pytest.raises(PosternError) as caught:
        load(tmp_path / "site.toml", SOURCES, ACTUATORS, {})

    assert Code.NOT_FOUND is caught.value.code
    assert "docs/site.md" in caught.value.hint


def test_a_folder_in_place_of_the_file_cannot_be_read(tmp_path):
    """The sentence says what it is."""
    with pytest.raises(PosternError, match="cannot be read: Is a directory"):
        load(tmp_path, SOURCES, ACTUATORS, {})


def test_a_name_that_no_file_can_have_is_refused():
    """Python has an exception of its own for it."""
    with pytest.raises(PosternError):
        load(Path("a\0b"), SOURCES, ACTUATORS, {})


def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path):
    """It is something else than a site."""
    with pytest.raises(PosternError, match="larger than 256 KiB"):
        read(tmp_path, b"#" * (MAX_BYTES + 1))
    assert "My garage" == read(tmp_path, MINIMAL + "#" * (MAX_BYTES - len(MINIMAL))).name


@pytest.mark.parametrize(
    "config", [kind.config for table in (SOURCES, ACTUATORS, INPUTS) for kind in table.values()]
)
def test_no_kind_has_a_setting_that_the_table_has_already(config):
    """`kind` and `sees` stand in the same table as the kind's own settings."""
    assert set(config.__dataclass_fields__).isdisjoint({"kind", "sees", "means", "access_point"})


CONTACT = """\
[input.contact]
kind = "modbus"
address = "192.0.2.20"
number = 3
means = "door_contact"
access_point = "barrier"
"""


def test_an_input_has_a_meaning_and_an_access_point(tmp_path):
    """And its kind's own settings; a fire panel may be of the whole site."""
    fire = CONTACT.replace("contact]", "panel]").replace("door_contact", "fire")
    site = read(tmp_path, MINIMAL + CONTACT + fire.replace('access_point = "barrier"\n', ""))

    contact, panel = site.inputs["contact"], site.inputs["panel"]
    assert (Means.DOOR_CONTACT, BARRIER) == (contact.means, contact.access_point)
    assert ("modbus", ModbusConfig("192.0.2.20", 3)) == (contact.kind, contact.config)
    assert (Means.FIRE, None) == (panel.means, panel.access_point)
    here = read(tmp_path, MINIMAL + fire).inputs["panel"]
    assert BARRIER == here.access_point


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('means = "door_contact"\n', "", 12, "input.contact lacks the key 'means'. It is \"door_c"),
        ('"door_contact"', '"door"', 16, "not 'door'."),
        ('access_point = "barrier"\n', "", 12, "input.contact lacks the key 'access_point'."),
        ('= "barrier"', '= "bar"', 17, "names the access point 'bar', which this file does not"),
        ('kind = "modbus"', 'kind = "modbos"', 13, "'modbos', a kind that Postern does not know."),
        ("number = 3", "number = -1", 12, "The number of a Modbus input is from 0 to 65535."),
        ("number = 3", "number = 3\nsees = 1", 16, "input.contact.sees"),
        ("192.0.2.20", "169.254.169.254", 12, "No device answers at 169.254.169.254"),
    ],
)
def test_a_mistake_in_an_input_is_told_with_its_line(tmp_path, before, after, line, said):
    """One mistake, one sentence."""
    problem = sole(tmp_path, MINIMAL + CONTACT.replace(before, after))

    assert line == problem.line
    assert said in str(problem)


def refusals(folder: Path, content: str | bytes) -> tuple[Problem, ...]:
    """What is told against a file, if anything; anything but Postern's own error comes out."""
    try:
        read(folder, content)
    except ConfigError as error:
        return error.problems
    except PosternError as error:
        return (Problem(1, "", error.message, error.hint),)
    return ()


def loads_or_refuses(folder: Path, content: str | bytes) -> None:
    """Gives a site or raises Postern's own error, whose lines are those of the file, in order."""
    found = refusals(folder, content)
    data = content if isinstance(content, bytes) else content.encode()

    assert all(1 <= p.line <= data.count(b"\n") + 1 and p.message for p in found)
    assert sorted(found) == list(found)


QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(QUIET, max_examples=200)
@given(st.binary() | st.text().map(str.encode))
def test_whatever_bytes_raise_only_our_own_error(tmp_path, content):
    """From random bytes."""
    loads_or_refuses(tmp_path, content)


EXAMPLE = (REPOSITORY / "examples/barrier-and-door/site.toml").read_text()
#: What a file consists of, so that changed files are often still TOML.
PIECES = list(re.finditer(r'"[^"\n]*"|[\w.]+|\n|[^\w\s]', EXAMPLE))
ODD = ["", "nan", "-1", "0", "1e309", "[]", "{}", "''", "true", "1979-05-27", "[[a]]", "{ a = 1 }"]
ODD += [str(10**30), "'\x1b'", '"\\u0000"', "[camera]", "a.b.c = 1", "'''", "[", "=", "\r\n"]


@settings(QUIET, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(PIECES) - 1), st.sampled_from([p.group() for p in PIECES] + ODD)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_changed_file_raises_only_our_own_error(tmp_path, changes):
    """From a sound file in which pieces are exchanged or left out."""
    text = EXAMPLE
    for n, piece in sorted(changes, key=lambda change: change[0], reverse=True):
        text = text[: PIECES[n].start()] + piece + text[PIECES[n].end() :]
    loads_or_refuses(tmp_path, text)


TOML_VALUES = st.recursive(
    st.sampled_from(["1", "-1", "nan", "1e308", "''", "'x'", "true", "1979-05-27", "07:30:00"]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(inner, max_size=1).map(
            lambda items: f"{{ {', '.join(f'a = {i}' for i in items)} }}"
        )
    ),
    max_leaves=3,
)
SETTINGS = list(re.finditer(r"^(\w+) *= *([^#\n]+?) *(?:#.*)?$", EXAMPLE, re.MULTILINE))


@settings(QUIET, max_examples=200)
@given(st.sampled_from(SETTINGS), TOML_VALUES)
def test_a_setting_of_any_value_is_taken_or_refused_at_its_line(tmp_path, setting, value):
    """Every setting with every type of value; nothing else is blamed for it."""
    text = EXAMPLE[: setting.start(2)] + value + EXAMPLE[setting.end(2) :]
    found = refusals(tmp_path, text)

    assert {p.line for p in found} <= {EXAMPLE.count("\n", 0, setting.start()) + 1}


def test_roster_needs_a_written_justification(tmp_path):
    """No site keeps references that it can open by itself without saying why."""
    roster = '[faces]\nstorage = "roster"\n'
    (found,) = problems(tmp_path, MINIMAL + roster)
    assert ("faces.storage", 13) == (found.path, found.line)
    assert "[roster]" in found.hint

    for short in ("", "because", " " * 30, "x" * 501, "two lines of reasons\\nare too many"):
        (found,) = problems(tmp_path, f'{MINIMAL}{roster}[roster]\njustification = "{short}"\n')
        assert "20 to 500 printable" in found.message

    why = "Six people live here."
    site = read(tmp_path, f'{MINIMAL}{roster}[roster]\njustification = "{why}"\n')
    assert (StorageMode.ROSTER, why) == (site.faces.storage, site.roster.justification)


def test_references_go_on_passes_unless_the_site_says_otherwise(tmp_path):
    """The site keeps nothing that it can open by itself."""
    site = read(tmp_path, MINIMAL)

    assert (StorageMode.PASS, None) == (site.faces.storage, site.roster.justification)


def test_contact_is_one_line_that_can_be_read(tmp_path):
    """Up to 200 characters."""
    for text in ("", " ", "x" * 201, "a\\tb"):
        (found,) = problems(tmp_path, f'{MINIMAL}[consent]\ncontact = "{text}"\n')
        assert "consent.contact" == found.path
    site = read(tmp_path, f'{MINIMAL}[consent]\ncontact = "the desk, +49 7224 1"\n')
    assert "the desk, +49 7224 1" == site.consent.contact


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://witness.example", WITNESS.verifier.vkey, "begins with https://"),
        ("ftp://127.0.0.1", WITNESS.verifier.vkey, "begins with https://"),
        ("https://", WITNESS.verifier.vkey, "begins with https://"),
        ("https://me:pw@witness.example", WITNESS.verifier.vkey, "begins with https://"),
        ("https://witness.example/?a=b", WITNESS.verifier.vkey, "begins with https://"),
        ("https://witness.example/#a", WITNESS.verifier.vkey, "begins with https://"),
        ("https://witness.example:70000", WITNESS.verifier.vkey, "begins with https://"),
        ("https://[::1", WITNESS.verifier.vkey, "begins with https://"),
        ("https://witness.example", LOG.verifier.vkey, "a log's public key"),
        ("https://witness.example", WITNESS.verifier.vkey[:-1], "not the text of a public key"),
    ],
)
def test_a_witness_that_cannot_be_asked_is_refused(tmp_path, url, key, said):
    """With the line of its table."""
    (problem,) = problems(tmp_path, f'{MINIMAL}[witness.hub]\nurl = "{url}"\nkey = "{key}"\n')

    assert said in f"{problem.message} {problem.hint}"
    assert problem.line in (12, 13, 14)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.169.254.", "169.254.0.1:8443", "0.0.0.0:443", "224.0.0.1",
        "255.255.255.255",
        "100.100.100.200", "168.63.129.16", "[fe80::1]", "[fe80::1%25eth0]", "[::]", "[ff02::1]",
        "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::ffff:0:0]",
        "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
    ],
)  # fmt: skip
def test_attack_witness_at_an_address_of_the_link_or_the_cloud(tmp_path, host):
    """A number behind which a cloud tells secrets, or nobody is, is asked for nothing."""
    key = WITNESS.verifier.vkey
    url = f"https://{host}/"
    (problem,) = problems(tmp_path, f'{MINIMAL}[witness.hub]\nurl = "{url}"\nkey = "{key}"\n')

    assert re.search("No witness answers|not written in the usual way", problem.message)


@pytest.mark.parametrize(
    "host",
    ["0x7f000001", "2130706433", "127.1", "0177.0.0.1", "0xa9.0xfe.0xa9.0xfe", "0x", "1.2.3"],
)
def test_attack_witness_at_a_number_in_disguise(tmp_path, host):
    """Resolvers read numbers in ways that nobody else does."""
    key = WITNESS.verifier.vkey
    url = f"https://{host}/"
    (problem,) = problems(tmp_path, f'{MINIMAL}[witness.hub]\nurl = "{url}"\nkey = "{key}"\n')

    assert "not written in the usual way" in problem.message


@pytest.mark.parametrize(
    "url",
    [
        "https://192.0.2.7", "https://10.1.2.3:8099", "https://[2001:db8::7]/hub",
        "https://[fd12:3456::1]", "https://hub-0x7f.example", "https://w1", "https://127.0.0.1",
    ],
)  # fmt: skip
def test_a_witness_at_another_machines_number_is_taken(tmp_path, url):
    """On the site's own network, too."""
    key = WITNESS.verifier.vkey
    site = read(tmp_path, f'{MINIMAL}[witness.hub]\nurl = "{url}"\nkey = "{key}"\n')

    assert [url] == [witness.url for witness in site.witnesses.values()]


@pytest.mark.parametrize(
    "url", ["https://witness.example/hub", "http://127.0.0.1:8099", "http://[::1]:8099/"]
)
def test_witnesses_are_read_with_their_keys(tmp_path, url):
    """Over TLS, or plainly on this very machine."""
    key = WITNESS.verifier.vkey
    site = read(tmp_path, f'{MINIMAL}[witness.hub]\nurl = "{url}"\nkey = "{key}"\n')

    assert {"hub": WitnessEntry("hub", url, key)} == site.witnesses


def test_the_environment_may_name_the_sites_file(tmp_path: Path) -> None:
    """An installed command works from any folder; an option still comes first."""
    assert Path("site.toml") == site_file({}) == site_file({"POSTERN_SITE": ""})
    assert tmp_path / "a.toml" == site_file({"POSTERN_SITE": str(tmp_path / "a.toml")})

"""The documents say what the code does: its commands, its reasons, its arithmetic, its files."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import degrees
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command

from postern.actuators import KINDS as ACTUATORS
from postern.app.clock import EARLIEST, LONGEST_USE
from postern.app.config import load
from postern.app.tables import SiteTable
from postern.bench.face_calibration import COHORT_SIZE, DEALS
from postern.cli import app
from postern.cli.terminal import fail
from postern.core.decide import ATTEMPT_S, FRESH_S
from postern.core.decision import GRANTS, MEANING, Reason
from postern.core.errors import Code, PosternError
from postern.core.evidence import combine
from postern.core.look import ADVICE, Flaw
from postern.core.vehicle import ALPHABET
from postern.engine.passage import NEVER_LEFT_S, PUT_AWAY_S
from postern.engine.watch import STOP_S
from postern.sources import KINDS as SOURCES
from postern.store.throttles import MAX_FAILURES, WAIT
from postern.vision.faces.cohort import NEAREST
from postern.vision.faces.continuity import FaceContinuity
from postern.vision.faces.load import DetectorName, limits_of, load_calibration
from postern.vision.faces.quality import WHOLE
from postern.vision.plates.join import LEANING
from postern.vision.plates.match import bound
from postern.vision.plates.read import COLUMNS, ELSE, NOTHING
from postern.vision.plates.recogniser import BRIGHT, DARK, EDGE, FLAT, GUESS, SMALLEST

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
README, COMMANDS, DECISIONS, ARCHITECTURE, SAFEGUARDS, LIBRARIES = (
    (ROOT / name).read_text("utf-8")
    for name in (
        "README.md",
        "docs/commands.md",
        "docs/decisions.md",
        "docs/architecture.md",
        "docs/safeguards.md",
        "docs/adr/0003-libraries.md",
    )
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DETECTORS: tuple[DetectorName, ...] = ("yunet", "dlib")
EVERYWHERE = {"--help", "--install-completion", "--show-completion"}
#: An absolute path, but for those that every system or an installed service has or answers at.
MACHINE_PATH = re.compile(
    r"(?<![\w./:)\]*>-])/(?!(?:api|dev|etc|opt|var|health)/|metrics\b)[A-Za-z]\w*"
)

every_document = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))


def commands(group: Any = None, name: str = "postern") -> Iterator[tuple[str, set[str]]]:
    """Every command with its long options, but for those that every program has."""
    group = group or get_command(app)
    context = group.make_context(name, [], resilient_parsing=True)
    for key in group.list_commands(context):
        command = group.get_command(context, key)
        if hasattr(command, "list_commands"):
            yield from commands(command, f"{name} {key}")
            continue
        options = {opt for p in command.params for opt in p.opts if opt.startswith("--")}
        yield f"{name} {key}", options - EVERYWHERE


def section(page: str, title: str) -> str:
    """The text below a title, up to the next one of any level."""
    return re.split(r"\n#+ ", page.split(f"# {title}\n")[1])[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table's rows, its head left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(requirements: list[str]) -> list[str]:
    """The names of requirements, without their versions."""
    return [re.split(r"[<>=~! ;\[]", requirement)[0] for requirement in requirements]


def table(cells: Iterable[Iterable[object]]) -> str:
    """The rows of a Markdown table."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in cells)


@pytest.mark.parametrize(("command", "options"), list(commands()))
def test_every_command_is_documented_with_all_its_options(command: str, options: set[str]) -> None:
    """A row each; an option that is gone must not linger there."""
    found = {row[0]: row[1] for row in rows(section(COMMANDS, "Commands"))}

    assert options == set(re.findall(r"--[\w-]+", found[f"`{command}`"]))


def test_no_command_is_documented_that_there_is_not() -> None:
    """Neither in the page of commands, nor in an example anywhere."""
    known = {name for name, _ in commands()}
    assert {f"`{name}`" for name in known} == {
        row[0] for row in rows(section(COMMANDS, "Commands"))
    }

    for page in DOCUMENTS:
        for written in re.findall(r"`postern ([a-z ]+)", page.read_text("utf-8")):
            words = written.split()
            assert any(
                f"postern {' '.join(words[:length])}" in known
                or any(name.startswith(f"postern {' '.join(words)} ") for name in known)
                for length in (1, 2)
            ), f"{page.name}: postern {written}"


def test_every_exit_code_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """For each of the six codes of an error."""
    documented = {row[0]: row[2] for row in rows(section(COMMANDS, "Exit codes"))}

    for code in Code:
        error = PosternError(code, "It failed.")
        assert ("yes" if error.retry_helps else "no") == documented[str(fail(error))]
    assert 6 == capsys.readouterr().err.count("It failed.")


def test_every_reason_is_documented_in_the_codes_own_words() -> None:
    """In the code's order, those that let through first."""
    found = [(row[0], row[1]) for row in rows(section(DECISIONS, "Reasons"))]

    assert [(f"`{reason}`", MEANING[reason]) for reason in Reason] == found
    assert {f"`{reason}`" for reason in GRANTS} == {reason for reason, _ in found[:2]}


def test_every_flaw_is_documented_with_its_advice() -> None:
    """What a person hears is what the page says."""
    found = [(row[0], row[1]) for row in rows(section(DECISIONS, "Looks that are not compared"))]

    assert [(f"`{flaw}`", ADVICE[flaw]) for flaw in Flaw] == found


def test_what_a_camera_needs_is_what_the_recognisers_ask_for() -> None:
    """Row by row, with either detector."""
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    faces, plates = section(page, "Placing a camera").split("| a plate |")
    face = {row[0]: row[1] for row in rows(faces)}
    plate = {row[0]: row[1] for row in rows("| a plate |" + plates)}
    yunet, dlib = limits_of("yunet"), limits_of("dlib")

    assert yunet.min_eyes_px == dlib.min_eyes_px
    assert face["between the eyes"].startswith(f"{yunet.min_eyes_px:.0f} pixels")
    assert re.findall(r"0\.\d\d", face["turned aside"]) == [
        f"{limits.max_yaw:.2f}" for limits in (yunet, dlib)
    ]
    assert re.findall(r"\d\.\d\d", face["nose below the eyes"]) == [
        f"{limit:.2f}" for limits in (yunet, dlib) for limit in (limits.min_pitch, limits.max_pitch)
    ]
    lit = f"{yunet.min_grey:.0f} to {yunet.max_grey:.0f} of 255, and {yunet.min_contrast:.0f}"
    assert lit == face["brightness, contrast"]
    assert f"{yunet.min_sharpness}" == face["sharpness"]
    assert face["of the face in the picture; faces at once"].startswith(f"{100 * WHOLE:.0f} %")
    assert f"{SMALLEST:.0f} pixels" == plate["height of characters"]
    assert f"{degrees(LEANING):.0f} degrees" == plate["slant"]
    assert f"{DARK:.0f} to {BRIGHT:.0f} of 255, and {FLAT:.0f}" == plate["brightness, contrast"]
    assert f"{100 * GUESS:.0f} %" == plate["sureness of the worst character"]
    assert ("a tenth of its height", 0.1) == (plate["from the picture's edge"], EDGE)


@every_document
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """To a file or folder of the repository."""
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    relative = [link.split("#")[0] for link in links if not re.match(r"https?:|#", link)]

    assert [] == [link for link in relative if not (page.parent / link).exists()]


@every_document
def test_no_document_holds_a_path_of_somebodys_machine(page: Path) -> None:
    """Nor a line that ends in a blank."""
    text = page.read_text("utf-8")

    assert [] == MACHINE_PATH.findall(text)
    assert [] == re.findall(r"[ \t]+$", text, re.M)


def test_the_search_for_machine_paths_can_fail() -> None:
    """Paths of a machine are found, and those of a system or a site are not."""
    assert all(MACHINE_PATH.search(f"see {p}") for p in ("/srv/x", "/home/jo/x", "`/tmp/y`"))
    assert not any(MACHINE_PATH.search(p) for p in ("/dev/video0", "/etc/postern", "a/b", "../tmp"))


def test_the_readmes_site_is_sound(tmp_path: Path) -> None:
    """It is the first file that a newcomer writes, and stays short."""
    written = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "site.toml"
    file.write_text(written[0])

    assert 1 == len(written)
    assert len(written[0].splitlines()) < 15
    assert ["door"] == list(load(file, SOURCES, ACTUATORS, {}).access_points)


def test_the_readme_marks_the_place_of_the_figures() -> None:
    """Whoever measures replaces what lies between the marks."""
    assert re.search(r"<!-- figures -->\n.+<!-- end of figures -->", README, re.DOTALL)


@every_document
def test_every_test_that_a_document_names_exists(page: Path) -> None:
    """A promise is no better than the test behind it."""
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page.read_text("utf-8")):
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_every_safeguard_names_a_test() -> None:
    """All eight of them."""
    safeguards = re.split(r"\n## \d\. ", SAFEGUARDS)[1:]

    assert 8 == len(safeguards)
    assert all("::test_" in safeguard for safeguard in safeguards)


def test_every_threat_has_a_test_or_says_what_is_open() -> None:
    """The 27 that any such system has, and those of this one, in their order."""
    page = (ROOT / "docs/threat-model.md").read_text("utf-8")
    threats = rows(section(page, "Attacks"))

    assert [str(number) for number in range(1, len(threats) + 1)] == [row[0] for row in threats]
    assert len(threats) > 27
    for number, attack, control, tests, missing in threats:
        assert attack, number
        assert control, number
        assert "::test_" in tests or "**open:**" in missing, number


@every_document
def test_every_module_that_a_document_names_exists(page: Path) -> None:
    """Written from the top of the repository or of the package."""
    for name in re.findall(r"`([\w-]+/[\w/.-]+\.(?:py|toml))`", page.read_text("utf-8")):
        assert (ROOT / name).exists() or (ROOT / "src/postern" / name).exists(), name


def test_the_floors_are_those_that_are_checked() -> None:
    """From the top to the bottom, those that exist, in the contract's order."""
    drawing = section(ARCHITECTURE, "Floors").split("```")[1]
    written = [
        set(floor.split()) for floor in re.findall(r"^(\S+(?: {1,3}\S+)*) {4,}", drawing, re.M)
    ]
    packages = {p.parent.name for p in (ROOT / "src/postern").glob("*/__init__.py")}
    packages |= {p.stem for p in (ROOT / "src/postern").glob("*.py")} - {"__init__"}
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = [set(re.findall(r"\w+", floor)) & packages for floor in contract]

    assert [floor for floor in floors if floor] == written


def test_every_library_has_a_reason_and_no_other_is_listed() -> None:
    """One line each, with its licence."""
    project, build = PROJECT["project"], PROJECT["build-system"]["requires"]
    optional = project["optional-dependencies"].values()
    wanted = [
        *names(project["dependencies"]),
        *names(build),
        *(n for o in optional for n in names(o)),
    ]
    found = [row for row in rows(LIBRARIES) if len(row) == 3 and row[0].startswith("`")]

    assert sorted(f"`{name}`" for name in wanted) == sorted(row[0] for row in found)
    assert all(licence and reason for _, licence, reason in found)


def test_every_decision_record_has_its_four_parts() -> None:
    """They are numbered without a gap, and the page on architecture lists them."""
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    parts = ["Context", "Options", "Outcome", "Negative consequences"]

    assert [f"{n:04}" for n in range(1, len(records) + 1)] == [r.name[:4] for r in records]
    for record in records:
        assert parts == re.findall(r"^## (.+)$", record.read_text("utf-8"), re.M), record.name
        assert f"(adr/{record.name})" in ARCHITECTURE


def test_what_faces_prove_at_best_is_what_the_tables_say() -> None:
    """People, pairs, the floor, and how many people it carries; the README says it, too."""
    found: list[list[Any]] = []
    for detector in DETECTORS:
        tables = load_calibration(detector)
        main, other = tables.sources
        at_best = f"{1 / tables.floor:,.0f}"
        carried = (int(claim / tables.floor) for claim in (1e-3, 1e-4))
        counts = (f"{main.people}, {main.pairs:,}", f"{other.people}, {other.attempts:,}")
        found.append([detector, *counts, at_best, *carried])
        assert f"1 in {at_best}" in README

    assert table(found) in DECISIONS, table(found)
    assert f"at most {found[0][4]} or {found[1][4]} people" in README
    assert f"from {found[0][4] + 1} people on at 1 in 1,000" in SAFEGUARDS.replace("\n", " ")


def test_the_worked_example_of_a_face_is_what_the_tables_give() -> None:
    """Scores, rates, both sets' bounds, and what comes of them after each look."""
    tables = load_calibration("yunet")
    scores = [-5.5, -7.0, -8.5]
    n = tables.sources[1].attempts
    rates = [table.bound(score) for table, score in zip(tables.rates, scores, strict=True)]
    lowest = list(accumulate(rates, min))
    main = [tables.bounds.bound(rate) for rate in lowest]
    other = [f"{round(tables.others[0].bound(rate) * n):,} of {n:,}" for rate in lowest]
    found = tables.attempt_bounds(np.array(scores))
    rounded = [[f"{value:.1e}" for value in values] for values in (rates, lowest, main, found)]
    listed = table(zip((1, 2, 3), scores, *rounded[:3], other, rounded[3], strict=True))

    assert listed in DECISIONS, listed
    closing = (
        f"So `p` is 1 in {1 / found[-1]:,.0f}; by faces-lfw alone it would be 1 in "
        f"{1 / main[-1]:,.0f}."
    )
    assert closing in " ".join(DECISIONS.split()), closing


def test_the_roster_is_what_the_union_bound_leaves() -> None:
    """With the floor of YuNet's tables, up to the first that is one too many."""
    floor = load_calibration("yunet").floor
    most = int(1e-3 / floor)
    counts = (1, 10, 100, most, most + 1)
    denied = {most + 1: ": denied at 1 in 1,000"}
    found = table((n, f"1 in {1 / (floor * n):,.0f}{denied.get(n, '')}") for n in counts)

    assert found in DECISIONS, found


def test_limits_that_the_pages_state_are_the_codes() -> None:
    """Those that an auditor would look up."""
    text, kept = " ".join(DECISIONS.split()), FaceContinuity()

    assert f"their distance is at least {kept.min_apart}:" in text
    assert (
        f"a vector's {NEAREST} smallest distances to a cohort of {COHORT_SIZE:,} synthetic" in text
    )
    assert f"The last frame is at most {FRESH_S:.0f} seconds old" in text
    assert f"All evidence is from the last {ATTEMPT_S:.0f} seconds" in text
    assert f"in view and for {PUT_AWAY_S:.0f} seconds after" in text
    assert f"or after {NEVER_LEFT_S:.0f} seconds in which they were not seen" in text
    assert MAX_FAILURES == 5
    assert f"failed five times in a row waits {WAIT.seconds} seconds" in text
    assert f"in {DEALS} ways" in text
    assert f"a time before {EARLIEST.year}, or {LONGEST_USE.days // 365} years later" in text
    assert f"never longer than {STOP_S}" in ARCHITECTURE
    assert f"({SiteTable('x').retention_days} days unless" in SAFEGUARDS


def test_fishers_examples_are_what_the_code_gives() -> None:
    """A usual pair, and the one that the ceilings are for."""
    whole = combine([1e-3, 1e-4])
    assert f"1e-7 x 17.118 = {whole:.2e}, or 1 in {1 / whole:,.0f}" in DECISIONS

    carried = combine([0.5, 3.5e-6])
    assert f"combine\nto 1 in {1 / carried:,.0f}: well within 1 in 10,000" in DECISIONS
    assert carried < 1e-4


def test_what_a_barrier_carries_is_what_the_matcher_gives() -> None:
    """For a plate whose every character is read with the same chance."""
    plate = np.array([ALPHABET.index(c) for c in "KAMP417"])
    found = []
    for chance, frames in ((0.999, 1), (0.999, 3), (0.99, 1), (0.99, 3), (0.95, 1)):
        look = np.zeros((len(plate), COLUMNS))
        look[np.arange(len(plate)), 1 + plate] = chance
        look[:, NOTHING] = look[:, ELSE] = (1.0 - chance) / 2
        p = bound([look] * frames, plate)
        found.append((chance, frames, f"{p:.1e}", int(1e-4 / p)))

    assert table(found) in DECISIONS, table(found)

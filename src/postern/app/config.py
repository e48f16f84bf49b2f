"""The configuration: `site.toml` and the environment, read here and nowhere else.

Nothing is guessed. Whatever is wrong with the file is told at once, each mistake with its line.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import platformdirs

from postern.app.notify import Manager, manager
from postern.app.place import Place
from postern.app.problem import ConfigError, Problem
from postern.app.secrets import Provided
from postern.app.sections import (
    CLOCK,
    CONSENT,
    CONSOLE,
    FACES,
    HEALTH,
    LOG,
    PLATES,
    ROSTER,
    Kinds,
    Sections,
)
from postern.app.site import (
    ClockSettings,
    ConsentTerms,
    ConsolePage,
    Faces,
    HealthPage,
    Log,
    Plates,
    Roster,
    Site,
)
from postern.app.tables import AccessPointTable
from postern.app.toml_lines import locate
from postern.core.access_point import Area
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import AccessPointId, AreaId

DATA_VARIABLE, MODELS_VARIABLE = "POSTERN_DATA", "POSTERN_MODELS"
SITE_VARIABLE = "POSTERN_SITE"
SITE_KEY_VARIABLE, SIGNING_KEY_VARIABLE = "POSTERN_SITE_KEY_FILE", "POSTERN_SIGNING_KEY_FILE"
#: Set by systemd for a unit with credentials (systemd.exec(5)).
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
#: Set by a service manager that wants to hear of the service (sd_notify(3)).
MANAGER_VARIABLES = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
#: Bytes. A site of a hundred access points takes a tenth of it.
MAX_BYTES = 256 * 1024

_WHERE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
#: What the parser says, and what a newcomer needs to hear.
_REMEDIES = (
    ("Cannot overwrite", "This key is set further up already; remove one of the two."),
    ("Cannot declare", "This table is further up already; give one of the two another name."),
    ("Unescaped '\\'", "Write / in a path, or put the text into '...'."),
    ("Expected '='", "Write: key = value"),
    ("Invalid value", "A text stands in quotes; true and false are written in small letters."),
    ("Invalid statement", "A line is a [table], a key = value, or a # comment."),
    ("Illegal character '\\n'", "A closing quote is missing."),
    ("Found invalid character '\\n'", "A closing quote is missing."),
    ('Expected "\'"', "A closing quote is missing."),
    ("Expected newline", "Each key has a line of its own; a text with a quote in it needs '...'."),
)
#: Digits from which on Python refuses to read a number, without telling where.
_ENDLESS_NUMBER = re.compile(r"[0-9_]{4300,}")
_MAX_MESSAGE = 120


def load(
    path: Path,
    source_kinds: Kinds,
    actuator_kinds: Kinds,
    environment: Mapping[str, str] = os.environ,
    *,
    input_kinds: Kinds = MappingProxyType({}),
) -> Site:
    """The site that a file describes.

    Args:
        path: The file, in TOML; `docs/site.md` describes it.
        source_kinds: The kinds of cameras, by name.
        actuator_kinds: The kinds of actuators, by name.
        environment: `POSTERN_DATA` and `POSTERN_MODELS`, where set, name those folders.
        input_kinds: The kinds of inputs, by name.

    Raises:
        ConfigError: With everything that is wrong with the file.
        PosternError: `not_found` or `unavailable` where it cannot be read, `invalid` where it is
            far too large.
    """
    file = path.absolute()
    text = _text(file, _bytes(file))
    root = Place(_parsed(file, text), locate(text))
    kinds = (source_kinds, actuator_kinds, input_kinds)
    site = _site(file, Sections(root, file.parent), kinds, environment)
    if root.problems or site is None:
        raise ConfigError(file, root.problems)
    return site


def models_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where model packs and derived models are: POSTERN_MODELS, else the user's cache."""
    named = _folder_of(environment, MODELS_VARIABLE)
    return named or platformdirs.user_cache_path("postern", appauthor=False) / "models"


def site_file(environment: Mapping[str, str] = os.environ) -> Path:
    """The site's file where no option names one: POSTERN_SITE, else `site.toml` right here."""
    return _folder_of(environment, SITE_VARIABLE) or Path("site.toml")


def provided_secrets(environment: Mapping[str, str] = os.environ) -> Provided:
    """What the environment says about the site's secrets."""
    return Provided(
        _folder_of(environment, SITE_KEY_VARIABLE),
        _folder_of(environment, SIGNING_KEY_VARIABLE),
        _folder_of(environment, CREDENTIALS_VARIABLE),
    )


def service_manager(environment: Mapping[str, str] = os.environ) -> Manager:
    """Who started the service and wants to hear of it; nobody on a terminal."""
    address, watchdog_us, watchdog_pid = (environment.get(v, "") for v in MANAGER_VARIABLES)
    return manager(address, watchdog_us, watchdog_pid, os.getpid())


def _folder_of(environment: Mapping[str, str], variable: str) -> Path | None:
    """The folder or file that a variable names; None where it is not set, or empty."""
    value = environment.get(variable, "")
    return Path(value).absolute() if value else None


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PosternError(
            Code.NOT_FOUND, f"There is no file {file}.", "docs/site.md shows how to write one."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it has no proper name"
        raise PosternError(Code.UNAVAILABLE, f"{file} cannot be read: {reason}.") from None
    if len(data) > MAX_BYTES:
        raise invalid(f"{file.name} is larger than {MAX_BYTES // 1024} KiB.")
    return data


def _text(file: Path, data: bytes) -> str:
    """The file's text without the mark that some editors put first."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "This is not a text in UTF-8."
        raise ConfigError(
            file, [Problem(line, "", message, "Save the file with that encoding.")]
        ) from None


def _parsed(file: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, [_syntax_problem(str(error), text)]) from None
    except ValueError:
        number = _ENDLESS_NUMBER.search(text)
        line = text.count("\n", 0, number.start() if number else 0) + 1
        raise ConfigError(file, [Problem(line, "", "A number is too long.")]) from None
    except RecursionError:
        raise ConfigError(file, [Problem(1, "", "Its lists or tables nest too deeply.")]) from None


def _syntax_problem(said: str, text: str) -> Problem:
    found = _WHERE.fullmatch(said)
    what, line, column = found.groups() if found else (said, None, None)
    if line is None:
        lines = text.split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    hint = next((remedy for start, remedy in _REMEDIES if what.startswith(start)), "")
    message = f"This is not valid TOML at column {column}: {what[:_MAX_MESSAGE]}."
    return Problem(int(line), "", message, hint)


def _site(
    file: Path,
    sections: Sections,
    kinds: tuple[Kinds, Kinds, Kinds],
    environment: Mapping[str, str],
) -> Site | None:
    """The site; None where a section is missing or unsound, which has been noted."""
    sections.refuse_strangers()
    table, zone = sections.site(), sections.zone()
    consent = sections.plain(CONSENT, ConsentTerms)
    faces, plates = sections.plain(FACES, Faces), sections.plain(PLATES, Plates)
    log, roster = sections.plain(LOG, Log), sections.plain(ROSTER, Roster)
    health, clock = sections.plain(HEALTH, HealthPage), sections.plain(CLOCK, ClockSettings)
    console = sections.plain(CONSOLE, ConsolePage)
    cameras, actuators = sections.cameras(kinds[0]), sections.actuators(kinds[1])
    schedules, access_points = sections.schedules(zone), sections.access_points()
    inputs = sections.inputs(kinds[2])
    areas, witnesses = _areas(sections.areas(), access_points), sections.witnesses()
    mqtt = sections.mqtt()
    sections.check_holds(access_points, actuators)
    if faces and roster:
        sections.check_storage(faces, roster)
    if not (table and consent and faces and roster and plates and log and health):
        return None
    if not (console and clock):
        return None
    return Site(
        name=table.name,
        file=file,
        data=_folder_of(environment, DATA_VARIABLE) or file.parent / table.data,
        models=models_folder(environment),
        zone=zone,
        retention=timedelta(days=table.retention_days),
        consent=consent,
        areas=MappingProxyType(areas),
        cameras=MappingProxyType(cameras),
        actuators=MappingProxyType(actuators),
        inputs=MappingProxyType(inputs),
        access_points=MappingProxyType(
            {n: one.named(n, areas[_area_of(n, one)]) for n, one in access_points.items()}
        ),
        actuator_of=MappingProxyType({n: one.actuator for n, one in access_points.items()}),
        schedules=MappingProxyType(schedules),
        faces=faces,
        roster=roster,
        plates=plates,
        log=log,
        health=health,
        console=console,
        clock=clock,
        witnesses=MappingProxyType(witnesses),
        mqtt=mqtt,
    )


def _areas(
    declared: Mapping[AreaId, Area], access_points: Mapping[AccessPointId, AccessPointTable]
) -> dict[AreaId, Area]:
    """The declared areas, and one without limits for every access point that names none."""
    named = {_area_of(name, one) for name, one in access_points.items()}
    return {**{name: Area(name) for name in sorted(named)}, **declared}


def _area_of(name: AccessPointId, table: AccessPointTable) -> AreaId:
    return AreaId(name if table.area is None else table.area)

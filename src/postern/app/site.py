"""A site as its operator described it: what `site.toml` says, checked and in the core's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

from postern.app.tables import MqttTable
from postern.app.witness import WitnessEntry
from postern.core.access_point import AccessPoint, Area
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import AccessPointId, AreaId, CameraId
from postern.core.look import Kind
from postern.core.schedule import Schedule
from postern.core.signal import Means

#: Characters of a consent's purpose: what a person reads before agreeing.
MAX_PURPOSE = 500
#: Characters of whom to ask, and of why a roster is kept. A shorter reason is none.
MAX_CONTACT = 200
MIN_JUSTIFICATION, MAX_JUSTIFICATION = 20, 500
MAX_PORT, IPV6 = 65535, 6
#: What browsers call a page's origin (RFC 6454): a name in letters, digits, dots and dashes.
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?")
#: Days; five years. A consent that nobody renews for longer is one that nobody remembers.
MAX_CONSENT_DAYS = 1826


class DetectorChoice(StrEnum):
    """Which face detector; `auto` takes YuNet where its pack is there."""

    AUTO = "auto"
    YUNET = "yunet"
    DLIB = "dlib"


class Region(StrEnum):
    """Where plates come from; the names of the shapes that the plate reader knows."""

    BR = "br"
    EU = "eu"
    US = "us"


class LogLevel(StrEnum):
    """What is logged, and everything graver."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What people are asked to agree to.

    Attributes:
        text_version: Which version of the site's consent text they are shown.
        purpose: What they are recognised for, in the words they are shown.
        valid_days: For how many days their consent stands unless they withdraw it.
        contact: Whom to ask to see, export or erase what is kept, or to take the consent back; None
            for whoever runs the site.
    """

    text_version: str = "1"
    purpose: str = "To open the doors and barriers of this site for you when it recognises you."
    valid_days: int = 365
    contact: str | None = None

    def __post_init__(self) -> None:
        if not self.text_version.strip() or not self.text_version.isprintable():
            raise invalid("A consent text's version has at least one printable character.")
        if not self.purpose.strip() or len(self.purpose) > MAX_PURPOSE:
            raise invalid(f"A purpose has 1 to {MAX_PURPOSE} characters.")
        if not 1 <= self.valid_days <= MAX_CONSENT_DAYS:
            raise invalid(f"A consent is valid for 1 to {MAX_CONSENT_DAYS} days.")
        if self.contact is not None and not (
            self.contact.strip() and self.contact.isprintable() and len(self.contact) <= MAX_CONTACT
        ):
            raise invalid(f"A contact has 1 to {MAX_CONTACT} printable characters.")


@dataclass(frozen=True, slots=True)
class Faces:
    """How faces are recognised.

    Attributes:
        detector: What finds them.
        storage: How references are kept where an enrolment does not say otherwise.
    """

    detector: DetectorChoice = DetectorChoice.AUTO
    storage: StorageMode = StorageMode.PASS


@dataclass(frozen=True, slots=True)
class Roster:
    """References that the site keeps and can open by itself.

    Attributes:
        justification: Why neither passes nor shared references will do here; everybody who is asked
            for their consent reads it. None where the site keeps no roster.
    """

    justification: str | None = None

    def __post_init__(self) -> None:
        written = self.justification
        if written is not None and not (
            MIN_JUSTIFICATION <= len(written.strip()) <= len(written) <= MAX_JUSTIFICATION
            and written.isprintable()
        ):
            raise invalid(
                f"A justification has {MIN_JUSTIFICATION} to {MAX_JUSTIFICATION} printable "
                "characters.",
                "Say why neither passes nor shared references will do here.",
            )


@dataclass(frozen=True, slots=True)
class Plates:
    """How plates are read.

    Attributes:
        regions: Whose plates are common here; they decide how a doubtful character is read.
    """

    regions: tuple[Region, ...] = tuple(Region)

    def __post_init__(self) -> None:
        if not self.regions or len(set(self.regions)) != len(self.regions):
            raise invalid("Name at least one region, and each only once.")


class LogFormat(StrEnum):
    """For whom the lines are: people, or programs that collect them."""

    TEXT = "text"
    JSON = "json"


class ClockSource(StrEnum):
    """By what the machine's calendar is right: a battery, or a server that has to be heard of."""

    RTC = "rtc"
    NTP = "ntp"


@dataclass(frozen=True, slots=True)
class Log:
    """What the service tells about itself.

    Attributes:
        level: What is told, and everything graver; None for `debug` on a terminal, where nobody
            keeps it, and `info` elsewhere.
        format: For whom the lines are.
    """

    level: LogLevel | None = None
    format: LogFormat = LogFormat.TEXT


@dataclass(frozen=True, slots=True)
class HealthPage:
    """Where the service answers how it is.

    Attributes:
        listen: A number of this machine and a port, as in `127.0.0.1:9463` or `[::1]:9463`; None
            for nowhere.
    """

    listen: str | None = None

    def __post_init__(self) -> None:
        if self.listen is not None:
            listening(self.listen)

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can ask."""
        return self.listen is None or ip_address(listening(self.listen)[0]).is_loopback


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """Where people and programs work with the site over HTTP.

    Attributes:
        listen: As in `HealthPage.listen`.
        url: What browsers call it, without a path; None for this machine's own browser.
        certificate: With `key_file`, what browsers know it by: a file in PEM, the certificates of
            those who signed it behind it. None where something in front of it encrypts.
        key_file: The certificate's key, in PEM.
    """

    listen: str = "127.0.0.1:8446"
    url: str | None = None
    certificate: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        host, _ = listening(self.listen)
        if (self.certificate is None) is not (self.key_file is None):
            raise invalid("certificate and key_file belong together: give both or neither.")
        if self.url is not None and not _ORIGIN.fullmatch(self.url):
            raise invalid(
                "A console's url begins with https:// and has no path.",
                "Write it as browsers are to call it, such as https://gate.example:8446.",
            )
        if not ip_address(host).is_loopback and (self.certificate is None or self.url is None):
            raise invalid(
                "A console that other machines reach needs a url, a certificate and its key_file.",
                "Or listen on 127.0.0.1, behind something that encrypts.",
            )

    @property
    def origin(self) -> str:
        """What browsers call it: scheme, name and port."""
        return self.url or f"http://localhost:{listening(self.listen)[1]}"


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """What the calendar is believed by.

    Attributes:
        source: By what it is right.
    """

    source: ClockSource = ClockSource.RTC


def listening(address: str) -> tuple[str, int]:
    """The host's number and the port of an address to listen on.

    Raises:
        PosternError: `invalid` where it is none. Names are refused: what they mean may change.
    """
    host, _, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        number = ip_address(bare)
    except ValueError:
        number = None
    bracketed = bare != host
    if (
        number is None
        or bracketed is not (number.version == IPV6)
        or not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= MAX_PORT)
    ):
        raise invalid(
            "An address to listen on is a number of this machine and a port.",
            "Write it as in 127.0.0.1:9463 or [::1]:9463.",
        )
    return bare, int(port)


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Attributes:
        id: Its name.
        sees: What it looks for; one that looks for faces reads passes, too.
        kind: Its kind, a row of the table of sources.
        config: That kind's own configuration.
    """

    id: CameraId
    sees: Kind
    kind: str
    config: object


@dataclass(frozen=True, slots=True)
class ActuatorEntry:
    """One actuator.

    Attributes:
        name: Its name.
        kind: Its kind, a row of the table of actuators.
        config: That kind's own configuration.
    """

    name: str
    kind: str
    config: object


@dataclass(frozen=True, slots=True)
class InputEntry:
    """One input.

    Attributes:
        name: Its name.
        means: What it means when it is active.
        access_point: Where; None for a fire alarm of the whole site.
        kind: Its kind, a row of the table of inputs.
        config: That kind's own configuration.
    """

    name: str
    means: Means
    access_point: AccessPointId | None
    kind: str
    config: object


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that `site.toml` says. All references between its parts have been checked.

    Attributes:
        name: What people call it.
        file: The file it was read from; absolute.
        data: The folder of the store, the vault and the ledger; absolute, need not be there yet.
        models: The folder of model packs and derived models; likewise.
        zone: Its time zone.
        retention: How long events are kept.
        consent: What people are asked to agree to.
        areas: By name; those that access points lead into without a table of their own included.
        cameras: By name.
        actuators: By name.
        inputs: By name.
        access_points: By name.
        actuator_of: The actuator's name, by access point.
        schedules: By name; permits are given one when they are made.
        faces: How faces are recognised.
        roster: Why references are kept that the site can open by itself.
        plates: How plates are read.
        log: What is logged.
        health: Where it answers how it is.
        console: Where people and programs work with it.
        clock: What the calendar is believed by.
        witnesses: Who signs its log, by name.
        mqtt: The broker behind which Home Assistant is; None where there is none.
    """

    name: str
    file: Path
    data: Path
    models: Path
    zone: ZoneInfo
    retention: timedelta
    consent: ConsentTerms
    areas: Mapping[AreaId, Area]
    cameras: Mapping[CameraId, Camera]
    actuators: Mapping[str, ActuatorEntry]
    inputs: Mapping[str, InputEntry]
    access_points: Mapping[AccessPointId, AccessPoint]
    actuator_of: Mapping[AccessPointId, str]
    schedules: Mapping[str, Schedule]
    faces: Faces
    roster: Roster
    plates: Plates
    log: Log
    health: HealthPage
    console: ConsolePage
    clock: ClockSettings
    witnesses: Mapping[str, WitnessEntry]
    mqtt: MqttTable | None

    def access_point(self, name: str) -> AccessPointId:
        """The access point of that name.

        Raises:
            PosternError: `not_found` where the file has none such.
        """
        if name not in self.access_points:
            known = ", ".join(self.access_points)
            raise PosternError(
                Code.NOT_FOUND, f"There is no access point called {name!r}.", f"Known: {known}."
            )
        return AccessPointId(name)

    def schedule(self, name: str) -> Schedule:
        """The schedule of that name.

        Raises:
            PosternError: `invalid` where the file has none such.
        """
        if name not in self.schedules:
            known = ", ".join(self.schedules) or "none"
            raise invalid(
                f"There is no schedule called {name!r}.", f"{self.file.name} has: {known}."
            )
        return self.schedules[name]

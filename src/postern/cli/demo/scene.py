"""The demo's throw-away site: its file, its clips, and who is registered there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from postern.app.enrolment import Applicant
from postern.app.wire import Installation, build_enrolment, enrolments, open_source
from postern.app.wording import FIRST
from postern.cli.consent_panel import ask
from postern.cli.demo import barrier, door
from postern.cli.demo.barrier import Visit, write_barrier_clip
from postern.cli.demo.door import Portrait, enrolment_frames, write_door_clip
from postern.cli.enrol import guide
from postern.core.consent import StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CameraId, CredentialId, PermitId, PersonId, VehicleId
from postern.core.moment import Moment
from postern.core.permit import Ceiling, Permit
from postern.core.person import Person
from postern.core.vehicle import Vehicle, plate_text
from postern.frame import Frame

LANE, CORRIDOR = CameraId("lane"), CameraId("corridor")
BARRIER, DOOR = AccessPointId("barrier"), AccessPointId("door")
#: Since when the demo's permits count: always.
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

REGISTERED = "KA MP 417"
VISITS = (
    Visit(REGISTERED),
    Visit("HD TR 92"),
    Visit("KA MP 477"),
    # So smeared that a number is seen and no character of it.
    Visit(REGISTERED, blur=14.0),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who comes to the demo.

    Attributes:
        enrolled: Whose face is enrolled.
        registered: Which plate is registered.
        at_door: Who comes to the door, in order.
        at_barrier: Which cars come to the barrier, in order.
        camera: A webcam in place of the door's clip; None for the clip.
        video: A recording in place of the barrier's clip; None for the clip.
    """

    enrolled: Portrait = Portrait.COLLINS
    registered: str = REGISTERED
    at_door: tuple[Portrait, ...] = (Portrait.COLLINS, Portrait.HOPPER, Portrait.COLLINS)
    at_barrier: tuple[Visit, ...] = field(default=VISITS)
    camera: int | None = None
    video: Path | None = None


def write_site(folder: Path, cast: Cast) -> Path:
    """Writes the clips and the site's file; gives the file."""
    if cast.video is None:
        write_barrier_clip(folder / "barrier.mp4", cast.at_barrier, seed=1)
    if cast.camera is None:
        write_door_clip(folder / "door.mp4", cast.at_door, seed=2)
    file = folder / "site.toml"
    file.write_text(_site_text(cast), "utf-8")
    return file


def populate(installation: Installation, cast: Cast) -> None:
    """Registers the vehicle and enrols the person, through the same doors as everybody.

    Raises:
        PosternError: `internal` where the portrait does not give three looks.
    """
    vehicle = Vehicle(VehicleId("v-demo"), plate_text(cast.registered), "the registered car")
    store, now = installation.store, installation.clock.now().utc
    store.vehicles.add(vehicle)
    plate = Credential(CredentialId("plate-demo"), Factor.PLATE, vehicle.id, True, _BEGAN)
    store.credentials.add(plate, now=now)
    person = Person(PersonId("p-demo"), cast.enrolled.value)
    if cast.camera is None:
        _enrol(installation, person, cast.enrolled)
        store.permits.add(_permit("faces", person.id, DOOR, Ceiling(Factor.FACE, 1e-3), 1e-3))
    store.permits.add(_permit("plates", vehicle.id, BARRIER, Ceiling(Factor.PLATE, 1e-4), 1e-4))


def enrol_visitor(installation: Installation) -> None:
    """Enrols whoever sits before the webcam, if they agree; else the door stays shut for everybody.

    Raises:
        PosternError: `unauthorized` where they do not agree; as the camera's own.
    """
    person = Person(PersonId("p-demo"), "You")
    enrolment = build_enrolment(installation)
    applicant = _applicant(person)
    ask(installation.site, applicant, FIRST)
    template = guide(enrolment, open_source(installation, CORRIDOR))
    enrolments(installation).keep(applicant, template, installation.clock.now().utc)
    permit = _permit("faces", person.id, DOOR, Ceiling(Factor.FACE, 1e-3), 1e-3)
    installation.store.permits.add(permit)


def expected(cast: Cast) -> tuple[int, int]:
    """How many attempts should be granted at the barrier and at the door."""
    cars = sum(visit.plate == cast.registered and not visit.blur for visit in cast.at_barrier)
    return cars, sum(person is cast.enrolled for person in cast.at_door)


def visitor(cast: Cast, place: AccessPointId, at_s: float) -> str:
    """Who comes to an access point so many seconds after the start; empty for real input."""
    if place == BARRIER and cast.video is None:
        visit = cast.at_barrier[min(int(at_s / barrier.VISIT_S), len(cast.at_barrier) - 1)]
        return f"{visit.plate}, blurred" if visit.blur else visit.plate
    if place == DOOR and cast.camera is None:
        return cast.at_door[min(int(at_s / door.VISIT_S), len(cast.at_door) - 1)].value
    return ""


def stills(cast: Cast) -> Iterator[tuple[str, str, float]]:
    """A clip, a caption and a second for every visit, where the demo plays its own clips."""
    if cast.video is None:
        for at in range(len(cast.at_barrier)):
            shown_s = at * barrier.VISIT_S + 2.0
            yield "barrier.mp4", visitor(cast, BARRIER, shown_s), shown_s
    if cast.camera is None:
        for at in range(len(cast.at_door)):
            shown_s = at * door.VISIT_S + 2.2
            yield "door.mp4", visitor(cast, DOOR, shown_s), shown_s


def _enrol(installation: Installation, person: Person, portrait: Portrait) -> None:
    enrolment = build_enrolment(installation)
    start = installation.clock.now()
    for at, image in enumerate(enrolment_frames(portrait, seed=3)):
        moment = Moment(start.utc, start.monotonic_s + at)
        enrolment.offer(Frame(CameraId("enrolment"), image, moment, at))
        if enrolment.done:
            applicant, template = _applicant(person), enrolment.reference()
            enrolments(installation).keep(applicant, template, start.utc)
            return
    raise PosternError(Code.INTERNAL, "The demo's portrait did not give three different looks.")


def _applicant(person: Person) -> Applicant:
    return Applicant(person, StorageMode.ROSTER, frozenset({DOOR}))


def _permit(
    name: str, holder: PersonId | VehicleId, at: AccessPointId, asks: Ceiling, whole: float
) -> Permit:
    return Permit(
        PermitId(name), frozenset({holder}), frozenset({at}), (asks,), whole, False, None, _BEGAN
    )


def _site_text(cast: Cast) -> str:
    if cast.camera is None:
        door_camera = 'kind = "file"\npath = "door.mp4"'
    else:
        door_camera = f'kind = "v4l"\ndevice = "/dev/video{cast.camera}"'
    video = "barrier.mp4" if cast.video is None else str(cast.video.absolute())
    return f"""\
# The demo's site. `postern run --site FILE` runs it too.
[site]
name = "Demo"
data = "data"

[faces]
storage = "roster"

[roster]
justification = "A demonstration that is thrown away when it ends, with one person in it."

[camera.{LANE}]
sees = "plate"
kind = "file"
path = {_quoted(video)}

[camera.{CORRIDOR}]
sees = "face"
{door_camera}

[actuator.gate]
kind = "simulated"

[actuator.lock]
kind = "simulated"

[access_point.{BARRIER}]
cameras = ["{LANE}"]
actuator = "gate"

[access_point.{DOOR}]
cameras = ["{CORRIDOR}"]
actuator = "lock"
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""A site's devices, models and keys, looked at one by one. Drives nothing, and makes no file."""

from collections.abc import Iterator
from threading import Timer as Later

from postern.actuators import KINDS as ACTUATORS
from postern.actuators import Timer
from postern.app.clock import SystemClock
from postern.app.config import provided_secrets
from postern.app.finding import Finding, Verdict
from postern.app.site import ActuatorEntry, Camera, Site
from postern.app.wire.installation import Installation, open_models
from postern.core.errors import Code, PosternError
from postern.frame import Source
from postern.sources import KINDS as SOURCES

#: Seconds for a first picture. A source that promises one in time says itself that it has none.
PATIENCE_S = 15.0
#: Kinds of cameras that one program at a time may have.
EXCLUSIVE = {"v4l"}
_PULSES = {
    Timer.DEVICE: "the device ends a pulse by itself",
    Timer.WATCHDOG: "a process of its own ends a pulse, also when the service dies",
    Timer.BROKER: "the broker ends a pulse when the service dies",
    Timer.NOBODY: "nobody ends a pulse when the service dies",
}


def try_camera(camera: Camera, *, served: bool) -> Finding:
    """Whether a camera gives a picture.

    Args:
        camera: The camera.
        served: Whether the site's service runs, which may have the device.
    """
    subject = f"camera {camera.id}"
    if served and camera.kind in EXCLUSIVE:
        return Finding(
            subject, Verdict.UNTRIED, "The service has it.", "Its lines say how it is; or stop it."
        )
    try:
        size = _first_picture(SOURCES[camera.kind].open(camera.config, camera.id, SystemClock()))
    except PosternError as error:
        return Finding(subject, Verdict.MEND, error.message, error.hint)
    if size is None:
        said = f"It gave no picture in {PATIENCE_S:.0f} s."
        return Finding(subject, Verdict.MEND, said, "Check its cable, its power and its address.")
    return Finding(subject, Verdict.WELL, f"It gives pictures of {size[0]} x {size[1]}.")


def _first_picture(source: Source) -> tuple[int, int] | None:
    """Width and height of the first picture; None where none came in time."""
    # A source ends within a second of being closed, whatever its device does.
    limit = Later(PATIENCE_S, source.close)
    limit.daemon = True
    limit.start()
    try:
        frame = next(iter(source.frames()), None)
    finally:
        limit.cancel()
        source.close()
    return None if frame is None else (frame.image.shape[1], frame.image.shape[0])


def look_at_actuator(entry: ActuatorEntry) -> Finding:
    """What ends an actuator's pulses. It is not reached for: that would be to drive it."""
    subject = f"actuator {entry.name}"
    timer = ACTUATORS[entry.kind].timer(entry.config)
    if timer is Timer.NOBODY:
        return Finding(
            subject,
            Verdict.HEED,
            f"It was not driven; {_PULSES[timer]}.",
            "Have the device time its pulses itself (docs/integrate/adapters.md).",
        )
    return Finding(
        subject, Verdict.UNTRIED, f"It was not driven; {_PULSES[timer]}.", "Open once by hand."
    )


def look_at_models(site: Site) -> Iterator[Finding]:
    """Whether every model that is there is the one that it should be."""
    models, wrong = open_models(site.models), 0
    for entry in models.entries:
        if not models.present(entry.name):
            continue
        try:
            models.read(entry.name)
        except PosternError as error:
            wrong += 1
            yield Finding(f"model {entry.name}", Verdict.MEND, error.message, error.hint)
    if not wrong:
        yield Finding("models", Verdict.WELL, "All that are here have the right hash.")


def look_at_keys(site: Site, installation: Installation) -> Iterator[Finding]:
    """Where the site's secrets come from, and how far its keys are."""
    epoch = installation.vault.epoch()[0]
    yield Finding("keys", Verdict.WELL, f"Store, keys and log belong together; epoch {epoch}.")
    secrets = provided_secrets().secrets(site.data)
    for secret in (secrets.site, secrets.signing):
        if secret.path.parent == site.data:
            yield Finding(
                "keys",
                Verdict.HEED,
                f"{secret.path.name} lies beside what it opens: who takes the disk has both.",
                "Keep it elsewhere (docs/operate.md, Keys), with one copy in a safe.",
            )


def store_finding(error: PosternError) -> Finding:
    """What keeps store, keys or log from being opened."""
    retry = "Try again in a moment." if error.code is Code.UNAVAILABLE else ""
    return Finding("store", Verdict.MEND, error.message, error.hint or retry)

"""What measures how a camera is placed. Opens neither store nor keys, and loads no embedder."""

from dataclasses import dataclass
from typing import assert_never

from postern.app.clock import SystemClock
from postern.app.site import Camera, Site
from postern.app.wire.examination import EXCLUSIVE
from postern.app.wire.installation import open_models
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.frame import Source
from postern.sources import KINDS as SOURCES
from postern.vision.aim import Aim
from postern.vision.faces.aim import FaceAim
from postern.vision.faces.load import choose_detector, load_detector, load_gate
from postern.vision.plates import recogniser as plate_recogniser
from postern.vision.plates.aim import PlateAim
from postern.vision.plates.grammar import grammar
from postern.vision.veil import Veil


@dataclass(frozen=True, slots=True)
class Aiming:
    """A camera that is being placed.

    Attributes:
        camera: What the site says of it.
        source: Its pictures.
        aim: Measures them.
    """

    camera: Camera
    source: Source
    aim: Aim


def open_aiming(site: Site, name: CameraId, *, served: bool) -> Aiming:
    """A camera of the site, and what measures its pictures.

    Args:
        site: The site.
        name: The camera.
        served: Whether the site's service runs, which may have the device.

    Raises:
        PosternError: `not_found` where the site has none of that name, or a model is not installed;
            `invalid` where it sees neither faces nor plates; `conflict` where the service has it.
    """
    camera = site.cameras.get(name)
    if camera is None:
        known = ", ".join(site.cameras) or "none"
        raise PosternError(
            Code.NOT_FOUND, f"There is no camera called {name!r}.", f"Known cameras: {known}."
        )
    if camera.sees is Kind.PASS:
        raise invalid(
            f"The camera {name} sees passes only, which need no aiming.",
            "Hold a pass up to it while the service runs; or choose one that sees faces or plates.",
        )
    if served and camera.kind in EXCLUSIVE:
        raise PosternError(
            Code.CONFLICT,
            f"The service has the camera {name}.",
            "Stop it meanwhile: systemctl stop postern, or Ctrl-C where it runs in a terminal.",
        )
    source: Source = SOURCES[camera.kind].open(camera.config, name, SystemClock())
    return Aiming(camera, source, _aim(site, camera.sees))


def open_veil(site: Site) -> Veil:
    """What makes a camera's pictures fit to be shown.

    Raises:
        PosternError: As `load_detector`.
    """
    models = open_models(site.models)
    return Veil(load_detector(models, choose_detector(models, str(site.faces.detector))))


def _aim(site: Site, sees: Kind) -> Aim:
    models = open_models(site.models)
    match sees:
        case Kind.FACE:
            gate = load_gate(models, choose_detector(models, str(site.faces.detector)))
            return FaceAim(gate.detector, gate.aligner, gate.limits)
        case Kind.PLATE:
            regions = tuple(str(region) for region in site.plates.regions)
            return PlateAim(plate_recogniser.load(models, grammar(regions)))
        case Kind.PASS:
            raise invalid("Passes are not measured.")
        case _:
            assert_never(sees)

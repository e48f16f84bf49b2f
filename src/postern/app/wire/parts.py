"""What sees and compares: recognisers, trackers and matchers."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import assert_never

from postern.app.claims import SiteClaims
from postern.app.clock import plausible
from postern.app.matching import SiteFaceMatcher
from postern.app.passes import shown_to
from postern.app.register import StoredRegister, Trusted
from postern.app.wire.installation import Installation, face_detector
from postern.app.wire.people import passes
from postern.core.evidence import Factor
from postern.core.ids import CameraId, Holder
from postern.core.look import Kind
from postern.engine.enrol import Enrolment
from postern.engine.ports import Matchers, Shuttered, Window
from postern.frame import Matcher, Recogniser, Source
from postern.vault.passes import Pass
from postern.vault.passes import claims as is_pass
from postern.vision.faces.continuity import FaceContinuity
from postern.vision.faces.load import load_calibration, load_cohort, load_recogniser
from postern.vision.faces.reference import reference as face_reference
from postern.vision.passes.continuity import PassContinuity
from postern.vision.passes.recogniser import PassRecogniser
from postern.vision.plates import recogniser as plate_recogniser
from postern.vision.plates.continuity import PlateContinuity
from postern.vision.plates.grammar import grammar
from postern.vision.plates.match import PlateMatcher
from postern.vision.track import Patience, Tracker

#: A face fills much of the picture and hardly moves between frames; a plate is small and does. A
#: pass is waved about, and not read in every frame.
_FACE_PATIENCE = Patience()
_PASS_PATIENCE = Patience(reach=3.0, min_overlap=0.05)
_PLATE_PATIENCE = Patience(reach=4.0, min_overlap=0.1, max_probes=8, max_age_s=30.0)
Windows = Callable[[CameraId], Window]
#: Characters of most plates.
_USUAL_PLATE = 7


def shuttered(_camera: CameraId) -> Window:
    """Shows nothing of any camera."""
    return Shuttered()


def build_register(installation: Installation, trusted: Trusted = plausible) -> StoredRegister:
    """Who may be recognised at the site's access points."""
    plates = plate_matcher(installation)
    return StoredRegister(installation.store, installation.vault, plates.reference, trusted)


def least_bounds(
    installation: Installation, holders: Collection[Holder] = ()
) -> dict[Factor, float]:
    """The smallest bound that one comparison can reach, for every factor that the site looks for.

    Args:
        installation: The site's.
        holders: Whose plates are meant; where there is none among them, one of seven characters.
    """
    kinds = {camera.sees for camera in installation.site.cameras.values()}
    least = {}
    if Kind.FACE in kinds:
        least[Factor.FACE] = load_calibration(face_detector(installation)).floor
    if Kind.PLATE in kinds:
        vehicles = installation.store.vehicles.all()
        lengths = {len(one.plate) for one in vehicles if one.id in holders} or {_USUAL_PLATE}
        least[Factor.PLATE] = max(map(_least_of_plate, lengths))
    return least


def check_models(installation: Installation) -> None:
    """Loads what the site's cameras need, as the service does.

    Raises:
        PosternError: Where a model is missing or wrong.
    """
    parts = Parts(installation)
    for kind in {camera.sees for camera in installation.site.cameras.values()}:
        parts.recogniser(kind)


def build_enrolment(installation: Installation) -> Enrolment:
    """What takes somebody's looks in."""
    recogniser = Parts(installation).recogniser(Kind.FACE)
    return Enrolment(recogniser, FaceContinuity(), face_reference)


def read_pass(installation: Installation, source: Source) -> Pass:
    """The first pass that is held up to a camera of the site; as `shown_to`."""
    recogniser = Parts(installation).recogniser(Kind.PASS)
    return shown_to(source, recogniser, passes(installation).reader())


class Parts:
    """Recognisers and matchers of one installation, each made once and only if it is needed.

    Args:
        installation: The site's.
        windows: Gives what shows each camera's frames to whoever looks.
    """

    def __init__(self, installation: Installation, windows: Windows = shuttered) -> None:
        self.windows = windows
        self._installation = installation
        self._recognisers: dict[Kind, Recogniser] = {}

    def recogniser(self, kind: Kind) -> Recogniser:
        """What looks for that kind; the same for every camera."""
        if kind not in self._recognisers:
            self._recognisers[kind] = self._load(kind)
        return self._recognisers[kind]

    def matchers(self, kinds: Collection[Kind]) -> Matchers:
        """Matchers of its own for every lane: they remember the lane's references."""
        return {kind: self._matcher(kind) for kind in kinds if kind is not Kind.PASS}

    def claims(self, register: StoredRegister) -> SiteClaims:
        """What passes say; whichever cameras a lane has."""
        at = self._installation
        embedder = load_calibration(face_detector(at)).embedder
        return SiteClaims(register, at.store, at.vault, passes(at).reader(), embedder)

    def tracker(self, kind: Kind) -> Tracker:
        """What follows passers-by of that kind, for one camera."""
        match kind:
            case Kind.PLATE:
                return Tracker(PlateContinuity(), _PLATE_PATIENCE)
            case Kind.PASS:
                return Tracker(PassContinuity(), _PASS_PATIENCE)
            case Kind.FACE:
                return Tracker(FaceContinuity(), _FACE_PATIENCE)
            case _:
                assert_never(kind)

    def _matcher(self, kind: Kind) -> Matcher:
        if kind is Kind.PLATE:
            return plate_matcher(self._installation)
        detector = face_detector(self._installation)
        calibration = load_calibration(detector)
        return SiteFaceMatcher(self._installation.vault, calibration, load_cohort(detector))

    def _load(self, kind: Kind) -> Recogniser:
        installation = self._installation
        match kind:
            case Kind.PLATE:
                regions = tuple(str(region) for region in installation.site.plates.regions)
                return plate_recogniser.load(installation.models, grammar(regions))
            case Kind.PASS:
                return PassRecogniser(is_pass)
            case Kind.FACE:
                return load_recogniser(installation.models, face_detector(installation))
            case _:
                assert_never(kind)


@lru_cache
def _least_of_plate(length: int) -> float:
    # Which characters they are hardly matters, and looking at each plate would take minutes.
    matcher = PlateMatcher("any")
    return matcher.best(matcher.reference("KM4178WHDR"[:length]))


def plate_matcher(installation: Installation) -> PlateMatcher:
    """What compares plates that the installed reader read."""
    return PlateMatcher(installation.models.entry("plate-reader-ppocr").sha256)

"""Taking somebody in: three looks that differ, live, with their consent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postern.core.errors import Code, PosternError
from postern.core.look import ADVICE
from postern.frame import Continuity, Frame, Recogniser, Source, Template

#: Looks in a reference, and what the person is asked to do for each.
TASKS = (
    "look straight into the camera",
    "turn your head slightly to the left",
    "turn your head slightly to the right",
)
#: Seconds that looks lie apart at least, so that one movement does not give all of them.
_APART_S = 0.5
#: Seconds after which an enrolment gives up.
TIMEOUT_S = 120.0

Fuse = Callable[[Sequence[Template]], Template]


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the person who enrols should do now.

    Attributes:
        taken: How many looks are taken.
        task: What is asked for; empty when all are taken.
        advice: What spoils the present picture; empty where nothing does.
    """

    taken: int
    task: str
    advice: str


@dataclass(frozen=True, slots=True)
class Presence:
    """What a source must be for an enrolment."""

    throwaway: bool

    def check(self, source: Source) -> None:
        """Refuses a recording: it proves nobody's presence.

        Raises:
            PosternError: `unauthorized` unless the source is live or the store is thrown away.
        """
        if not source.live and not self.throwaway:
            raise PosternError(
                Code.UNAUTHORIZED,
                "People enrol in front of a live camera; pictures and recordings are refused.",
                "Use a camera of the kind v4l, with the person present. "
                "To try Postern without a camera: postern demo",
            )


class Enrolment:
    """Gathers the looks of one person.

    Args:
        recogniser: Makes looks.
        continuity: Says which belong together and which differ.
        fuse: Makes a reference of them.
    """

    def __init__(self, recogniser: Recogniser, continuity: Continuity, fuse: Fuse) -> None:
        self._recogniser = recogniser
        self._continuity = continuity
        self._fuse = fuse
        self._looks: tuple[Template, ...] = ()
        self._taken_s = 0.0

    @property
    def done(self) -> bool:
        """Whether all looks are taken."""
        return len(self._looks) == len(TASKS)

    def offer(self, frame: Frame) -> Guidance:
        """Takes a look if the frame shows a new one; says what to do next."""
        advice = self._take(frame)
        task = "" if self.done else TASKS[len(self._looks)]
        return Guidance(len(self._looks), task, advice)

    def reference(self) -> Template:
        """The person's reference.

        Raises:
            PosternError: `invalid` before all looks are taken.
        """
        return self._fuse(self._looks)

    def _take(self, frame: Frame) -> str:
        sightings = self._recogniser.sightings(frame)
        if not sightings:
            return "nobody is in the picture"
        template, flaws = sightings[0].template, sightings[0].look.flaws
        if template is None:
            return ADVICE[flaws[0]] if flaws else "stay in the picture"
        return "" if self.done else self._keep(template, frame.captured.monotonic_s)

    def _keep(self, template: Template, now_s: float) -> str:
        if self._looks and not self._continuity.same(self._looks, template):
            # Somebody else stepped in: nothing of two people may end up in one reference.
            self._looks, self._taken_s = (template,), now_s
            return "one person at a time; the looks are taken anew"
        if self._looks and now_s - self._taken_s < _APART_S:
            return ""
        if self._looks and not self._continuity.differs(self._looks, template):
            return "this look is there already"
        self._looks, self._taken_s = (*self._looks, template), now_s
        return ""


def gather(enrolment: Enrolment, source: Source, tell: Callable[[Guidance], None]) -> Template:
    """Runs an enrolment on a source until all looks are taken.

    Args:
        enrolment: Gathers the looks.
        source: Already found fit by `Presence.check`.
        tell: Shows the guidance; called for every frame.

    Raises:
        PosternError: `unavailable` where the source ends or time runs out before all are taken.
    """
    begun_s: float | None = None
    for frame in source.frames():
        now_s = frame.captured.monotonic_s
        begun_s = now_s if begun_s is None else begun_s
        tell(enrolment.offer(frame))
        if enrolment.done:
            return enrolment.reference()
        if now_s - begun_s > TIMEOUT_S:
            break
    raise PosternError(
        Code.UNAVAILABLE,
        "Three looks that differ could not be taken.",
        "Try again with more light, alone in the picture, turning the head a little each time.",
    )

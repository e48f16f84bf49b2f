"""Everything beside the cameras: orders, inputs, and who stands beside each door."""

from collections.abc import Sequence
from time import monotonic

from postern.engine.porter import Porter
from postern.engine.sensing import Sensing
from postern.engine.standing import Standing


class Attendance:
    """The porters of a site, the inputs that they hear, and the orders that they obey.

    Args:
        standing: The orders; None where nobody can order anything.
        porters: One for each access point.
        senses: The site's inputs.
    """

    def __init__(
        self,
        porters: Sequence[Porter] = (),
        senses: Sequence[Sensing] = (),
        standing: Standing | None = None,
    ) -> None:
        ordered = () if standing is None else (standing,)
        self._porters = tuple(porters)
        self._parts: tuple[Standing | Porter | Sensing, ...] = (*ordered, *porters, *senses)

    @property
    def holding(self) -> bool:
        """Whether anything is held open now, by order or by fire."""
        return any(porter.holding for porter in self._porters)

    def start(self) -> None:
        """Reads the orders, then starts the porters and the inputs."""
        for part in self._parts:
            part.start()

    def halt(self) -> None:
        """Tells all of them to end, without waiting."""
        for part in self._parts:
            part.halt()

    def join(self, until_s: float) -> None:
        """Waits until all have ended, or that time has come on the monotonic clock."""
        for part in self._parts:
            part.join(max(0.0, until_s - monotonic()))

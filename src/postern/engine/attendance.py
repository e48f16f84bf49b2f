"""Everything beside the cameras: inputs, and who stands beside each door; started and stopped."""

from collections.abc import Sequence
from time import monotonic

from postern.engine.porter import Porter
from postern.engine.sensing import Sensing


class Attendance:
    """The porters of a site, and the inputs that they hear.

    Args:
        porters: One for each access point.
        senses: The site's inputs.
    """

    def __init__(self, porters: Sequence[Porter] = (), senses: Sequence[Sensing] = ()) -> None:
        self._parts: tuple[Porter | Sensing, ...] = (*porters, *senses)

    def start(self) -> None:
        """Starts the porters, then the inputs."""
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

"""Several observers as one: what befalls one of them is nothing to the others, nor to the lane."""

from collections.abc import Callable

from postern.core.ids import CameraId
from postern.engine.ports import Observer, Outcome
from postern.engine.supervise import shielded


class Observers:
    """Tells each of several observers, in order, whatever becomes of the others.

    They are called one after the other while the lane waits: one that may take long does its work
    in a thread of its own.

    Args:
        observers: Whom to tell.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        self._each(lambda observer: observer.ended(outcome))

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""
        self._each(lambda observer: observer.health(camera, state, sentence))

    def _each(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            _told(tell, observer)


def _told(tell: Callable[[Observer], None], observer: Observer) -> None:
    shielded(lambda: tell(observer), lambda _why: None)

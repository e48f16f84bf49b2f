"""The state of a camera or an access point, as the parts that serve it see it together."""

from collections.abc import Callable
from threading import Lock

from postern.engine.supervise import shielded

#: From the one that counts most to the one that counts least.
_GRAVEST_FIRST = ("red", "starting", "ok", "finished")


class Health:
    """Joins what several parts say of themselves, and tells every change.

    A part that is red keeps the whole red until it says otherwise itself: that another part has
    finished, or does well, hides nothing. The whole is `ok` once every part is.

    Args:
        parts: Their names.
        tell: Told the state (`ok`, `red` or `finished`) and one sentence; it may fail.
        initial: What every part is until it says something: `starting` or `ok`.
    """

    def __init__(
        self, parts: tuple[str, ...], tell: Callable[[str, str], None], initial: str = "starting"
    ) -> None:
        self._tell = tell
        self._lock = Lock()  # Guards what follows, and keeps what is told in order.
        self._states = dict.fromkeys(parts, initial)
        self._told = (initial, "")

    def report(self, part: str, state: str, sentence: str) -> None:
        """Takes one part's state, with the sentence to tell if it changes that of the whole."""
        with self._lock:
            self._states[part] = state
            whole = min(self._states.values(), key=_GRAVEST_FIRST.index)
            if whole != state:
                return
            news = whole != self._told[0] or (whole == "red" and sentence != self._told[1])
            if news:
                self._told = (whole, sentence)
                shielded(lambda: self._tell(whole, sentence), lambda _why: None)

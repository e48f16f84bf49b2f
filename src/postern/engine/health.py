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
        self._states = dict.fromkeys(parts, (initial, ""))
        self._told = (initial, "")  # The state, and the part that it came from.

    def report(self, part: str, state: str, sentence: str) -> None:
        """Takes one part's state, with the sentence to tell if it changes that of the whole."""
        with self._lock:
            before, self._states[part] = self._states[part], (state, sentence)
            whole = min((one for one, _ in self._states.values()), key=_GRAVEST_FIRST.index)
            if whole == state:
                # Of several that are red, each tells what is new and none the same again.
                if whole != self._told[0] or (whole == "red" and before != (state, sentence)):
                    self._tell_of(part)
            elif whole == "red" and part == self._told[1]:
                # What is well again is not what is wrong any more.
                self._tell_of(next(one for one, (at, _) in self._states.items() if at == whole))

    def _tell_of(self, part: str) -> None:
        state, sentence = self._states[part]
        self._told = (state, part)
        shielded(lambda: self._tell(state, sentence), lambda _why: None)

"""One input: a thread that listens to it, and goes on listening when it was gone."""

from collections.abc import Sequence
from threading import Event, Thread

from postern.core.ids import CameraId
from postern.core.ports import Input
from postern.core.signal import Means, Signal
from postern.engine.porter import Porter
from postern.engine.ports import Observer
from postern.engine.supervise import BackOff, shielded, supervise

#: A button that was dead may be pressed as soon as it lives: nobody waits half a minute for it.
BACK_OFF = BackOff(0.5, 5.0)
#: Seconds for the thread to end; inputs do within one, and who hears them may be opening a door.
STOP_S = 2.5


class Sensing:
    """Listens to one input from `start` until `halt`.

    Args:
        name: What it is called.
        means: What it means.
        source: Where it is read.
        porters: Who hears it: of one access point or, for fire, of several.
        observer: Told whether it lives, under the name `input NAME`.
        back_off: How long to wait before it is listened to again.
    """

    def __init__(
        self,
        name: str,
        means: Means,
        source: Input,
        porters: Sequence[Porter],
        observer: Observer,
        back_off: BackOff = BACK_OFF,
    ) -> None:
        self._name = name
        self._means = means
        self._source = source
        self._porters = tuple(porters)
        self._observer = observer
        self._back_off = back_off
        self._stop = Event()
        self._told = ("", "")  # Belongs to the thread.
        self._thread = Thread(target=self._run, name=f"{name}-input", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def halt(self) -> None:
        """Tells the thread to end, without waiting."""
        self._stop.set()
        shielded(self._source.close, lambda _why: None)

    def join(self, timeout_s: float = STOP_S) -> None:
        """Waits until it has ended, for so many seconds at most."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        supervise(self._listen, self._failed, self._stop, self._back_off)

    def _listen(self) -> None:
        for signal in self._source.signals():
            if self._stop.is_set():
                return
            if signal is None:
                self._tell("ok", "it is reached, and has not said anything yet")
            else:
                self._tell("ok", "it is heard")
                self._hear(signal)

    def _hear(self, signal: Signal) -> None:
        """Tells all that hear it; what befalls one keeps nothing from the others."""
        for porter in self._porters:
            shielded(
                lambda porter=porter: porter.hear(self._name, self._means, signal),  # type: ignore[misc]
                lambda why: self._tell("red", why),
            )

    def _failed(self, state: str, why: str) -> None:
        if self._stop.is_set():
            return
        for porter in self._porters:
            porter.lose(self._name, self._means)
        self._tell("red" if state == "red" else state, why)

    def _tell(self, state: str, why: str) -> None:
        # Where it is well, its sentence may change without anybody having to know.
        if (state, why) == self._told or state == self._told[0] == "ok":
            return
        self._told = (state, why)
        name = CameraId(f"input {self._name}")
        shielded(lambda: self._observer.health(name, state, why), lambda _why: None)

"""The service's look at itself, and what its manager makes of it."""

from pathlib import Path
from threading import Event

from postern.app.heartbeat import Heartbeat
from postern.app.notify import Manager
from tests.app.manager import Listener


def test_manager_hears_that_it_lives_for_as_long_as_it_does(tmp_path: Path) -> None:
    """And how it stands, either way; it comes to life again when the lanes do."""
    dead = Event()
    with Listener.at(tmp_path) as manager:
        beat = Heartbeat(
            lambda: not dead.is_set(),
            lambda: "dead" if dead.is_set() else "well",
            Manager(manager.address),
            period_s=0.02,
        )
        beat.start()
        assert manager.listen(lambda: manager.said("WATCHDOG=1") >= 3)
        dead.set()
        assert manager.listen(lambda: manager.said("STATUS=dead") >= 5)
        pets = manager.said("WATCHDOG=1")
        assert manager.listen(lambda: manager.said("STATUS=dead") >= 15)
        assert pets == manager.said("WATCHDOG=1")
        dead.clear()
        assert manager.listen(lambda: manager.said("WATCHDOG=1") > pets)
        beat.stop()
        pets = manager.said("WATCHDOG=1")
        assert not manager.listen(lambda: manager.said("WATCHDOG=1") > pets + 1, 0.3)

    assert "READY=1" == manager.heard[0][1]


def test_whoever_cannot_tell_is_not_alive(tmp_path: Path) -> None:
    """And whatever else is looked at may fail."""

    def fails() -> bool:
        raise RuntimeError

    with Listener.at(tmp_path) as manager:
        beat = Heartbeat(fails, fails, Manager(manager.address), fails, 0.02)  # type: ignore[arg-type]
        beat.start()
        told = "STATUS=an internal fault (RuntimeError)"
        assert manager.listen(lambda: manager.said(told) >= 3)
        beat.stop()

    assert 0 == manager.said("WATCHDOG=1")

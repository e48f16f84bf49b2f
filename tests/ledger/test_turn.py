"""Taking turns: among threads and processes, and never waiting without end."""

import fcntl
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from postern.core.errors import Code, PosternError
from postern.ledger.turn import Turn


def test_whoever_never_gives_a_turn_up_is_waited_for_in_vain_for_five_seconds(
    tmp_path: Path,
) -> None:
    """Another process was stopped in its turn. Several threads wait for it together."""
    turn, waited_s = Turn(tmp_path / "lock"), list[float]()

    def wait() -> None:
        began_s = monotonic()
        with (
            pytest.raises(PosternError, match="Another program is writing") as refused,
            turn.held(),
        ):
            raise AssertionError
        assert Code.UNAVAILABLE is refused.value.code
        waited_s.append(monotonic() - began_s)

    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        threads = [Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 3 == len(waited_s)
    assert 4.9 < min(waited_s) <= max(waited_s) < 6.5
    with turn.held():
        pass

"""How the states of several parts become one."""

import pytest

from postern.engine.health import Health


def told(*reports: tuple[str, str, str], initial: str = "starting") -> list[tuple[str, str]]:
    """What is told when two parts report so."""
    heard: list[tuple[str, str]] = []
    health = Health(("in", "look"), lambda state, why: heard.append((state, why)), initial)
    for part, state, why in reports:
        health.report(part, state, why)
    return heard


OK = (("in", "ok", "frames arrive"), ("look", "ok", "frames arrive"))


def test_health_is_ok_once_every_part_is() -> None:
    """One part alone says nothing yet; repeating it adds nothing."""
    assert [] == told(OK[0])
    assert [("ok", "frames arrive")] == told(*OK, *OK)


@pytest.mark.parametrize("state", ["ok", "finished"])
def test_health_stays_red_whatever_another_part_says(state: str) -> None:
    """A camera that can never be read is not finished, nor well."""
    assert [("red", "damaged")] == told(("in", "red", "damaged"), ("look", state, "fine"))


def test_health_recovers_when_the_part_itself_says_so() -> None:
    """Red, and ok again."""
    assert ["ok", "red", "ok"] == [s for s, _ in told(*OK, ("in", "red", "away"), OK[0])]


def test_health_tells_another_reason_but_not_the_same_again() -> None:
    """Two failures of one kind are one change."""
    away, broken = ("in", "red", "away"), ("in", "red", "broken")

    assert [("red", "away"), ("red", "broken")] == told(away, away, broken)


def test_two_parts_that_are_red_are_told_once_each() -> None:
    """Both try again and again; a night of it would fill the journal."""
    away, full = ("in", "red", "away"), ("look", "red", "full")

    assert [("red", "away"), ("red", "full")] == told(*(away, full) * 5)


def test_part_that_is_well_again_leaves_the_word_to_the_one_that_is_not() -> None:
    """What was mended is not what an operator reads; what is still wrong is."""
    away, full = ("in", "red", "away"), ("look", "red", "full")

    assert [("red", "full"), ("red", "away"), ("red", "full")] == told(full, away, OK[0])
    assert [("red", "away"), ("red", "full")] == told(away, full, OK[0])


def test_health_is_finished_once_every_part_is() -> None:
    """The last frames are still looked at when the source has ended."""
    ended = (("in", "finished", "done"), ("look", "finished", "done"))

    assert ["ok"] == [state for state, _ in told(*OK, ended[0])]
    assert ["ok", "finished"] == [state for state, _ in told(*OK, *ended)]


def test_health_that_began_well_tells_only_what_goes_wrong() -> None:
    """A record that is kept is no news, one that is not is, and so is its return."""
    red, ok = ("in", "red", "disk full"), ("in", "ok", "kept")

    assert [("red", "disk full"), ("ok", "kept")] == told(ok, red, ok, initial="ok")


def test_health_survives_whoever_it_tells() -> None:
    """A screen that fails does not take a lane with it."""

    def fails(state: str, why: str) -> None:
        raise RuntimeError

    Health(("in",), fails).report("in", "red", "away")

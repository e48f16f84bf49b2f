"""Who may call what."""

from typing import Any

import pytest
from litestar.connection import ASGIConnection

from postern.core.role import STEP_UP, Right
from postern.web.caller import Caller, needs
from postern.web.problem import RefusedError


def connection(caller: Caller | None) -> ASGIConnection[Any, Any, Any, Any]:
    return ASGIConnection({"type": "http", "user": caller})  # type: ignore[arg-type]


def asked(right: Right, caller: Caller | None) -> str:
    """The problem that it is; empty where there is none."""
    try:
        needs(right)(connection(caller), None)  # type: ignore[arg-type]
    except RefusedError as error:
        return f"{error.status.value} {error.kind}"
    return ""


@pytest.mark.parametrize("right", Right)
def test_nobody_may_do_anything(right: Right) -> None:
    """Without a caller there is no right."""
    assert "401 sign-in" == asked(right, None)


@pytest.mark.parametrize("right", Right)
def test_right_is_asked_for_by_itself(right: Right) -> None:
    """Every other together do not make up for it."""
    others = Caller("user:maria", frozenset(Right) - {right}, fresh=True)
    assert "403 not-allowed" == asked(right, others)
    assert "" == asked(right, Caller("user:maria", frozenset({right}), fresh=True))


@pytest.mark.parametrize("right", Right)
def test_some_rights_ask_once_more_who_it_is(right: Right) -> None:
    """Of a session that has been open for a while."""
    stale = Caller("user:maria", frozenset(Right), fresh=False)
    assert ("401 step-up" if right in STEP_UP else "") == asked(right, stale)


def test_one_of_several_rights_is_enough() -> None:
    """Whoever has none of them is told the first; one that asks for no proof spares it."""
    guard = needs(Right.WATCH, Right.OPEN)

    def told(*rights: Right) -> str:
        caller = Caller("user:maria", frozenset(rights), fresh=False)
        try:
            guard(connection(caller), None)  # type: ignore[arg-type]
        except RefusedError as error:
            return f"{error.status.value} {error.kind}"
        return ""

    assert "" == told(Right.WATCH)
    assert "" == told(Right.WATCH, Right.OPEN)
    assert "401 step-up" == told(Right.OPEN)
    assert "403 not-allowed" == told(Right.READ)

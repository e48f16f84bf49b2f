"""Carrying an upgrade out, from wherever it was cut off.

Every step may be done twice. Which were done is told by the link `current`, since that alone says
which version's program the machine would start:

    current is the origin:  stop, keep a copy of the store, switch, start, prove
    current is the target:  start, prove
    it has failed:          stop, put the store back if the origin cannot read it, switch, start
    it cannot be noted:     start what is current, and try again later

So a start of the machine between two steps finds a version that fits the store: until the switch
no other than the origin has seen it, and until the origin can read it again the target stays
`current`.
"""

from contextlib import suppress
from dataclasses import replace
from time import monotonic, sleep
from typing import Protocol

from postern.app.upgrade.order import Order, Outcome
from postern.app.upgrade.places import CURRENT, PREVIOUS, PROVED, Places
from postern.core.errors import Code, PosternError

#: Seconds between looks at whether the service is still up.
_TICK_S = 0.25


class Manager(Protocol):
    """The machine's service manager, and a way to run a version's commands."""

    def stop(self) -> None:
        """Ends the service; done where it does not run.

        Raises:
            PosternError: `unavailable` where it still runs.
        """
        ...

    def start(self) -> None:
        """Starts the service of the version that `current` leads to; done where it runs.

        Raises:
            PosternError: `unavailable` where it did not start.
        """
        ...

    def is_up(self) -> bool:
        """Whether the service is running now."""
        ...

    def command(self, version: str, *words: str) -> None:
        """Runs a version's command as the service's user.

        Raises:
            PosternError: with what that command said, where it failed; `unavailable` where it may
                succeed later.
        """
        ...


def carry_out(places: Places, manager: Manager) -> Outcome | None:
    """Does what was written down, from wherever it is; None where nothing was.

    Args:
        places: The installation.
        manager: The machine's.

    Raises:
        PosternError: `unavailable` where the installation cannot be changed now; the next call goes
            on.
    """
    order = places.order()
    if order is None:
        return None
    # A disk that is full or read-only is found out while the service still runs.
    places.give(order)
    try:
        return _carried_out(places, manager, order)
    except PosternError:
        # How far it is cannot be written down: until it can, what is current serves the site.
        with suppress(PosternError):
            manager.start()
        raise


def _carried_out(places: Places, manager: Manager, order: Order) -> Outcome:
    if not order.failed:
        try:
            _try_target(places, manager, order)
        except PosternError as error:
            # From here on there is no way but back, whatever happens in between.
            order = places.order() or order
            order = replace(order, failed=f"{_became_of(places, order)}: {error.message}")
            places.give(order)
        else:
            return _finish(places, manager, order)
    return _go_back(places, manager, order)


def _try_target(places: Places, manager: Manager, order: Order) -> None:
    if places.named(CURRENT) == order.origin:
        manager.stop()
        if not order.kept:
            manager.command(order.origin, "upgrade", "--step", "keep", order.target)
        if order.restore:
            # The copy that was just made must not be made anew of what replaces the store.
            places.give(replace(order, kept=True))
            manager.command(order.target, "upgrade", "--step", "restore", order.origin)
        places.name(CURRENT, order.target)
    _start(manager, order.target, order.steady_s)


def _became_of(places: Places, order: Order) -> str:
    tried = order.kept or places.named(CURRENT) == order.target
    return f"Postern {order.target} {'did not prove itself' if tried else 'was not tried'}"


def _finish(places: Places, manager: Manager, order: Order) -> Outcome:
    places.name(PREVIOUS, order.origin)
    places.name(PROVED, order.target)
    said = f"Postern {order.target} serves the site; it was {order.origin}."
    outcome = Outcome(True, said + _forget(manager, order.target, order))
    places.end(outcome)
    places.tidy()
    return outcome


def _go_back(places: Places, manager: Manager, order: Order) -> Outcome:
    said = order.failed
    # Until the switch, none but the origin has seen the store, unless its copy was put back.
    if order.kept or places.named(CURRENT) != order.origin:
        try:
            manager.stop()
            put_back = "restore" if order.kept else "back"
            manager.command(order.origin, "upgrade", "--step", put_back, order.target)
        except PosternError as error:
            return _stay(places, manager, order, f"{said} There is no way back: {error.message}")
        places.name(CURRENT, order.origin)
    # The target may have been taken for proved, and then fail after it was cut off.
    places.name(PROVED, order.origin)
    try:
        _start(manager, order.origin, order.steady_s)
    except PosternError as error:
        said = f"{said} Nor does {order.origin} run: {error.message}"
    else:
        said = f"{said} Postern {order.origin} serves the site again."
    outcome = Outcome(False, said + _forget(manager, order.origin, order))
    places.end(outcome)
    places.tidy()
    return outcome


def _stay(places: Places, manager: Manager, order: Order, said: str) -> Outcome:
    """Leaves what is current: a version that fails a check may still open the gate."""
    said = f"{said} Postern {places.named(CURRENT)} is left in place."
    try:
        manager.start()
    except PosternError:
        said = f"{said} It does not start."
    outcome = Outcome(False, said + _forget(manager, order.origin, order))
    if places.named(CURRENT) == order.target:
        places.name(PREVIOUS, order.origin)
    places.end(outcome)
    return outcome


def _forget(manager: Manager, version: str, order: Order) -> str:
    """Has the copy of the keys removed, which undoes erasures; says where that failed."""
    try:
        manager.command(version, "upgrade", "--step", "forget", order.target)
    except PosternError as error:
        return f" {error.message}"
    return ""


def _start(manager: Manager, version: str, steady_s: float) -> None:
    """Starts the service, and waits until it has been up for long enough and its check passes."""
    manager.start()
    manager.command(version, "check")
    until_s = monotonic() + steady_s
    while True:
        if not manager.is_up():
            raise PosternError(Code.UNAVAILABLE, "The service ended by itself.")
        if monotonic() >= until_s:
            return
        sleep(_TICK_S)

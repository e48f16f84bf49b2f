"""Slowing down whoever guesses: after five failures each further try has to wait, twice as long
every time, and a quarter of an hour at most.

A try is counted before it is looked at, and taken back where it was right.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from threading import Lock

from postern.app.signin.desk import Desk
from postern.app.signin.refusal import blocked
from postern.core.moment import Moment

#: Failures in a row that cost nothing; then seconds, doubling.
FREE, FIRST_S, LONGEST_S = 5, 1.0, 900.0
#: Seconds without a failure after which a source begins anew.
_FORGOTTEN_S = 3600.0
#: Sources that are remembered, and names that no user has.
_MOST_SOURCES, _MOST_NAMES = 4096, 1000
#: Bits of an address in IPv6 that one network has for itself.
_NETWORK_BITS = 64


def wait_s(failures: int) -> float:
    """Seconds that the next try has to wait after so many failures in a row."""
    if failures < FREE:
        return 0.0
    return min(FIRST_S * 2.0 ** min(failures - FREE, 20), LONGEST_S)


@dataclass(slots=True)
class _Source:
    failures: int
    last_s: float


class Sources:
    """Failures by where they came from, in memory; usable from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, _Source] = OrderedDict()  # Longest ago first.

    def begin(self, source: str, now: Moment) -> None:
        """Counts a try from there as a failure.

        Args:
            source: An address; empty where it is not known, which is never slowed down.
            now: The present moment.

        Raises:
            RefusedError: 429 where it has to wait.
        """
        if not source:
            return
        name = network(source)
        with self._lock:
            kept = self._kept.pop(name, None)
            if kept is None or now.monotonic_s - kept.last_s > _FORGOTTEN_S:
                kept = _Source(0, now.monotonic_s)
            left_s = kept.last_s + wait_s(kept.failures) - now.monotonic_s
            if left_s <= 0.0:
                kept.failures, kept.last_s = kept.failures + 1, now.monotonic_s
            self._kept[name] = kept
            while len(self._kept) > _MOST_SOURCES:
                self._kept.popitem(last=False)
        if left_s > 0.0:
            raise blocked(left_s)

    def right(self, source: str) -> None:
        """Takes the last try from there back. Others stay: whoever can sign in may still guess."""
        with self._lock:
            kept = self._kept.get(network(source))
            if kept is not None:
                kept.failures = max(0, kept.failures - 1)


class Names:
    """Failures by the name that was given, in the store, whether somebody has it or not.

    Args:
        desk: Where people sign in.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(self, name: str) -> None:
        """Counts a try with that name as a failure.

        Raises:
            RefusedError: 429 where it has to wait.
            PosternError: `unavailable`.
        """
        now, store, hidden = self._desk.now(), self._desk.store, self._hidden(name)
        with store.together():
            failures, last = store.sign_in_tries.of(hidden)
            left_s = _left_s(failures, last, now)
            if left_s <= 0.0:
                store.sign_in_tries.note(hidden, failures + 1, now)
            if failures == 0:
                known = [self._hidden(user.name) for user in store.users.all()]
                store.sign_in_tries.trim(_MOST_NAMES, known)
        if left_s > 0.0:
            raise blocked(left_s)

    def wrong(self, name: str) -> None:
        """Notes that the try was wrong; where that blocks the next one, it is an event.

        Raises:
            PosternError: `unavailable`.
        """
        store = self._desk.store
        failures, _ = store.sign_in_tries.of(self._hidden(name))
        if failures < FREE:
            return
        # Of a name that nobody has the event says nothing: it may be a password.
        known = store.users.known(name)
        self._desk.note("sign-in blocked", known.id if known else "", "sign-in")

    def half(self, name: str) -> None:
        """Takes the last try with that name back: the password was right, and a code is to follow.

        Raises:
            PosternError: `unavailable`.
        """
        store, hidden = self._desk.store, self._hidden(name)
        with store.together():
            failures, last = store.sign_in_tries.of(hidden)
            if last is not None:
                store.sign_in_tries.note(hidden, failures - 1, last)

    def right(self, name: str) -> None:
        """Notes that somebody signed in by that name: counting starts again.

        Raises:
            PosternError: `unavailable`.
        """
        self._desk.store.sign_in_tries.clear(self._hidden(name))

    def _hidden(self, name: str) -> str:
        typed = b"name " + name.encode("utf-8", "replace")
        return hmac.digest(self._desk.key, typed, "sha256").hex()


def network(address: str) -> str:
    """The network that one stranger has for themselves: an address, or half of one in IPv6."""
    try:
        number = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(number, IPv6Address):
        return str(number)
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return f"{int(number) >> (128 - _NETWORK_BITS):x}/{_NETWORK_BITS}"


def _left_s(failures: int, last: datetime | None, now: datetime) -> float:
    # A calendar that was set back would make somebody wait for as long as it was wrong: that try is
    # free, and counted at the time that is right.
    if last is None or last > now:
        return 0.0
    return (last + timedelta(seconds=wait_s(failures)) - now).total_seconds()

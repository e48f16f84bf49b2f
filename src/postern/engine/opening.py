"""What a door or barrier itself tells: whether it was forced, stands open, or let too many through.

A state machine of one access point. It has no thread and no clock: whoever holds it guards it, and
tells it what happened and when.

1. An opening is allowed for a while after every pulse, and after a request to exit. Any other that
   was seen to happen is *forced*; whether one was asked for may be heard a moment after the door.
2. A state that is not known raises nothing: neither before a contact's first word nor while its
   input is dead, and a door that is found open was opened nobody knows how. Once it is known to
   stand open, that counts.
3. A door that *stands open* for too long is `held_open`; where a loop or beam tells whether
   anything is in the way, it is `not_closed`, and so is whatever stays in the way.
4. A pulse lets one through. Of loops and beams each counts who passes it; when more pass one than
   were let through since it was last shut, that is *tail-gating*.
5. While it is held open by order, or by fire, nothing that follows from that is an alarm.
6. An alarm is over once its cause is gone, and has lasted for a while, so that somebody sees it.
"""

from dataclasses import dataclass
from math import inf

from postern.core.alarm import Alarm
from postern.core.errors import invalid
from postern.core.moment import Moment
from postern.core.signal import Means, Signal

#: Seconds within which a request to exit may be heard after the door that it opens: each input is
#: asked for itself, and a bar that is pushed opens and requests at once.
GRACE_S = 1.0
#: Seconds that an alarm lasts at least.
LASTS_S = 10.0
#: Seconds for which a loop or beam must be free between two that pass; a trailer's drawbar is less.
GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take at an access point.

    Attributes:
        hold_s: For how long a pulse drives the actuator, in seconds.
        opens_within_s: For how long after a pulse it may be opened, and within which time it has to
            be, in seconds.
        held_open_s: For how long it may stand open, in seconds.
    """

    hold_s: float = 1.0
    opens_within_s: float = 10.0
    held_open_s: float = 30.0

    def __post_init__(self) -> None:
        if not (self.hold_s > 0.0 and self.opens_within_s > 0.0 and self.held_open_s > 0.0):
            raise invalid("Times at a door are positive.")


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that begins, or is over."""

    alarm: Alarm
    over: bool


class Opening:
    """One access point. Every method gives the alarms that begin or are over with it.

    Args:
        limits: How long things may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._contacts: dict[str, bool | None] = {}
        self._ways: dict[str, _Way] = {}
        self._open_since: Moment | None = None
        self._held = False
        self._held_until = -inf
        self._allowed_until = -inf
        self._suspect: Moment | None = None
        self._awaited: Moment | None = None
        self._driven = False
        self._let_through = 0
        self._flags: set[Alarm] = set()
        self._raised: dict[Alarm, Moment] = {}

    @property
    def raised(self) -> frozenset[Alarm]:
        """The alarms that are not over."""
        return frozenset(self._raised)

    def heard(self, name: str, means: Means, signal: Signal, now: Moment) -> tuple[Change, ...]:
        """Takes what an input says."""
        if means is Means.DOOR_CONTACT:
            self._heard_contact(name, signal)
        elif means in (Means.LOOP, Means.BEAM):
            self._ways.setdefault(name, _Way()).heard(signal)
        elif means is Means.REQUEST_TO_EXIT and signal.active and signal.live:
            self._allow(signal.at)
        return self.tick(now)

    def lost(self, name: str, means: Means, now: Moment) -> tuple[Change, ...]:
        """Takes that an input says nothing any more."""
        if means is Means.DOOR_CONTACT:
            self._contacts[name] = None
            self._note_contact(now)
        elif name in self._ways:
            self._ways[name].lost()
        return self.tick(now)

    def allowed(self, at: Moment) -> None:
        """Takes that a pulse is about to be driven. It may open before `driven` is told."""
        self._allow(at)
        self._let_through += 1
        # What an earlier pulse is owed, that may have failed, does not hurry this one.
        owed = self._awaited is not None and self._driven
        if self._shut and not self._held and not owed:
            self._awaited, self._driven = at, False

    def driven(self) -> None:
        """Takes that the latest pulse was driven, as the device says."""
        self._driven = True

    def held(self, held: bool, now: Moment) -> tuple[Change, ...]:
        """Takes whether it is held open, by order or by fire."""
        if self._held and not held:
            self._held_until = now.monotonic_s
            self._allow(now)
            self._forget_passages()
        self._held = held
        if held:
            self._awaited = self._suspect = None
        return self.tick(now)

    def tick(self, now: Moment) -> tuple[Change, ...]:
        """Lets time pass."""
        self._advance(now)
        causes = self._flags | self._lasting(now)
        begun = sorted(causes - self._raised.keys())
        self._raised |= dict.fromkeys(begun, now)
        self._settle(now)
        causes = self._flags | self._lasting(now)
        over = sorted(
            alarm
            for alarm, at in self._raised.items()
            if alarm not in causes and now.since(at) >= LASTS_S
        )
        for alarm in over:
            del self._raised[alarm]
        return (*(Change(one, False) for one in begun), *(Change(one, True) for one in over))

    @property
    def _shut(self) -> bool:
        """Whether it is known to be shut."""
        return bool(self._contacts) and all(state is False for state in self._contacts.values())

    def _heard_contact(self, name: str, signal: Signal) -> None:
        was_shut = self._shut
        self._contacts[name] = signal.active
        self._note_contact(signal.at)
        if not signal.active:
            return
        self._awaited = None
        self._flags.discard(Alarm.RELAY_UNCONFIRMED)
        expected = self._held or signal.at.monotonic_s <= self._allowed_until
        if was_shut and signal.live and not expected:
            self._suspect = self._suspect or signal.at

    def _note_contact(self, at: Moment) -> None:
        """Works out since when it is known to stand open."""
        if not any(self._contacts.values()):
            self._open_since = None
        elif self._open_since is None:
            self._open_since = at
        if None in self._contacts.values():
            # Whether it opens cannot be told any more.
            self._awaited = None

    def _allow(self, at: Moment) -> None:
        limits = self._limits
        until = at.monotonic_s + limits.hold_s + limits.opens_within_s
        self._allowed_until = max(self._allowed_until, until)
        if self._suspect is not None and at.since(self._suspect) <= GRACE_S:
            self._suspect = None

    def _advance(self, now: Moment) -> None:
        """Raises the flags that are due."""
        if self._suspect is not None and now.since(self._suspect) >= GRACE_S:
            self._suspect = None
            self._flags.add(Alarm.FORCED)
        limits = self._limits
        late_s = limits.hold_s + limits.opens_within_s
        if self._awaited is not None and now.since(self._awaited) >= late_s:
            self._awaited = None
            if self._driven:
                self._flags.add(Alarm.RELAY_UNCONFIRMED)
        for way in self._ways.values():
            way.advance(now, at_once=self._shut)
        if not self._held and 0 < self._let_through < self._passed:
            self._flags.add(Alarm.TAIL_GATING)

    def _lasting(self, now: Moment) -> set[Alarm]:
        """The alarms whose cause is that something lasts too long."""
        if self._held:
            return set()
        most_s = self._limits.held_open_s
        since = [] if self._open_since is None else [self._open_since]
        blocked = [way.blocked for way in self._ways.values() if way.blocked is not None]
        if not self._ways:
            return {Alarm.HELD_OPEN} if any(self._lasts(s, now, most_s) for s in since) else set()
        freed = [way.freed for way in self._ways.values() if way.freed is not None]
        since = [max([one, *freed], key=lambda m: m.monotonic_s) for one in since if not blocked]
        lasts = any(self._lasts(one, now, most_s) for one in (*since, *blocked))
        return {Alarm.NOT_CLOSED} if lasts else set()

    def _lasts(self, since: Moment, now: Moment, most_s: float) -> bool:
        """Whether something has lasted too long, the time that it was held open left out."""
        return now.monotonic_s - max(since.monotonic_s, self._held_until) >= most_s

    def _settle(self, now: Moment) -> None:
        """Lowers the flags whose cause is gone."""
        if self._shut:
            self._flags.discard(Alarm.FORCED)
        idle = now.monotonic_s > self._allowed_until and not any(
            way.busy for way in self._ways.values()
        )
        if self._shut:
            # Whoever was let through a moment ago has not passed yet.
            left = 0 if idle else max(0, self._let_through - self._passed)
            self._forget_passages(left)
        elif idle and self._open_since is None:
            self._forget_passages()

    @property
    def _passed(self) -> int:
        """How many passed, by the loop or beam that counted most."""
        return max((way.passed for way in self._ways.values()), default=0)

    def _forget_passages(self, let_through: int = 0) -> None:
        self._let_through = let_through
        self._flags.discard(Alarm.TAIL_GATING)
        for way in self._ways.values():
            way.passed = 0


class _Way:
    """One loop or beam.

    Attributes:
        blocked: Since when something is in it; None where nothing is, or nobody knows.
        freed: When it last became free.
        passed: How many passed it.
    """

    def __init__(self) -> None:
        self.blocked: Moment | None = None
        self.freed: Moment | None = None
        self.passed = 0
        self._passing: Moment | None = None

    @property
    def busy(self) -> bool:
        """Whether something is in it, or was so a moment ago."""
        return self.blocked is not None or self._passing is not None

    def heard(self, signal: Signal) -> None:
        """Takes what it says."""
        if signal.active:
            if self._passing is not None and signal.at.since(self._passing) < GAP_S:
                self._passing = None  # It was the same one, or its trailer.
            else:
                self._count()
            self.blocked = self.blocked or signal.at
        elif self.blocked is not None:
            self.blocked, self.freed, self._passing = None, signal.at, signal.at

    def lost(self) -> None:
        """Takes that nobody knows any more."""
        self.blocked = self._passing = None

    def advance(self, now: Moment, *, at_once: bool) -> None:
        """Counts whoever has passed by now; behind a door that is shut nobody comes back."""
        if self._passing is not None and (at_once or now.since(self._passing) >= GAP_S):
            self._count()

    def _count(self) -> None:
        if self._passing is not None:
            self.passed, self._passing = self.passed + 1, None

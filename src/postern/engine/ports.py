"""What a lane needs from the outside, beyond the ports of the core and of frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from postern.core.access_point import AccessPoint
from postern.core.decide import State
from postern.core.decision import Decision, Reason
from postern.core.ids import AccessPointId, AttemptId, CameraId, CredentialId, Holder
from postern.core.look import Flaw, Kind
from postern.core.mode import Order
from postern.core.moment import Moment
from postern.core.permit import Permit
from postern.core.ports import Report
from postern.frame import Frame, Matcher, Recogniser, Reference, Source, Track, Tracker


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at an access point at one moment.

    Attributes:
        permits: The permits that count there.
        state: Its state.
        references: For faces and plates, the references that an attempt may be compared with; the
            same object as long as they stay the same.
    """

    permits: tuple[Permit, ...]
    state: State
    references: Mapping[Kind, tuple[Reference, ...]]


class Register(Protocol):
    """Who may be recognised, and who is inside."""

    def known(self, access_point: AccessPoint, now: Moment) -> Known:
        """What is known there now.

        Raises:
            PosternError: `unavailable` where it cannot be read now.
        """
        ...

    def failed(self, access_point: AccessPoint, holder: Holder, at: datetime) -> None:
        """Notes that somebody showed this holder's pass there and was not recognised as them.

        Raises:
            PosternError: `unavailable` where it cannot be written now.
        """
        ...

    def passed(self, access_point: AccessPoint, holders: tuple[Holder, ...], at: datetime) -> None:
        """Notes that these holders went through.

        Raises:
            PosternError: `unavailable` where it cannot be written now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """What a valid pass says: whose it is, and what its owner looks like.

    Attributes:
        credential: The pass.
        reference: Its owner's face, opened for this claim alone.
    """

    credential: CredentialId
    reference: Reference

    @property
    def holder(self) -> Holder:
        """Whose pass it is."""
        return self.reference.holder

    def wipe(self) -> None:
        """Overwrites the reference; whoever took the claim does it when the claim is over."""
        self.reference.template.values.fill(0)


class Claims(Protocol):
    """Says what passes claim."""

    def claim(self, access_point: AccessPoint, text: bytes, now: Moment) -> Claim | Reason | None:
        """What a pass claims at this access point now.

        Args:
            access_point: Where it is held up.
            text: What its code says; it may say anything.
            now: The present.

        Returns:
            The claim; the reason where the pass is refused; None where it is no pass at all.

        Raises:
            PosternError: `unavailable` where the records or keys cannot be read now; never for
                what the text says.
        """
        ...


class Orders(Protocol):
    """What was ordered about access points."""

    def orders(self) -> tuple[Order, ...]:
        """Every order that nobody has ended, those included that have run out.

        Raises:
            PosternError: `unavailable` where they cannot be read now.
        """
        ...


class Gate(Protocol):
    """Says whether a frame is worth looking at."""

    def moved(self, frame: Frame) -> bool:
        """Whether something moves in it, or did a moment ago. Frames come in order."""
        ...


class Tamper(Protocol):
    """Says whether a camera still shows what is before it."""

    def fault(self, frame: Frame) -> str | None:
        """What is wrong with what it shows, as the end of a sentence; None for nothing. Frames come
        in order."""
        ...


class Trusting:
    """Finds nothing wrong: for recordings, which are what they are."""

    def fault(self, frame: Frame) -> str | None:
        """See `Tamper.fault`."""
        return None


class Window(Protocol):
    """Shows what a camera sees to whoever looks; mostly nobody does."""

    def show(self, frame: Frame, tracks: Mapping[Kind, tuple[Track, ...]]) -> None:
        """Takes a frame that was looked at, when everything has been decided on it.

        Args:
            frame: The frame; it is not kept.
            tracks: Whoever is before the camera after it, by what was looked for.
        """
        ...


class Shuttered:
    """A window that nobody can look through."""

    def show(self, frame: Frame, tracks: Mapping[Kind, tuple[Track, ...]]) -> None:
        """See `Window.show`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything that turns a camera's frames into tracks of one kind.

    Attributes:
        kind: What it looks for.
        recogniser: Turns frames into looks.
        tracker: Turns looks into tracks.
    """

    kind: Kind
    recogniser: Recogniser
    tracker: Tracker


@dataclass(frozen=True, slots=True)
class Eye:
    """A camera with everything that turns its frames into tracks.

    Attributes:
        camera: Its name.
        source: Where its frames come from.
        gate: Keeps empty scenes from the recognisers.
        readers: What each frame is looked at for, in this order, each kind once.
        tamper: Keeps frames from the readers that show something else than what is there.
        window: Shows its frames to whoever looks.
    """

    camera: CameraId
    source: Source
    gate: Gate
    readers: tuple[Reader, ...]
    tamper: Tamper = Trusting()
    window: Window = Shuttered()


Matchers = Mapping[Kind, Matcher]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt, for whoever watches. It is not kept.

    Attributes:
        access_point: Where.
        attempt: Which attempt.
        decision: What was decided.
        looks: How many looks that differ stood behind it.
        flaws: What spoilt the newest look, where one could not be compared.
        detail: What the actuator said, or why a grant was not carried out; empty for a denial.
        latency_s: Seconds from the last frame's capture to the actuator's answer, or to the
            decision where there was none.
        driven: Whether a grant had the actuator driven, as far as that says.
    """

    access_point: AccessPointId
    attempt: AttemptId
    decision: Decision
    looks: int
    flaws: tuple[Flaw, ...]
    detail: str
    latency_s: float
    driven: bool


class Releases(Protocol):
    """Opens access points without recognising anybody."""

    def release(self, access_point: AccessPointId, by: str, why: str) -> Report:
        """Records who asked and why, then opens.

        Args:
            access_point: Which one.
            by: Who or what asks for it.
            why: What for.

        Raises:
            PosternError: `not_found` where there is none of that name.
        """
        ...


class Observer(Protocol):
    """Watches attempts as they end: a terminal's table, a page, a test."""

    def ended(self, outcome: Outcome) -> None:
        """An attempt was granted, a grant could not be carried out, or its passer-by has gone
        without one. The lane waits meanwhile."""
        ...

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """A camera's state changed: `ok`, `red` or `finished`, with one sentence.

        Where an access point cannot keep its records, its own name stands for the camera's.
        """
        ...

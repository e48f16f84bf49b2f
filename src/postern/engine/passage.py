"""Who is at an access point now, what they showed, and who of them was let through already.

1. A passage begins with the first track and ends when no camera sees anybody.
2. Whoever was let through is not decided on again, however long they stay: their tracks are spent.
3. Whoever follows without a gap is not kept waiting for one: as soon as the one who was let through
   is gone from a camera that recognised them, or has had the time to go, and somebody else is
   there, the next passage begins. It inherits no evidence.
4. A track may break. Whoever was let through and seems to arrive again at once never left.
5. Evidence of a track that has ended counts on, so that a plate and a face may come one after the
   other, but only until anybody is there who might have shown the same kind of thing themselves. A
   pass that is out of sight counts on for a short time only: anybody there might have put it away.
6. A pass says whom to compare with and never that they are there: it is not decided on it with a
   face that was seen before, only on a face with a pass that was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from postern.core.decision import Decision, Reason
from postern.core.evidence import Evidence
from postern.core.ids import AttemptId, CameraId, Holder
from postern.core.look import Flaw, Kind
from postern.core.moment import Moment
from postern.engine.claimed import Claimed
from postern.engine.ports import Claim
from postern.frame import Track

#: Seconds after which somebody who is still there and was refused is decided on again: a schedule
#: begins, an area empties, a record can be written. They need not step back for it.
AGAIN_S = 2.0
#: Seconds that whoever was let through has to go; then it is the next one's turn, also while they
#: stand about: a colleague in the open door, a car that was parked in the picture.
GO_S = 5.0
#: Seconds after which somebody is let out again for whom nothing opened; twice as many after each
#: further time, up to the other: a car may be parked before an exit whose relay is broken.
RETRY_S, MOST_RETRY_S = 5.0, 60.0
#: Seconds within which whoever was let through and is there again never left. Longer than a head
#: is turned or a plate is hidden, shorter than a walk round the building.
NEVER_LEFT_S = 10.0
#: Seconds after which a camera that says nothing sees nobody.
SILENT_S = 10.0

#: Seconds for which a pass counts that was put away: one looks up then, or goes a few steps.
PUT_AWAY_S = 15.0

#: A camera, for one of the kinds that it may look for.
Spot = tuple[CameraId, Kind]
Key = tuple[Spot, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a track gave when it was last compared.

    Attributes:
        probes: How many looks that differ it had.
        at: When that was.
        evidence: What came of it, best first.
    """

    probes: int
    at: Moment
    evidence: tuple[Evidence, ...]


@dataclass(slots=True)
class Passage:
    """One visit; whoever holds it guards it.

    Attributes:
        attempt: What the next decision is called.
        through: Who was let through in this unbroken presence, and when they were last seen.
        alive: The living tracks of each camera.
        heard: When each camera last said anything.
        shown: What each track that is not spent gave so far.
        spent: Tracks of those who were let through, with who that is, and of their company.
        places: The cameras that recognised them; empty until somebody is let through.
        settled_at: When that was.
        refused: The latest denial of everybody who was recognised, and the track behind it.
        missed: Since when the tracks behind those denials are gone.
        last: The latest denial of any kind.
        waited_s: Seconds from the frame behind the latest decision to that decision.
        looks: How many looks that differ were compared.
        flaws: What spoilt the newest look.
        passes: What the passes that were held up claim.
        vain: How often nothing opened for whoever was to be let out.
        retry_at: When that is tried again; None where it was not in vain.
    """

    attempt: AttemptId
    through: dict[Holder, Moment] = field(default_factory=dict)
    alive: dict[Spot, tuple[Track, ...]] = field(default_factory=dict)
    heard: dict[Spot, Moment] = field(default_factory=dict)
    shown: dict[Key, Shown] = field(default_factory=dict)
    spent: dict[Key, tuple[Holder, ...]] = field(default_factory=dict)
    places: frozenset[Spot] = frozenset()
    settled_at: Moment | None = None
    refused: dict[tuple[Holder, ...], tuple[Key, Decision]] = field(default_factory=dict)
    missed: dict[tuple[Holder, ...], Moment] = field(default_factory=dict)
    last: Decision | None = None
    waited_s: float = 0.0
    looks: int = 0
    flaws: tuple[Flaw, ...] = ()
    passes: Claimed[Key] = field(default_factory=Claimed)
    vain: int = 0
    retry_at: Moment | None = None

    @property
    def empty(self) -> bool:
        """Whether no camera sees anybody."""
        return not any(self.alive.values())

    @property
    def settled(self) -> bool:
        """Whether somebody was let through in it."""
        return self.settled_at is not None

    def note(self, spot: Spot, tracks: tuple[Track, ...], captured: Moment, now: Moment) -> None:
        """Takes the tracks that live after a frame of one of the cameras."""
        self.alive[spot], self.heard[spot] = tracks, now
        living = set(self._keys())
        for track in tracks:
            self.through |= dict.fromkeys(self.spent.get((spot, track.number), ()), now)
        self.shown = {
            key: shown
            for key, shown in self.shown.items()
            if key in living or self._counts_on(key[0][1], shown, now)
        }
        if self.passes.keep(self.shown):
            self._compare_anew()
        self.passes.stay([holder for holder in self.through if self.never_left((holder,), now)])
        if tracks and tracks[0].last == captured:
            self.flaws = tracks[0].flaws

    def _counts_on(self, kind: Kind, shown: Shown, now: Moment) -> bool:
        """Whether what a track showed that has ended may still be of somebody who is there."""
        others = any(seen for (_, one), seen in self.alive.items() if one is kind)
        put_away = kind is Kind.PASS and not now.since(shown.at) <= PUT_AWAY_S
        return not others and not put_away

    def hush(self, now: Moment) -> None:
        """Empties the cameras that have said nothing for too long."""
        for spot, heard in self.heard.items():
            if not now.since(heard) <= SILENT_S:
                self.alive[spot] = ()

    def unspent(self, spot: Spot) -> tuple[Track, ...]:
        """The camera's living tracks of those who were not let through."""
        return tuple(t for t in self.alive.get(spot, ()) if (spot, t.number) not in self.spent)

    def due(self, spot: Spot, captured: Moment, now: Moment) -> tuple[Track, ...]:
        """The camera's tracks that are worth a comparison: those with a look more than at the last
        one, and those that show themselves flawlessly a while after it."""
        return tuple(
            t for t in self.unspent(spot) if t.probes and self._due(spot, t, captured, now)
        )

    def _due(self, spot: Spot, track: Track, captured: Moment, now: Moment) -> bool:
        shown = self.shown.get((spot, track.number))
        if shown is None or len(track.probes) > shown.probes:
            return True
        clear = track.last == captured and not track.flaws
        return clear and now.since(shown.at) >= AGAIN_S

    def compared(self, spot: Spot, track: Track, found: tuple[Evidence, ...], now: Moment) -> None:
        """Takes what came of comparing a track."""
        self.shown[spot, track.number] = Shown(len(track.probes), now, found)
        if spot[1] is not Kind.PASS:
            self.looks = max(self.looks, len(track.probes))

    def claim(self, key: Key, answer: Claim | Reason | None, now: Moment) -> Claim | None:
        """Takes what became of a pass that was held up; gives the claim that counts from now on.

        None counts of whoever was let through a moment ago: they still hold it up.
        """
        if isinstance(answer, Claim) and self.never_left((answer.holder,), now):
            self.spent[key] = (answer.holder,)
            answer.wipe()
            answer = None
        if self.passes.take(key, answer):
            self._compare_anew()
        return self.passes.claims.get(key)

    def _compare_anew(self) -> None:
        """Forgets what faces were worth: others are in question now."""
        self.shown = {k: shown for k, shown in self.shown.items() if k[0][1] is not Kind.FACE}

    def evidence(self, of: Key) -> tuple[Evidence, ...]:
        """What counts when it is decided on one track: its own evidence, and all of other kinds.

        Two faces before a door are two people: neither stands in for the other nor makes the other
        doubtful. Two passes do: whoever stands there, one of them is not theirs.
        """
        (_, kind), _ = of
        beside = set(Kind) - ({Kind.FACE} if kind is Kind.PASS else {kind})
        return tuple(
            item
            for key, shown in self.shown.items()
            if key == of or key[0][1] in beside
            for item in shown.evidence
        )

    def decidable(self, of: Key, leaving: bool) -> bool:
        """Whether there is anything to decide on about a track; on the way out there always is. A
        pass that claims nothing is no attempt: only why it was refused is told."""
        unspent = of not in self.spent
        return unspent and (leaving or of[0][1] is not Kind.PASS or of in self.passes.claims)

    def failures(self) -> list[Holder]:
        """Whose claims failed since the last call."""
        return self.passes.failures(set(self._keys()))

    def over(self) -> list[Holder]:
        """Forgets what the passes opened; gives whose claims failed and were not told yet."""
        self.passes.keep(())
        self.passes.stay(())
        return self.passes.failures()

    def refuse(self, decision: Decision, of: Key) -> None:
        """Takes a denial of the track that was decided on."""
        self.last = decision
        if decision.holders:
            self.refused[decision.holders] = (of, decision)

    def left(self, now: Moment) -> list[Decision]:
        """The denials of those who have gone for good while others are still there; each once."""
        living = set(self._keys())
        gone = [who for who, (key, _) in self.refused.items() if key not in living]
        self.missed = {who: self.missed.get(who, now) for who in gone}
        for_good = [who for who, at in self.missed.items() if not now.since(at) <= NEVER_LEFT_S]
        denials = [self.refused.pop(who)[1] for who in for_good]
        if self.last in denials:
            self.last = None
        return denials

    def never_left(self, holders: Iterable[Holder], now: Moment) -> bool:
        """Whether one of them was let through a moment ago, and somebody was there ever since."""
        return any(now.since(self.through[h]) <= NEVER_LEFT_S for h in holders if h in self.through)

    def settle(self, holders: tuple[Holder, ...], of: Key, now: Moment) -> None:
        """Takes that these holders were let through.

        Args:
            holders: Who; empty on the way out, where nobody has to be recognised.
            of: The track that was decided on.
            now: When.
        """
        theirs = {of} | {key for holder in holders for key in self._clearest(holder, of)}
        self.passes.let_through(holders)
        self.places, self.settled_at = frozenset(spot for spot, _ in theirs), now
        company = (key for key in self._keys() if key[0] not in self.places)
        self.spent = self.spent | dict.fromkeys(company, ()) | dict.fromkeys(theirs, holders)
        recent = {h: at for h, at in self.through.items() if now.since(at) <= NEVER_LEFT_S}
        self.through = recent | dict.fromkeys(holders, now)
        self.refused = {
            who: denied for who, denied in self.refused.items() if set(who).isdisjoint(holders)
        }

    def not_let_out(self, attempt: AttemptId, now: Moment) -> None:
        """Takes that nothing opened for whoever was to be let out: they are to be let out again.

        Args:
            attempt: What that is called.
            now: The present.
        """
        self.attempt, self.places, self.settled_at = attempt, frozenset(), None
        self.spent, self.through = {}, {}
        self.retry_at = now.plus(min(RETRY_S * 2**self.vain, MOST_RETRY_S))
        self.vain += 1

    def waits(self, now: Moment) -> bool:
        """Whether it is too early to let somebody out again."""
        return self.retry_at is not None and now.since(self.retry_at) < 0.0

    def _clearest(self, holder: Holder, of: Key) -> Iterable[Key]:
        """For each other kind than that of `of`, the track that speaks loudest for a holder."""
        (_, kind), _ = of
        voices = {
            (item.p, key)
            for key, shown in self.shown.items()
            for item in shown.evidence
            if key[0][1] is not kind and item.holder == holder
        }
        loudest = {key[0][1]: key for _, key in sorted(voices, reverse=True)}
        return loudest.values()

    def overtaken(self, now: Moment, go_s: float = GO_S) -> bool:
        """Whether it is the turn of somebody else, who stands where the one who was let through
        stood.

        Args:
            now: The present.
            go_s: Seconds that they have to go.
        """
        if self.settled_at is None:
            return False
        time_is_up = now.since(self.settled_at) >= go_s
        unspent = {spot: self.unspent(spot) for spot in self.places}
        return any(
            others and (time_is_up or len(others) == len(self.alive[spot]))
            for spot, others in unspent.items()
        )

    def next(self, attempt: AttemptId) -> "Passage":
        """The passage of whoever comes next, without any of this one's evidence.

        The denials of those who are still there go with it, so that each is one event when they
        have gone; those of the others stay.
        """
        living = set(self._keys())
        staying = [who for who, (key, _) in self.refused.items() if key in living]
        denials = {who: self.refused.pop(who) for who in staying}
        return Passage(
            attempt,
            through=self.through,
            alive=self.alive,
            heard=self.heard,
            spent={key: who for key, who in self.spent.items() if key in living},
            refused={who: (key, replace(d, attempt=attempt)) for who, (key, d) in denials.items()},
            flaws=self.flaws,
            passes=self.passes.handed_on(),
        )

    def _keys(self) -> Iterable[Key]:
        return ((spot, track.number) for spot, tracks in self.alive.items() for track in tracks)

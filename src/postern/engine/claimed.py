"""The passes that were held up in a passage: what they claim, and which faces were tried on them.

1. A claim counts as long as the evidence of its pass does. Then the reference that the pass opened
   is overwritten; where its owner was let through, when they have had the time to go: nothing else
   tells them from a stranger who follows.
2. While there is a claim, faces are compared with the claimed references and with no others.
3. A face that was compared with the one claimed reference, and was gone without having turned out
   to be its owner's, is a failure of that claim. Where two people are claimed nobody is let
   through, and nothing can be learned by trying.
4. Of refused passes the latest is told, unless a valid one was held up after it.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from postern.core.decision import Reason
from postern.core.ids import Holder
from postern.engine.ports import Claim
from postern.frame import Reference

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Claimed(Generic[K]):
    """The claims of one passage; whoever holds the passage guards them.

    Attributes:
        claims: By the track of the pass.
        refusal: Why the latest pass was refused; None where none was since the last valid one.
        tried: Whose reference each face was compared with, by its track.
        going: The claims of those who were let through a moment ago.
    """

    claims: dict[K, Claim] = field(default_factory=dict)
    refusal: Reason | None = None
    tried: dict[K, frozenset[Holder]] = field(default_factory=dict)
    going: dict[Holder, Claim] = field(default_factory=dict)

    def take(self, key: K, answer: Claim | Reason | None) -> bool:
        """Takes what became of a pass that was held up; says whether other faces than before are
        in question now."""
        before = self._names()
        self._drop(key)
        if isinstance(answer, Claim):
            self.claims[key], self.refusal = answer, None
        elif answer is not None:
            self.refusal = answer
        return self._names() != before

    def keep(self, keys: Collection[K]) -> bool:
        """Forgets the claims of all other tracks; says whether other faces are in question now."""
        before = self._names()
        for key in [key for key in self.claims if key not in keys]:
            self._drop(key)
        return self._names() != before

    def let_through(self, holders: Collection[Holder]) -> None:
        """Nobody is compared any more but these, should they seem to arrive again."""
        for key, claim in tuple(self.claims.items()):
            if claim.holder in holders and claim.holder not in self.going:
                self.going[claim.holder] = self.claims.pop(key)
        self.keep(())

    def stay(self, holders: Collection[Holder]) -> None:
        """Forgets all who were let through but these."""
        for holder in [one for one in self.going if one not in holders]:
            self.going.pop(holder).wipe()

    def handed_on(self) -> "Claimed[K]":
        """What the next passage begins with: who may still be going."""
        going, self.going = self.going, {}
        return Claimed(going=going)

    def references(self) -> list[Reference]:
        """What faces are compared with; a list, as matchers remember nothing of it. A pass before
        two cameras is one reference."""
        found = {claim.reference.credential: claim.reference for claim in self.claims.values()}
        return [found[credential] for credential in sorted(found)]

    def try_on(self, key: K, waiting: Collection[Holder]) -> None:
        """Notes that a face was compared with the claimed reference, if there is but one.

        Args:
            key: The face's track.
            waiting: Who failed too often; whatever they show is not even looked at.
        """
        holders = {claim.holder for claim in self.claims.values()}
        if len(holders) == 1 and holders.isdisjoint(waiting):
            self.tried[key] = self.tried.get(key, frozenset()) | holders

    def recognised(self, holders: Collection[Holder]) -> None:
        """Notes that these were there themselves: nobody failed to be them."""
        left = {key: who.difference(holders) for key, who in self.tried.items()}
        self.tried = {key: who for key, who in left.items() if who}

    def failures(self, living: Collection[K] = ()) -> list[Holder]:
        """Whose claims failed since the last call: once for every face that is gone."""
        gone = [key for key in self.tried if key not in living]
        return sorted(holder for key in gone for holder in self.tried.pop(key))

    def _drop(self, key: K) -> None:
        if key in self.claims:
            self.claims.pop(key).wipe()

    def _names(self) -> set[str]:
        return {claim.reference.credential for claim in self.claims.values()}

"""A bank's host, simulated: it keeps a key share for every customer and checks card and PIN itself.

It stands in where there is no bank: in tests, and on a bank machine that is being tried out. A real
one keeps the shares in hardware and is asked over the bank's own line.
"""

import hmac
import os
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.vault.keys import SHARE_SIZE

#: Wrong PINs in a row after which a card is blocked.
TRIES = 3


@dataclass(slots=True)
class _Account:
    """What the host knows about a card."""

    pin: bytes = field(repr=False)
    failures: int = 0
    shares: dict[CredentialId, bytes] = field(default_factory=dict, repr=False)


class SimulatedBankHost:
    """Issues cards, checks PINs, and keeps the shares; usable from any thread.

    `online` may be set to False: then nothing is to be had from it.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._accounts: dict[str, _Account] = {}
        self._lock = Lock()  # Guards the accounts.
        self.online = True

    def issue(self, card: str, pin: str) -> None:
        """Gives a customer a card with a PIN; a card that was blocked counts again."""
        with self._lock:
            self._accounts[card] = _Account(self._digest(card, pin))

    def check(self, card: str, pin: str) -> "CheckedCard":
        """The customer's shares, once the card and the PIN belong together.

        Raises:
            PosternError: `unauthorized` where they do not, or the card is blocked; `unavailable`
                where the host cannot be reached.
        """
        self._reach()
        with self._lock:
            account = self._accounts.get(card)
            # Whoever guesses is not told whether there is such a card.
            expected = account.pin if account else bytes(32)
            right = hmac.compare_digest(self._digest(card, pin), expected)
            if account is None or account.failures >= TRIES or not right:
                if account is not None and not right:
                    account.failures += 1
                raise PosternError(
                    Code.UNAUTHORIZED,
                    "The card was refused.",
                    f"After {TRIES} wrong PINs in a row only the bank can help.",
                )
            account.failures = 0
        return CheckedCard(self, card)

    def share(self, card: str, credential: CredentialId, *, new: bool = False) -> bytes:
        """The share of a credential of that card.

        Raises:
            PosternError: `not_found` where there is none; `unavailable`.
        """
        self._reach()
        with self._lock:
            shares = self._accounts[card].shares
            if new:
                shares.setdefault(credential, os.urandom(SHARE_SIZE))
            if credential not in shares:
                raise PosternError(Code.NOT_FOUND, "The bank has no key share for this face.")
            return shares[credential]

    def _reach(self) -> None:
        if not self.online:
            raise PosternError(
                Code.UNAVAILABLE, "The bank's host cannot be reached.", "Try again in a while."
            )

    def _digest(self, card: str, pin: str) -> bytes:
        # The card's length keeps card and PIN from running into one another.
        return hmac.digest(self._secret, f"{len(card)} {card} {pin}".encode(), sha256)


@dataclass(frozen=True, slots=True)
class CheckedCard:
    """A card whose PIN was right; implements `postern.vault.share.KeyShare` for its customer.

    Attributes:
        host: Has the shares.
        card: Which card.
    """

    host: SimulatedBankHost
    card: str

    def agree(self, credential: CredentialId) -> bytes:
        """The share of a face that is being enrolled, made if there is none."""
        return self.host.share(self.card, credential, new=True)

    def release(self, credential: CredentialId) -> bytes:
        """See `KeyShare.release`."""
        return self.host.share(self.card, credential)

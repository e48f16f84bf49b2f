"""Passwords: which may be chosen, and how they are kept and checked.

The rules are those of NIST SP 800-63B-4, section 3.1.1: length counts, no kinds of characters are
asked for, and what everybody tries first is refused.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_bytes
from threading import BoundedSemaphore

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from postern.app.signin.common import COMMON
from postern.core.errors import Code, PosternError, invalid

#: Characters: of a password alone, of one beside codes, and of any.
ALONE, BESIDE_CODES, MOST = 15, 8, 128
#: Different characters at least.
_DIFFERENT = 5
#: What has to be left of a password once the names that everybody knows are taken out of it.
_BESIDE_NAMES = 8
#: A shorter name turns up by chance.
_SHORTEST_NAME = 3
_SALT, _HASH = 16, 32


@dataclass(frozen=True, slots=True)
class Cost:
    """What one check costs (OWASP and RFC 9106, section 4, second recommendation).

    Attributes:
        memory_kib: Memory.
        passes: How often it is gone through.
    """

    memory_kib: int = 64 * 1024
    passes: int = 3


class Hasher:
    """Hashes passwords and checks them; usable from any thread.

    Each takes a tenth of a second of one core and 64 MiB. No more than `at_once` are computed at a
    time and few wait, so that whoever floods the page takes neither memory nor threads.

    Args:
        cost: What one costs.
        at_once: How many are computed at a time.
        waiting: How many may wait; further ones are refused.
        patience_s: Seconds that one waits.
    """

    def __init__(
        self, cost: Cost | None = None, at_once: int = 2, waiting: int = 8, patience_s: float = 10.0
    ) -> None:
        self._cost = cost or Cost()
        self._turn = BoundedSemaphore(at_once)
        self._room = BoundedSemaphore(at_once + waiting)
        self._patience_s = patience_s

    def hashed(self, password: str) -> str:
        """What is kept of a password: its hash, its salt and how it was made (PHC's format).

        Raises:
            PosternError: `unavailable` where too many are computed.
        """
        with self._taking_turns():
            kept = Argon2id(
                salt=token_bytes(_SALT),
                length=_HASH,
                iterations=self._cost.passes,
                lanes=1,
                memory_cost=self._cost.memory_kib,
            )
            return kept.derive_phc_encoded(_bytes(password))

    def matches(self, password: str, kept: str | None) -> bool:
        """Whether it is that password; the work is the same where there is none.

        Raises:
            PosternError: `unavailable` where too many are computed.
        """
        with self._taking_turns():
            right = self.compute(password, kept or self._nobodys())
        return right and kept is not None

    def compute(self, password: str, kept: str) -> bool:
        """Whether a hash is of that password: the work that a check costs."""
        try:
            Argon2id.verify_phc_encoded(_bytes(password), kept)
        except (InvalidKey, ValueError):
            return False
        return True

    def _nobodys(self) -> str:
        """A hash that no password has."""
        salt, tag = (b64encode(token_bytes(n)).rstrip(b"=").decode() for n in (_SALT, _HASH))
        return f"$argon2id$v=19$m={self._cost.memory_kib},t={self._cost.passes},p=1${salt}${tag}"

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turn.acquire(timeout=self._patience_s):
                raise _busy()
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._room.release()


def check_password(password: str, names: tuple[str, ...], *, beside_codes: bool) -> None:
    """Refuses a password that should not be chosen.

    Args:
        password: As it was typed.
        names: What everybody knows: the user's name and the site's.
        beside_codes: Whether it takes a code as well.

    Raises:
        PosternError: `invalid`, without the password.
    """
    folded = _normal(password).casefold()
    least = BESIDE_CODES if beside_codes else ALONE
    if not least <= len(_normal(password)) <= MOST:
        raise invalid(
            f"A password has {least} to {MOST} characters.",
            "Several words that you make up are easy to remember; with codes from an app, "
            f"{BESIDE_CODES} characters do.",
        )
    if folded in COMMON or folded.rstrip("0123456789!?.,_-*#+$ ") in COMMON:
        raise invalid("Everybody tries this password first.", "Choose another one.")
    if len(set(folded)) < _DIFFERENT:
        raise invalid(f"A password has {_DIFFERENT} different characters.", "Choose another one.")
    left = folded
    for name in names:
        if len(name) >= _SHORTEST_NAME:
            left = left.replace(name.casefold(), "")
    if left != folded and len(left) < _BESIDE_NAMES:
        raise invalid("A password is not made of your name and the site's.", "Choose another one.")


def _bytes(password: str) -> bytes:
    # Nobody can choose a longer one, so that none needs to be hashed.
    return _normal(password)[: MOST + 1].encode("utf-8", "replace")


def _normal(password: str) -> str:
    """The same for the same characters, whichever keyboard they were typed on.

    Longer than the longest is cut before it costs anything.
    """
    return unicodedata.normalize("NFKC", password[: 4 * MOST])


def _busy() -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, "Too many people sign in at this moment.", "Try again in a few seconds."
    )

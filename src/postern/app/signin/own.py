"""What users change of their own: their password and their codes. Each is an event."""

from dataclasses import dataclass, field

from postern.app.signin import totp
from postern.app.signin.desk import Desk
from postern.app.signin.password import Hasher, check_password
from postern.app.signin.refusal import stale
from postern.app.signin.sessions import Sessions
from postern.app.signin.sign_in import SignIn
from postern.app.signin.tickets import Tickets
from postern.core.errors import invalid
from postern.core.ids import UserId
from postern.core.user import User
from postern.web.problem import field as field_of
from postern.web.sign_in import CodesOffered, Opened


@dataclass(frozen=True, slots=True)
class _Offer:
    user: UserId
    secret: bytes = field(repr=False)


class Own:
    """What is a user's own.

    Args:
        desk: Where people sign in.
        hasher: Keeps passwords.
        sign_in: Sees that it is they.
        sessions: Everybody's sessions.
    """

    def __init__(self, desk: Desk, hasher: Hasher, sign_in: SignIn, sessions: Sessions) -> None:
        self._desk = desk
        self._hasher = hasher
        self._sign_in = sign_in
        self._sessions = sessions
        self._offered: Tickets[_Offer] = Tickets()

    def has_codes(self, user: User) -> bool:
        """Whether they sign in with codes.

        Raises:
            PosternError: `unavailable`.
        """
        return self._desk.store.users.proofs(user.id).totp is not None

    def change_password(
        self, user: User, former: str, password: str, code: str | None, source: str
    ) -> Opened:
        """A new session in the place of all others, once the password is another one.

        Args:
            user: Whose.
            former: The present password.
            password: The one that is to count from now on.
            code: One of their codes, where they have some.
            source: The address that it comes from; empty where that is not known.

        Raises:
            RefusedError: 401 where the former or the code is wrong, 429 where it has to wait.
            PosternError: `invalid` for the password; `unavailable`.
        """
        self._check(user, password, beside_codes=self.has_codes(user))
        self._sign_in.check(user, former, code, source)
        return self._kept(user, password, "password changed")

    def offer_codes(self, user: User) -> CodesOffered:
        """New codes for an app, which count once one of them was shown."""
        codes = totp.new_codes(self._desk.site, user.name)
        offer = _Offer(user.id, codes.secret)
        ticket = self._offered.give(offer, user.id, self._desk.clock.now())
        return CodesOffered(ticket, codes.text, codes.uri, codes.picture())

    def take_codes(self, user: User, ticket: str, code: str) -> None:
        """Has codes count from now on; the former ones count no more.

        Args:
            user: Whose.
            ticket: From `offer_codes`.
            code: One of them, which shows that the app has them.

        Raises:
            RefusedError: 401 where the ticket is over.
            PosternError: `invalid` where the code is wrong; `unavailable`.
        """
        offer = self._offered.see(ticket, self._desk.clock.now())
        if offer is None or offer.user != user.id:
            raise stale()
        step = totp.step_of(offer.secret, code, self._desk.now())
        if step is None:
            with field_of("code"):
                raise invalid(
                    "This code is wrong.",
                    "See that the clocks of phone and site are right; try again.",
                )
        self._offered.take(ticket, self._desk.clock.now())
        store = self._desk.store
        with store.together():
            store.users.set_totp(user.id, totp.seal(self._desk.key, user.id, offer.secret), step)
            self._desk.note("codes added", user.id, user.by)

    def drop_codes(self, user: User, former: str, password: str, code: str, source: str) -> Opened:
        """A new session in the place of all others, once codes count no more.

        A password that was long enough beside codes may be too short alone, so that a new one is
        set at the same time.

        Raises:
            RefusedError: As `change_password`.
            PosternError: Likewise.
        """
        self._check(user, password, beside_codes=False)
        self._sign_in.check(user, former, code, source)
        return self._kept(user, password, "codes removed", drop_codes=True)

    def _check(self, user: User, password: str, *, beside_codes: bool) -> None:
        with field_of("password"):
            check_password(password, (user.name, self._desk.site), beside_codes=beside_codes)

    def _kept(self, user: User, password: str, what: str, *, drop_codes: bool = False) -> Opened:
        store, kept = self._desk.store, self._hasher.hashed(password)
        with store.together():
            if drop_codes:
                store.users.set_totp(user.id, None)
            store.users.set_password(user.id, kept)
            store.sessions.end_all(user.id)
            opened = self._sessions.open(user)
            self._desk.note(what, user.id, user.by)
        return opened

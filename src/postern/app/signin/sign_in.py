"""Somebody signs in: by a password and, where they have codes, a code; or by a passkey."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from postern.app.signin import totp
from postern.app.signin.desk import Desk
from postern.app.signin.passkeys import Passkeys
from postern.app.signin.password import Hasher
from postern.app.signin.refusal import stale, wrong
from postern.app.signin.sessions import Sessions, Standing
from postern.app.signin.throttle import Names, Sources
from postern.app.signin.tickets import Tickets
from postern.core.user import User
from postern.web.sign_in import Asked, CodeWanted, Opened


@dataclass(frozen=True, slots=True)
class _Half:
    """Somebody whose password was right."""

    user: User
    password: str | None = field(repr=False)


class SignIn:
    """Signs people in.

    Args:
        desk: Where people sign in.
        hasher: Checks passwords.
        passkeys: Checks passkeys.
        sessions: Everybody's sessions.
        sources: Slows down whoever guesses.
    """

    def __init__(
        self, desk: Desk, hasher: Hasher, passkeys: Passkeys, sessions: Sessions, sources: Sources
    ) -> None:
        self._desk = desk
        self._hasher = hasher
        self._passkeys = passkeys
        self._sessions = sessions
        self._sources = sources
        self._names = Names(desk)
        self._halves: Tickets[_Half] = Tickets()

    def by_password(self, name: str, password: str, source: str) -> Opened | CodeWanted:
        """A session, or a ticket for the code that is to follow.

        Args:
            name: As it was typed.
            password: Likewise.
            source: The address that it comes from; empty where that is not known.

        Raises:
            RefusedError: 401 where anything is wrong, 429 where it has to wait.
            PosternError: `unavailable`.
        """
        name = _typed(name)
        self._begin(name, source)
        half = self._checked(name, password)
        if self._has_codes(half.user):
            self._names.half(name)
            self._sources.right(source)
            return CodeWanted(self._halves.give(half, source, self._desk.clock.now()))
        return self._enter(half, source)

    def by_code(self, ticket: str, code: str, source: str) -> Opened:
        """A session for somebody whose password was right.

        Raises:
            RefusedError: 401 where the code is wrong, or the ticket is over; 429 where it has to
                wait.
            PosternError: `unavailable`.
        """
        half = self._halves.see(ticket, self._desk.clock.now())
        if half is None:
            raise stale()
        self._begin(half.user.name, source)
        if not (self._stands(half) and self._code_is_right(half.user, code)):
            self._names.wrong(half.user.name)
            raise wrong()
        if self._halves.take(ticket, self._desk.clock.now()) is None:
            raise stale()
        return self._enter(half, source)

    def by_passkey(self, ticket: str, answer: Mapping[str, object], source: str) -> Opened:
        """A session for whoever holds a passkey. It is no guess, so that no name slows it down.

        Raises:
            RefusedError: 401 where it is not accepted; 429 where the source has to wait.
            PosternError: `unavailable`.
        """
        self._sources.begin(source, self._desk.clock.now())
        user = self._passkeys.user(ticket, answer)
        self._sources.right(source)
        return self._opened(user)

    def ask_passkey(self, source: str) -> Asked:
        """What a passkey is asked to sign somebody in.

        Raises:
            PosternError: `unavailable`.
        """
        return self._passkeys.ask(source)

    def check(self, user: User, password: str, code: str | None, source: str) -> None:
        """Sees that it is they: by their password, and by a code where they have codes.

        Raises:
            RefusedError: 401 where either is wrong, 429 where it has to wait.
            PosternError: `unavailable`.
        """
        self._begin(user.name, source)
        self._checked(user.name, password)
        if self._has_codes(user) and not self._code_is_right(user, code or ""):
            self._names.wrong(user.name)
            raise wrong()
        self._right(user, source)

    def prove(self, standing: Standing, password: str, code: str | None, source: str) -> Opened:
        """The same session under a new token, now that they proved again who they are.

        Raises:
            RefusedError: As `check`.
            PosternError: `unavailable`.
        """
        self.check(standing.user, password, code, source)
        return self._proven(standing)

    def prove_by_passkey(
        self, standing: Standing, ticket: str, answer: Mapping[str, object]
    ) -> Opened:
        """Likewise, by one of their passkeys.

        Raises:
            RefusedError: 401 where it is not accepted.
            PosternError: `unavailable`.
        """
        self._passkeys.user(ticket, answer, standing.user)
        return self._proven(standing)

    def _begin(self, name: str, source: str) -> None:
        self._sources.begin(source, self._desk.clock.now())
        self._names.begin(name)

    def _checked(self, name: str, password: str) -> _Half:
        """Whose password it is. What is computed is the same for whatever name."""
        user = self._desk.store.users.known(name)
        kept = None if user is None else self._desk.store.users.proofs(user.id).password
        right = self._hasher.matches(password, kept)
        if user is None or not (right and user.enabled):
            self._names.wrong(name)
            raise wrong()
        return _Half(user, kept)

    def _has_codes(self, user: User) -> bool:
        return self._desk.store.users.proofs(user.id).totp is not None

    def _stands(self, half: _Half) -> bool:
        """Whether what was right a moment ago still is."""
        users = self._desk.store.users
        found = users.find(half.user.id).enabled
        return found and users.proofs(half.user.id).password == half.password

    def _code_is_right(self, user: User, code: str) -> bool:
        kept = self._desk.store.users.proofs(user.id)
        if kept.totp is None:
            return False
        secret = totp.unseal(self._desk.key, user.id, kept.totp)
        step = totp.step_of(secret, code, self._desk.now())
        return step is not None and self._desk.store.users.use_step(user.id, step)

    def _enter(self, half: _Half, source: str) -> Opened:
        with self._desk.store.together():
            if not self._stands(half):
                raise wrong()
            opened = self._opened(half.user)
        self._right(half.user, source)
        return opened

    def _right(self, user: User, source: str) -> None:
        self._names.right(user.name)
        self._sources.right(source)

    def _opened(self, user: User) -> Opened:
        with self._desk.store.together():
            opened = self._sessions.open(user)
            self._desk.note("signed in", user.id, user.by)
        return opened

    def _proven(self, standing: Standing) -> Opened:
        with self._desk.store.together():
            renewed = self._sessions.renew(standing)
            self._desk.note("proved again who they are", standing.user.id, standing.user.by)
        return renewed


def _typed(name: str) -> str:
    """A name as somebody can have typed it: without halves of characters, which no store takes."""
    return name.encode("utf-8", "replace").decode()

"""What somebody who is signed in does at the desk, by what their browser shows."""

from collections.abc import Mapping
from http import HTTPStatus

from postern.api.me import Passkey
from postern.api.sessions import StandingSession
from postern.app.signin.own import Own
from postern.app.signin.passkeys import Passkeys
from postern.app.signin.sessions import Sessions, Standing
from postern.app.signin.sign_in import SignIn
from postern.core.user import User
from postern.store.passkeys import Passkey as KeptPasskey
from postern.web.problem import RefusedError
from postern.web.sign_in import Asked, CodesOffered, Opened


class Counter:
    """Implements `postern.api.sessions.OpenSessions` and `postern.api.me.OwnThings`.

    Args:
        sessions: Everybody's sessions.
        sign_in: Sees that it is they.
        passkeys: Everybody's passkeys.
        own: What users change of their own.
    """

    def __init__(self, sessions: Sessions, sign_in: SignIn, passkeys: Passkeys, own: Own) -> None:
        self._sessions = sessions
        self._sign_in = sign_in
        self._passkeys = passkeys
        self._own = own

    def current(self, token: str) -> StandingSession:
        """See `OpenSessions.current`."""
        found = self._standing(token)
        codes = self._own.has_codes(found.user)
        return StandingSession(found.user, found.fresh, found.session.expires, codes)

    def end(self, token: str) -> None:
        """See `OpenSessions.end`."""
        self._sessions.end(token)

    def end_all(self, token: str) -> None:
        """See `OpenSessions.end_all`."""
        self._sessions.end_all(self._standing(token).user)

    def prove(self, token: str, password: str, code: str | None, source: str) -> Opened:
        """See `OpenSessions.prove`."""
        return self._sign_in.prove(self._standing(token), password, code, source)

    def ask_proof(self, token: str, source: str) -> Asked:
        """See `OpenSessions.ask_proof`."""
        return self._passkeys.ask(source, self._user(token))

    def prove_by_passkey(self, token: str, ticket: str, answer: Mapping[str, object]) -> Opened:
        """See `OpenSessions.prove_by_passkey`."""
        return self._sign_in.prove_by_passkey(self._standing(token), ticket, answer)

    def change_password(
        self, token: str, former: str, password: str, code: str | None, source: str
    ) -> Opened:
        """See `OwnThings.change_password`."""
        return self._own.change_password(self._user(token), former, password, code, source)

    def offer_codes(self, token: str) -> CodesOffered:
        """See `OwnThings.offer_codes`."""
        return self._own.offer_codes(self._user(token))

    def take_codes(self, token: str, ticket: str, code: str) -> None:
        """See `OwnThings.take_codes`."""
        self._own.take_codes(self._user(token), ticket, code)

    def drop_codes(self, token: str, former: str, password: str, code: str, source: str) -> Opened:
        """See `OwnThings.drop_codes`."""
        return self._own.drop_codes(self._user(token), former, password, code, source)

    def passkeys(self, token: str) -> list[Passkey]:
        """See `OwnThings.passkeys`."""
        return [_shown(passkey) for passkey in self._passkeys.of(self._user(token))]

    def ask_new_passkey(self, token: str) -> Asked:
        """See `OwnThings.ask_new_passkey`."""
        return self._passkeys.ask_new(self._user(token))

    def add_passkey(
        self, token: str, ticket: str, answer: Mapping[str, object], name: str
    ) -> Passkey:
        """See `OwnThings.add_passkey`."""
        return _shown(self._passkeys.add(self._user(token), ticket, answer, name))

    def remove_passkey(self, token: str, passkey: str) -> None:
        """See `OwnThings.remove_passkey`."""
        self._passkeys.remove(self._user(token), passkey)

    def _user(self, token: str) -> User:
        return self._standing(token).user

    def _standing(self, token: str) -> Standing:
        found = self._sessions.standing(token)
        if found is None:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "sign-in", "Nobody is signed in.", "Sign in first."
            )
        return found


def _shown(passkey: KeptPasskey) -> Passkey:
    return Passkey(passkey.id, passkey.name, passkey.created, passkey.used)

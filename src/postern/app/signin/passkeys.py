"""Passkeys (WebAuthn level 3): a device of the user's signs what it was asked, for this site only.

1. A challenge is kept here and counts once, for one purpose and, but for signing in, one user.
2. The device has checked who holds it (user verification), so that one passkey is two factors.
3. Origin and relying party are the site's public address, and nothing that a browser says.
4. What the makers of devices vouch for is not asked, and only the two forms are read that say
   nothing of it: `none`, and `packed` signed by the new key itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_bytes
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from postern.app.signin.desk import Desk
from postern.app.signin.refusal import stale, wrong_passkey
from postern.app.signin.tickets import Tickets
from postern.core.errors import Code, PosternError
from postern.core.ids import UserId
from postern.core.user import User
from postern.store.passkeys import Passkey, passkey_id
from postern.web.sign_in import Asked

#: Passkeys of one user; more than anybody has devices.
MOST = 20
_CHALLENGE = 32
_READ = frozenset({AttestationFormat.NONE, AttestationFormat.PACKED})
#: What the library lets through of hostile input beside its own errors; found by trying.
_BROKEN = (
    WebAuthnException, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip


class Purpose(StrEnum):
    """What a challenge is for; the answer to one is none to another."""

    SIGN_IN = "sign-in"
    PROVE = "prove"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class _Challenge:
    purpose: Purpose
    user: UserId | None
    content: bytes


class Passkeys:
    """Asks passkeys, and checks what they answer.

    Args:
        desk: Where people sign in.
        origin: The site's public address, such as `https://door.example`.
    """

    def __init__(self, desk: Desk, origin: str) -> None:
        self._desk = desk
        self._origin = origin
        self._domain = urlsplit(origin).hostname or ""
        self._asked: Tickets[_Challenge] = Tickets()

    def ask_new(self, user: User) -> Asked:
        """Asks a device to make a passkey for a user.

        Raises:
            PosternError: `conflict` where the user has too many; `unavailable`.
        """
        there = self._desk.store.passkeys.of(user.id)
        if len(there) >= MOST:
            raise PosternError(
                Code.CONFLICT, f"A user has at most {MOST} passkeys.", "Remove one first."
            )
        challenge = _Challenge(Purpose.ADD, user.id, token_bytes(_CHALLENGE))
        options = generate_registration_options(
            rp_id=self._domain,
            rp_name=self._desk.site,
            user_id=user.id.encode(),
            user_name=user.name,
            challenge=challenge.content,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in there],
        )
        return Asked(self._keep(challenge, user.id), options_to_json_dict(options))

    def add(self, user: User, ticket: str, answer: Mapping[str, object], name: str) -> Passkey:
        """The passkey that a device made; an event.

        Args:
            user: Whose it is to be.
            ticket: From `ask_new`.
            answer: What the device answered, in JSON.
            name: What its owner calls it.

        Raises:
            RefusedError: 401 where the ticket is over, or the answer is not to what was asked.
            PosternError: `invalid` for the name; `conflict` where it is kept; `unavailable`.
        """
        challenge = self._take(ticket, Purpose.ADD, user.id)
        try:
            given = parse_registration_credential_json(dict(answer))
            if parse_attestation_object(given.response.attestation_object).fmt not in _READ:
                raise wrong_passkey()
            made = verify_registration_response(
                credential=given,
                expected_challenge=challenge.content,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _BROKEN:
            raise wrong_passkey() from None
        now, store = self._desk.now(), self._desk.store
        passkey = Passkey(
            passkey_id(made.credential_id), user.id, made.credential_id,
            made.credential_public_key, made.sign_count, name, now,
        )  # fmt: skip
        with store.together():
            store.passkeys.add(passkey)
            self._desk.note("passkey added", user.id, user.by)
        return passkey

    def ask(self, source: str, user: User | None = None) -> Asked:
        """Asks a device to sign somebody in, or a user to prove again that it is they.

        Args:
            source: Where the question comes from.
            user: Who is to prove it; None where somebody signs in.

        Raises:
            PosternError: `unavailable`.
        """
        purpose = Purpose.SIGN_IN if user is None else Purpose.PROVE
        challenge = _Challenge(purpose, user.id if user else None, token_bytes(_CHALLENGE))
        theirs = self._desk.store.passkeys.of(user.id) if user else ()
        options = generate_authentication_options(
            rp_id=self._domain,
            challenge=challenge.content,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one.credential) for one in theirs],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return Asked(self._keep(challenge, source), options_to_json_dict(options))

    def user(self, ticket: str, answer: Mapping[str, object], user: User | None = None) -> User:
        """Whose passkey answered.

        Args:
            ticket: From `ask`.
            answer: What the device answered, in JSON.
            user: Who has to prove that it is they; None where somebody signs in.

        Raises:
            RefusedError: 401 where the ticket is over, or the answer is not to what was asked.
            PosternError: `unavailable`.
        """
        purpose = Purpose.SIGN_IN if user is None else Purpose.PROVE
        challenge = self._take(ticket, purpose, user.id if user else None)
        try:
            given = parse_authentication_credential_json(dict(answer))
            passkey = self._desk.store.passkeys.known(passkey_id(given.raw_id))
            if passkey is None or not _is_of(passkey, given, user):
                raise wrong_passkey()
            checked = verify_authentication_response(
                credential=given,
                expected_challenge=challenge.content,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _BROKEN:
            raise wrong_passkey() from None
        found, now = self._desk.store.users.find(passkey.user), self._desk.now()
        used = self._desk.store.passkeys.use(passkey, checked.new_sign_count, now)
        if not (found.enabled and used):
            raise wrong_passkey()
        return found

    def of(self, user: User) -> tuple[Passkey, ...]:
        """A user's passkeys, oldest first.

        Raises:
            PosternError: `unavailable`.
        """
        return self._desk.store.passkeys.of(user.id)

    def remove(self, user: User, passkey: str) -> None:
        """Forgets one of a user's passkeys; an event.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._desk.store.together():
            self._desk.store.passkeys.remove(user.id, passkey)
            self._desk.note("passkey removed", user.id, user.by)

    def _keep(self, challenge: _Challenge, source: str) -> str:
        return self._asked.give(challenge, source, self._desk.clock.now())

    def _take(self, ticket: str, purpose: Purpose, user: UserId | None) -> _Challenge:
        challenge = self._asked.take(ticket, self._desk.clock.now())
        if challenge is None or (challenge.purpose, challenge.user) != (purpose, user):
            raise stale()
        return challenge


def _is_of(passkey: Passkey, given: AuthenticationCredential, user: User | None) -> bool:
    """Whether a passkey is that user's, and the device says so, where it says anything."""
    handle = given.response.user_handle
    return (user is None or passkey.user == user.id) and handle in (None, passkey.user.encode())

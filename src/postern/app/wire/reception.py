"""Where people sign in, put together from a site's parts."""

from dataclasses import dataclass

from postern.api.reception import Ports
from postern.app.signin.callers import SignedIn
from postern.app.signin.codes import Codes
from postern.app.signin.counter import Counter
from postern.app.signin.desk import Desk
from postern.app.signin.keys import Keys
from postern.app.signin.own import Own
from postern.app.signin.passkeys import Passkeys
from postern.app.signin.password import Hasher
from postern.app.signin.sessions import Sessions
from postern.app.signin.setup import Setup
from postern.app.signin.sign_in import SignIn
from postern.app.signin.throttle import Sources
from postern.app.signin.users import Users
from postern.app.wire.installation import Installation
from postern.web.authenticate import Front


@dataclass(frozen=True, slots=True)
class Office:
    """Where users and keys are looked after, with or without a server.

    Attributes:
        codes: What lets somebody set their first password.
        users: Who may sign in.
        keys: What programs may do.
    """

    codes: Codes
    users: Users
    keys: Keys


@dataclass(frozen=True, slots=True)
class Reception:
    """Where people sign in, as long as one server runs.

    Attributes:
        office: Where users and keys are looked after.
        callers: Who calls.
        sessions: Everybody's sessions.
        passkeys: Everybody's passkeys.
        sign_in: How somebody gets in.
        setup: Where codes are used.
        own: What users change of their own.
        counter: What somebody who is signed in does.
    """

    office: Office
    callers: SignedIn
    sessions: Sessions
    passkeys: Passkeys
    sign_in: SignIn
    setup: Setup
    own: Own
    counter: Counter

    def ports(self, front: Front) -> Ports:
        """What the calls of the API are about.

        Args:
            front: How callers reach the server.
        """
        return Ports(
            front,
            self.sign_in,
            self.counter,
            self.counter,
            self.office.users,
            self.office.keys,
            self.setup,
        )


def desk(installation: Installation) -> Desk:
    """Where people sign in to that site."""
    return Desk(
        installation.store,
        installation.records,
        installation.clock,
        installation.vault.sign_in_key(),
        installation.site.name,
    )


def office(at: Desk) -> Office:
    """Where users and keys are looked after."""
    codes = Codes(at)
    return Office(codes, Users(at, codes), Keys(at))


def reception(at: Desk, origin: str, hasher: Hasher | None = None) -> Reception:
    """Where people sign in; what is counted in memory is counted in the one that is given.

    Args:
        at: Where.
        origin: The site's public address, such as `https://door.example`.
        hasher: Checks passwords; at full cost where it is not given.
    """
    hashes, sources, there = hasher or Hasher(), Sources(), office(at)
    sessions, passkeys = Sessions(at), Passkeys(at, origin)
    sign_in = SignIn(at, hashes, passkeys, sessions, sources)
    own = Own(at, hashes, sign_in, sessions)
    return Reception(
        there,
        SignedIn(sessions, there.keys),
        sessions,
        passkeys,
        sign_in,
        Setup(at, hashes, there.users, there.codes, sources),
        own,
        Counter(sessions, sign_in, passkeys, own),
    )

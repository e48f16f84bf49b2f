"""What signing in needs from the outside, and what goes back and forth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from postern.core.user import User


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened, and what their browser shows to be in it.

    Attributes:
        token: 256 random bits; kept by nobody but the browser.
        user: Whose it is.
    """

    token: str = field(repr=False)
    user: User


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """The password was right; a code is to follow.

    Attributes:
        ticket: Goes with it.
    """

    ticket: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser hands to a device with passkeys.

    Attributes:
        ticket: Goes back with the answer.
        options: As `navigator.credentials` takes them, in JSON.
    """

    ticket: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CodesOffered:
    """What an app is given once; its codes count as soon as one of them was shown.

    Attributes:
        ticket: Goes with the first code.
        secret: What codes are made from, to be typed.
        uri: The same, as apps read it.
        picture: The same as a QR code, in SVG.
    """

    ticket: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: str = field(repr=False)


class SignIns(Protocol):
    """Signs people in. Its methods may be called from any thread.

    Each of them refuses what is wrong with 401, and whoever has to wait with 429; `unavailable`.
    A source is the address that a call comes from, empty where that is not known.
    """

    def by_password(self, name: str, password: str, source: str) -> Opened | CodeWanted:
        """A session, or a ticket for the code that is to follow."""
        ...

    def by_code(self, ticket: str, code: str, source: str) -> Opened:
        """A session for somebody whose password was right."""
        ...

    def ask_passkey(self, source: str) -> Asked:
        """What a passkey is asked."""
        ...

    def by_passkey(self, ticket: str, answer: Mapping[str, object], source: str) -> Opened:
        """A session for whoever holds a passkey."""
        ...

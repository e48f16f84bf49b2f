"""How a sign-in is refused: in words that tell nobody which part of it was wrong."""

from http import HTTPStatus
from math import ceil

from postern.web.problem import RefusedError


def wrong() -> RefusedError:
    """A name, password or code that is not right, whichever of them."""
    return RefusedError(
        HTTPStatus.UNAUTHORIZED,
        "wrong",
        "The name, the password or the code is wrong.",
        "Try again, or ask an administrator for a new code to set a password.",
    )


def stale() -> RefusedError:
    """A ticket that has run out, was used, or never was."""
    return RefusedError(
        HTTPStatus.UNAUTHORIZED, "stale", "This took too long, or was used already.", "Begin again."
    )


def wrong_passkey() -> RefusedError:
    """A passkey's answer that cannot be accepted, for whatever reason."""
    return RefusedError(
        HTTPStatus.UNAUTHORIZED,
        "passkey",
        "This passkey was not accepted.",
        "Begin again; if it stays so, sign in with your password and add the passkey anew.",
    )


def wrong_code() -> RefusedError:
    """A code of setting up that is wrong, was used, or has run out."""
    return RefusedError(
        HTTPStatus.UNAUTHORIZED,
        "setup-code",
        "This code is wrong, was used, or has run out.",
        "Ask an administrator for a new one; on the machine itself: postern user code",
    )


def blocked(seconds: float) -> RefusedError:
    """Too many tries; after so many seconds the next one counts."""
    wait_s = ceil(seconds)
    return RefusedError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-tries",
        "This failed too often.",
        f"Try again in {wait_s} seconds; a passkey works meanwhile.",
        retry_s=wait_s,
    )

"""Codes from an app (RFC 6238): six digits that change every half minute."""

import io
import os
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from urllib.parse import quote, urlencode

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from postern.core.errors import Code, PosternError
from postern.core.ids import UserId

#: What every app can do (RFC 6238, section 5.2; Google Authenticator's key URI format).
DIGITS, STEP_S = 6, 30
#: Steps that a phone's clock may be off, each way.
_DRIFT = 1
#: Bytes: as long as SHA-1's output (RFC 4226, section 4, R6).
_SECRET, _NONCE = 20, 12


@dataclass(frozen=True, slots=True)
class NewCodes:
    """What an app is given once, and nobody is shown again.

    Attributes:
        secret: What codes are made from.
        uri: The same, as apps read it.
    """

    secret: bytes = field(repr=False)
    uri: str = field(repr=False)

    @property
    def text(self) -> str:
        """The secret for whoever types it."""
        return b32encode(self.secret).decode()

    def picture(self) -> str:
        """A QR code of it, as SVG."""
        written = io.BytesIO()
        segno.make(self.uri, error="m", micro=False).save(
            written, kind="svg", scale=4, xmldecl=False, svgns=True
        )
        return written.getvalue().decode()


def new_codes(site: str, user: str) -> NewCodes:
    """Codes for a user of a site, which nobody has yet."""
    secret = os.urandom(_SECRET)
    about = {
        "secret": b32encode(secret).decode(),
        "issuer": site,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP_S,
    }
    label = quote(f"{site.replace(':', ' ')}:{user}")
    return NewCodes(secret, f"otpauth://totp/{label}?{urlencode(about, quote_via=quote)}")


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The step of time whose code it is, near now; None for a wrong one.

    Args:
        secret: What codes are made from.
        code: As it was typed.
        now: Aware UTC.
    """
    typed = code.replace(" ", "").encode("utf-8", "replace")
    codes = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - what the apps have
    present, found = int(now.timestamp()) // STEP_S, None
    for step in range(max(0, present - _DRIFT), present + _DRIFT + 1):
        if compare_digest(codes.generate(step * STEP_S), typed):
            found = step
    return found


def seal(key: bytes, user: UserId, secret: bytes) -> bytes:
    """A secret that only this site can open, and only as this user's."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, user.encode())


def unseal(key: bytes, user: UserId, sealed: bytes) -> bytes:
    """The inverse of `seal`.

    Raises:
        PosternError: `invalid` where it was sealed by another site or for another user, or altered.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], user.encode())
    except (InvalidTag, ValueError):
        raise PosternError(
            Code.INVALID,
            "What this user's codes are made from cannot be opened with this site's key.",
            "Give them a new start with: postern user reset",
        ) from None

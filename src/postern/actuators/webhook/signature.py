"""Signatures of webhooks, so that the receiver knows who asks: Standard Webhooks 1.0.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac

from postern.core.errors import invalid

_PREFIX = "whsec_"
#: Bytes of a key; the specification's own limits.
_LEAST, _MOST = 24, 64


def read_key(text: str) -> bytes:
    """The key that a secret's text holds: `whsec_` and Base64.

    Raises:
        PosternError: `invalid` where it holds none, without telling any of it.
    """
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise invalid(
            f"A webhook's secret is {_PREFIX} and {_LEAST} to {_MOST} bytes in Base64.",
            "Make one: echo whsec_$(head -c 32 /dev/urandom | base64)",
        )
    return key


def sign(key: bytes, number: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers that say who sends a body, and when.

    Args:
        key: As `read_key` gives it.
        number: The message's own id; a receiver drops what it had before.
        at_s: Seconds since 1970.
        body: What is sent.
    """
    signed = f"{number}.{at_s}.".encode() + body
    code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": number,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{code}",
    }

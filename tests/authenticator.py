"""A device that holds passkeys, made of the standard's words (WebAuthn level 3, section 6).

It does what an honest device does, and whatever else a test asks of it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

#: Flags of what a device says (section 6.1).
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass(frozen=True, slots=True)
class Held:
    """A passkey in the device; for whom, and how often it was used."""

    key: EllipticCurvePrivateKey
    domain: str
    user: bytes
    count: int = 0


class Authenticator:
    """A device, with the browser that asks it.

    Args:
        origin: What the browser says which page asks.
        verifies: Whether the device checks who holds it.
        counts: Whether it counts how often a passkey is used.
    """

    def __init__(self, origin: str, *, verifies: bool = True, counts: bool = True) -> None:
        self.origin = origin
        self.verifies = verifies
        self.counts = counts
        self.held: dict[bytes, Held] = {}

    def make(self, options: Any, form: str = "none") -> dict[str, object]:
        """The answer to `navigator.credentials.create`."""
        held = Held(
            generate_private_key(SECP256R1()), options["rp"]["id"], unwritten(options["user"]["id"])
        )
        name = token_bytes(32)
        self.held[name] = held
        made = bytes(16) + len(name).to_bytes(2) + name + cbor2.dumps(_public(held.key))
        about = self._about(held, ATTESTED) + made
        client = self._client("webauthn.create", options["challenge"])
        statement: dict[str, object] = {}
        if form == "packed":
            signed = about + sha256(client).digest()
            statement = {"alg": -7, "sig": held.key.sign(signed, ECDSA(SHA256()))}
        whole = cbor2.dumps({"fmt": form, "attStmt": statement, "authData": about})
        return _answer(name, {"clientDataJSON": client, "attestationObject": whole})

    def answer(self, options: Any) -> dict[str, object]:
        """The answer to `navigator.credentials.get`, by the passkey that was made last."""
        name, held = list(self.held.items())[-1]
        held = replace(held, count=held.count + self.counts)
        self.held[name] = held
        about = self._about(held, 0)
        client = self._client("webauthn.get", options["challenge"])
        signed = held.key.sign(about + sha256(client).digest(), ECDSA(SHA256()))
        return _answer(
            name,
            {
                "clientDataJSON": client,
                "authenticatorData": about,
                "signature": signed,
                "userHandle": held.user,
            },
        )

    def _about(self, held: Held, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return sha256(held.domain.encode()).digest() + bytes([flags]) + held.count.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()


def _public(key: EllipticCurvePrivateKey) -> dict[int, object]:
    """A public key as COSE writes it (RFC 9053, section 7.1.1)."""
    numbers = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}


def _answer(name: bytes, response: dict[str, bytes]) -> dict[str, object]:
    return {
        "id": written(name),
        "rawId": written(name),
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {key: written(value) for key, value in response.items()},
    }


def written(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def unwritten(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""What passes claim: read, looked up, and their references opened.

1. Whatever a code says is answered by a claim, a reason or nothing, never by an exception.
2. Nothing is looked up for a pass that this site did not sign, so that nobody learns by trying
   which passes there are.
3. No reference is opened that no permit asks for here, or without its owner's consent here and now
   to its being kept as it is.
"""

from contextlib import suppress
from dataclasses import dataclass

from postern.app.passes import MODES, face_of, pass_of
from postern.app.rekey import renew
from postern.core.access_point import AccessPoint
from postern.core.credential import Credential
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import PersonId
from postern.core.moment import Moment
from postern.engine.ports import Claim, Known, Register
from postern.frame import Reference
from postern.store.credentials import KeptReference
from postern.store.store import Store
from postern.vault.passes import Fault, Pass, PassReader, Refused, Sort
from postern.vault.seal import Sealed
from postern.vault.vault import Vault

_REASONS = {
    Fault.DAMAGED: Reason.INVALID_PASS,
    Fault.NEWER: Reason.INVALID_PASS,
    Fault.FOREIGN: Reason.FOREIGN_PASS,
    Fault.EXPIRED: Reason.CREDENTIAL_EXPIRED,
    Fault.EARLY: Reason.CREDENTIAL_NOT_ACTIVE,
}


@dataclass(frozen=True, slots=True)
class SiteClaims:
    """Implements `postern.engine.ports.Claims` on the store and the vault.

    Attributes:
        register: Who may pass where.
        store: The records.
        vault: Opens references.
        reader: Reads the site's passes.
        embedder: The sha256 of the model whose references can be compared.
    """

    register: Register
    store: Store
    vault: Vault
    reader: PassReader
    embedder: str

    def claim(self, access_point: AccessPoint, text: bytes, now: Moment) -> Claim | Reason | None:
        """See `Claims.claim`."""
        read = self.reader.read(text, now.utc)
        if read is None:
            return None
        known = self.register.known(access_point, now)
        genuine = read.genuine if isinstance(read, Refused) else read
        if genuine is not None and not known.state.clock_trusted:
            return Reason.CLOCK_UNTRUSTED
        if isinstance(read, Refused):
            return _REASONS[read.fault]
        return self._look_up(read, known, now)

    def _look_up(self, read: Pass, known: Known, now: Moment) -> Claim | Reason:
        shown = known.state.credentials.get(pass_of(read.handle))
        if shown is None:
            return self._unknown(read)
        reason = _uncovered(shown, read, known, now) or _fault(shown, read, now)
        if reason is not None:
            return reason
        face = known.state.credentials.get(face_of(read.handle))
        reference = Reason.CREDENTIAL_NOT_ENABLED if face is None else self._open(read, face)
        return reference if isinstance(reference, Reason) else Claim(shown.id, reference)

    def _unknown(self, read: Pass) -> Reason:
        """Of somebody who may pass elsewhere only, or whom nobody knows any more."""
        try:
            shown = self.store.credentials.find(pass_of(read.handle))
        except PosternError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return Reason.CREDENTIAL_NOT_ENABLED
        return Reason.UNAUTHORIZED if shown.enabled else Reason.CREDENTIAL_NOT_ENABLED

    def _open(self, read: Pass, face: Credential) -> Reference | Reason:
        person = PersonId(face.holder)
        if face.mode is not MODES[read.sort] or not face.enabled:
            return Reason.INVALID_PASS
        try:
            if read.sort is Sort.REFERENCE:
                template = self.vault.open(Sealed(face.id, person, read.content))
            else:
                kept = self.store.credentials.reference(face.id)
                sealed = Sealed(kept.credential, kept.person, kept.blob)
                template = self.vault.open(sealed, read.content)
                self._renew(kept, read.content)
        except PosternError as error:
            if error.retry_helps:
                raise
            gone = error.code is Code.NOT_FOUND
            return Reason.CREDENTIAL_NOT_ENABLED if gone else Reason.INVALID_PASS
        if template.model != self.embedder:
            template.values.fill(0)
            return Reason.NEEDS_NEW_LOOKS
        return Reference(face.id, person, template)

    def _renew(self, reference: KeptReference, share: bytes) -> None:
        """Seals a reference anew where the site was re-keyed: only now is its share there.

        Where it cannot be done now, it opens as before and is done at the next visit.
        """
        with suppress(PosternError):
            renew(self.store, self.vault, reference, share)


def _uncovered(shown: Credential, read: Pass, known: Known, now: Moment) -> Reason | None:
    """Why a pass must not open its reference here and now, sound as it may be."""
    person, mode = PersonId(shown.holder), MODES[read.sort]
    if not any(person in one.holders and one.requires(Factor.FACE) for one in known.permits):
        return Reason.UNAUTHORIZED
    place = known.state.access_point.id
    agreed = any(
        consent.mode is mode and consent.holds(place, now.utc)
        for consent in known.state.consents.get(person, ())
    )
    return None if agreed else Reason.NO_CONSENT


def _fault(shown: Credential, read: Pass, now: Moment) -> Reason | None:
    """What is wrong with a pass that the site issued, by what it knows of it now."""
    # One that says otherwise than its record counts no more: an earlier Postern renewed passes
    # under the same handle.
    if not shown.enabled or shown.valid_from != read.issued:
        return Reason.CREDENTIAL_NOT_ENABLED
    if not shown.valid_from <= now.utc:
        return Reason.CREDENTIAL_NOT_ACTIVE
    if shown.valid_until is None or not now.utc < shown.valid_until:
        return Reason.CREDENTIAL_EXPIRED
    return None

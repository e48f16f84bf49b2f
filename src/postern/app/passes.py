"""Passes: issued to somebody who agreed, counted, and revoked.

1. A person has one pass that counts. With the next one the keys of the former are destroyed, and
   whoever finds it holds noise.
2. The site keeps of a pass who has it, until when it counts and the key, never what it carries.
3. A pass never counts longer than the consent that it was made for.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_bytes

from postern.core.consent import StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Enrolled, Revoked
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, PersonId
from postern.core.ports import Ledger
from postern.frame import Recogniser, Source, Template
from postern.store.store import Store
from postern.vault.keys import derive_seed
from postern.vault.passes import (
    HANDLE_SIZE,
    SHARE_SIZE,
    Pass,
    PassReader,
    Refused,
    Sort,
    encode,
    public_key,
)
from postern.vault.seal import Sealed, read_header
from postern.vault.vault import Vault

_PURPOSE = b"postern pass 1"
_PASS, _FACE = "pass-", "face-"
#: Seconds that somebody has to hold up the pass that is to be renewed.
_PATIENCE_S = 60.0
_NEW_LOOKS = "Take new looks instead: postern pass issue"
#: How the reference is kept that belongs to a sort of pass.
MODES = {Sort.REFERENCE: StorageMode.PASS, Sort.SHARE: StorageMode.SHARED}
#: Seals the reference of a new pass, for the credential that it gets and with its share.
_Seal = Callable[[CredentialId, bytes | None], Sealed]


@dataclass(frozen=True, slots=True)
class IssuedPass:
    """A pass that was made; its text is for its owner alone and is not kept.

    Attributes:
        credential: The pass.
        face: The reference that it carries, or opens.
        text: What its QR code says.
        sealed: The reference where the site keeps it, sealed; None where the pass carries it.
        swept: Whether the keys of their former passes are gone with every trace; if not, another
            program used the keys, and they go when the site is tidied up.
    """

    credential: Credential
    face: Credential
    text: str = field(repr=False)
    sealed: bytes | None = field(repr=False)
    swept: bool = True

    @property
    def until(self) -> datetime:
        """When it stops to count."""
        if self.credential.valid_until is None:
            raise invalid("A pass ends some time.")
        return self.credential.valid_until


#: Writes a pass down for its owner when it is entered, and takes that back where the pass does not
#: come to count. Before: whoever's pass counts must not find that it could not be written.
Hand = Callable[[IssuedPass], AbstractContextManager[None]]


def unwritten(_issued: IssuedPass) -> AbstractContextManager[None]:
    """A `Hand` for a pass whose text is used as it is."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one site.

    Attributes:
        store: The records.
        vault: Seals and opens references.
        ledger: Where what becomes of a pass is an event.
        seed: The 32 secret bytes that passes are signed with; from `pass_seed`.
    """

    store: Store
    vault: Vault
    ledger: Ledger
    seed: bytes = field(repr=False)

    def issue(
        self,
        person: PersonId,
        template: Template,
        mode: StorageMode,
        until: datetime,
        now: datetime,
        hand: Hand = unwritten,
    ) -> IssuedPass:
        """A new pass for somebody who is known and has agreed; it ends the one that they had.

        An enrolment, which keeps more in the same transaction, takes `make`, `keep` and `sweep`.

        Args:
            person: Whose pass it is.
            template: Their reference, gathered from live looks.
            mode: `pass` for one that carries the reference, `shared` for one that carries the share
                without which the reference at the site stays shut.
            until: When it stops to count; not later than the consent does.
            now: The present time.
            hand: Writes it down before it counts.

        Raises:
            PosternError: `invalid` for another mode, or an end that has come; `unauthorized` where
                the person has not agreed to that mode; as the store's, the vault's and the hand's
                own.
        """
        issued = self.make(person, template, mode, until, now)
        return self._hand_over(issued, now, hand)

    def make(
        self,
        person: PersonId,
        template: Template,
        mode: StorageMode,
        until: datetime,
        now: datetime,
    ) -> IssuedPass:
        """A pass that does not count before `keep`; its key alone is durable. As for `issue`."""

        def seal(name: CredentialId, share: bytes | None) -> Sealed:
            return self.vault.seal(name, person, template, mode=mode, share=share)

        return self._made(person, mode, _span(now, until), seal)

    def keep(self, issued: IssuedPass, now: datetime) -> None:
        """Makes a pass count, and former ones of its owner count no more.

        It belongs into `Store.together`; the keys of the former ones go with `sweep`, after it.

        Raises:
            PosternError: as the store's and the ledger's own.
        """
        for former in self.of(PersonId(issued.credential.holder)):
            if former.enabled:
                self._end(former, now)
        self.store.credentials.add(issued.credential, now=now)
        self.store.credentials.add(issued.face, now=now, sealed=issued.sealed)
        for one in (issued.credential, issued.face):
            self.ledger.append(Enrolled(now, one.id, one.holder))

    def renew(
        self, read: Pass, until: datetime, now: datetime, hand: Hand = unwritten
    ) -> IssuedPass:
        """A new pass for whoever showed theirs, which counts no more; no looks have to be taken.

        It is a pass like any other, with a handle, a key and a share of its own: the key of the one
        that was shown is destroyed, so that no backup of the store brings it back.

        Args:
            read: The pass, as the reader gave it.
            until: When the new one stops to count; not later than the consent does.
            now: The present time.
            hand: Writes it down before it counts.

        Raises:
            PosternError: `conflict` where the pass counts no more; `invalid` for an end that has
                come; as the store's, the vault's and the hand's own.
        """
        shown = self.find(pass_of(read.handle))
        face, person, mode = self.face(shown), PersonId(shown.holder), MODES[read.sort]
        counts = shown.enabled and shown.valid_from == read.issued
        if face is None or face.mode is not mode or not counts:
            raise _no_more()
        span = _span(now, until)
        share = read.content if read.sort is Sort.SHARE else None
        blob = read.content if share is None else self.store.credentials.reference(face.id).blob
        former = Sealed(face.id, person, blob)

        def seal(name: CredentialId, fresh: bytes | None) -> Sealed:
            return self.vault.reissue(former, name, share, fresh)

        issued = self._made(person, mode, span, seal)
        return self._hand_over(issued, now, hand, shown.id)

    def revoke(self, credential: CredentialId, now: datetime) -> bool:
        """Ends a pass at once: it was lost, or is not wanted any more. Its key goes first.

        Returns:
            Whether it counted until now; where it did not, what was left undone is finished.

        Raises:
            PosternError: `not_found` where there is no such pass; `unavailable` where it cannot be
                finished now: do it again.
        """
        shown = self.find(credential)
        self._forget(shown)
        if shown.enabled:
            with self.store.together():
                self._end(shown, now)
        return shown.enabled

    def sweep(self, person: PersonId) -> bool:
        """Destroys the keys of a person's passes that were ended; twice is the same.

        Returns:
            False where it cannot be finished now; `expire` does it then. It is no failure: the
            pass that ended them counts already, and must reach its owner.
        """
        try:
            for one in self.of(person):
                if not one.enabled:
                    self._forget(one)
        except PosternError as error:
            if not error.retry_helps:
                raise
            return False
        return True

    def expire(self, now: datetime) -> None:
        """Forgets every pass that has expired, with its key, and the keys of those that were ended.

        Raises:
            PosternError: `unavailable` where it cannot be finished now: do it again.
        """
        for one in self.all():
            over = one.valid_until is not None and one.valid_until <= now
            if over or not one.enabled:
                self._forget(one)
            if over:
                self.store.credentials.remove(one.id)

    def find(self, credential: CredentialId) -> Credential:
        """The pass of that id.

        Raises:
            PosternError: `not_found` where there is none; `unavailable`.
        """
        try:
            found = self.store.credentials.find(credential)
        except PosternError as error:
            raise _no_pass() if error.code is Code.NOT_FOUND else error from None
        if found.factor is not Factor.PASS:
            raise _no_pass()
        return found

    def all(self) -> tuple[Credential, ...]:
        """Every pass, also those that were revoked, until they have expired.

        Raises:
            PosternError: `unavailable`.
        """
        return tuple(one for person in self.store.people.all() for one in self.of(person.id))

    def of(self, person: PersonId) -> tuple[Credential, ...]:
        """Every pass of a person; as `all`."""
        theirs = self.store.credentials.of(person)
        return tuple(one for one in theirs if one.factor is Factor.PASS)

    def face(self, shown: Credential) -> Credential | None:
        """The reference that a pass carries or opens; None once it was destroyed.

        Raises:
            PosternError: `unavailable`.
        """
        name = face_of(handle_of(shown.id))
        theirs = self.store.credentials.of(shown.holder)
        return next((one for one in theirs if one.id == name), None)

    def reader(self) -> PassReader:
        """What reads the site's passes."""
        return PassReader(self.vault.site, public_key(self.seed))

    def _made(
        self, person: PersonId, mode: StorageMode, span: tuple[datetime, datetime], seal: _Seal
    ) -> IssuedPass:
        if mode is StorageMode.ROSTER:
            raise invalid("Whoever is on a roster needs no pass.")
        handle, (begins, ends) = token_bytes(HANDLE_SIZE), span
        shown = Credential(pass_of(handle), Factor.PASS, person, True, begins, ends)
        share = token_bytes(SHARE_SIZE) if mode is StorageMode.SHARED else None
        sealed = seal(face_of(handle), share).blob
        model = read_header(sealed).model
        face = Credential(face_of(handle), Factor.FACE, person, True, begins, ends, mode, model)
        sort, kept = (Sort.REFERENCE, None) if share is None else (Sort.SHARE, sealed)
        carried = Pass(sort, self.vault.site, handle, begins, ends, share or sealed)
        return IssuedPass(shown, face, encode(carried, self.seed), kept)

    def _hand_over(
        self, issued: IssuedPass, now: datetime, hand: Hand, former: CredentialId | None = None
    ) -> IssuedPass:
        """Makes a pass count, in place of the former one where there has to be one."""
        person = PersonId(issued.face.holder)
        try:
            with hand(issued), self.store.together():
                # Once more: it may have been revoked since it was looked at.
                if former is not None and not self.find(former).enabled:
                    raise _no_more()
                self.keep(issued, now)
        except BaseException:
            # Nothing was kept; a key that opens nothing must not stay either.
            self.vault.destroy(issued.face.id, person)
            raise
        return replace(issued, swept=self.sweep(person))

    def _end(self, shown: Credential, now: datetime) -> None:
        self.store.credentials.enable(shown.id, enabled=False)
        self.ledger.append(Revoked(now, shown.id, shown.holder))

    def _forget(self, shown: Credential) -> None:
        """Destroys the key of a pass's reference, and then what the site has of it."""
        face, person = face_of(handle_of(shown.id)), PersonId(shown.holder)
        if (person, face) in self.vault.keyed():
            self.vault.destroy(face, person)
        if self.face(shown) is not None:
            self.store.credentials.remove(face)


def shown_to(source: Source, recogniser: Recogniser, reader: PassReader) -> Pass:
    """The first pass that is held up to a camera.

    Args:
        source: The camera.
        recogniser: Finds passes.
        reader: Reads the site's.

    Raises:
        PosternError: `invalid` where a pass is held up that does not count; `unavailable` where
            none is before the time is up; as the source's own.
    """
    begun_s: float | None = None
    for frame in source.frames():
        moment = frame.captured
        begun_s = moment.monotonic_s if begun_s is None else begun_s
        for sighting in recogniser.sightings(frame):
            text = b"" if sighting.template is None else sighting.template.values.tobytes()
            read = reader.read(text, moment.utc)
            if isinstance(read, Refused):
                raise invalid(f"This pass cannot be renewed: it is {read.fault}.", _NEW_LOOKS)
            if read is not None:
                return read
        if moment.monotonic_s - begun_s > _PATIENCE_S:
            break
    raise PosternError(Code.UNAVAILABLE, "No pass was held up.", "Hold it closer, and still.")


def pass_seed(signing: bytes) -> bytes:
    """The 32 secret bytes that passes are signed with; `signing` is the site's signing secret."""
    return derive_seed(signing, _PURPOSE)


def pass_of(handle: bytes) -> CredentialId:
    """The pass with that handle."""
    return CredentialId(_PASS + handle.hex())


def face_of(handle: bytes) -> CredentialId:
    """The reference that the pass with that handle carries, or opens."""
    return CredentialId(_FACE + handle.hex())


def handle_of(shown: CredentialId) -> bytes:
    """The handle of a pass."""
    return bytes.fromhex(shown.removeprefix(_PASS))


def _span(now: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From when until when a pass counts, in whole seconds, as it says itself."""
    begins, ends = now.replace(microsecond=0), until.replace(microsecond=0)
    if not begins < ends:
        raise invalid("A pass ends after it begins.", "Renew the consent first.")
    return begins, ends


def _no_more() -> PosternError:
    return PosternError(Code.CONFLICT, "This pass counts no more.", _NEW_LOOKS)


def _no_pass() -> PosternError:
    return PosternError(Code.NOT_FOUND, "There is no pass of that id.", "See: postern pass list")

"""Credentials: switching them off, and ending them with what holders are recognised by."""

from dataclasses import dataclass

from postern.api.version import Seen
from postern.app.passes import Passes, face_of, handle_of
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Revoked
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, PersonId, VehicleId
from postern.core.ports import Clock, Ledger
from postern.store.consents import DestroyKey
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of one site.

    Attributes:
        store: The records.
        ledger: Where a change becomes an event.
        clock: Says how late it is.
        passes: The site's passes.
        destroy_key: Destroys the key of one reference; the vault's.
    """

    store: Store
    ledger: Ledger
    clock: Clock
    passes: Passes
    destroy_key: DestroyKey

    def of(self, holder: str) -> tuple[Credential, ...]:
        """Everything of a holder's.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        if holder.startswith("v-"):
            return self.store.credentials.of(self.store.vehicles.find(VehicleId(holder)).id)
        return self.store.credentials.of(self.store.people.find(PersonId(holder)).id)

    def find(self, credential: CredentialId) -> Credential:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.credentials.find(credential)

    def enable(
        self, credential: CredentialId, enabled: bool, by: str, seen: Seen[Credential]
    ) -> Credential:
        """Switches one on or off; it counts from the next attempt on.

        Raises:
            PosternError: `not_found`; `conflict` for a pass that was ended; `unavailable`; as
                `seen`.
        """
        now = self.clock.now().utc
        with self.store.together():
            kept = self.find(credential)
            seen(kept)
            if kept.enabled is not enabled:
                if enabled and kept.factor is Factor.PASS and self.passes.face(kept) is None:
                    raise PosternError(
                        Code.CONFLICT,
                        "This pass was ended: what it carried or opened is destroyed.",
                        "Issue another: postern pass issue",
                    )
                self.store.credentials.enable(credential, enabled=enabled)
                what = "credential switched on" if enabled else "credential switched off"
                self.ledger.append(Changed(now, what, credential, by))
        return self.find(credential)

    def revoke(self, credential: CredentialId, by: str, seen: Seen[Credential]) -> None:
        """Ends a pass, or the reference of a face, with its key; twice is the same.

        Raises:
            PosternError: `not_found`; `conflict` where it ends with something else; `unavailable`
                where it cannot be finished now: do it again; as `seen`.
        """
        now = self.clock.now().utc
        with self.store.together():
            kept = self.find(credential)
            seen(kept)
            self._check_alone(kept)
            if kept.factor is Factor.PASS:
                ended = self.passes.revoke(credential, now)
            else:
                self.store.consents.forget(PersonId(kept.holder), credential, self.destroy_key)
                self.ledger.append(Revoked(now, credential, kept.holder))
                ended = True
            if ended:
                self.ledger.append(Changed(now, "credential ended", credential, by))

    def _check_alone(self, kept: Credential) -> None:
        """Refuses to end what ends with something else."""
        if kept.factor not in (Factor.PASS, Factor.FACE):
            raise PosternError(
                Code.CONFLICT, "A plate ends with its vehicle.", "Remove the vehicle."
            )
        if kept.factor is not Factor.FACE:
            return
        for shown in self.passes.of(PersonId(kept.holder)):
            if face_of(handle_of(shown.id)) == kept.id:
                raise PosternError(
                    Code.CONFLICT,
                    "This reference ends with the pass that carries or opens it.",
                    f"End {shown.id} instead.",
                )

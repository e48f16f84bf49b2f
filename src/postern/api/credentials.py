"""Credentials: what a holder is recognised by, switching it off, and ending it.

What is secret of them is never shown: neither a sealed reference nor what a pass says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

import msgspec
from litestar import Response, delete, get, patch
from litestar.params import FromPath, JSONBody, QueryParameter

from postern.api.call import CHANGE, ONE, call
from postern.api.paging import Page, whole
from postern.api.version import IfMatch, IfNoneMatch, Seen, shown, unchanged
from postern.core.consent import StorageMode
from postern.core.credential import Credential as KeptCredential
from postern.core.evidence import Factor
from postern.core.ids import CredentialId
from postern.core.role import Right
from postern.web.caller import Caller
from postern.web.given import Given
from postern.web.problem import field


@dataclass(frozen=True, slots=True)
class Credential:
    """What a holder is recognised by.

    Attributes:
        id: Its id.
        holder: Whose it is: a person's id, or a vehicle's.
        factor: What it is.
        enabled: Whether it counts; false where it was switched off or ended.
        valid_from: When it begins to count.
        valid_until: When it stops; null for never.
        mode: How a face's reference is kept; null for everything else.
    """

    id: str
    holder: str
    factor: Factor
    enabled: bool
    valid_from: datetime
    valid_until: datetime | None
    mode: StorageMode | None


class Switch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a credential counts."""

    enabled: bool


class Credentials(Protocol):
    """What holders are recognised by. Its methods may be called from any thread."""

    def of(self, holder: str) -> Sequence[KeptCredential]:
        """Everything of a holder's; `not_found`, `unavailable`."""
        ...

    def find(self, credential: CredentialId) -> KeptCredential:
        """One of them; `not_found`, `unavailable`."""
        ...

    def enable(
        self, credential: CredentialId, enabled: bool, by: str, seen: Seen[KeptCredential]
    ) -> KeptCredential:
        """Switches one on or off; `not_found`, `conflict` where it was ended, `unavailable`, as
        `seen`."""
        ...

    def revoke(self, credential: CredentialId, by: str, seen: Seen[KeptCredential]) -> None:
        """Ends one and destroys what it is recognised by; `not_found`, `conflict` where it ends
        with something else, `unavailable`, as `seen`."""
        ...


@get("/credentials", **call("listCredentials", "List what a holder is recognised by", Right.READ))
def list_credentials(
    credentials: Given[Credentials],
    holder: Annotated[
        str, QueryParameter(max_length=64, description="A person's id, or a vehicle's.")
    ],
) -> Response[Page[Credential]]:
    """Of one person or vehicle: nobody is found by what they are recognised by."""
    with field("holder"):
        found = credentials.of(holder)
    return whole([_credential(one) for one in found])


@get(
    "/credentials/{credential:str}",
    **call("getCredential", "Show a credential", Right.READ, refused=ONE),
)
def get_credential(
    credentials: Given[Credentials], credential: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[Credential]:
    """With the version to change it by."""
    return shown(_credential(credentials.find(CredentialId(credential))), if_none_match)


@patch(
    "/credentials/{credential:str}",
    **call("switchCredential", "Switch a credential on or off", Right.ENROL, refused=CHANGE),
)
def switch_credential(
    credentials: Given[Credentials],
    caller: Given[Caller],
    credential: FromPath[str],
    data: JSONBody[Switch],
    if_match: IfMatch = None,
) -> Response[Credential]:
    """It counts from the next attempt on. One that was ended stays so."""
    seen = unchanged(if_match, _credential)
    name = CredentialId(credential)
    return shown(_credential(credentials.enable(name, data.enabled, caller.by, seen)))


@delete(
    "/credentials/{credential:str}",
    **call("revokeCredential", "End a credential", Right.ERASE, refused=CHANGE),
)
def revoke_credential(
    credentials: Given[Credentials],
    caller: Given[Caller],
    credential: FromPath[str],
    if_match: IfMatch = None,
) -> None:
    """A pass that was lost, or the reference of a face: its key is destroyed at once. A plate ends
    with its vehicle, and the reference that a pass carries or opens with that pass."""
    seen = unchanged(if_match, _credential)
    credentials.revoke(CredentialId(credential), caller.by, seen)


CREDENTIALS = [list_credentials, get_credential, switch_credential, revoke_credential]


def _credential(kept: KeptCredential) -> Credential:
    return Credential(
        kept.id, kept.holder, kept.factor, kept.enabled, kept.valid_from, kept.valid_until,
        kept.mode,
    )  # fmt: skip

"""What a holder is recognised by."""

from dataclasses import dataclass
from datetime import datetime

from postern.core.consent import StorageMode
from postern.core.errors import invalid
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, Holder
from postern.core.moment import check_utc


@dataclass(frozen=True, slots=True)
class Credential:
    """A face reference, plate, pass, card or PIN, without its secret part.

    Attributes:
        id: Its name.
        factor: Which kind it is.
        holder: Whose it is.
        enabled: False while an operator has switched it off.
        valid_from: When it begins to count; aware UTC.
        valid_until: When it stops; None for never.
        mode: How a face's reference is kept; None for every other factor.
        model: The sha256 of the model that made a face's reference; None for every other factor,
            and where it was enrolled before this was kept.
    """

    id: CredentialId
    factor: Factor
    holder: Holder
    enabled: bool
    valid_from: datetime
    valid_until: datetime | None = None
    mode: StorageMode | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if (self.factor is Factor.FACE) is (self.mode is None):
            raise invalid("A face says how its reference is kept, and nothing else does.")
        if self.factor is not Factor.FACE and self.model is not None:
            raise invalid("Only a face has a model that made its reference.")
        check_utc(self.valid_from, self.valid_until)
        if self.valid_until is not None and not self.valid_from < self.valid_until:
            raise invalid("A credential ends after it begins.")

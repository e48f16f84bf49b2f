"""A vehicle that was registered, and its plate's text."""

from dataclasses import dataclass

from postern.core.errors import invalid
from postern.core.ids import VehicleId
from postern.core.person import check_name

#: Characters. The shortest plates in use have two, the longest (India, Iran) ten.
MIN_PLATE, MAX_PLATE = 2, 10
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SEPARATORS = " -.·"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that may hold permits.

    Attributes:
        id: Starts with ``v-``.
        plate: Its plate, capitals and digits without separators.
        label: What its owner calls it.
    """

    id: VehicleId
    plate: str
    label: str

    def __post_init__(self) -> None:
        if not self.id.startswith("v-"):
            raise invalid("A vehicle's id starts with 'v-'.")
        if self.plate != plate_text(self.plate):
            raise invalid("A plate is kept in capitals and digits without separators.")
        check_name(self.label)


#: No reader here tells such letters from those without marks.
_MARKED = "Write Ä as A and so on; how surely such plates are read was not measured."


def plate_text(written: str) -> str:
    """A plate as it is compared: capitals and digits alone.

    Args:
        written: As somebody wrote it; blanks, dashes, dots and small letters are allowed.

    Raises:
        PosternError: `invalid` where anything else is in it, or too few or too many characters
            are. Wildcards are refused: a permit is for one vehicle.
    """
    text = plate_part(written)
    if not MIN_PLATE <= len(text) <= MAX_PLATE:
        raise invalid(f"A plate has {MIN_PLATE} to {MAX_PLATE} letters and digits.")
    return text


def plate_part(written: str) -> str:
    """Any part of a plate as it is looked for, none included; as `plate_text`.

    Raises:
        PosternError: `invalid` where anything but letters and digits is in it.
    """
    characters = [c for c in written if c not in SEPARATORS]
    # Capitals only after the check: Python's capitals of "ß" are "SS", and of a dotless "ı" an "I".
    if not all(c.isascii() and c.upper() in ALPHABET for c in characters):
        marked = any(c.isalpha() and not c.isascii() for c in characters)
        raise invalid(
            "The plate holds something other than letters A to Z and digits.",
            _MARKED if marked else "Write it as on the vehicle; wildcards are not allowed.",
        )
    return "".join(characters).upper()

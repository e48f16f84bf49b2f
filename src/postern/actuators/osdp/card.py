"""Card numbers as Wiegand bits, which is how readers send them inside OSDP."""

from dataclasses import dataclass
from enum import Enum

from postern.core.errors import invalid


@dataclass(frozen=True, slots=True)
class Layout:
    """How the numbers lie between the two parity bits.

    Attributes:
        facility: Bits of the facility code, which come first.
        card: Bits of the card's number.
    """

    facility: int
    card: int


class Format(Enum):
    """By their length in bits: H10301, and the 34 bits that are mostly split in halves."""

    H10301 = 26
    WIEGAND34 = 34


#: The first is HID's published standard format; the second is H10306.
_LAYOUTS = {Format.H10301: Layout(8, 16), Format.WIEGAND34: Layout(16, 16)}


def formatted(bits: int) -> Format:
    """The format of that length.

    Raises:
        PosternError: `invalid` where there is none.
    """
    try:
        return Format(bits)
    except ValueError:
        raise invalid("A card has 26 or 34 bits.") from None


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader sends of a card.

    Attributes:
        length: How many bits.
        data: The bits, the first of them highest in the first byte, filled up with zeros.
    """

    length: int
    data: bytes


def encode(form: Format, facility: int, card: int) -> Card:
    """A card's number with its parity bits: even over the first half, odd over the second.

    Raises:
        PosternError: `invalid` where a number does not fit its format.
    """
    layout = _LAYOUTS[form]
    for name, value, bits in (("facility", facility, layout.facility), ("card", card, layout.card)):
        if not 0 <= value < 2**bits:
            raise invalid(f"In {form.value} bits the {name} is from 0 to {2**bits - 1}.")
    payload, size = facility << layout.card | card, layout.facility + layout.card
    first, second = payload >> size // 2, payload & (1 << size // 2) - 1
    even, odd = first.bit_count() % 2, (second.bit_count() + 1) % 2
    whole = even << size + 1 | payload << 1 | odd
    unused = -form.value % 8
    return Card(form.value, (whole << unused).to_bytes((form.value + unused) // 8, "big"))

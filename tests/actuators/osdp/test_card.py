"""Card numbers as Wiegand bits, held against the published formats."""

import pytest

from postern.actuators.osdp.card import Format, encode, formatted
from postern.core.errors import PosternError


def bits(form: Format, facility: int, card: int) -> str:
    """The bits as they are sent, first one first."""
    made = encode(form, facility, card)
    assert form.value == made.length
    whole = "".join(f"{byte:08b}" for byte in made.data)
    assert "0" * (len(whole) - made.length) == whole[made.length :]
    return whole[: made.length]


@pytest.mark.parametrize(
    ("facility", "card", "expected"),
    [
        (0, 0, "0" + "00000000" + "0" * 16 + "1"),
        (1, 1, "1" + "00000001" + "0" * 15 + "1" + "0"),
        (255, 65535, "0" + "1" * 24 + "1"),
        (159, 1701, "0" + "10011111" + "0000011010100101" + "1"),
    ],
)
def test_h10301_has_its_parity_bits(facility: int, card: int, expected: str) -> None:
    """Even over the first twelve bits of the number, odd over the last twelve."""
    assert expected == bits(Format.H10301, facility, card)


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize(("facility", "card"), [(0, 0), (7, 4660), (200, 65535), (255, 1)])
def test_every_number_has_sound_parity(form: Format, facility: int, card: int) -> None:
    """As a panel checks it: the first half even, the second half odd, parity bits included."""
    sent = bits(form, facility, card)
    half = form.value // 2

    assert 0 == sent[:half].count("1") % 2
    assert 1 == sent[half:].count("1") % 2
    assert facility << 16 | card == int(sent[1:-1], 2)


@pytest.mark.parametrize(
    ("form", "facility", "card"),
    [(Format.H10301, 256, 1), (Format.H10301, -1, 1), (Format.H10301, 1, 65536),
     (Format.WIEGAND34, 65536, 1), (Format.WIEGAND34, 1, 65536)],
)  # fmt: skip
def test_number_that_does_not_fit_is_refused(form: Format, facility: int, card: int) -> None:
    """Cut off, it would be somebody else's card."""
    with pytest.raises(PosternError):
        encode(form, facility, card)


def test_other_lengths_are_refused() -> None:
    """There are two."""
    assert Format.H10301 is formatted(26)
    with pytest.raises(PosternError, match="26 or 34"):
        formatted(37)

"""Base45 (RFC 9285): bytes as text of the 45 characters that a QR code packs tightest.

Two bytes are three characters and a last odd byte is two, each group a number in base 45 with its
lowest digit first. No text has two readings and no bytes have two texts.
"""

from postern.core.errors import PosternError, invalid

#: RFC 9285, table 1: a character's place is its value.
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_BASE = len(ALPHABET)


def encode(data: bytes) -> str:
    """The text of these bytes; no text for no bytes."""
    pairs = len(data) // 2 * 2
    groups = [_digits(int.from_bytes(data[at : at + 2], "big"), 3) for at in range(0, pairs, 2)]
    if pairs < len(data):
        groups.append(_digits(data[-1], 2))
    return "".join(groups)


def decode(text: str) -> bytes:
    """The bytes of a text.

    Raises:
        PosternError: `invalid` for a character outside the alphabet, a length that no bytes have,
            and a group whose number is too large for its bytes.
    """
    if len(text) % 3 == 1:
        raise _refused()
    return b"".join(_group(text[at : at + 3]) for at in range(0, len(text), 3))


def _digits(number: int, count: int) -> str:
    written = ""
    for _ in range(count):
        number, place = divmod(number, _BASE)
        written += ALPHABET[place]
    return written


def _group(characters: str) -> bytes:
    number = 0
    try:
        for one in reversed(characters):
            number = number * _BASE + _VALUES[one]
        # RFC 9285, section 6: a group beyond 65535, or 255 for the last two, is refused.
        return number.to_bytes(len(characters) - 1, "big")
    except (KeyError, OverflowError):
        raise _refused() from None


def _refused() -> PosternError:
    return invalid("This is not Base45 text (RFC 9285).")

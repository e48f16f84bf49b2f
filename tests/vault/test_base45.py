"""Base45: the vectors of RFC 9285, and no second way to write anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.vault.base45 import ALPHABET, decode, encode


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AB", "BB8"),  # RFC 9285, section 4.3, example 1.
        (b"Hello!!", "%69 VD92EX0"),  # Example 2.
        (b"base-45", "UJCLQE7W581"),  # Example 3.
        (b"ietf!", "QED8WEX0"),  # Section 4.4, example 1.
        (b"", ""),
        (b"\0", "00"),
        (b"\xff", "U5"),
        (b"\xff\xff", "FGW"),
    ],
)
def test_vectors_of_the_standard(data: bytes, text: str) -> None:
    """Both ways; the last ones are the ends of the range."""
    assert text == encode(data)
    assert data == decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "GGW",  # RFC 9285, section 6: 65536 is beyond two bytes.
        ":::",
        "V5",  # 256 is beyond one byte.
        "::",
        "A",
        "0",  # Its number, zero, would fit no byte at all.
        "BB80",
        "bb8",
        "BB\n",
        "BB=",
        "BB8 ",
        "ÄB8",
        "BB\u2028",
    ],
)
def test_what_no_bytes_are_written_as_is_refused(text: str) -> None:
    """Too large a group, a length that leaves one over, a character of no value."""
    with pytest.raises(PosternError) as refused:
        decode(text)

    assert Code.INVALID is refused.value.code


@given(st.binary(max_size=400))
def test_bytes_come_back(data: bytes) -> None:
    """For any bytes; three characters for two, in the alphabet alone."""
    text = encode(data)

    assert data == decode(text)
    assert len(text) == len(data) // 2 * 3 + len(data) % 2 * 2
    assert set(text) <= set(ALPHABET)


@given(st.text(alphabet=ALPHABET, max_size=40) | st.text(max_size=20))
def test_a_text_is_refused_or_the_only_one_of_its_bytes(text: str) -> None:
    """No bytes have two texts, and whatever else comes raises our error alone."""
    try:
        data = decode(text)
    except PosternError:
        return

    assert text == encode(data)

"""Passes: what is read is what this site signed, letter by letter; the rest has its own reason."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.vault import base45
from postern.vault.passes import (
    MAX_TEXT,
    PREFIX,
    Fault,
    Pass,
    PassReader,
    Refused,
    Sort,
    claims,
    encode,
    public_key,
)
from tests.people import DAY, NOW

#: As long as the sealed reference of a vector of 128; what it holds is the vault's business.
BLOB = bytes(at * 7 % 256 for at in range(206))
SITE, OTHER_SITE = b"s" * 16, b"t" * 16
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
HANDLE = bytes(range(100, 116))
PASS = Pass(Sort.REFERENCE, SITE, HANDLE, NOW, NOW + 365 * DAY, BLOB)
TOKEN = Pass(Sort.SHARE, SITE, HANDLE, NOW, NOW + 365 * DAY, bytes(range(32)))
TEXT = encode(PASS, SEED)
READER = PassReader(SITE, public_key(SEED))
LATER = NOW + DAY


def read(text: str | bytes, now: datetime = LATER) -> Pass | Refused | None:
    return READER.read(text.encode() if isinstance(text, str) else text, now)


def body_of(text: str) -> bytes:
    return base45.decode(text.removeprefix(PREFIX))


def signed(body: bytes, domain: bytes = b"postern pass 1\0") -> str:
    """Whatever bytes, signed by the site itself."""
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(domain + body)
    return PREFIX + base45.encode(body + signature)


@pytest.mark.parametrize("issued", [PASS, TOKEN])
def test_a_pass_comes_back(issued: Pass) -> None:
    """Everything that was put in, and nothing is left over."""
    assert issued == read(encode(issued, SEED))


def test_the_bytes_are_those_that_are_documented() -> None:
    """Field by field, with the signature over the domain and all before it."""
    data = body_of(TEXT)

    assert (b"\1\1", SITE, HANDLE) == (data[:2], data[2:18], data[18:34])
    assert int(NOW.timestamp()) == int.from_bytes(data[34:38], "big")
    assert int(PASS.expires.timestamp()) == int.from_bytes(data[38:42], "big")
    assert data[42:-64] == BLOB
    key = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    key.verify(data[-64:], b"postern pass 1\0" + data[:-64])


def test_sizes_are_those_that_are_documented() -> None:
    """A reference of 128 numbers, and a share."""
    assert (206, 312, 474) == (len(BLOB), len(body_of(TEXT)), len(TEXT))
    assert 213 == len(encode(TOKEN, SEED))


def test_a_pass_from_the_year_before_still_reads() -> None:
    """A pass in somebody's pocket outlives the program: these very letters must stay readable."""
    text = (
        "PSTN1:X50ZQEZQEZQEZQEZQEZQEZQEZQE6VCP.C:8DIKD$VDB/DU9E4LE3GD.*3YQD-HA00000000000000000000"
        "0000000000000000000000000000UNOVBTWD2GF1I:TK2CS6MVCUOKG 46I33Y43%RFRULMNV+VDA*S9UI GJ2 8%9"
        "JY/L2VHM2AFVJUB5C0H5AQ.5RMGLGI92D3"
    )

    assert replace(TOKEN, content=bytes(32)) == read(text)
    assert text == encode(replace(TOKEN, content=bytes(32)), SEED)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TEXT.lower(), Fault.DAMAGED),
        (TEXT.replace("PSTN1:", "pstn1:"), Fault.DAMAGED),
        (TEXT + " ", Fault.DAMAGED),
        (TEXT + "\n", Fault.DAMAGED),
        (" " + TEXT, Fault.DAMAGED),
        (TEXT + "00", Fault.DAMAGED),
        (TEXT + "000", Fault.DAMAGED),
        (TEXT[:-1], Fault.DAMAGED),
        (TEXT[:-3], Fault.DAMAGED),
        (PREFIX, Fault.DAMAGED),
        (TEXT * 2, Fault.DAMAGED),
        (TEXT.replace("PSTN1:", "PSTN01:"), Fault.DAMAGED),
        (TEXT.replace("PSTN1:", "PSTN0:"), Fault.DAMAGED),
        (PREFIX + "0" * 5000, Fault.DAMAGED),
        (TEXT.replace("PSTN1:", "PSTN2:"), Fault.NEWER),
        ("PSTN12:WHATEVER", Fault.NEWER),
    ],
    ids=lambda value: str(value)[:12],
)
def test_another_text_for_the_same_pass_is_refused(text: str, fault: Fault) -> None:
    """In another case, padded, cut, extended, doubled, or of another version."""
    assert Refused(fault) == read(text)


@pytest.mark.parametrize(
    "text", ["", "PSTN1", "PSTN", "PSTN:", "PSTN12345:A", "https://example.org", "XPSTN1:A", "\0"]
)
def test_what_is_no_pass_is_nobodys_business(text: str) -> None:
    """Menus, tickets and addresses are in view of every door camera."""
    assert read(text) is None
    assert not claims(text.encode())


def test_the_pass_of_another_site_says_so() -> None:
    """Signed there, and nothing of it is believed here."""
    foreign = encode(replace(PASS, site=OTHER_SITE), OTHER_SEED)

    assert Refused(Fault.FOREIGN) == read(foreign)


def test_a_forgery_in_this_sites_name_is_refused() -> None:
    """Another site signs a pass for ours."""
    assert Refused(Fault.DAMAGED) == read(encode(PASS, OTHER_SEED))


def test_a_signature_from_elsewhere_is_not_taken() -> None:
    """What the key signed for another purpose is no pass."""
    body = body_of(TEXT)[:-64]

    assert PASS == read(signed(body))
    assert Refused(Fault.DAMAGED) == read(signed(body, b""))
    assert Refused(Fault.DAMAGED) == read(signed(body, b"postern log 1\0"))


def test_a_pass_counts_until_the_very_second_it_expires() -> None:
    """And the refusal still says whose handle it was: the site signed it."""
    second = timedelta(seconds=1)

    assert PASS == read(TEXT, PASS.expires - second)
    assert Refused(Fault.EXPIRED, PASS) == read(TEXT, PASS.expires)
    assert Refused(Fault.EXPIRED, PASS) == read(TEXT, datetime.max.replace(tzinfo=UTC))


def test_a_pass_from_the_future_is_refused() -> None:
    """By however little: nothing that the site dates counts before its time."""
    assert PASS == read(TEXT, NOW)
    assert Refused(Fault.EARLY, PASS) == read(TEXT, NOW - timedelta(microseconds=1))


def test_what_the_site_signed_but_never_writes_is_refused() -> None:
    """Even a genuine signature makes no pass of another version, sort, time or size."""
    head, content = body_of(TEXT)[:42], body_of(TEXT)[42:-64]
    backwards = head[:34] + head[38:42] + head[34:38]

    for body in (
        b"\2" + head[1:] + content, head[:1] + b"\3" + head[2:] + content,
        head[:1] + b"\2" + head[2:] + content, head[:1] + b"\0" + head[2:] + content,
        backwards + content, head, head[:41], b"", head + bytes(2900),
    ):  # fmt: skip
        assert Refused(Fault.DAMAGED) == read(signed(body))


def test_every_flipped_bit_is_refused() -> None:
    """In the bytes: header, content and signature alike."""
    data = body_of(TEXT)
    for index in range(len(data) * 8):
        forged = bytearray(data)
        forged[index // 8] ^= 1 << index % 8
        found = read(PREFIX + base45.encode(bytes(forged)))
        foreign = 2 <= index // 8 < 18

        assert Refused(Fault.FOREIGN if foreign else Fault.DAMAGED) == found


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(base45.ALPHABET + "aé\0\n"))
def test_every_changed_letter_is_refused(at: int, letter: str) -> None:
    """Or, in the prefix, makes it something else."""
    changed = TEXT[:at] + letter + TEXT[at + 1 :]
    found = read(changed)

    assert found == PASS if changed == TEXT else not isinstance(found, Pass)


@given(st.integers(0, len(TEXT) - 1))
def test_every_cut_is_refused(length: int) -> None:
    """Cut anywhere, at either end."""
    assert not isinstance(read(TEXT[:length]), Pass)
    assert not isinstance(read(TEXT[len(TEXT) - length :]), Pass)


@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda tail: PREFIX.encode() + tail)
    | st.text(alphabet=base45.ALPHABET, max_size=400).map(lambda tail: (PREFIX + tail).encode())
    | st.binary(max_size=200).map(lambda body: signed(body).encode())
)
@example(b"PSTN1:\xff\xff")
def test_hostile_text_never_raises(text: bytes) -> None:
    """Whatever a QR code holds, signed or not, it is no pass, and saying so costs no exception."""
    found = read(text)

    assert found is None or (isinstance(found, Refused) and found.genuine is None)


@given(
    st.sampled_from(Sort), st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 2),
    st.integers(1, 10**8), st.binary(min_size=1, max_size=600),
)  # fmt: skip
def test_every_pass_comes_back(
    sort: Sort, handle: bytes, issued_s: int, lasts_s: int, content: bytes
) -> None:
    """Of any content and time."""
    issued = datetime.fromtimestamp(issued_s, UTC)
    expires = datetime.fromtimestamp(min(issued_s + lasts_s, 2**32 - 1), UTC)
    content = content.ljust(32, b"\0")[:32] if sort is Sort.SHARE else content
    one = Pass(sort, SITE, handle, issued, expires, content)

    assert one == read(encode(one, SEED), issued)


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": b"s" * 15},
        {"handle": b""},
        {"issued": NOW + timedelta(microseconds=1)},
        {"issued": NOW.replace(tzinfo=None)},
        {"issued": NOW.astimezone(timezone(timedelta(hours=1)))},
        {"issued": datetime(1969, 12, 31, tzinfo=UTC)},
        {"expires": datetime(2107, 1, 1, tzinfo=UTC)},
        {"expires": NOW},
        {"content": b""},
        {"sort": Sort.SHARE},
    ],
    ids=str,
)
def test_a_pass_that_cannot_be_written_is_refused(wrong: dict[str, object]) -> None:
    """In one sentence, before anything is signed."""
    with pytest.raises(PosternError) as refused:
        replace(PASS, **wrong)  # type: ignore[arg-type]

    assert Code.INVALID is refused.value.code


def test_what_fits_no_qr_code_is_not_issued() -> None:
    """The longest that is taken fits the largest code."""
    fits = MAX_TEXT // 3 * 2 - 4 - 106

    assert MAX_TEXT >= len(encode(replace(PASS, content=bytes(fits)), SEED)) > MAX_TEXT - 3
    with pytest.raises(PosternError, match="too long"):
        encode(replace(PASS, content=bytes(fits + 1)), SEED)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_of_another_size_are_refused(size: int) -> None:
    """Before anything is signed or read with them."""
    with pytest.raises(PosternError):
        encode(PASS, bytes(size))
    with pytest.raises(PosternError):
        PassReader(SITE, bytes(size))
    with pytest.raises(PosternError):
        PassReader(bytes(size), public_key(SEED))


def test_what_a_pass_carries_does_not_show_where_it_is_printed() -> None:
    """A key share in a log would open a reference."""
    share = os.urandom(32)

    assert repr(share) not in repr(replace(TOKEN, content=share))
    assert repr(HANDLE) in repr(TOKEN)

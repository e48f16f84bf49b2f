"""Signed notes: C2SP's text, the vectors of Go's note package, and nothing but what was signed."""

from base64 import b64decode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.ledger.note import (
    LATEST_S,
    KeyType,
    Note,
    Signer,
    Verifier,
    from_base64,
    open_note,
    parse,
    parse_vkey,
)
from tests.ledger.samples import LOG, NOW_S, OTHER, WITNESS

#: golang.org/x/mod, sumdb/note/note_test.go at 02c9913.
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH_VKEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WW"
    "d1RvMc+QQ=\n"
)
NO_BREAK = "\N{NO-BREAK SPACE}"
PETER, ENOCH = parse_vkey(PETER_VKEY), parse_vkey(ENOCH_VKEY)
#: C2SP signed-note at 0552876: the note in its introduction.
QUASIMODO = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0x\
McXxj99ihAQwaqP3ZekRwNtIc=
"""


def test_a_note_is_signed_as_others_sign_it() -> None:
    """The same key gives the same bytes: Ed25519 leaves no choice."""
    signer = Signer("PeterNeumann", PETER_SEED)

    assert signer.verifier == PETER
    assert PETER_VKEY == signer.verifier.vkey
    assert f"{TEXT}\n{PETER_LINE}".encode() == Note(TEXT, (signer.sign(TEXT),)).encode()


def test_a_text_with_a_blank_line_is_split_at_the_last_one() -> None:
    """The note of the specification's own introduction."""
    note = parse(QUASIMODO.encode())

    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert ["quasimodo.example/salvatore"] == [s.name for s in note.signatures]
    assert QUASIMODO.encode() == note.encode()


def test_signatures_by_unknown_keys_are_ignored() -> None:
    """What holds is what known keys signed."""
    both = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()

    assert [PETER] == [s.verifier for s in open_note(both, [PETER])[1]]
    assert [ENOCH] == [s.verifier for s in open_note(both, [ENOCH])[1]]
    assert [PETER, ENOCH] == [s.verifier for s in open_note(both, [ENOCH, PETER])[1]]
    with pytest.raises(PosternError, match="No known key") as raised:
        open_note(both, [LOG.verifier])
    assert raised.value.code is Code.UNAUTHORIZED


def test_a_key_that_shares_name_or_id_only_is_another_key() -> None:
    """Its signatures say nothing, and do not refuse the note."""
    strange = [Verifier("PeterNeumann", KeyType.LOG, ENOCH.key)]
    note = f"{TEXT}\n{PETER_LINE}".encode()

    with pytest.raises(PosternError, match="No known key"):
        open_note(note, strange)
    assert 1 == len(open_note(note, [PETER, *strange])[1])


def test_one_bad_signature_by_a_known_key_refuses_the_note() -> None:
    """Though another known key's holds, and though the same key's holds beside it."""
    bad = PETER_LINE.replace("Z", "Y", 1)
    assert bad != PETER_LINE
    for lines in (bad, bad + ENOCH_LINE, PETER_LINE + bad, bad + PETER_LINE):
        with pytest.raises(PosternError, match="by PeterNeumann does not hold") as raised:
            open_note(f"{TEXT}\n{lines}".encode(), [PETER, ENOCH])
        assert raised.value.code is Code.INVALID


@pytest.mark.parametrize("cut", [1, 60, 63])
def test_a_signature_of_another_length_does_not_hold(cut: int) -> None:
    """Shorter or longer."""
    whole = LOG.sign("text\n")
    for content in (whole.content[:cut], whole.content + bytes(cut)):
        line = type(whole)(whole.name, whole.key_id, content).line()
        with pytest.raises(PosternError, match="does not hold"):
            open_note(f"text\n\n{line}".encode(), [LOG.verifier])


@pytest.mark.parametrize("count", [1, 16, 100])
def test_as_many_signatures_as_the_text_asks_for_are_read(count: int) -> None:
    """At least 16 must be."""
    note = f"{TEXT}\n{PETER_LINE * count}".encode()

    assert count == len(parse(note).signatures)
    assert note == parse(note).encode()


def test_too_many_signatures_are_refused() -> None:
    """One more than a hundred."""
    with pytest.raises(PosternError, match="not a signed note"):
        parse(f"{TEXT}\n{PETER_LINE * 101}".encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        f"{TEXT}{PETER_LINE}".encode(),
        f"{TEXT}\n{PETER_LINE[:-1]}".encode(),
        f"\x01{TEXT}\n{PETER_LINE}".encode(),
        f"a\tb\n\n{PETER_LINE}".encode(),
        f"a\r\n\n{PETER_LINE}".encode(),
        b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(),
        f"{TEXT}\n{PETER_LINE}\n".encode(),
        f"{TEXT}\n{PETER_LINE}Unexpected line.\n".encode(),
        f"{TEXT}\n{PETER_LINE}\n{PETER_LINE}\n".encode(),
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Bad Name')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Bad' + NO_BREAK + 'Name')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Bad+Name')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', '')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('— ', '- ')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('— ', '—  ')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('=', '')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('AM=', 'AN=')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('x08go', 'x08g o')}".encode(),
        f"{TEXT}\n{PETER_LINE.replace('x08go', 'x08g_')}".encode(),
        f"{TEXT}\n— PeterNeumann x08gow==\n".encode(),
        f"{TEXT}\n— PeterNeumann\n".encode(),
    ],
)
def test_what_is_no_signed_note_is_refused(data: bytes) -> None:
    """Each for its own reason, Go's bad messages among them."""
    with pytest.raises(PosternError) as raised:
        parse(data)
    assert raised.value.code is Code.INVALID


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused_in_one_way(data: bytes) -> None:
    """Or they are a note, which encodes to the same bytes."""
    for hostile in (data, f"{TEXT}\n".encode() + data, data + PETER_LINE.encode()):
        with suppress(PosternError):
            assert hostile == parse(hostile).encode()


@given(st.data())
def test_any_single_bit_turned_in_a_note_refuses_it(data: st.DataObject) -> None:
    """In its text, its dash, its name, the key's id, the signature, the line ends."""
    note = f"{TEXT}\n{PETER_LINE}".encode()
    bit = data.draw(st.integers(0, 8 * len(note) - 1))
    changed = bytearray(note)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PosternError):
        open_note(bytes(changed), [PETER])


def test_a_public_key_is_read_from_its_text_and_from_no_part_of_it() -> None:
    """The same manglings as in Go's TestNewVerifier: every part, every byte one higher."""
    size = len(PETER_VKEY)
    parts = [PETER_VKEY[i:j] for i in range(size) for j in range(i + 1, size + 1)]
    parts.remove(PETER_VKEY)
    higher = [
        f"{PETER_VKEY[:i]}{chr(ord(PETER_VKEY[i]) + 1)}{PETER_VKEY[i + 1 :]}" for i in range(size)
    ]
    others = [
        # Go's: a key of another length, and an unknown algorithm, both with the id to match.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        # transparency-dev/formats, note/note_cosigv1_test.go at 091ce41.
        "bananas.sigstore.dev+12344556",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        "",
        f"{PETER_VKEY}\n",
        PETER_VKEY.replace("c74f20a3", "C74F20A3"),
        PETER_VKEY.replace("c74f20a3", "00000000"),
    ]

    assert PETER_VKEY == PETER.vkey
    for text in [*parts, *higher, *others]:
        with pytest.raises(PosternError):
            parse_vkey(text)


def test_a_witness_of_the_public_network_has_a_key_that_is_read() -> None:
    """transparency-dev/formats, note/note_cosigv1_test.go at 091ce41: type 04."""
    text = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

    assert (KeyType.WITNESS, text) == (parse_vkey(text).type, parse_vkey(text).vkey)


def test_a_log_and_a_witness_of_one_name_and_key_have_different_ids() -> None:
    """The type goes into the id, so that neither's signature passes for the other's."""
    log, witness = (Signer("x", bytes(32), kind).verifier for kind in KeyType)

    assert log.key == witness.key
    assert log.key_id != witness.key_id
    assert {1, 4} == {b64decode(v.vkey.split("+")[2])[0] for v in (log, witness)}


def test_a_cosignature_says_when() -> None:
    """The time stands before the signature, in eight bytes, and is part of what is signed."""
    signature = WITNESS.sign(TEXT, NOW_S)
    later = type(signature)(
        signature.name, signature.key_id, (NOW_S + 1).to_bytes(8) + signature.content[8:]
    )

    assert NOW_S == WITNESS.verifier.check(TEXT, signature)
    assert NOW_S.to_bytes(8) == signature.content[:8]
    assert 8 + 64 == len(signature.content)
    with pytest.raises(PosternError, match="does not hold"):
        WITNESS.verifier.check(TEXT, later)


def test_a_cosignature_is_over_a_head_the_time_and_the_text() -> None:
    """C2SP tlog-cosignature, Ed25519 signed message: a plain Ed25519 verifier agrees."""
    signature = WITNESS.sign(TEXT, NOW_S)
    plain = Signer("plain", bytes(range(2, 34))).sign(f"cosignature/v1\ntime {NOW_S}\n{TEXT}")

    assert plain.content == signature.content[8:]


def test_a_time_that_no_verifier_may_take_is_neither_signed_nor_accepted() -> None:
    """From 0 to 2^63 - 1, though there is room for more."""
    plain = Signer("plain", bytes(range(2, 34)))
    assert 2**63 - 1 == LATEST_S
    for time_s in (0, 1, LATEST_S):
        assert time_s == WITNESS.verifier.check(TEXT, WITNESS.sign(TEXT, time_s))

    for time_s in (-1, LATEST_S + 1):
        with pytest.raises(PosternError, match="cannot be signed"):
            WITNESS.sign(TEXT, time_s)
    late = plain.sign(f"cosignature/v1\ntime {LATEST_S + 1}\n{TEXT}")
    forged = type(late)(
        WITNESS.verifier.name,
        WITNESS.verifier.key_id,
        (LATEST_S + 1).to_bytes(8) + late.content,
    )
    with pytest.raises(PosternError, match="does not hold"):
        WITNESS.verifier.check(TEXT, forged)


def test_a_log_signs_without_a_time_and_a_witness_with_one() -> None:
    """A slip would make a signature that nobody can check."""
    with pytest.raises(PosternError, match="with a time"):
        LOG.sign(TEXT, NOW_S)
    with pytest.raises(PosternError, match="with a time"):
        WITNESS.sign(TEXT)


@pytest.mark.parametrize("text", ["", "no end of line", "a\x00\n", "a\r\n"])
def test_what_could_not_be_read_back_is_not_signed(text: str) -> None:
    """A text ends with its line and has no control characters."""
    with pytest.raises(PosternError, match="cannot be signed"):
        LOG.sign(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x7f\x1f"])
def test_a_key_has_a_name_without_blanks_and_plus_signs(name: str) -> None:
    """Unicode's blanks among them."""
    with pytest.raises(PosternError, match="name of a key"):
        Signer(name, bytes(32))


def test_a_signature_by_another_key_of_the_same_name_is_unknown() -> None:
    """As after somebody made the log's key anew."""
    note = Note(TEXT, (OTHER.sign(TEXT),)).encode()

    with pytest.raises(PosternError, match="No known key"):
        open_note(note, [LOG.verifier])


@pytest.mark.parametrize("text", ["QQ", "QQ=", "QR==", "Q Q=", "QQ==\n", "QQ==QQ==", "-_==", "é"])
def test_base_64_is_written_in_one_way(text: str) -> None:
    """Padded, with no bits left over, in the usual alphabet."""
    assert b"A" == from_base64("QQ==")
    assert b"" == from_base64("")
    with pytest.raises(PosternError, match="base 64"):
        from_base64(text)

"""Checkpoints are three lines, signed by the log that they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.ledger.checkpoint import Checkpoint, decode, from_decimal, open_checkpoint, sign
from postern.ledger.note import Note, Signer, parse
from postern.ledger.tree import EMPTY
from tests.ledger.samples import LOG, NOW_S, ORIGIN, OTHER, WITNESS

#: C2SP tlog-checkpoint at 2793893: the example's text.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_SIGNED = (
    f"{SOFA}\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4UR"
    "YN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
#: C2SP tlog-cosignature at 01194db: the witness's line of the example.
SOFA_WITNESSED = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3"
    "b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
ROOT = bytes(range(32))
CHECKPOINT = Checkpoint(ORIGIN, 300, ROOT)
SIGNED = sign(CHECKPOINT, LOG)


def test_a_checkpoint_is_written_as_the_specification_has_it() -> None:
    """Its own example, both ways."""
    checkpoint = decode(SOFA)

    assert ("example.com/behind-the-sofa", 20852163) == (checkpoint.origin, checkpoint.size)
    assert SOFA == checkpoint.encode()


def test_the_time_in_a_cosignature_of_the_specification_is_read() -> None:
    """Eight bytes before the signature: 1679315147, as the example's text says."""
    note = parse((SOFA_SIGNED + SOFA_WITNESSED).encode())

    assert SOFA == note.text
    assert [68, 76] == [4 + len(signature.content) for signature in note.signatures]
    assert 1679315147 == int.from_bytes(note.signatures[1].content[:8])


def test_a_signed_checkpoint_opens_with_its_logs_key() -> None:
    """And says the same."""
    opened = open_checkpoint(SIGNED, LOG.verifier)

    assert CHECKPOINT == opened.checkpoint
    assert SIGNED == opened.note.encode()
    assert [(LOG.verifier, None)] == [(s.verifier, s.time_s) for s in opened.signed]


def test_a_checkpoint_says_which_witnesses_signed_and_when() -> None:
    """Those that were asked about."""
    text = CHECKPOINT.encode()
    both = Note(text, (LOG.sign(text), WITNESS.sign(text, NOW_S))).encode()

    opened = open_checkpoint(both, LOG.verifier, (WITNESS.verifier,))
    assert [None, NOW_S] == [s.time_s for s in opened.signed]
    assert [None] == [s.time_s for s in open_checkpoint(both, LOG.verifier).signed]


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    """Its signature says that it saw the checkpoint, not that the log made it."""
    text = CHECKPOINT.encode()
    alone = Note(text, (WITNESS.sign(text, NOW_S),)).encode()

    with pytest.raises(PosternError, match="has not signed") as raised:
        open_checkpoint(alone, LOG.verifier, (WITNESS.verifier,))
    assert raised.value.code is Code.UNAUTHORIZED


def test_a_checkpoint_of_another_key_is_refused() -> None:
    """Though it bears the same name."""
    with pytest.raises(PosternError, match="No known key"):
        open_checkpoint(sign(CHECKPOINT, OTHER), LOG.verifier)


def test_a_checkpoint_of_another_origin_is_refused() -> None:
    """Though this log's key has signed it."""
    with pytest.raises(PosternError, match="of elsewhere.example, not of"):
        open_checkpoint(sign(Checkpoint("elsewhere.example", 3, ROOT), LOG), LOG.verifier)


def test_extension_lines_are_for_other_peoples_logs() -> None:
    """Ours has none, so one that has is not ours; a foreign one reads back whole."""
    foreign = Checkpoint(ORIGIN, 3, ROOT, ("moon", "waxing gibbous"))
    signed = sign(foreign, LOG)

    assert foreign == open_checkpoint(signed, LOG.verifier, foreign=True).checkpoint
    with pytest.raises(PosternError, match="not a checkpoint"):
        open_checkpoint(signed, LOG.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        SOFA[:-1],
        SOFA + "\n",
        "\n" + SOFA,
        # transparency-dev/formats, log/checkpoint_test.go at 7a6ef70: what does not unmarshal.
        "Head\n9944\n",
        "\n9944\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "Log\nbananas\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "Log\n-34\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "Log\n3438945738945739845734895735\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "Log\n123\nThisIsn'tBase64\n",
        # There it is valid: the text says that the root is a hash of RFC 6962.
        "Log\n123\nYmFuYW5hcw==\n",
        SOFA.replace("20852163", "020852163"),
        SOFA.replace("20852163", "00"),
        SOFA.replace("20852163", "+1"),
        SOFA.replace("20852163", "1 "),
        SOFA.replace("20852163", "1_000"),
        SOFA.replace("20852163", "٣"),
        SOFA.replace("20852163", str(2**63)),
        SOFA.replace("\n", "\r\n"),
        SOFA.replace("2I=", "2J="),
        SOFA + "\tindented\n",
        SOFA + "an extension\n\nand another\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """Also of other people's logs."""
    for foreign in (False, True):
        with pytest.raises(PosternError) as raised:
            decode(text, foreign=foreign)
        assert raised.value.code is Code.INVALID


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, ROOT),
        Checkpoint("two\nlines", 1, ROOT),
        Checkpoint(ORIGIN, -1, ROOT),
        Checkpoint(ORIGIN, 2**63, ROOT),
        Checkpoint(ORIGIN, 1, ROOT[:31]),
        Checkpoint(ORIGIN, 1, ROOT, ("",)),
        Checkpoint(ORIGIN, 1, ROOT, ("a\nb",)),
    ],
)
def test_what_would_not_read_back_is_not_signed(checkpoint: Checkpoint) -> None:
    """Nothing is signed that our own reader would refuse or take for something else."""
    with pytest.raises(PosternError) as raised:
        sign(checkpoint, LOG)
    assert raised.value.code is Code.INVALID


def test_an_empty_log_has_a_checkpoint_too() -> None:
    """Its size is the one number that starts with a zero."""
    empty = Checkpoint(ORIGIN, 0, EMPTY)

    assert f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n" == empty.encode()
    assert empty == open_checkpoint(sign(empty, LOG), LOG.verifier).checkpoint


def test_an_origin_may_be_anything_on_one_line() -> None:
    """Clients must not assume its format; a key's name has no blanks, so that it is another's."""
    assert "Moon Log + x" == decode(SOFA.replace("example.com", "Moon Log + x/")).origin[:12]


@given(st.integers(0, 2**63 - 1))
def test_numbers_read_back(number: int) -> None:
    """Every size that there can be."""
    assert number == from_decimal(str(number))


@given(st.data())
def test_any_single_bit_turned_in_a_checkpoint_refuses_it(data: st.DataObject) -> None:
    """Whatever it is that the bit makes of it."""
    bit = data.draw(st.integers(0, 8 * len(SIGNED) - 1))
    changed = bytearray(SIGNED)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PosternError):
        open_checkpoint(bytes(changed), LOG.verifier)


@given(st.integers(0, len(SIGNED) - 1))
def test_a_checkpoint_that_is_cut_is_refused(size: int) -> None:
    """Anywhere."""
    with pytest.raises(PosternError):
        open_checkpoint(SIGNED[:size], LOG.verifier)


def test_the_key_of_a_log_has_the_name_of_its_origin() -> None:
    """So that a key's text says what it is for."""
    signer = Signer(ORIGIN, bytes(32))

    assert signer.verifier.vkey.startswith(f"{ORIGIN}+")

"""A witness signs one history of a log, whoever asks in whatever order, and whatever fails."""

import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.ledger.note import KeyType, Signer, parse
from postern.ledger.witness import MOST_BODY, SIZE, Answer, Request, Witness, decode
from tests.clocks import SteppedClock
from tests.ledger.histories import FORKED, HONEST, History
from tests.ledger.samples import LOG, OTHER, WITNESS
from tests.needs import missing

#: A signature of a key that nobody knows, longer than a request may be.
LONG_LINE = "\N{EM DASH} x ".encode() + b64encode(bytes(MOST_BODY)) + b"\n"
TIME_S = int(SteppedClock().now().utc.timestamp())


def open_witness(folder: Path, *logs: Signer, signer: Signer = WITNESS) -> Witness:
    """A witness of logs, by default of the sample log."""
    keys = [log.verifier for log in logs or (LOG,)]
    return Witness(folder, signer, keys, SteppedClock())


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return open_witness(tmp_path / "kept")


def cosigned(answer: Answer, history: History, size: int) -> bool:
    """Whether an answer is the witness's signature of a history at a size."""
    if answer.status != HTTPStatus.OK:
        return False
    note = parse(history.note(size) + answer.text.encode())
    return WITNESS.verifier.check(note.text, note.signatures[-1]) == TIME_S


def conflict(size: int) -> Answer:
    """That the witness signed the log last at another size or with another root."""
    return Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE)


def test_a_log_is_cosigned_as_it_grows(witness: Witness) -> None:
    """From nothing, by single entries and by many, and again where it did not grow."""
    for old, new in ((0, 1), (1, 2), (2, 7), (7, 7), (7, 256), (256, 300)):
        assert cosigned(witness.add_checkpoint(HONEST.request(old, new)), HONEST, new)


def test_an_empty_log_is_cosigned_and_still_counts_as_new(witness: Witness) -> None:
    """Size 0 says nothing."""
    assert cosigned(witness.add_checkpoint(HONEST.request(0, 0)), HONEST, 0)
    assert cosigned(witness.add_checkpoint(HONEST.request(0, 0)), HONEST, 0)
    assert cosigned(witness.add_checkpoint(FORKED.request(0, 20)), FORKED, 20)


def test_an_old_size_that_is_not_the_latest_is_told_the_latest(witness: Witness) -> None:
    """Smaller, larger, or of a log that was never seen."""
    assert conflict(0) == witness.add_checkpoint(HONEST.request(3, 5))
    witness.add_checkpoint(HONEST.request(0, 5))

    assert conflict(5) == witness.add_checkpoint(HONEST.request(0, 9))
    assert conflict(5) == witness.add_checkpoint(HONEST.request(4, 9))
    assert conflict(5) == witness.add_checkpoint(HONEST.request(6, 9))
    assert cosigned(witness.add_checkpoint(HONEST.request(5, 9)), HONEST, 9)


def test_a_rolled_back_log_is_refused(witness: Witness) -> None:
    """It has fewer entries than were witnessed, whatever it says of its old size."""
    witness.add_checkpoint(HONEST.request(0, 100))

    for old in (0, 50, 60):
        assert conflict(100) == witness.add_checkpoint(HONEST.request(old, 60))
    assert HTTPStatus.BAD_REQUEST == witness.add_checkpoint(HONEST.request(100, 60)).status


def test_a_second_history_is_refused(witness: Witness) -> None:
    """At the same size, at a larger one, and with a proof that fits it alone."""
    witness.add_checkpoint(HONEST.request(0, 100))

    assert conflict(100) == witness.add_checkpoint(FORKED.request(100, 100))
    assert HTTPStatus.UNPROCESSABLE_ENTITY == witness.add_checkpoint(
        FORKED.request(100, 200)
    ).status  # fmt: skip
    assert conflict(100) == witness.add_checkpoint(FORKED.request(0, 200))
    assert cosigned(witness.add_checkpoint(HONEST.request(100, 200)), HONEST, 200)


def test_a_fork_below_the_latest_size_is_no_fork(witness: Witness) -> None:
    """Both histories are one up to where they part."""
    witness.add_checkpoint(HONEST.request(0, 10))

    assert cosigned(witness.add_checkpoint(FORKED.request(10, 20)), FORKED, 20)
    assert conflict(20) == witness.add_checkpoint(HONEST.request(10, 30))


def test_a_proof_that_does_not_hold_is_refused(witness: Witness) -> None:
    """One hash too many, too few, or another; and any at all from nothing or to the same size."""
    good = HONEST.proof(5, 9)
    witness.add_checkpoint(HONEST.request(0, 5))
    bad = [(5, good[:-1], 9), (5, (*good, good[0]), 9), (5, good[::-1], 9), (5, good[:1], 5)]

    for old, hashes, new in bad:
        answer = witness.add_checkpoint(Request(old, hashes, HONEST.note(new)).encode())
        assert HTTPStatus.UNPROCESSABLE_ENTITY == answer.status
    assert cosigned(witness.add_checkpoint(HONEST.request(5, 9)), HONEST, 9)


def test_a_proof_from_nothing_is_refused(witness: Witness) -> None:
    """The text: it must be empty."""
    body = Request(0, HONEST.proof(5, 9), HONEST.note(9)).encode()

    assert HTTPStatus.UNPROCESSABLE_ENTITY == witness.add_checkpoint(body).status


def test_only_known_logs_are_cosigned_with_their_own_key(tmp_path: Path) -> None:
    """404 for the log of another name, 403 for another key of the same name."""
    stranger = Signer("postern.example/back", bytes(range(3, 35)))
    witness = open_witness(tmp_path)

    unknown = witness.add_checkpoint(History(signer=stranger).request(0, 5))
    assert HTTPStatus.NOT_FOUND == unknown.status
    forged = witness.add_checkpoint(History(signer=OTHER).request(0, 5))
    assert HTTPStatus.FORBIDDEN == forged.status
    broken = HONEST.note(5).replace(b"\n5\n", b"\n6\n")
    assert HTTPStatus.FORBIDDEN == witness.add_checkpoint(Request(0, (), broken).encode()).status
    assert cosigned(witness.add_checkpoint(HONEST.request(0, 5)), HONEST, 5)


def test_logs_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Each has its own latest size; two keys of one name share theirs."""
    stranger = Signer("postern.example/back", bytes(range(3, 35)))
    witness = open_witness(tmp_path, LOG, OTHER, stranger)
    witness.add_checkpoint(HONEST.request(0, 5))

    other = History(signer=stranger, forked_at=0)
    assert cosigned(witness.add_checkpoint(other.request(0, 3)), other, 3)
    assert conflict(5) == witness.add_checkpoint(History(signer=OTHER, forked_at=0).request(0, 3))


def test_extension_lines_are_signed_with_the_rest(witness: Witness) -> None:
    """The log may write them; the text includes them in what is cosigned."""
    note = HONEST.note(5, "anything")
    answer = witness.add_checkpoint(Request(0, (), note).encode())
    whole = parse(note + answer.text.encode())

    assert TIME_S == WITNESS.verifier.check(whole.text, whole.signatures[-1])


def test_signatures_of_others_are_ignored_and_not_kept(tmp_path: Path) -> None:
    """As many as a note may have."""
    witness = open_witness(tmp_path)
    line = OTHER.sign("something else\n").line().encode()
    body = Request(0, (), HONEST.note(5) + 99 * line).encode()

    assert cosigned(witness.add_checkpoint(body), HONEST, 5)
    assert cosigned(witness.add_checkpoint(HONEST.request(5, 9)), HONEST, 9)
    kept = [file.read_bytes() for file in tmp_path.iterdir() if not file.suffix]
    assert [2] == [len(parse(data).signatures) for data in kept]


def test_a_witness_remembers(tmp_path: Path) -> None:
    """Opened again, it refuses what it would have refused."""
    open_witness(tmp_path).add_checkpoint(HONEST.request(0, 100))

    assert conflict(100) == open_witness(tmp_path).add_checkpoint(FORKED.request(0, 200))


def test_a_damaged_memory_signs_nothing(tmp_path: Path) -> None:
    """Cut, changed, another log's or another witness's: what was signed before is not known. Who
    runs the witness is told which file it is, and what not to do."""
    witness = open_witness(tmp_path)
    witness.add_checkpoint(HONEST.request(0, 100))
    (file,) = (file for file in tmp_path.iterdir() if not file.suffix)
    whole = file.read_bytes()
    damaged = [b"", whole[:-1], whole.replace(b"\n100\n", b"\n10\n"), HONEST.note(10)]

    for data in damaged:
        file.write_bytes(data)
        with pytest.raises(PosternError) as told:
            witness.add_checkpoint(FORKED.request(0, 200))
        what = f"{file}, which the witness keeps of {LOG.verifier.name}, is damaged: "
        assert told.value.message.startswith(what)
        assert "Never put back an older copy" in told.value.hint
    file.write_bytes(whole)
    another = Signer(WITNESS.verifier.name, bytes(range(9, 41)), KeyType.WITNESS)
    with pytest.raises(PosternError):
        open_witness(tmp_path, signer=another).add_checkpoint(HONEST.request(100, 200))
    assert cosigned(witness.add_checkpoint(HONEST.request(100, 200)), HONEST, 200)


def test_a_memory_put_under_another_logs_name_is_refused(tmp_path: Path) -> None:
    """Or it would let that log start again."""
    stranger = Signer("postern.example/back", bytes(range(3, 35)))
    witness = open_witness(tmp_path, LOG, stranger)
    witness.add_checkpoint(HONEST.request(0, 5))
    (of_log,) = (file for file in tmp_path.iterdir() if not file.suffix)
    witness.add_checkpoint(History(signer=stranger).request(0, 9))
    (of_stranger,) = (f for f in tmp_path.iterdir() if not f.suffix and f != of_log)
    of_stranger.write_bytes(of_log.read_bytes())

    with pytest.raises(PosternError, match="is damaged: It is of postern"):
        witness.add_checkpoint(History(signer=stranger).request(5, 20))


def test_twenty_at_once_leave_one_history(tmp_path: Path) -> None:
    """Both sides of a fork, at many sizes, each through a witness of its own over one folder."""
    HONEST.note(300), FORKED.note(300)
    signed: list[tuple[History, int]] = []
    start = Barrier(20)

    def ask(history: History, size: int) -> None:
        witness = open_witness(tmp_path)
        old = 0
        start.wait()
        while old <= size:
            answer = witness.add_checkpoint(history.request(old, size))
            if cosigned(answer, history, size):
                signed.append((history, size))
            if answer.status != HTTPStatus.CONFLICT or int(answer.text) == old:
                return
            old = int(answer.text)

    threads = [
        Thread(target=ask, args=(history, 20 + step))
        for step in range(10)
        for history in (HONEST, FORKED)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len({history for history, _ in signed})
    latest = max(size for _, size in signed)
    assert conflict(latest) == open_witness(tmp_path).add_checkpoint(HONEST.request(0, 300))


#: Two steps of one history, each told with its status, or with what failed.
STEPS = """
import sys
from pathlib import Path
from postern.core.errors import PosternError
from tests.ledger.histories import HONEST
from tests.ledger.test_witness import open_witness
witness = open_witness(Path(sys.argv[1]) / "kept")
for old, new in ((0, 20), (20, 30)):
    try:
        print(new, int(witness.add_checkpoint(HONEST.request(old, new)).status), flush=True)
    except PosternError as error:
        print(new, error.code.value, flush=True)
"""
FAULTS = [
    f"{call}:{fault}:when={nth}"
    for call, most in (("write", 2), ("fsync", 5), ("rename", 2), ("mkdir", 1), ("flock", 2))
    for nth in range(1, most + 1)
    for fault in ("error=EIO", "signal=KILL")
]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_call_fails_no_signature_is_forgotten(tmp_path: Path, fault: str) -> None:
    """Each call once, and being killed right after it: the memory has all that was signed."""
    if shutil.which("strace") is None:
        missing("strace")
    call = fault.split(":")[0]
    traced = ["strace", "-f", "-q", "-o", str(tmp_path / "trace"), "-P", str(tmp_path / "kept")]
    paths = [f"{name}{end}" for name in memory_files(tmp_path) for end in ("", ".new", ".lock")]
    watched = [part for path in paths for part in ("-P", path)]
    inject = ["-e", f"trace={call}", "-e", f"inject={fault}"]
    ran = subprocess.run(
        [*traced, *watched, "-P", str(tmp_path), *inject, sys.executable, "-c", STEPS, tmp_path],
        capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    told = [line.split() for line in ran.stdout.splitlines()]
    signed = [int(size) for size, status in told if status == "200"]

    trace = (tmp_path / "trace").read_text()
    assert ("killed by SIGKILL" if "KILL" in fault else "INJECTED") in trace, ran.stderr
    assert len(signed) < 2
    answer = open_witness(tmp_path / "kept").add_checkpoint(FORKED.request(0, 300))
    kept = 0 if answer.status == HTTPStatus.OK else int(answer.text)
    assert kept >= max(signed, default=0)
    assert kept == 0 or cosigned(
        open_witness(tmp_path / "kept").add_checkpoint(HONEST.request(kept, 40)), HONEST, 40
    )


def memory_files(folder: Path) -> Iterator[Path]:
    """Where the witness of the sample log keeps it."""
    open_witness(folder / "probe").add_checkpoint(HONEST.request(0, 1))
    for file in (folder / "probe").iterdir():
        if not file.suffix:
            yield folder / "kept" / file.name


def read(data: bytes) -> Request | None:
    """A request; None where it is refused in the one way that it may be."""
    try:
        return decode(data)
    except PosternError as error:
        if error.code is not Code.INVALID:
            raise
        return None


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    """Anything is a request, which is written in that one way, or refused with a sentence."""
    request = read(data)

    assert request is None or data == request.encode()


@settings(max_examples=300)
@given(data=st.data())
def test_a_request_with_anything_changed_is_another_request_or_none(data: st.DataObject) -> None:
    """Bytes are changed, cut out, or doubled."""
    body = HONEST.request(5, 77)
    at = data.draw(st.integers(0, len(body) - 1))
    span = data.draw(st.integers(0, 8))
    changed = body[:at] + data.draw(st.binary(max_size=9)) + body[at + span :]
    request = read(changed)

    assert request is None or changed == request.encode()


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_request_is_never_cosigned(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """It is answered, and what was signed stays as it was."""
    witness = open_witness(tmp_path_factory.mktemp("witness"))
    witness.add_checkpoint(HONEST.request(0, 5))
    body = bytearray(HONEST.request(5, 77))
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    body[bit // 8] ^= 1 << bit % 8

    assert HTTPStatus.OK != witness.add_checkpoint(bytes(body)).status
    assert conflict(5) == witness.add_checkpoint(HONEST.request(0, 5))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + HONEST.note(5),
        b"old -1\n\n" + HONEST.note(5),
        b"old 9223372036854775808\n\n" + HONEST.note(5),
        b"old  0\n\n" + HONEST.note(5),
        b"Old 0\n\n" + HONEST.note(5),
        b"old 0\r\n\r\n" + HONEST.note(5),
        b"old 0\nAAAA\n\n" + HONEST.note(5),
        Request(0, (), HONEST.note(5)[:-1]).encode(),
        Request(0, (), b"no note\n").encode(),
        Request(0, 64 * (bytes(32),), HONEST.note(5)).encode(),
        Request(0, (), HONEST.note(5) + LONG_LINE).encode(),
    ],
)
def test_what_is_no_request_is_refused(witness: Witness, body: bytes) -> None:
    """With one sentence, before any key is looked at."""
    answer = witness.add_checkpoint(body)

    assert HTTPStatus.BAD_REQUEST == answer.status
    assert 1 == answer.text.count("\n")
    assert cosigned(witness.add_checkpoint(HONEST.request(0, 5)), HONEST, 5)


def test_a_request_is_read_as_the_text_has_it() -> None:
    """The example of tlog-witness, its checkpoint included."""
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "\N{EM DASH} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4"
        "URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    ).encode()
    request = decode(body)

    assert (20852014, 4) == (request.old, len(request.hashes))
    assert "example.com/behind-the-sofa" == parse(request.note).text.split("\n")[0]
    assert body == request.encode()

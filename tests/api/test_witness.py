"""The endpoint of a witness, over real connections, with real processes that are killed."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import combinations
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic

import httpx
import pytest

from postern.api.witness import witness_app
from postern.core.errors import Code, PosternError
from postern.ledger.note import Verifier, parse, parse_vkey
from postern.ledger.witness import MOST_BODY, Answer, Request, Witness
from postern.web import server as server_module
from tests.clocks import MachineClock
from tests.ledger.histories import FORKED, HONEST, History
from tests.ledger.samples import LOG, OTHER, WITNESS
from tests.web.serving import serving

ROOT = Path(__file__).parents[2]
#: What the answers' headers say, byte for byte: other programs compare the whole line.
PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
PROGRAM = "import sys; sys.argv[0] = 'postern'; from postern.cli import main; main()"


@pytest.fixture
def told() -> list[str]:
    """What the witness told its operator."""
    return []


@pytest.fixture
def url(tmp_path: Path, told: list[str]) -> Iterator[str]:
    """Where a witness of the sample log answers."""
    witness = Witness(tmp_path / "kept", WITNESS, [LOG.verifier], MachineClock())
    with serving(witness_app(witness, MOST_BODY, told.append, body_s=1.0)) as at:
        yield at + "/add-checkpoint"


def ask(url: str, body: bytes) -> httpx.Response:
    """The answer to a request."""
    return httpx.post(url, content=body, timeout=20, trust_env=False)


def signed(answer: httpx.Response, history: History, size: int, key: Verifier) -> bool:
    """Whether an answer is the witness's signature."""
    if answer.status_code != HTTPStatus.OK:
        return False
    note = parse(history.note(size) + answer.content)
    key.check(note.text, note.signatures[-1])
    return True


def test_a_growing_log_is_cosigned(url: str) -> None:
    """The answer is the signature line and nothing else."""
    for old, new in ((0, 5), (5, 77), (77, 77)):
        answer = ask(url, HONEST.request(old, new))
        assert signed(answer, HONEST, new, WITNESS.verifier)
        assert answer.text.startswith("\N{EM DASH} witness.example/w1 ")
        assert 1 == answer.text.count("\n")


def test_every_status_of_the_text_is_answered(url: str) -> None:
    """Each for its own reason; a conflict tells the size, in its own type."""
    stranger = History(signer=type(LOG)("postern.example/back", bytes(range(3, 35))))
    ask(url, HONEST.request(0, 50))
    wrong = Request(50, HONEST.proof(50, 60)[1:], HONEST.note(60)).encode()
    found = {
        200: HONEST.request(50, 50),
        400: HONEST.request(70, 60),
        403: History(signer=OTHER).request(50, 60),
        404: stranger.request(0, 60),
        409: HONEST.request(0, 60),
        422: wrong,
    }

    for status, body in found.items():
        answer = ask(url, body)
        assert status == answer.status_code
        assert (SIZE if status == 409 else PLAIN) == answer.headers["content-type"]
        assert answer.text.endswith("\n")
    assert "50\n" == ask(url, found[409]).text
    other_root = ask(url, FORKED.request(50, 50))
    assert (409, "50\n") == (other_root.status_code, other_root.text)
    assert SIZE == other_root.headers["content-type"]


def test_two_trees_for_one_origin_get_one_signature(url: str) -> None:
    """A split view: whoever comes second is refused at every size."""
    assert signed(ask(url, HONEST.request(0, 50)), HONEST, 50, WITNESS.verifier)

    for old, new in ((0, 50), (50, 50), (50, 60), (0, 60), (10, 60)):
        assert ask(url, FORKED.request(old, new)).status_code in (409, 422)


def test_what_is_too_long_is_refused(url: str) -> None:
    """With its length announced, and without."""
    body = HONEST.request(0, 5)

    parts = (bytes(1024) for _ in range(MOST_BODY // 1024 + 1))
    announced = ask(url, body + bytes(MOST_BODY))
    poured = httpx.post(url, content=parts, trust_env=False)
    for answer in (announced, poured):
        assert (413, PLAIN) == (answer.status_code, answer.headers["content-type"])
    assert 200 == ask(url, body).status_code


def test_answers_tell_nothing_of_the_inside(url: str) -> None:
    """Other paths and methods, and what no server expects."""
    base = url.removesuffix("/add-checkpoint")
    with httpx.Client(trust_env=False) as client:
        answers = [
            client.get(url),
            client.put(url),
            client.get(base),
            client.get(base + "/schema"),
            client.get(base + "/schema/openapi.json"),
            client.post(url + "/..%2f..", content=b"x"),
            client.post(url, content=b"x", headers={"Content-Type": "application/json"}),
            client.post(url, content=b"x", headers={"Content-Type": "multipart/form-data"}),
        ]
    phrases = {f"{status.phrase}\n" for status in HTTPStatus} | {
        "This is not a request of a log.\n"
    }

    assert [405, 405, 404, 404, 404, 404, 400, 400] == [a.status_code for a in answers]
    for answer in answers:
        assert answer.text in phrases
        assert "server" not in answer.headers
        assert PLAIN == answer.headers["content-type"]


def test_a_witness_that_fails_says_so_to_its_operator_only(
    tmp_path: Path, url: str, told: list[str]
) -> None:
    """500 for damage, which will not pass, and not a word of what it was."""
    ask(url, HONEST.request(0, 5))
    (file,) = (f for f in (tmp_path / "kept").iterdir() if not f.suffix)
    file.write_bytes(b"damaged")
    answer = ask(url, HONEST.request(5, 9))

    assert (500, "Internal Server Error\n") == (answer.status_code, answer.text)
    (sentence,) = told
    assert sentence.startswith(
        f"{file}, which the witness keeps of postern.example/front, is damag"
    )


class Broken:
    """A witness whose disk is full, or that fails in a way that nobody foresaw."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def add_checkpoint(self, body: bytes) -> Answer:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (PosternError(Code.UNAVAILABLE, "No space left."), 503, "No space left."),
        (RuntimeError("secret"), 500, "An internal fault (RuntimeError)."),
    ],
)
def test_failures_become_a_status_each(
    told: list[str], error: Exception, status: int, said: str
) -> None:
    """What passes is told apart from what does not; nothing else is told."""
    with serving(witness_app(Broken(error), MOST_BODY, told.append)) as at:
        answer = ask(at + "/add-checkpoint", b"anything")

    assert (status, f"{HTTPStatus(status).phrase}\n") == (answer.status_code, answer.text)
    assert PLAIN == answer.headers["content-type"]
    assert [said] == told


def raw(url: str) -> socket.socket:
    """A connection to a server."""
    parts = httpx.URL(url)
    return socket.create_connection((parts.host, parts.port or 0), timeout=20)


def test_a_body_that_does_not_arrive_is_not_waited_for(url: str) -> None:
    """The rest of it never comes."""
    started_s = monotonic()
    with raw(url) as connection:
        connection.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nold"
        )
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert f"\r\ncontent-type: {PLAIN}\r\n".encode() in answer
    assert monotonic() - started_s < 10


def test_a_head_that_does_not_arrive_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that is sent byte by byte: the connection ends in time."""
    monkeypatch.setattr(server_module, "CONNECTION_S", 0.5)
    witness = Witness(tmp_path / "kept", WITNESS, [LOG.verifier], MachineClock())
    with serving(witness_app(witness, MOST_BODY, print)) as at, raw(at) as connection:
        started_s = monotonic()
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost:")
        try:
            ended = connection.recv(65536)
        except ConnectionResetError:
            ended = b""

        assert b"" == ended
        assert monotonic() - started_s < 10


def test_a_head_that_is_too_long_is_refused(url: str) -> None:
    """Long before it ends."""
    with raw(url) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nX: " + 40_000 * b"x")

        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_port_that_is_taken_is_one_sentence(url: str) -> None:
    """And so is an address that is none of this machine's."""
    port = httpx.URL(url).port or 0

    for host, number in (("127.0.0.1", port), ("192.0.2.1", 0), ("no host", 0)):
        with pytest.raises(PosternError, match=f"listen on {host} port {number}") as caught:
            server_module.listen(host, number)
        assert Code.UNAVAILABLE == caught.value.code


def test_twenty_at_once_leave_one_history(url: str) -> None:
    """Both sides of a fork over twenty connections; every signature is of one side."""

    def submit(history: History, size: int) -> list[tuple[History, int]]:
        old = 0
        for _ in range(30):
            answer = ask(url, history.request(old, size))
            if signed(answer, history, size, WITNESS.verifier):
                return [(history, size)]
            if answer.status_code != 409 or int(answer.text) > size or int(answer.text) == old:
                return []
            old = int(answer.text)
        return []

    asked = [(history, 20 + step) for step in range(10) for history in (HONEST, FORKED)]
    with ThreadPoolExecutor(20) as pool:
        found = [pair for pairs in pool.map(lambda a: submit(*a), asked) for pair in pairs]

    assert 1 == len({history for history, _ in found})


@contextmanager
def process(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], Verifier]]:
    """`postern witness serve` as a process of its own, killed at the end."""
    command = ["witness", "serve", "--folder", str(folder), "--name", "witness.example/p"]
    options = ["--log", LOG.verifier.vkey, "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *command, *options],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as started:  # fmt: skip
        try:
            assert started.stdout is not None
            yield started, parse_vkey(started.stdout.readline().strip())
        finally:
            started.kill()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Submitter(Thread):
    """Submits one history at random sizes until it is told to stop; keeps what was signed."""

    def __init__(self, history: History, url: str, seed: int, stop: Event) -> None:
        super().__init__()
        self.history, self.url, self.stop = history, url, stop
        self.random = Random(seed)  # noqa: S311 - which sizes, not secrets
        self.answers: list[tuple[int, bytes]] = []

    def run(self) -> None:
        """Follows every conflict; a connection that is cut is one more reason to ask again."""
        old = 0
        while not self.stop.is_set():
            size = min(self.history.size, old + self.random.randint(0, 3))
            try:
                answer = ask(self.url, self.history.request(old, size))
            except httpx.HTTPError:
                self.stop.wait(0.02)
                continue
            if answer.status_code == HTTPStatus.OK:
                self.answers.append((size, answer.content))
                old = size
            elif answer.status_code == HTTPStatus.CONFLICT:
                old = min(int(answer.text), self.history.size)


def test_a_witness_that_is_killed_again_and_again_signs_one_history(tmp_path: Path) -> None:
    """Two histories of one log race through five lives of a witness. Of all pairs of checkpoints
    that it ever signed, one continues the other, and it remembers the largest."""
    port, stop, random = free_port(), Event(), Random(1)  # noqa: S311 - when to kill
    url = f"http://127.0.0.1:{port}/add-checkpoint"
    fork = History(forked_at=3)
    submitters = [Submitter((HONEST, fork)[n % 2], url, n, stop) for n in range(4)]
    keys = set()
    for submitter in submitters:
        submitter.start()
    for _ in range(5):
        with process(tmp_path / "witness", port) as (running, key):
            keys.add(key)
            stop.wait(random.uniform(0.2, 0.8))
            running.kill()
    stop.set()
    for submitter in submitters:
        submitter.join()

    (key,) = keys
    checkpoints = set()
    for submitter in submitters:
        for size, line in submitter.answers:
            note = parse(submitter.history.note(size) + line)
            key.check(note.text, note.signatures[-1])
            checkpoints.add((size, submitter.history.root(size)))
    for (a, root_a), (b, root_b) in combinations(sorted(checkpoints), 2):
        assert any((h.root(a), h.root(b)) == (root_a, root_b) for h in (HONEST, fork))
    assert len(checkpoints) > 6
    with process(tmp_path / "witness", port) as (_, _key):
        latest = int(ask(url, HONEST.request(300, 300)).text)
    assert latest >= max(size for size, _ in checkpoints)

"""A real log, real witnesses over HTTP, and what the site is told of them."""

import gc
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from shutil import copytree, rmtree
from socket import create_server
from threading import Barrier, Thread
from threading import Event as Flag
from time import monotonic

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from postern.api.witness import witness_app
from postern.app import witnessing
from postern.app.witness import WitnessEntry
from postern.app.witness_client import (
    MOST_ANSWER,
    Cosigned,
    Misconfigured,
    RolledBack,
    Submission,
    Unreachable,
    WitnessClient,
)
from postern.app.witnessing import Rounds, Witnessing
from postern.core.errors import PosternError
from postern.core.event import Changed
from postern.core.ids import CameraId
from postern.ledger.checkpoint import Checkpoint, Opened
from postern.ledger.log import Log, open_log
from postern.ledger.note import KeyType, Note, Signature, Signer, Verifier
from postern.ledger.tiles import Tiles
from postern.ledger.witness import MOST_BODY, Request, Witness
from tests.clocks import MachineClock
from tests.ledger.samples import OTHER, WITNESS
from tests.web.serving import serving

SEED = bytes(range(32))
ORIGIN = "postern.invalid/0123"


@contextmanager
def opened(folder: Path, *, seed: bytes = SEED) -> Iterator[Log]:
    """The site's log."""
    log = open_log(folder, seed, ORIGIN, MachineClock())
    try:
        yield log
    finally:
        log.close()


def grow(log: Log, by: int) -> int:
    """Adds events and publishes; gives the size."""
    at = MachineClock().now().utc
    log.append_all([Changed(at, "permit added", f"permit-{n}", "operator") for n in range(by)])
    return log.publish().checkpoint.size


def client(
    url: str, log: Log, folder: Path, *, key: Verifier | None = None, timeout_s: float = 10.0
) -> WitnessClient:
    """The site's part towards a witness."""
    entry = WitnessEntry("hub", url, (key or WITNESS.verifier).vkey)
    kept = folder.with_name(f"{folder.name}-witnesses")
    return WitnessClient(entry, kept, log, lambda size: Tiles(folder, size), timeout_s)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The log's folder."""
    return tmp_path / "ledger"


@pytest.fixture
def log(folder: Path) -> Iterator[Log]:
    """The site's log."""
    with opened(folder) as log:
        yield log


@pytest.fixture
def url(tmp_path: Path, log: Log) -> Iterator[str]:
    """Where a witness of the site's log answers."""
    witness = Witness(tmp_path / "hub", WITNESS, [log.verifier], MachineClock())
    with serving(witness_app(witness, MOST_BODY, print)) as at:
        yield at


def cosigners(log: Log) -> list[str]:
    """Who has signed the published checkpoint, besides the log."""
    return [s.name for s in log.checkpoint().note.signatures if s.name != ORIGIN]


def test_a_growing_log_is_cosigned_and_keeps_the_signature(
    url: str, log: Log, folder: Path
) -> None:
    """Below its checkpoint, and with the last checkpoint that was signed."""
    asks = client(url, log, folder)

    for by in (0, 1, 3, 300):
        size = grow(log, by) if by else 0
        assert Cosigned(size) == asks.submit()
        assert [WITNESS.verifier.name] == cosigners(log)
        assert size == asks.acknowledged()
        assert Cosigned(size) == asks.submit()


def test_a_forgotten_acknowledgement_is_learnt_from_the_witness(
    url: str, log: Log, folder: Path
) -> None:
    """Gone, damaged, or the one of an earlier time: the answer is followed."""
    asks = client(url, log, folder)
    file = folder.with_name("ledger-witnesses") / "hub"
    grow(log, 5)
    asks.submit()
    earlier = file.read_bytes()
    grow(log, 5)
    asks.submit()

    unsigned = Note(log.checkpoint().note.text, log.checkpoint().note.signatures[:1]).encode()
    for content in (earlier, earlier[:-9], b"", b"\xff", unsigned):
        file.write_bytes(content)
        assert (5 if content == earlier else 0) == asks.acknowledged()
        assert Cosigned(grow(log, 1)) == asks.submit()
    file.unlink()
    assert Cosigned(grow(log, 1)) == asks.submit()


def test_several_that_ask_at_once_keep_what_was_signed(url: str, log: Log, folder: Path) -> None:
    """The service and whoever proves an event keep it in the same file."""
    size, meet = grow(log, 3), Barrier(4)

    class Together:
        """A log that lets nobody keep a signature before all are about to."""

        verifier, checkpoint = log.verifier, log.checkpoint

        def add_cosignatures(self, cosigned: Checkpoint, signatures: Sequence[Signature]) -> bool:
            added = log.add_cosignatures(cosigned, signatures)
            meet.wait(20)
            return added

    entry = WitnessEntry("hub", url, WITNESS.verifier.vkey)
    clients = [
        WitnessClient(entry, folder / "witnesses", Together(), lambda at: Tiles(folder, at))
        for _ in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            assert 4 * [Cosigned(size)] == list(pool.map(WitnessClient.submit, clients))
            assert size == clients[0].acknowledged()


def test_a_wiped_log_is_refused(url: str, log: Log, folder: Path) -> None:
    """At once while it is empty, while it is small, and when it has outgrown the old one."""
    grow(log, 20)
    client(url, log, folder).submit()
    log.close()
    rmtree(folder)

    with opened(folder) as wiped:
        for by in (0, 5, 15, 40):
            if by:
                grow(wiped, by)
            submission = client(url, wiped, folder).submit()
            assert isinstance(submission, RolledBack)
            assert "was wiped, rolled back or restored" in submission.sentence
            assert [] == cosigners(wiped)


def test_a_rolled_back_log_is_refused(url: str, log: Log, folder: Path, tmp_path: Path) -> None:
    """A copy of everything, what was acknowledged included, is put back; later it grows again."""
    asks = client(url, log, folder)
    grow(log, 20)
    asks.submit()
    copytree(folder, tmp_path / "copy/ledger")
    copytree(folder.with_name("ledger-witnesses"), tmp_path / "copy/ledger-witnesses")
    grow(log, 20)
    asks.submit()

    back = tmp_path / "copy/ledger"
    with opened(back) as restored:
        for by in (0, 5, 15, 40):
            if by:
                grow(restored, by)
            assert isinstance(client(url, restored, back).submit(), RolledBack)
    assert Cosigned(40) == asks.submit()


@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_tile_is_not_taken_for_a_rollback(
    url: str, log: Log, folder: Path, damage: str, acknowledged: bool
) -> None:
    """The way from what was signed to what is to be signed is tried here first, also where the
    site has forgotten what was signed. Once the tile is back, the log is signed again."""
    grow(log, 5)
    asks, observed = client(url, log, folder), Observed()
    asks.submit()
    if not acknowledged:
        (folder.with_name("ledger-witnesses") / "hub").unlink()
    grow(log, 295)
    tile = folder / "tile/0/000"
    whole = tile.read_bytes()
    tile.write_bytes(bytes([whole[0] ^ 1]) + whole[1:] if damage == "flipped" else whole[:-1])
    if damage == "gone":
        tile.unlink()

    with pytest.raises(PosternError, match="The log's own files are damaged"):
        asks.submit()
    Rounds(asks, observed, 5.0).once()
    ((_, state, sentence),) = observed.told
    assert ("red", True) == (state, "Run postern verify on the log's folder" in sentence)
    tile.write_bytes(whole)
    assert Cosigned(300) == asks.submit()


def test_what_another_process_submitted_is_no_rollback(
    url: str, log: Log, folder: Path, tmp_path: Path
) -> None:
    """The published checkpoint is read again before anything is said of it."""
    grow(log, 5)
    other = client(url, log, folder)

    class Late:
        """A log whose checkpoint is overtaken between reading it and asking."""

        verifier = log.verifier
        add_cosignatures = log.add_cosignatures

        def __init__(self) -> None:
            self.first: Opened | None = log.checkpoint()

        def checkpoint(self) -> Opened:
            first, self.first = self.first, None
            if first is not None:
                grow(log, 5)
                other.submit()
                return first
            return log.checkpoint()

    entry = WitnessEntry("hub", url, WITNESS.verifier.vkey)
    asks = WitnessClient(entry, tmp_path / "kept", Late(), lambda size: Tiles(folder, size))
    assert Cosigned(10) == asks.submit()


def test_a_witness_without_this_logs_key_is_a_matter_of_settings(
    tmp_path: Path, log: Log, folder: Path
) -> None:
    """Another log's, or another key under its name; the operator is told which to hand over."""
    renamed = Signer(ORIGIN, bytes(range(5, 37)))
    for stranger in (OTHER, renamed):
        witness = Witness(tmp_path / "hub", WITNESS, [stranger.verifier], MachineClock())
        with serving(witness_app(witness, MOST_BODY, print)) as at:
            submission = client(at, log, folder).submit()
        assert isinstance(submission, Misconfigured)
        assert log.verifier.vkey in submission.sentence


def test_a_witness_with_another_key_is_a_matter_of_settings(
    url: str, log: Log, folder: Path
) -> None:
    """Its signature is not kept, whatever it says."""
    another = Signer(WITNESS.verifier.name, bytes(range(6, 38)), KeyType.WITNESS)
    submission = client(url, log, folder, key=another.verifier).submit()

    assert isinstance(submission, Misconfigured)
    assert "another key" in submission.sentence
    assert [] == cosigners(log)


@contextmanager
def answering(
    answer: Callable[[BaseHTTPRequestHandler, bytes], None], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """The address of a server that is no witness; it answers every request in the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with suppress(OSError):  # The client had enough.
                answer(self, body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replies(
    status: int, body: bytes = b"", *headers: tuple[str, str], tls: ssl.SSLContext | None = None
) -> AbstractContextManager[str]:
    """A server that gives that answer."""

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answering(answer, tls)


FORGED = WITNESS.sign("something else\n", 1).line().encode()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"", Misconfigured),
        (200, b"hello\n", Misconfigured),
        (200, b"\xff\xfe", Misconfigured),
        (200, FORGED, Misconfigured),
        (200, b"x\n\n" + FORGED, Misconfigured),
        (200, OTHER.sign("x\n").line().encode(), Misconfigured),
        (200, FORGED * 300, Misconfigured),
        (200, bytes(2 * MOST_ANSWER), Misconfigured),
        (400, b"", Misconfigured),
        (401, b"", Misconfigured),
        (403, b"", Misconfigured),
        (404, b"", Misconfigured),
        (405, b"", Misconfigured),
        (408, b"", Unreachable),
        (409, b"", Misconfigured),
        (409, b"many\n", Misconfigured),
        (409, b"-1\n", Misconfigured),
        (409, b"9999999999999999999\n", Misconfigured),
        (409, b"4\n", RolledBack),
        (409, b"0\n", RolledBack),
        (409, b"2\n", RolledBack),  # Asked about 2 at the second time, it conflicts still.
        (413, b"", Misconfigured),
        (422, b"", RolledBack),
        (429, b"", Unreachable),
        (500, b"", Unreachable),
        (503, b"", Unreachable),
    ],
)
def test_every_answer_has_an_outcome(
    log: Log, folder: Path, status: int, body: bytes, outcome: type[Submission]
) -> None:
    """Of a log of three entries, of which nothing has been acknowledged; nothing is kept of it."""
    grow(log, 3)
    before = log.checkpoint()
    with replies(status, body) as at:
        submission = client(at, log, folder).submit()

    assert isinstance(submission, outcome), submission
    assert before == log.checkpoint()
    assert 0 == client("http://127.0.0.1:9", log, folder).acknowledged()


@pytest.mark.parametrize("body", [b"", b"Conflict\n", b"{}", b"\xff"])
def test_a_fork_of_the_same_size_is_told_without_a_size_in_the_answer(
    url: str, log: Log, folder: Path, body: bytes
) -> None:
    """tlog-witness has a conflict there, too, but not that its body is the size: other programs
    say something else. The log is written anew up to the very size that was signed."""
    grow(log, 3)
    client(url, log, folder).submit()
    log.close()
    rmtree(folder)

    with opened(folder) as anew:
        grow(anew, 3)
        with replies(409, body) as at:
            submission = client(at, anew, folder).submit()

    assert isinstance(submission, RolledBack), submission
    assert "signed 3 entries" in submission.sentence


def test_a_witness_that_moves_on_at_every_request_is_asked_twice_only(
    log: Log, folder: Path
) -> None:
    """Somebody else submits for this log, faster."""
    grow(log, 9)
    asked = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append(body)
        size = b"%d\n" % len(asked)
        handler.send_response(409)
        handler.send_header("Content-Length", str(len(size)))
        handler.end_headers()
        handler.wfile.write(size)

    with answering(answer) as at:
        assert isinstance(client(at, log, folder).submit(), Unreachable)
    assert 2 == len(asked)


def test_a_witness_that_signs_a_hundred_times_fills_no_checkpoint(log: Log, folder: Path) -> None:
    """Attack: every line holds, and with the log's own they are more than are ever read again."""
    size = grow(log, 1)
    text = log.checkpoint().note.text
    lines = "".join(WITNESS.sign(text, time_s).line() for time_s in range(100))

    with replies(200, lines.encode()) as at:
        assert Cosigned(size) == client(at, log, folder).submit()

    assert [WITNESS.verifier.name] == cosigners(log)
    assert size + 1 == grow(log, 1)


def test_a_redirect_is_not_followed(url: str, log: Log, folder: Path) -> None:
    """Not even to the witness itself."""
    with replies(307, b"", ("Location", f"{url}/add-checkpoint")) as at:
        submission = client(at, log, folder).submit()

    assert isinstance(submission, Misconfigured)
    assert "status 307" in submission.sentence


def test_a_proxy_of_the_environment_is_not_used(
    url: str, log: Log, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The witness is asked itself, and whoever sets a variable hears nothing of it."""
    asked: list[str] = []

    def proxy(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        asked.append(handler.path)
        handler.send_error(502)

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with answering(proxy) as at:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, at)
            monkeypatch.setenv(name.upper(), at)
        # Whatever goes by the environment does ask it.
        assert 502 == httpx.post(url, content=b"x").status_code
        asked.clear()
        size = grow(log, 1)
        assert Cosigned(size) == client(url, log, folder).submit()

    assert [] == asked


def test_nobody_who_does_not_answer_is_waited_for(log: Log, folder: Path) -> None:
    """Nothing at all, or a byte now and then, for ever: in the body, in the head, before it."""
    stop = Flag()

    def drip(handler: BaseHTTPRequestHandler, start: bytes, again: bytes) -> None:
        handler.wfile.write(start)
        while not stop.wait(0.05):
            handler.wfile.write(again)
            handler.wfile.flush()

    def body(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        drip(handler, b"HTTP/1.1 200 OK\r\n\r\n", b"x")

    def conflict(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        drip(handler, b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n")

    def head(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        drip(handler, b"HTTP/1.1 200 OK\r\nX: ", b"x")

    def early(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        drip(handler, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")

    def hang(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        stop.wait(20)

    for answer in (hang, body, conflict, head, early):
        stop.clear()
        with answering(answer) as at:
            started_s = monotonic()
            submission = client(at, log, folder, timeout_s=0.5).submit()
            took_s = monotonic() - started_s
            stop.set()
        assert isinstance(submission, Unreachable)
        assert "longer than 0.5 seconds" in submission.sentence
        assert took_s < 5


def test_nobody_who_never_begins_to_encrypt_is_waited_for(log: Log, folder: Path) -> None:
    """The connection is taken, and then nothing comes. It is closed, not left to be collected."""
    with create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        started_s = monotonic()
        submission = client(address, log, folder, timeout_s=0.5).submit()
        gc.collect()  # A socket that was left open is a warning now, and so a failure.

    assert isinstance(submission, Unreachable)
    assert "the connection failed (ConnectTimeout)" in submission.sentence
    assert monotonic() - started_s < 5


@pytest.mark.parametrize(
    ("start", "again", "outcome"),
    [
        ("200 OK\r\n\r\n", bytes(65536), Misconfigured),
        ("409 Conflict\r\n\r\n", b"1" * 65536, Misconfigured),
        ("404 Not Found\r\n\r\n", bytes(65536), Misconfigured),
        ("503 Service Unavailable\r\n\r\n", bytes(65536), Unreachable),
        ("200 OK\r\nX: ", b"x" * 65536, Unreachable),
        ("200 OK\r\n", b"X: x\r\n" * 9999, Unreachable),
    ],
)
def test_an_answer_without_an_end_is_cut_off(
    log: Log, folder: Path, start: str, again: bytes, outcome: type[Submission]
) -> None:
    """Long before the time is over, whatever it says; so is a head."""
    grow(log, 1)

    def pour(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.wfile.write(f"HTTP/1.1 {start}".encode())
        while True:
            handler.wfile.write(again)

    with answering(pour) as at:
        started_s = monotonic()
        submission = client(at, log, folder, timeout_s=20.0).submit()

    assert isinstance(submission, outcome), submission
    assert monotonic() - started_s < 10


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_a_witness_that_is_not_there_is_unreachable(log: Log, folder: Path, address: str) -> None:
    """In one sentence."""
    submission = client(address, log, folder).submit()

    assert isinstance(submission, Unreachable)
    assert "cannot be reached: the connection failed" in submission.sentence


def test_a_witness_without_a_known_certificate_is_not_talked_to(log: Log, folder: Path) -> None:
    """A plain server behind an https address answers nothing that counts."""
    with replies(200, FORGED) as at:
        submission = client(at.replace("http:", "https:"), log, folder, timeout_s=2.0).submit()

    assert isinstance(submission, Unreachable)


def test_an_authority_that_the_operator_added_counts(
    log: Log, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's store of certificates is asked, too; the witness is talked to over TLS."""
    files = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with replies(503, b"", tls=context) as at:
        secure = at.replace("http:", "https:")
        unknown = client(secure, log, folder).submit()
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        known = client(secure, log, folder).submit()

    assert Unreachable("The witness cannot answer now (status 503).") == known
    assert isinstance(unknown, Unreachable)
    assert "the connection failed (ConnectError)" in unknown.sentence


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this very machine that signs itself, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), MachineClock().now().utc
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    address = x509.IPAddress(IPv4Address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


class Observed:
    """What the service's observer was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[CameraId, str, str]] = []
        self.news = Flag()

    def __call__(self, who: CameraId, state: str, sentence: str) -> None:
        self.told.append((who, state, sentence))
        self.news.set()

    @property
    def states(self) -> list[str]:
        return [state for _, state, _ in self.told]


def test_the_service_has_its_log_signed_as_it_grows(url: str, log: Log, folder: Path) -> None:
    """In the background; it tells that once, and ends when told to."""
    observed = Observed()
    runs = Witnessing([client(url, log, folder)], observed, look_s=0.05)
    runs.start()
    assert observed.news.wait(20)
    for _ in range(3):
        grow(log, 2)
        until_s = monotonic() + 20
        while not cosigners(log) and monotonic() < until_s:
            Flag().wait(0.02)
        assert [WITNESS.verifier.name] == cosigners(log)
    started_s = monotonic()
    runs.stop()

    assert monotonic() - started_s < witnessing.STOP_S
    assert [(CameraId("witness hub"), "ok", "signs the log")] == observed.told


def test_a_rollback_is_told_in_red_once(url: str, log: Log, folder: Path) -> None:
    """As often as it is asked, and as large as the log grows."""
    grow(log, 20)
    client(url, log, folder).submit()
    log.close()
    rmtree(folder)
    observed = Observed()

    with opened(folder) as wiped:
        rounds = Rounds(client(url, wiped, folder), observed, 5.0)
        waits = []
        for _ in range(6):
            grow(wiped, 3)
            waits.append(rounds.once())

    ((who, state, sentence),) = observed.told
    assert (CameraId("witness hub"), "red") == (who, state)
    assert "rolled back" in sentence
    assert [5.0, 10.0, 20.0, 40.0, 60.0, 60.0] == waits


def test_an_absent_witness_is_told_after_a_while_only(
    url: str, log: Log, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is told when it is back."""
    observed = Observed()
    asks = client(url, log, folder)
    rounds = Rounds(asks, observed, 5.0)
    rounds.once()
    monkeypatch.setattr(asks, "_url", "http://127.0.0.1:9/add-checkpoint")
    grow(log, 1)
    rounds.once()
    assert ["ok"] == observed.states

    monkeypatch.setattr(witnessing, "AWAY_S", 0.0)
    rounds.once()
    rounds.once()
    assert ["ok", "red"] == observed.states
    monkeypatch.setattr(asks, "_url", f"{url}/add-checkpoint")
    assert 5.0 == rounds.once()
    assert ["ok", "red", "ok"] == observed.states


def test_a_log_that_does_not_grow_is_asked_about_rarely(
    log: Log, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once at the start, once when it has grown, and again after a while."""
    asked = []
    witness = Witness(tmp_path / "hub", WITNESS, [log.verifier], MachineClock())

    class Counted:
        def add_checkpoint(self, body: bytes):
            asked.append(body)
            return witness.add_checkpoint(body)

    with serving(witness_app(Counted(), MOST_BODY, print)) as at:
        rounds = Rounds(client(at, log, folder), Observed(), 5.0)
        for expected in (1, 1, 1):
            rounds.once()
            assert expected == len(asked)
        grow(log, 1)
        for _ in range(3):
            rounds.once()
        assert 2 == len(asked)
        monkeypatch.setattr(witnessing, "REFRESH_S", 0.0)
        rounds.once()
        assert 3 == len(asked)


def test_a_log_that_cannot_be_read_is_told_in_red(url: str, log: Log, folder: Path) -> None:
    """With the log's own sentence; an observer that fails stops nothing."""
    observed = Observed()

    def tell(who: CameraId, state: str, sentence: str) -> None:
        observed(who, state, sentence)
        raise RuntimeError

    rounds = Rounds(client(url, log, folder), tell, 5.0)
    checkpoint = folder / "checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole.replace(b"\n0\n", b"\n1\n"))
    rounds.once()
    checkpoint.write_bytes(whole)
    rounds.once()

    assert ["red", "ok"] == observed.states
    assert "does not hold" in observed.told[0][2]


def test_requests_are_what_the_text_says(log: Log, folder: Path) -> None:
    """Read back by the witness's own parser; the path is added to the address."""
    grow(log, 3)
    asked = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append((handler.path, body))
        handler.send_response(404)
        handler.end_headers()

    with answering(answer) as at:
        client(f"{at}/of/somebody/", log, folder).submit()

    assert [
        ("/of/somebody/add-checkpoint", Request(0, (), log.checkpoint().note.encode()).encode())
    ] == asked


def test_a_full_disk_is_not_a_signature(url: str, log: Log, folder: Path) -> None:
    """Where the acknowledgement cannot be kept, that is told as what it is."""
    folder.with_name("ledger-witnesses").write_text("in the way")

    with pytest.raises(PosternError, match="cannot be written"):
        client(url, log, folder).submit()

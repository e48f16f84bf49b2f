"""What every kind of input must do, run over every row of KINDS, each against a real peer.

A kind needs a bench here: how to make its peer, and the settings that lead there.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ports import Input
from postern.core.signal import Signal
from postern.engine.supervise import BackOff, supervise
from postern.sources.inputs import KINDS
from tests.clocks import MachineClock
from tests.sources.inputs.peers import (
    TOPIC,
    ModbusDevice,
    Mosquitto,
    Peer,
    ShellyDevice,
    free_port,
)

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Bench:
    """How an input of a kind is tried.

    Attributes:
        peer: Makes what it reads, in a folder.
        settings: What leads there, by the peer's port.
    """

    peer: Callable[[Path], Peer]
    settings: Callable[[int], dict[str, Any]]


BENCHES = {
    "modbus": Bench(ModbusDevice, lambda port: {"address": f"{HOST}:{port}", "number": 0}),
    "mqtt": Bench(Mosquitto, lambda port: {"address": f"{HOST}:{port}", "topic": f"{TOPIC}/0"}),
    "shelly": Bench(ShellyDevice, lambda port: {"address": f"{HOST}:{port}"}),
}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


@pytest.fixture
def peer(kind: str, tmp_path: Path) -> Iterator[Peer]:
    """A running peer whose contact is open."""
    made = BENCHES[kind].peer(tmp_path / "peer")
    made.start()
    made.set(False)
    yield made
    made.kill()


def opened(kind: str, port: int, **more: object) -> Input:
    """An input by its row of KINDS."""
    settings = BENCHES[kind].settings(port) | more
    return KINDS[kind].open(KINDS[kind].config(**settings), "contact", MachineClock())


@contextmanager
def heard(source: Input) -> Iterator["Queue[Signal | Exception | None]"]:
    """What an input says, taken in a thread of its own."""
    queue: Queue[Signal | Exception | None] = Queue()

    def take() -> None:
        try:
            for signal in source.signals():
                queue.put(signal)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            queue.put(error)

    thread = Thread(target=take)
    thread.start()
    try:
        yield queue
    finally:
        source.close()
        thread.join(5)
        assert not thread.is_alive()


def following(queue: "Queue[Signal | Exception | None]", timeout_s: float = 10.0) -> Signal:
    """The next signal."""
    item = queue.get(timeout=timeout_s) or queue.get(timeout=timeout_s)
    assert isinstance(item, Signal), item
    return item


def first(signals: "Iterator[Signal | None]") -> Signal:
    """The first signal, after word that the device is reached."""
    found = next(signals) or next(signals)
    assert found is not None
    return found


def test_every_kind_has_a_bench() -> None:
    """A new kind cannot be left out of this suite."""
    assert set(BENCHES) == set(KINDS)


@every_kind
@pytest.mark.parametrize("inverted", [False, True])
def test_present_state_comes_first_and_then_every_change(
    kind: str, peer: Peer, inverted: bool
) -> None:
    """What was found is no news, what follows is; a contact may be closed at rest."""
    with heard(opened(kind, peer.port, inverted=inverted)) as queue:
        first = following(queue)
        assert (inverted, False) == (first.active, first.live)
        for level in (True, False, True):
            peer.set(level)
            signal = following(queue)
            assert (level is not inverted, True) == (signal.active, signal.live)
            assert 0.0 <= MachineClock().now().since(signal.at) < 2.0


@every_kind
def test_state_that_stays_is_told_once(kind: str, peer: Peer) -> None:
    """Whatever is asked or published meanwhile."""
    with heard(opened(kind, peer.port)) as queue:
        following(queue)
        for _ in range(3):
            peer.set(False)
        time.sleep(0.6)
        with pytest.raises(Empty):
            queue.get_nowait()


@every_kind
def test_killed_peer_is_told_and_comes_back(kind: str, peer: Peer) -> None:
    """Killed, it raises what the port says, and the next call finds it again."""
    source = opened(kind, peer.port)
    signals = source.signals()
    assert not first(signals).active
    peer.kill()
    begun_s = time.monotonic()
    with pytest.raises(PosternError) as gone:
        next(signals)
    assert Code.UNAVAILABLE is gone.value.code
    assert time.monotonic() - begun_s < 10.0
    with pytest.raises(PosternError, match=str(peer.port)):
        next(source.signals())

    peer.start()
    peer.set(True)
    again = source.signals()
    found = first(again)
    assert found.active
    assert not found.live
    source.close()
    assert [] == list(again)


@every_kind
def test_supervised_input_is_red_while_its_peer_is_gone(kind: str, peer: Peer) -> None:
    """As the engine runs it: red with a sentence, and then on by itself."""
    source, stop = opened(kind, peer.port), Event()
    taken: Queue[Signal | Exception | None] = Queue()
    told: Queue[tuple[str, str]] = Queue()

    def work() -> None:
        for signal in source.signals():
            taken.put(signal)

    watched = Thread(
        target=supervise,
        args=(work, lambda state, why: told.put((state, why)), stop, BackOff(0.1, 0.2)),
    )
    watched.start()
    assert not following(taken).active
    peer.kill()
    state, why = told.get(timeout=10)
    assert ("red", True) == (state, bool(why))
    peer.start()
    peer.set(True)
    assert following(taken).active
    stop.set()
    source.close()
    watched.join(5)
    assert not watched.is_alive()


@every_kind
def test_peer_that_takes_the_connection_and_says_nothing_is_told(kind: str) -> None:
    """Within seconds; and closing does not wait for it."""
    with socket.create_server((HOST, 0)) as silent:
        source = opened(kind, silent.getsockname()[1])
        with pytest.raises(PosternError) as gone:
            next(source.signals())
        assert Code.UNAVAILABLE is gone.value.code
        with heard(source):
            time.sleep(0.2)
            begun_s = time.monotonic()
            source.close()
        assert time.monotonic() - begun_s < 1.5


@every_kind
@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", b"\0" * 4096, b"HTTP/1.1 200 OK\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n"],
    ids=["page", "noughts", "endless"],
)  # fmt: skip
def test_peer_that_answers_nonsense_is_told(kind: str, answer: bytes) -> None:
    """Nothing but our own error comes of it, in a bounded time."""
    stop = Event()
    with socket.create_server((HOST, 0)) as listener:
        thread = Thread(target=_babble, args=(listener, answer, stop))
        thread.start()
        with pytest.raises(PosternError) as refused:
            next(opened(kind, listener.getsockname()[1]).signals())
        assert Code.UNAVAILABLE is refused.value.code
        stop.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(10)
        assert not thread.is_alive()


@every_kind
def test_nobody_at_the_port_is_told_with_the_address(kind: str) -> None:
    """And nothing else."""
    port = free_port()
    with pytest.raises(PosternError, match=f"{HOST}:{port}"):
        next(opened(kind, port).signals())


@every_kind
@pytest.mark.parametrize(
    "wrong",
    [{"address": "169.254.169.254"}, {"address": ""}, {"address": "a:0"}, {"debounce_s": -1.0}],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(kind: str, wrong: dict[str, object]) -> None:
    """Before anything is reached for."""
    with pytest.raises(PosternError) as refused:
        KINDS[kind].config(**(BENCHES[kind].settings(1) | wrong))

    assert Code.INVALID is refused.value.code


def _babble(listener: socket.socket, answer: bytes, stop: Event) -> None:
    """Takes connections and says the same to all of them, for ever where it has no end."""
    while not stop.is_set():
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(2.0)
            try:
                connection.recv(4096)
                connection.sendall(answer)
                while answer.endswith(b"chunked\r\n\r\n") and not stop.is_set():
                    connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                connection.recv(4096)
            except OSError:
                continue

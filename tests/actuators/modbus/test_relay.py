"""A coil of pymodbus's own server, and what else may answer there."""

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from postern.actuators import KINDS, Timer
from postern.actuators.modbus.config import Config, Pulse
from postern.actuators.modbus.relay import ModbusRelay, open_relay
from postern.core.errors import PosternError
from tests.actuators.bench import Notes, spoil, until
from tests.actuators.modbus.bench import COIL, board


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[ModbusRelay]:
    """The board's one relay."""
    with board(tmp_path) as (port, _):
        yield ModbusRelay(Config(f"127.0.0.1:{port}", COIL))


def test_coil_is_switched_and_read_back(relay: ModbusRelay, tmp_path: Path) -> None:
    """What the board says is what its relay does."""
    notes = Notes(tmp_path / "relay")
    for on in (True, False, True):
        relay.switch(on)
        assert on is relay.is_on() is notes.is_open()


def test_board_ends_a_pulse_that_it_times(relay: ModbusRelay, tmp_path: Path) -> None:
    """Without anybody coming back."""
    notes = Notes(tmp_path / "relay")
    relay.pulse(0.31)

    assert relay.is_on()
    assert until(lambda: not notes.is_open(), 2.0)
    assert ["ordered", "on", "off"] == notes.words()


def test_board_that_refuses_another_coil_is_a_failure(relay: ModbusRelay, tmp_path: Path) -> None:
    """The sentence names the board and the exception, and nothing moves."""
    (port,) = [(tmp_path / "port").read_text("utf-8")]
    with pytest.raises(PosternError, match=rf"^The board at 127\.0\.0\.1:{port} refused"):
        ModbusRelay(Config(f"127.0.0.1:{port}", COIL + 1)).switch(True)
    assert not relay.is_on()


@pytest.mark.parametrize("fault", ["garbage", "drop", "late", "failed", "other_coil"])
def test_answer_that_is_none_is_a_failure(relay: ModbusRelay, tmp_path: Path, fault: str) -> None:
    """One sentence each; nobody waits."""
    spoil(tmp_path, fault)
    began = monotonic()

    with pytest.raises(PosternError, match="^The board at"):
        relay.switch(True)
    assert monotonic() - began < 5.0


@contextmanager
def answering(answers: Iterator[bytes]) -> Iterator[int]:
    """Something that answers every request with the next of these bytes; gives its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        request = connection.recv(260)
                        answer = next(answers, b"")
                        # With the number of the request, so that it is not dropped unread.
                        connection.sendall(request[:2] + answer if answer else b"")

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_attack_board_that_answers_anything() -> None:
    """Nothing but a report, and never that the coil was switched on: two hundred answers that
    are almost one."""
    chance = random.Random(4)  # noqa: S311 - it need not be secret
    sound = struct.pack(">HHBBHH", 0, 6, 1, 5, COIL, 0xFF00)

    def spoilt() -> Iterator[bytes]:
        while True:
            answer = bytearray(sound)
            for bit in chance.sample(range(8 * (len(answer) - 2)), chance.randint(1, 3)):
                answer[bit // 8] ^= 1 << bit % 8
            yield bytes(answer[: chance.choice([4, 7, 9, 10, 10, 10, 10])])

    with answering(spoilt()) as port:
        relay = ModbusRelay(Config(f"127.0.0.1:{port}", COIL))
        for _ in range(200):
            with pytest.raises(PosternError, match="^The board at"):
                relay.switch(True)


def test_sound_answer_would_be_taken() -> None:
    """What the other test spoils."""
    sound = struct.pack(">HHBBHH", 0, 6, 1, 5, COIL, 0xFF00)
    with answering(iter([sound])) as port:
        ModbusRelay(Config(f"127.0.0.1:{port}", COIL)).switch(True)


def test_board_that_hangs_up_or_is_not_there_is_a_failure() -> None:
    """It accepts and drops; then nobody listens."""
    with answering(iter(())) as port:
        relay = ModbusRelay(Config(f"127.0.0.1:{port}", COIL))
        with pytest.raises(PosternError, match="did not answer"):
            relay.is_on()
    with pytest.raises(PosternError, match="cannot be connected to"):
        relay.is_on()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"address": "169.254.169.254"}, "No device answers at"),
        ({"address": "tcp://gate"}, "An address is a name or a number"),
        ({"coil": -1}, "A coil has a number"),
        ({"coil": 65536}, "A coil has a number"),
        ({"coil": 65535, "pulse": Pulse.DEVICE}, "A coil has a number"),
        ({"device_id": 256}, "A device id"),
        ({"pulse_coil": 5}, "for boards that time the pulse"),
    ],
)
def test_configuration_that_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    """Before anything is reached for."""
    with pytest.raises(PosternError, match=said):
        Config(**{"address": "gate.lan", "coil": 0, **settings})  # type: ignore[arg-type]


def test_timer_is_who_ends_the_pulse() -> None:
    """As it is configured."""
    kind = KINDS["modbus"]

    assert Timer.WATCHDOG is kind.timer(Config("gate.lan", 0))
    assert Timer.DEVICE is kind.timer(Config("gate.lan", 0, pulse=Pulse.DEVICE))


@pytest.mark.parametrize("settings", [{}, {"address": "gate.lan", "coil": "3", "device_id": 1}])
def test_relay_of_a_process_of_its_own_needs_its_settings(settings: dict[str, str | int]) -> None:
    """They come through a pipe."""
    with pytest.raises(PosternError, match="has an address, a coil and a device id"):
        open_relay(settings)

"""What a Modbus input makes of a device that answers something else; the rest is in contracts."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from postern.core.errors import PosternError
from postern.core.signal import Signal
from postern.sources.inputs.modbus.config import Config, Table
from postern.sources.inputs.modbus.input import ModbusInput
from tests.clocks import MachineClock


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """A device that answers whatever it is asked with that; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while asked := connection.recv(1024):
                    size = struct.pack(">H", len(body) + 1)
                    connection.sendall(asked[:4] + size + asked[6:7] + body)

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def first(port: int, table: Table = Table.DISCRETE) -> Signal | None:
    """What an input says first."""
    button = ModbusInput(Config(f"127.0.0.1:{port}", 0, table=table), "button", MachineClock())
    signals = button.signals()
    try:
        return next(iter(signals))
    finally:
        button.close()
        signals.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [
        b"\x01\x01\x01",
        b"\x05\x00\x00\xff\x00",
        b"\x02\x02\x01\x00",
        b"\x02\x00",
        b"\x03\x02\x00\x01",
    ],
    ids=["coils", "written", "two bytes", "nothing", "registers"],
)
def test_attack_answer_to_another_question_is_no_state(body: bytes) -> None:
    """An answer that a gateway gives to the wrong one must not look like a pressed button."""
    with answering(body) as port, pytest.raises(PosternError, match="answers something else"):
        first(port)


def test_answer_to_the_question_is_a_state() -> None:
    """Of either table."""
    with answering(b"\x02\x01\x01") as port:
        found = first(port)
    assert found is not None
    assert found.active
    with answering(b"\x01\x01\x00") as port:
        found = first(port, Table.COIL)
    assert found is not None
    assert not found.active


@pytest.mark.parametrize(
    ("code", "why"), [(2, "has no discrete input 0 of device 1"), (11, "now (exception 11)")]
)
def test_exception_is_told_as_what_it_is(code: int, why: str) -> None:
    """A gateway whose device is silent says nothing against the number."""
    with answering(bytes([0x82, code])) as port, pytest.raises(PosternError) as raised:
        first(port)
    assert why in raised.value.message

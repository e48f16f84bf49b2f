"""A connection to a real broker, by itself; what is built on it is tested where it is."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from postern.core.errors import PosternError
from postern.mqtt.connection import MOST_BYTES, Connection
from postern.mqtt.words import Broker, Message, Subscription
from tests.brokers import Mosquitto, mosquitto


class News(list[tuple[str, str]]):
    """What a connection says of itself."""

    def __call__(self, state: str, why: str) -> None:
        self.append((state, why))


@contextmanager
def connected(broker: Broker, **more: Any) -> Iterator[tuple[Connection, News]]:
    """A connection, begun and ended."""
    news = News()
    connection = Connection(broker, news, **more)
    connection.start()
    try:
        yield connection, news
    finally:
        connection.close()


def at(broker: Mosquitto, **more: Any) -> Broker:
    """Where a broker of the tests is."""
    return Broker(address=f"127.0.0.1:{broker.port}", **more)


def until(fact: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until something is so."""
    until_s = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_broker_that_is_named_is_reached_by_its_number() -> None:
    """A name is looked up once, and connected to where that leads."""
    with mosquitto() as broker, connected(Broker(address=f"localhost:{broker.port}")) as (_, news):
        until(lambda: bool(news))

    assert ("ok", f"The broker localhost:{broker.port} is connected.") == news[0]


def test_broker_whose_name_leads_nowhere_is_told() -> None:
    """In one sentence; no certificate is asked for before."""
    with connected(Broker(address="gate.invalid", tls=True)) as (_, news):
        until(lambda: bool(news))

    assert "red" == news[0][0]
    assert news[0][1].startswith("The name gate.invalid ")


def test_message_arrives_once_and_is_acknowledged() -> None:
    """Whoever publishes knows that the broker has it."""
    heard: list[Message] = []
    with mosquitto() as broker, connected(at(broker), subscriptions=(Subscription("a/+"),),
                                          heard=heard.append) as (connection, _):  # fmt: skip
        connection.publish(Message("a/b", b"1"), 5.0)
        until(lambda: bool(heard))
        with pytest.raises(PosternError, match="nobody listens"):
            connection.publish(Message("elsewhere", b"1"), 5.0)

    assert [Message("a/b", b"1")] == heard


# paho leaves the socket of a handshake that failed to the garbage collector, which closes it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_certificate_is_checked() -> None:
    """Signed by whom `ca` names, it is trusted; without, it is not, and nothing is said to it."""
    with mosquitto(tls=True) as broker:
        with connected(at(broker, tls=True, ca=broker.ca)) as (_, trusted):
            until(lambda: bool(trusted))
        with connected(at(broker, tls=True)) as (connection, refused):
            until(lambda: bool(refused))
            with pytest.raises(PosternError):
                connection.publish(Message("a", b"1"), 1.0)

    assert "ok" == trusted[0][0]
    assert "red" == refused[0][0]
    assert "certificate that is not trusted" in refused[0][1]


def test_absent_signer_is_told(tmp_path: Path) -> None:
    """A file that is not there fails no thread."""
    with mosquitto(tls=True) as broker:
        settings = at(broker, tls=True, ca=tmp_path / "absent.pem")
        with connected(settings) as (_, news):
            until(lambda: bool(news))

    assert "red" == news[0][0]


def test_attack_message_that_is_far_too_large_is_not_heard() -> None:
    """The broker is told not to send it."""
    heard: list[Message] = []
    with (
        mosquitto() as broker,
        connected(at(broker), subscriptions=(Subscription("a"),), heard=heard.append) as (_, news),
        connected(at(broker)) as (sender, _),
    ):
        until(lambda: bool(news))
        sender.publish(Message("a", bytes(4 * MOST_BYTES)), 5.0)
        sender.publish(Message("a", b"small"), 5.0)
        until(lambda: bool(heard))

    assert [b"small"] == [one.payload for one in heard]


def test_attack_topic_that_is_no_text_does_not_deafen() -> None:
    """No sound broker passes one on; what comes after it is heard all the same."""
    heard: list[Message] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"\x20\x03\x00\x00\x00")
                number = connection.recv(1024)[2:4]
                connection.sendall(b"\x90\x04" + number + b"\x00\x01")
                connection.sendall(b"\x30\x05\x00\x01\xff\x00A" + b"\x30\x05\x00\x01a\x00B")
                while connection.recv(1024):
                    pass

        thread = Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with connected(Broker(address=address), subscriptions=(Subscription("#"),),
                       heard=heard.append):  # fmt: skip
            until(lambda: bool(heard), 5.0)
        thread.join()

    assert [Message("a", b"B")] == heard


def test_every_broken_connection_is_let_go_of() -> None:
    """No thread is left behind by any of them."""
    with mosquitto() as broker:
        before = threading.active_count()
        with connected(at(broker)) as (connection, news):
            for round_ in range(3):
                until(lambda: bool(news) and news[-1][0] == "ok")
                broker.kill()
                until(lambda: news[-1][0] == "red")
                broker.start()
                until(lambda: news[-1][0] == "ok")
                assert threading.active_count() <= before + 2, round_
            connection.publish(Message("a", b"1", retain=True), 5.0, lives_s=1)
        assert before == threading.active_count()


def test_attack_nothing_of_a_user_is_in_a_sentence(tmp_path: Path) -> None:
    """Neither the name nor the password, nor in how a setting shows itself."""
    file = tmp_path / "password"
    file.write_text("hush-hush", "utf-8")
    file.chmod(0o600)
    with mosquitto(password=True) as broker:
        settings = at(broker, user="somebody", password_file=file)
        with connected(settings) as (_, news):
            until(lambda: bool(news))

    said = " ".join(why for _, why in news) + repr(settings)
    assert "red" == news[0][0]
    assert "hush" not in said
    assert "somebody" not in " ".join(why for _, why in news)

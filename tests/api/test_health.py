"""Health and numbers over HTTP, as a stranger on the network meets them."""

import socket
from threading import Event
from time import monotonic

import httpx
import pytest

from postern.api import health
from postern.api.health import health_app
from tests.web.serving import serving


class Service:
    """Is as a test says."""

    def __init__(self) -> None:
        self.able = True
        self.asked = 0
        self.hangs: Event | None = None

    def ready(self) -> tuple[bool, object]:
        return self.able, {"ready": self.able}

    def metrics(self) -> str:
        self.asked += 1
        if self.hangs is not None:
            self.hangs.wait(20.0)
        return "postern_up 1.0\n"


def client() -> httpx.Client:
    return httpx.Client(trust_env=False, timeout=10.0)


def test_three_answers() -> None:
    """Alive, ready, numbers; 503 while it is not ready, and alive all the same."""
    service = Service()
    with serving(health_app(service)) as address, client() as asks:
        for able, status in ((True, 200), (False, 503), (True, 200)):
            service.able = able
            answer = asks.get(f"{address}/health/ready")
            assert (status, {"ready": able}) == (answer.status_code, answer.json())
            assert (200, {"live": True}) == (
                (live := asks.get(f"{address}/health/live")).status_code,
                live.json(),
            )
        numbers = asks.get(f"{address}/metrics")
    assert "postern_up 1.0\n" == numbers.text
    assert "text/plain; version=0.0.4; charset=utf-8" == numbers.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/health", "/metrics/../data", "/schema", "/health/live/x"])
def test_nothing_else_is_answered(path: str) -> None:
    """Nor anything but a question."""
    with serving(health_app(Service())) as address, client() as asks:
        assert 404 == asks.get(f"{address}{path}").status_code
        assert asks.post(f"{address}/health/live", content=b"x").status_code in (405, 413)


def test_numbers_that_hang_hold_up_nobody_who_asks_whether_it_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that does not answer: 503 after a while, however many ask."""
    monkeypatch.setattr(health, "ANSWER_S", 0.3)
    service = Service()
    service.hangs = Event()
    with serving(health_app(service)) as address, client() as asks:
        begun_s = monotonic()
        for _ in range(10):
            assert 503 == asks.get(f"{address}/metrics").status_code
            assert 200 == asks.get(f"{address}/health/live").status_code
            assert 200 == asks.get(f"{address}/health/ready").status_code
        assert monotonic() - begun_s < 15.0
        assert 1 == service.asked
        service.hangs.set()
        service.hangs = None
        answers = [asks.get(f"{address}/metrics").status_code for _ in range(50)]
        assert 200 in answers


def test_attack_many_connections_that_say_nothing() -> None:
    """Each is closed in time; until then there are no more than a few of them."""
    with serving(health_app(Service())) as address:
        host, port = address.removeprefix("http://").split(":")
        silent = [socket.create_connection((host, int(port)), 5.0) for _ in range(100)]
        for one in silent[:10]:
            one.close()
        with client() as asks:
            assert asks.get(f"{address}/health/live").status_code in (200, 503)
        for one in silent:
            one.close()
        with client() as asks:
            assert 200 == asks.get(f"{address}/health/live").status_code

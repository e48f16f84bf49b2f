"""`postern run` with `[health]`: what it answers while it runs, and where it cannot listen."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from postern.cli.demo.barrier import Visit, write_barrier_clip
from tests.cli.terminal import ended, started
from tests.cli.test_run import garage

__all__ = ["garage"]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def asking() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        yield client


def listen(garage: Path, port: int, loop: bool = True) -> str:
    """The site answers on that port, and a car comes, again and again."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    file = garage / "site.toml"
    text = file.read_text("utf-8")
    if loop:
        text = text.replace("sees =", "loop = true\nsees =")
    file.write_text(f'{text}\n[health]\nlisten = "127.0.0.1:{port}"\n', "utf-8")
    return f"http://127.0.0.1:{port}"


def soon(true: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        try:
            if true():
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


def test_service_answers_beside_its_lanes(garage: Path, port: int, asking: httpx.Client) -> None:
    """Ready once its camera gives frames; what it counts is what happened; then it ends in time."""
    address = listen(garage, port)
    process = started("run", cwd=garage)
    try:
        assert soon(lambda: asking.get(f"{address}/health/ready").status_code == 200)
        granted = 'granted="true",reason="permitted"} '
        assert soon(lambda: granted in asking.get(f"{address}/metrics").text)
        numbers = asking.get(f"{address}/metrics").text
        ready = asking.get(f"{address}/health/ready").json()
    finally:
        process.send_signal(signal.SIGTERM)
        told = ended(process, 30.0)

    assert 0 == told.code, told
    assert "barrier: granted" in told.err
    assert ready["ready"]
    assert {"barrier": {"ready": True, "hindered_by": []}} == ready["access_points"]
    assert {"camera", "access_point", "actuator", "ledger", "clock"} == {
        one["part"] for one in ready["parts"]
    }
    assert 'postern_up{name="lane",part="camera"} 1.0' in numbers
    assert 'postern_frames_total{camera="lane"}' in numbers
    assert "postern_log_entries" in numbers
    secrets = ("KAMP417", "KA MP 417", "Garage", str(garage), "barrier.mp4", "permit-")
    assert not [s for s in secrets if s in numbers + json.dumps(ready)]


def test_port_that_is_taken_is_told_at_the_start(garage: Path) -> None:
    """Nothing is watched then: whoever asks for health on a port has to get it there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listen(garage, port, loop=False)
        told = ended(started("run", cwd=garage))

    assert 7 == told.code
    assert f"postern: Nothing can listen on 127.0.0.1 port {port}: Address already" in told.err
    assert "[health] listen" in told.err
    assert "is watched" not in told.err
    assert "Traceback" not in told.err


def test_lines_for_programs_are_objects_of_json(garage: Path) -> None:
    """Every one of them, from the start to the end, on standard error."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417"), Visit("HD TR 92")], seed=1)
    file = garage / "site.toml"
    file.write_text(f'{file.read_text("utf-8")}\n[log]\nformat = "json"\n', "utf-8")
    told = ended(started("run", cwd=garage))

    assert 0 == told.code, told
    lines = [json.loads(line) for line in told.err.splitlines()]
    assert {"attempt", "health", "service"} == {line["event"] for line in lines}
    (attempt,) = (line for line in lines if line["event"] == "attempt")
    assert ("barrier", True, "permitted") == tuple(
        attempt[key] for key in ("access_point", "granted", "reason")
    )

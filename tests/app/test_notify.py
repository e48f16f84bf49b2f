"""What a service manager hears, and who is none."""

import os
from pathlib import Path
from uuid import uuid4

import pytest

from postern.app.config import service_manager
from postern.app.notify import Manager
from tests.app.manager import Listener


@pytest.mark.parametrize("abstract", [False, True])
def test_manager_hears_every_word(abstract: bool, tmp_path: Path) -> None:
    """At a path, and at a name that has none."""
    address = f"@postern-{uuid4().hex}" if abstract else str(tmp_path / "notify")
    with Listener(address) as listener:
        told = service_manager({"NOTIFY_SOCKET": address})
        told.ready()
        told.alive("2 of 2 access points can decide")
        told.status("one\nWATCHDOG=1\x1b[31m")
        told.stopping()
        assert listener.listen(lambda: listener.said("STOPPING=1") > 0, 5.0)

    assert [
        "READY=1",
        "WATCHDOG=1",
        "STATUS=2 of 2 access points can decide",
        "STATUS=one WATCHDOG=1 [31m",
        "STOPPING=1",
    ] == [line for _, line in listener.heard]


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    """Neither a socket that is gone nor one that is none stops the service."""
    for address in (str(tmp_path / "gone"), str(tmp_path), "@gone", "/" + "x" * 200):
        Manager(address).alive("all is well")
    Manager().ready()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Manager()),
        ({"NOTIFY_SOCKET": ""}, Manager()),
        ({"NOTIFY_SOCKET": "run/notify"}, Manager()),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, Manager()),
        ({"NOTIFY_SOCKET": "/run/x"}, Manager("/run/x")),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "20000000"}, Manager("/run/x", 20.0)),
        (
            {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"},
            Manager("/run/x"),
        ),
        (
            {
                "NOTIFY_SOCKET": "@x",
                "WATCHDOG_USEC": "500000",
                "WATCHDOG_PID": str(os.getpid()),
            },
            Manager("@x", 0.5),
        ),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"}, Manager("/run/x")),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "-1"}, Manager("/run/x")),
    ],
)
def test_manager_is_who_the_environment_names(
    environment: dict[str, str], expected: Manager
) -> None:
    """Whatever else stands there is nobody, and no reason not to start."""
    assert expected == service_manager(environment)

"""Safeguard: Postern calls nobody but witnesses and devices that `site.toml` names.

Which addresses a running service reaches for is what strace saw of the five hundred strangers' run
(see `crowd.py`), and of another one at a site that has a witness. Which modules could reach out at
all is listed.

ONNX Runtime's wheels send telemetry to their maker from native code, where no audit hook of Python
sees it. Before the first upload they keep an id of the session in the folder for temporary files,
by which this test tells whether they are about to.
"""

import ast
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from postern.api.witness import witness_app
from postern.app.clock import SystemClock
from postern.app.wire import open_site, read_site
from postern.app.witness_folder import open_witness
from postern.ledger.witness import MOST_BODY
from tests.cli.conftest import SITE
from tests.media import write_picture
from tests.needs import missing
from tests.safeguards.crowd import Crowd
from tests.safeguards.watched import calls, reached, start
from tests.web.serving import serving

ROOT = Path(__file__).parents[2]
#: A session on the smallest of models, as `postern.vision.model` opens it.
OPEN = """
import onnx, onnx.helper as h
value = lambda name: h.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1])
graph = h.make_graph([h.make_node("Identity", ["x"], ["y"])], "g", [value("x")], [value("y")])
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
"""
BY_POSTERN = f"""
from postern.vision.model import open_session
{OPEN}
open_session(model.SerializeToString(), "m")
"""
#: What a runtime does that is about to report. It is not let try: it would reach out.
PLANTED = "import os; open(os.path.join(os.environ['TMPDIR'], '.ses'), 'w').close()"
#: Where this test's own network ends, so that the runtime that would report reaches nobody.
_NOWHERE = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")

#: Everything in the standard library and among the libraries that can open a connection.
NETWORK = {
    "aiohttp", "asyncio", "ftplib", "http.client", "http.server", "httpx", "imaplib", "litestar",
    "paho", "paho.mqtt.client", "poplib", "pymodbus", "pymodbus.client", "requests", "smtplib",
    "socket", "socketserver", "telnetlib", "urllib.request", "urllib3", "uvicorn", "websockets",
    "xmlrpc.client",
}  # fmt: skip
#: Every other library that any module takes. Those of the first line read pictures, and could read
#: them from an address (see `READS`); the others open no connection and start no program by
#: themselves. SQLAlchemy is given SQLite's driver only; of prometheus_client nothing is taken that
#: listens or pushes (`test_numbers_are_pushed_nowhere`).
LIBRARIES = {
    "av", "cv2",
    "PIL", "alembic", "cryptography", "jinja2", "markupsafe", "matplotlib", "msgspec", "numpy",
    "onnx", "onnxruntime", "osdp", "osdp_sys", "platformdirs", "prometheus_client", "rich", "segno",
    "serial", "sqlalchemy", "structlog",
    "typer", "webauthn", "zxingcpp",
}  # fmt: skip
#: What is measured beside Postern, in an interpreter of its own: see `PEERS`.
COMPARED = {"dlib", "face_recognition", "face_recognition_models", "rapidocr"}
PEERS = {"bench/peer.py"}
#: What starts a program or loads one that is no module of Python's, and so could do anything.
STARTS = {"ctypes", "cffi", "multiprocessing", "pty", "runpy", "subprocess", "webbrowser"}
STARTING = re.compile(r"os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork\w*|startfile)")
#: The modules that do, and what.
STARTED = {
    "actuators/watched.py": "this very interpreter, as the watchdog of a relay",
    "process.py": "the C library, to forbid dumps of memory",
    "app/kernel_clock.py": "the C library, to ask the kernel whether its clock is synchronised",
    "app/upgrade/systemd.py": "systemctl, a release's installer, commands of versions",
    "bench/peers.py": "another interpreter, which an operator names, to be compared with",
    "bench/results.py": "git, for the revision in a report",
    "stream/confine.py": "the C library, to deny a decoding process what it does not need",
    "stream/decoder.py": "Postern's own decoding process",
    "stream/landlock.py": "the C library, to deny that process files and connections",
}
#: What opens a picture or a stream by its name, which may be an address.
READING = {"av.open", "cv2.VideoCapture", "cv2.imread", "cv2.VideoWriter"}
#: The modules that do, and what they are given.
READS = {
    "stream/video.py": "what the sources of the next list name",
    "cli/demo/clip.py": "the demo's own clip, by its path",
    "bench/pass_reading.py": "pictures of a folder, by their paths",
}
#: The sources that have a stream opened, and what they name.
OPENED = {
    "sources/file/source.py": "a path behind the prefix file:",
    "stream/__main__.py": "a device of this machine, or its own relay's port, confined",
}
#: Where a module is taken by a name that is no literal.
BY_NAME = {
    "later.py": "what opens a kind of device, out of the tables of kinds",
    "actuators/orders.py": "the relay of a kind, out of a table",
    "cli/__init__.py": "the command that was typed, out of a table",
}
#: The modules that take one of these, and whom they talk to.
TALKS = {
    "address.py": "asks this machine's resolver for the names of devices",
    "actuators/exchange.py": "asks the devices that site.toml names, over HTTP",
    "actuators/modbus/relay.py": "drives the relays that site.toml names",
    "actuators/osdp/line.py": "the serial server that site.toml names, where OSDP runs over one",
    "actuators/shelly/relay.py": "answers a device that asks who is there",
    "actuators/webhook/actuator.py": "believes certificates of those that the exchange asks",
    "web/audience.py": "tells those who watch, whoever let them in",
    "api/live.py": "answers on a socket in the site's folder, which nobody else may enter",
    "web/given.py": "names what calls are handed",
    "web/problem.py": "says what was wrong with a call",
    "app/live/relay.py": "asks the service behind that socket",
    "app/live/socket.py": "makes it",
    "app/served.py": "has what listens answer, in a thread of its own",
    "web/server.py": "listens, where an operator runs a witness or asks for [health]",
    "api/aim.py": "shows how a camera is placed, where an operator asks for the page",
    "api/health.py": "answers how the service is, where site.toml asks for it",
    "api/keys.py": "answers administrators about keys of programs",
    "api/me.py": "answers those who are signed in about what is their own",
    "api/reception.py": "puts together the calls of signing in",
    "api/sessions.py": "answers those who sign in",
    "api/setup.py": "answers those who have a code to set a password with",
    "api/users.py": "answers administrators about users",
    "app/monitor.py": "has it listen, beside the lanes",
    "api/witness.py": "answers there",
    **{
        f"api/{noun}.py": "says what the API's calls are; `server.py` listens for them"
        for noun in (
            "access_points",
            "consents",
            "credentials",
            "events",
            "log",
            "paging",
            "people",
            "permits",
            "schedules",
            "v1",
            "vehicles",
            "version",
        )
    },
    "app/notify.py": "tells the service manager, on this machine, that the service is alive",
    "app/witness_client.py": "asks the witnesses that site.toml names",
    "api/lanes.py": "tells those who may watch what happens, and opens by hand for those who may",
    "app/wire/console.py": "puts the console together",
    "console/failures.py": "says what was wrong with a call, to people",
    "console/sign_in.py": "signs people in, in a browser",
    "console/live.py": "shows the lanes to those who may watch",
    "console/pages.py": "makes pages that load nothing from elsewhere",
    "mqtt/connection.py": "the brokers that site.toml names",
    "sources/inputs/modbus/input.py": "asks the Modbus devices that site.toml names",
    "sources/inputs/mqtt/input.py": "listens to the brokers that site.toml names",
    "sources/inputs/shelly/input.py": "asks the Shelly devices that site.toml names",
    "cli/models.py": "fetches a model where an operator types so",
    "sources/network.py": "connects to the camera that site.toml names",
    "stream/__main__.py": "takes the connection to a camera that it is handed",
    "stream/decoder.py": "hands that connection over",
    "stream/encrypted.py": "reads and writes that connection, where it is encrypted",
    "stream/relay.py": "stands between that connection and the decoder, on this machine",
    "stream/snapshot.py": "asks the camera that site.toml names for pictures",
}


def test_service_reaches_for_nobody(crowd: Crowd) -> None:
    """Five hundred strangers, a grant and its checkpoint later."""
    if crowd.calls is None:
        missing("strace")
    assert any("postern.db" in line for line in crowd.calls or ())

    assert [] == list(reached(crowd.calls or ()))


def test_witness_is_reached_and_nobody_else(tmp_path: Path) -> None:
    """The one that is named; it has signed the log when the service ends."""
    for name in ("user", "temporary"):
        (tmp_path / name).mkdir()
    write_picture(tmp_path / "lane.png", 3)
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    with open_site(read_site(tmp_path / "site.toml")) as installation:
        log = installation.records.log.verifier.vkey
    witness, key = open_witness(tmp_path / "hub", "witness.example", [log], SystemClock())
    with serving(witness_app(witness, MOST_BODY, lambda _: None)) as url:
        entry = f'\n[witness.hub]\nurl = "{url}"\nkey = "{key.vkey}"\n'
        (tmp_path / "site.toml").write_text(SITE + entry, "utf-8")
        process = start(tmp_path, "run", "site.toml")
        checkpoint = tmp_path / "data" / "ledger" / "checkpoint"
        until = time.monotonic() + 60.0
        while b"witness.example" not in checkpoint.read_bytes() and time.monotonic() < until:
            time.sleep(0.1)
        process.terminate()
        process.wait(30)
    lines = calls(tmp_path)
    if lines is None:
        missing("strace")

    assert b"witness.example" in checkpoint.read_bytes(), (tmp_path / "err.txt").read_text("utf-8")
    assert {urlsplit(url).netloc} == set(reached(lines or ()))


@pytest.mark.parametrize(
    "line",
    [
        '9 connect(5, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.7")}, 16'
        ") = -1 EINPROGRESS (Operation now in progress)",
        "9 connect(5, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), "
        'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 0',
        '9 sendto(5, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), '
        'sin_addr=inet_addr("192.0.2.1")}, 16) = 1',
    ],
)
def test_an_address_that_is_reached_for_is_seen(line: str) -> None:
    """Connections that fail, and single packets, too; what stays on the machine is none."""
    assert 1 == len(list(reached((line,))))
    assert [] == list(reached(('9 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0',)))


def test_modules_that_can_reach_out_are_these() -> None:
    """Each for its reason; whatever else is to call somebody has to be argued for here."""
    assert TALKS.keys() == {name for name, tree in _modules() if _imports(tree) & NETWORK}
    assert {"urllib.request"} == _imports(ast.parse("import urllib.request as r")) & NETWORK
    assert {"http.client"} == _imports(ast.parse("from http import client")) & NETWORK


def test_every_library_is_listed() -> None:
    """One that nobody has looked at could reach out."""
    first = {name.partition(".")[0] for _, tree in _modules() for name in _imports(tree)}
    libraries = first - sys.stdlib_module_names - {"postern"}

    reaching = {name.partition(".")[0] for name in NETWORK} & libraries
    assert LIBRARIES | COMPARED | reaching == libraries
    assert PEERS == {name for name, tree in _modules() if _imports(tree) & COMPARED}


def test_modules_that_start_programs_or_open_by_name_are_these() -> None:
    """`curl` reaches out as well as any library, and FFmpeg takes addresses for files."""
    trees = dict(_modules())
    starts = {name for name, tree in trees.items() if _imports(tree) & STARTS or _started(tree)}

    assert STARTED.keys() == starts
    assert READS.keys() == {name for name, tree in trees.items() if _used(tree) & READING}
    opener = "postern.stream.video.open_container"
    assert OPENED.keys() == {name for name, tree in trees.items() if opener in _used(tree)}
    loaders = {"importlib.import_module", "importlib.__import__", "__import__"}
    assert BY_NAME.keys() == {name for name, tree in trees.items() if _used(tree) & loaders}


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("import os\nos.system('curl x')", "os.system"),
        ("from os import popen as p\np('curl x')", "os.popen"),
        ("import av as _a\n_a.open(url)", "av.open"),
        ("from av import open as o\no(url)", "av.open"),
        ("import av.container\nav.open(url)", "av.open"),
        ("import cv2\ncv2.VideoCapture(url)", "cv2.VideoCapture"),
    ],
)
def test_what_is_used_under_another_name_is_seen(written: str, used: str) -> None:
    """Whatever a module calls it."""
    assert used in _used(ast.parse(written))
    assert bool(STARTING.fullmatch(used)) is bool(_started(ast.parse(written)))


def test_numbers_are_pushed_nowhere() -> None:
    """The library that counts can also push to an address and listen by itself."""
    taken = {
        name for _, tree in _modules() for name in _imports(tree) if "prometheus_client" in name
    }
    reaching = re.compile(r"push|delete_from|start_|make_|exposition(?!\.generate_latest$)|bridge")

    assert "prometheus_client.exposition.generate_latest" in taken
    assert {"prometheus_client.exposition"} == {name for name in taken if reaching.search(name)}


def test_runtime_keeps_no_id_to_report_with(tmp_path: Path) -> None:
    """A session leaves nothing in the folder for temporary files."""
    assert [] == _left_by(BY_POSTERN, tmp_path)


def test_an_id_to_report_with_would_be_found(tmp_path: Path) -> None:
    """What the other test looks for is seen where it is."""
    assert [".ses"] == _left_by(PLANTED, tmp_path)


def _left_by(program: str, folder: Path) -> list[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "CI")}
    environment = {**kept, **_NOWHERE, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    return sorted(os.listdir(folder))


def _modules() -> Iterator[tuple[str, ast.AST]]:
    package = ROOT / "src" / "postern"
    for path in package.rglob("*.py"):
        yield str(path.relative_to(package)), ast.parse(path.read_text("utf-8"))


def _started(tree: ast.AST) -> set[str]:
    return {name for name in _used(tree) if STARTING.fullmatch(name)}


def _used(tree: ast.AST) -> set[str]:
    """Whatever of other modules a module names, in full."""
    called = {"__import__": "__import__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            called |= {a.asname or a.name.partition(".")[0]: a.name if a.asname else
                       a.name.partition(".")[0] for a in node.names}  # fmt: skip
        elif isinstance(node, ast.ImportFrom) and node.module:
            called |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in called:
            used.add(called[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{called.get(node.value.id, '')}.{node.attr}")
    return used


def _imports(tree: ast.AST) -> set[str]:
    """The modules that a module takes, and what it takes from them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found

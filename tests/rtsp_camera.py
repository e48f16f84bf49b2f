"""A real RTSP camera on a free port of this machine, that can be cut, frozen, and brought back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.needs import missing

_SCRIPT = Path(__file__).parent / "scripts" / "rtsp_camera.py"
#: The system's own Python has GStreamer's bindings.
_PYTHON = "/usr/bin/python3"
_NEEDED = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "exit(not all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay', 'jpegparse'))))"
)
#: For encrypted connections, besides.
_TLS = "from gi.repository import Gio; exit(not Gio.TlsBackend.get_default().supports_tls())"


class RtspCamera:
    """The camera's process.

    Args:
        settings: Of `scripts/rtsp_camera.py`.
    """

    def __init__(self, **settings: object) -> None:
        self._settings = {"pattern": "snow", "width": 640, "height": 360, "fps": 5, **settings}
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it streams."""
        scheme = "rtsps" if "certificate" in self._settings else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}/lane"

    def start(self) -> None:
        """Starts it, on the port that it had before."""
        settings = {**self._settings, "port": self.port}
        self._process = subprocess.Popen(
            [_PYTHON, str(_SCRIPT), *(f"{name}={value}" for name, value in settings.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = int(self._line())

    def tell(self, order: str) -> None:
        """Has it obey an order."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        assert "done" == self._line()

    def kill(self) -> None:
        """Pulls its plug."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def rtsp_camera(**settings: object) -> Iterator[RtspCamera]:
    """A camera that streams; its plug is pulled at the end."""
    if not _runs(_NEEDED):
        missing("GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0, python3-gi, plugins-ugly)")
    if "certificate" in settings and not _runs(_TLS):
        missing("TLS in GStreamer's RTSP server (glib-networking)")
    camera = RtspCamera(**settings)
    camera.start()
    try:
        yield camera
    finally:
        camera.kill()


@cache
def _runs(program: str) -> bool:
    if not Path(_PYTHON).exists():
        return False
    return (
        subprocess.run([_PYTHON, "-c", program], check=False, capture_output=True).returncode == 0
    )

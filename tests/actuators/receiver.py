"""A program that opens when a signed webhook asks it to, and closes by itself.

Run as `python receiver.py FOLDER`; see `notes.py`. It knows the key in `FOLDER/secret`, and checks
by the specification, not by Postern's own code. With `FOLDER/tls.pem` it speaks TLS.
"""

import base64
import hashlib
import hmac
import json
import ssl
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.actuators.notes import Contact

RELAY = Contact(Path(sys.argv[1]))
SEEN: set[str] = set()
#: Seconds; what the specification leaves to the receiver.
TOLERANCE_S = 300


def genuine(headers: dict[str, str], body: bytes) -> bool:
    """Whether somebody with the key sent this, now, for the first time."""
    secret = (RELAY.folder / "secret").read_text("utf-8").strip()
    key = base64.b64decode(secret.split("_")[1])
    number, at = headers["webhook-id"], headers["webhook-timestamp"]
    content = b".".join([number.encode(), at.encode(), body])
    wanted = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    signatures = [one.partition(",") for one in headers["webhook-signature"].split(" ")]
    signed = any(v == "v1" and hmac.compare_digest(given, wanted) for v, _, given in signatures)
    fresh = abs(time.time() - int(at)) < TOLERANCE_S
    if not (signed and fresh) or number in SEEN:
        return False
    SEEN.add(number)
    return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = json.loads(body)
        fault = RELAY.fault
        (RELAY.folder / "asked").write_text(
            json.dumps({"path": self.path, "headers": headers, "body": asked}), "utf-8"
        )
        if self.path == "/elsewhere":
            RELAY.note("followed")
        if fault in ("failed", "drop"):
            self.close_connection = True
            return
        if not genuine(headers, body):
            self.reply(401)
            return
        RELAY.turn(True, asked["hold_s"])
        self.spoilt(fault)

    def spoilt(self, fault: str) -> None:
        """Answers, or does something else after it has opened."""
        if fault == "failed_after_effect":
            self.close_connection = True
        elif fault == "garbage":
            self.wfile.write(b"\0\1\2 no HTTP \r\n\r\n" * 99)
            self.close_connection = True
        elif fault == "late":
            time.sleep(1.5)
            self.reply(204)
        elif fault == "large":
            self.reply(200, b"x" * 2**24)
        elif fault == "moved":
            self.reply(308, b"", f"{self.server_url}/elsewhere")
        else:
            self.reply(int(fault or 204))

    @property
    def server_url(self) -> str:
        return f"http://{self.headers['Host']}"

    def reply(self, status: int, body: bytes = b"", location: str = "") -> None:
        with suppress(OSError):
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


SERVER = Server(("127.0.0.1", 0), Handler)
if (RELAY.folder / "tls.pem").exists():
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CONTEXT.load_cert_chain(RELAY.folder / "tls.pem")
    SERVER.socket = CONTEXT.wrap_socket(SERVER.socket, server_side=True)
RELAY.listening(SERVER.server_port)
SERVER.serve_forever()

"""A device that speaks Shelly's RPC over HTTP, with digest authentication and a timer of its own.

Run as `python plug.py FOLDER`; see `notes.py`. It asks for the password in `FOLDER/password`, if
there is one, and keeps to RFC 7616 by itself: a nonce counts once.
"""

import hashlib
import json
import re
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from typing import Any

from tests.actuators.notes import Contact

Asked = dict[str, Any]
Header = tuple[str, str]

CHANNEL = 1
REALM = "shellypro4pm-0123456789ab"
RELAY = Contact(Path(sys.argv[1]))
NONCES: set[str] = set()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Host"] is None or "Transfer-Encoding" in self.headers:
            return self.reply(400, b"")
        if self.path != "/rpc":
            # Where a redirect leads; nobody should come.
            RELAY.note("followed")
            return self.reply(404, b"")
        if not self.known():
            nonce = token_hex(16)
            NONCES.add(nonce)
            challenge = f'Digest qop="auth", realm="{REALM}", nonce="{nonce}", algorithm=SHA-256'
            endless = RELAY.fault == "endless_challenge"
            return self.reply(401, bytes(2**24 if endless else 0), ("WWW-Authenticate", challenge))
        return self.rpc(json.loads(body))

    def known(self) -> bool:
        """Whether whoever asks knows the password: RFC 7616, section 3.4."""
        file = RELAY.folder / "password"
        if not file.exists():
            return True
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers.get("Authorization", "")))
        nonce = given.get("nonce", "")
        if nonce not in NONCES or given.get("uri") != "/rpc":
            return False
        NONCES.remove(nonce)
        secret = digest(f"admin:{REALM}:{file.read_text('utf-8').strip()}")
        request = digest(f"POST:{given['uri']}")
        wanted = f"{secret}:{nonce}:{given['nc']}:{given['cnonce']}:{given['qop']}:{request}"
        return bool(given["username"] == "admin" and given["response"] == digest(wanted))

    def rpc(self, asked: Asked) -> None:
        methods = {"Switch.GetStatus": self.status, "Switch.Set": self.switch}
        method = methods.get(asked["method"])
        if RELAY.fault == "drop":
            self.close_connection = True
        elif method is None or asked["params"].get("id") != CHANNEL:
            self.answer(asked, error={"code": -105, "message": "Argument 'id' is wrong"})
        elif method == self.switch and asked["params"]["on"] and RELAY.fault == "failed":
            self.answer(asked, error={"code": -114, "message": "Resource unavailable"})
        else:
            self.answer(asked, result=method(asked["params"]))

    def switch(self, params: Asked) -> Asked:
        was = RELAY.on
        if params["on"]:
            RELAY.turn(True, None if RELAY.fault == "no_timer" else params.get("toggle_after"))
        elif RELAY.fault != "stuck":
            RELAY.turn(False)
        return {"was_on": was}

    def status(self, _params: Asked) -> Asked:
        on = RELAY.on and RELAY.fault != "reads_off"
        timer = {"timer_started_at": time.time(), "timer_duration": RELAY.lasts_s}
        timed = on and RELAY.lasts_s is not None
        return {"id": CHANNEL, "source": "HTTP_in", "output": on, **(timer if timed else {})}

    def answer(self, asked: Asked, **said: Asked) -> None:
        """Answers, or does what the fault says to an answer."""
        whole = json.dumps({"id": asked["id"], "src": REALM, **said}).encode()
        slow = {"late": self.late, "drip": self.drip, "not_http": self.not_http}
        fault = RELAY.fault
        if fault == "slow":
            time.sleep(0.25)
        if fault == "failed_after_effect" and asked["method"] == "Switch.Set":
            self.close_connection = True
        elif fault in slow:
            slow[fault](whole)
        else:
            spoilt: dict[str, tuple[int, bytes, Header | None]] = {
                "garbage": (200, b"<html>Welcome!</html>", None),
                "other_id": (200, whole.replace(b'"id": ', b'"id": 9', 1), None),
                "deep": (200, b"[" * 16000, None),
                "bytes": (200, b"\xff\x00" * 99, None),
                "list": (200, b"[1, 2]", None),
                "large": (200, whole + b" " * 2**20, None),
                "packed": (200, whole, ("Content-Encoding", "gzip")),
                "moved": (307, b"", ("Location", f"http://{self.headers['Host']}/elsewhere")),
                "busy": (503, b"", None),
            }
            status, body, header = spoilt.get(fault, (200, whole, None))
            self.reply(status, body, *([] if header is None else [header]))

    def late(self, whole: bytes) -> None:
        time.sleep(1.5)
        self.reply(200, whole)

    def drip(self, _whole: bytes) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n")
            for _ in range(30):
                time.sleep(0.1)
                self.wfile.write(b"X")

    def not_http(self, _whole: bytes) -> None:
        self.wfile.write(b"SSH-2.0-dropbear\r\n\r\n" * 9)
        self.close_connection = True

    def reply(self, status: int, body: bytes, *headers: Header) -> None:
        try:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


SERVER = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
RELAY.listening(SERVER.server_port)
SERVER.serve_forever()

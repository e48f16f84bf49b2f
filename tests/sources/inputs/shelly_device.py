"""An HTTP device that speaks Shelly's RPC, in a process of its own.

Run as: shelly_device.py PORT FILE [PASSWORD]. Its inputs are what the file says, one character
each; with a password it asks for it by digest with SHA-256, as the devices do.
"""

import json
import sys
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import parse_http_list, parse_keqv_list

LEVELS, PASSWORD = Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
REALM, NONCE = "shellyplus1-a8032ab12345", "60dc2ff1"


def _hash(*parts: str) -> str:
    return sha256(":".join(parts).encode()).hexdigest()


class Device(BaseHTTPRequestHandler):
    """Answers Input.GetStatus at POST /rpc."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if PASSWORD and not self._allowed():
            challenge = f'Digest qop="auth", realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256'
            self._answer(401, {}, ("WWW-Authenticate", challenge))
        elif self.path != "/rpc" or call["method"] != "Input.GetStatus":
            self._answer(404, {"code": 404, "message": "No handler"})
        else:
            at = call["params"]["id"]
            levels = LEVELS.read_text("utf-8")
            if at < len(levels):
                result = {"result": {"id": at, "state": levels[at] == "1"}}
            else:
                result = {"error": {"code": 404, "message": "No such component"}}
            self._answer(200, {"id": call["id"], "src": REALM, **result})

    def log_message(self, *_args: object) -> None:
        pass

    def _allowed(self) -> bool:
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        if kind != "Digest":
            return False
        said = parse_keqv_list(parse_http_list(rest))
        first, second = _hash("admin", REALM, PASSWORD), _hash("POST", said["uri"])
        wanted = _hash(first, said["nonce"], said["nc"], said["cnonce"], said["qop"], second)
        return said["response"] == wanted and said["username"] == "admin"

    def _answer(self, status: int, body: dict[str, object], *headers: tuple[str, str]) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(written)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Device).serve_forever()

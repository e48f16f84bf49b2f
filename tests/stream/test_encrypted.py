"""Encrypted connections that two threads use."""

import subprocess
import sys
from pathlib import Path

from tests.brokers import write_certificate

ROOT = Path(__file__).parents[2]
#: Echoes over TLS, one thread that writes and one that reads, and says how many came back.
BOTH_WAYS = """
import os, socket, ssl, sys
from threading import Thread
from postern.stream.encrypted import Encrypted
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
client = ssl.create_default_context(cafile=sys.argv[1])
server.load_cert_chain(sys.argv[1], sys.argv[2])
def echo(end):
    with server.wrap_socket(end, server_side=True) as other:
        while data := other.recv(65536):
            other.sendall(data)
data = os.urandom(300_000)
for _ in range(50):
    near, far = socket.socketpair()
    answering = Thread(target=echo, args=(far,))
    answering.start()
    with client.wrap_socket(near, server_hostname="127.0.0.1") as connection:
        found, both = bytearray(), Encrypted(connection)
        def read():
            while len(found) < len(data) and (more := both.recv(65536)):
                found.extend(more)
        reading = Thread(target=read)
        reading.start()
        for start in range(0, len(data), 1000):
            both.sendall(data[start : start + 1000])
        reading.join()
        both.shutdown(socket.SHUT_RDWR)
        assert b"" == both.recv(1)
    answering.join()
    assert bytes(found) == data
print("done")
"""


def test_one_thread_reads_while_another_writes(tmp_path: Path) -> None:
    """Everything comes, whole and in order; without turns the process ends by a signal."""
    certificate = tmp_path / "camera.pem"
    key = write_certificate(certificate)
    said = subprocess.run(
        [sys.executable, "-c", BOTH_WAYS, str(certificate), str(key)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src")},
    )

    assert (0, "done\n", "") == (said.returncode, said.stdout, said.stderr)

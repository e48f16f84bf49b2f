"""A real broker on a free loopback port, which can be killed and come back on the same one."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.needs import missing

USER, PASSWORD = "postern", "a-pass-word"


def program(name: str = "mosquitto") -> str:
    """Where it is; Debian keeps it out of an ordinary user's path."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        missing(name)
    return str(found)


def write_certificate(file: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself; gives its key's file beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    beside = file.with_suffix(".key")
    beside.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for one in (file, beside):
        one.chmod(0o644)
    return beside


class Mosquitto:
    """One broker that keeps nothing on the disk."""

    def __init__(self, folder: Path, *, password: bool, tls: bool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type error"]
        if password:
            file = folder / "passwords"
            command = [program("mosquitto_passwd"), "-b", "-c", str(file), USER, PASSWORD]
            subprocess.run(command, check=True, capture_output=True)
            file.chmod(0o644)
            lines += [f"password_file {file}", "allow_anonymous false"]
        else:
            lines.append("allow_anonymous true")
        self.ca = folder / "broker.pem"
        if tls:
            lines += [f"certfile {self.ca}", f"keyfile {write_certificate(self.ca)}"]
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text("\n".join(lines) + "\n", "utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Starts it, on the port that it had."""
        command = [program(), "-c", str(self._settings)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = monotonic() + 20.0
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                assert monotonic() < until_s, "mosquitto does not start"
                sleep(0.05)
            else:
                return

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Has it do nothing meanwhile; it goes on with what has come by then."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills it, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def mosquitto(*, password: bool = False, tls: bool = False) -> Iterator[Mosquitto]:
    """A broker, ended with the test."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # It gives up root's rights before it reads its files.
        broker = Mosquitto(Path(folder), password=password, tls=tls)
        try:
            yield broker
        finally:
            broker.kill()

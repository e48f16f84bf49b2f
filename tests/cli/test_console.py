"""`postern console`, in a process of its own."""

import os
import signal
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.cli.terminal import ended, postern, started
from tests.cli.test_run import BARRIER
from tests.cli.test_run_health import asking, port, soon

__all__ = ["asking", "port"]


def site(folder: Path, *lines: str) -> None:
    (folder / "site.toml").write_text(f"{BARRIER}\n[console]\n" + "\n".join(lines), "utf-8")


def certified(folder: Path) -> ssl.SSLContext:
    """Makes a certificate for this machine with its key; gives what believes it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), [x509.DNSName("localhost")]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(name), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "console.pem").write_bytes(made.public_bytes(Encoding.PEM))
    kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "console.key").write_bytes(kept)
    os.chmod(folder / "console.key", 0o600)
    return ssl.create_default_context(cafile=str(folder / "console.pem"))


def test_console_answers_until_it_is_told_to_end(
    folder: Path, port: int, asking: httpx.Client
) -> None:
    """Somebody who comes first is led to the first password; nobody keeps it from ending."""
    site(folder, f'listen = "127.0.0.1:{port}"')
    process = started("console", cwd=folder)
    try:
        assert soon(lambda: asking.get(f"http://127.0.0.1:{port}/sign-in").status_code == 303)
        assert "/setup" == asking.get(f"http://127.0.0.1:{port}/sign-in").headers["location"]
        described = asking.get(f"http://127.0.0.1:{port}/api/v1/openapi.json").json()
        assert {"/api/v1/people", "/api/v1/live", "/api/v1/sessions"} <= described["paths"].keys()
        assert 401 == asking.get(f"http://127.0.0.1:{port}/api/v1/people").status_code
        held = socket.create_connection(("127.0.0.1", port))
    finally:
        process.send_signal(signal.SIGTERM)
        told = ended(process, 20.0)
    held.close()

    assert 0 == told.code, told
    assert f"The console is at http://localhost:{port}; stop with Ctrl-C." in told.err
    # No code where nobody sits at a terminal: lines are kept, and read by others.
    assert "Nobody administers it yet: postern user code" in told.err


def test_console_is_encrypted_by_the_site_s_certificate(folder: Path, port: int) -> None:
    """Browsers know it by that."""
    believes = certified(folder)
    site(
        folder,
        f'listen = "127.0.0.1:{port}"',
        f'url = "https://localhost:{port}"',
        'certificate = "console.pem"',
        'key_file = "console.key"',
    )
    process = started("console", cwd=folder)
    try:
        with httpx.Client(verify=believes, trust_env=False) as client:
            address = f"https://localhost:{port}"
            assert soon(lambda: client.get(f"{address}/setup").status_code == 200)
    finally:
        process.send_signal(signal.SIGTERM)
        assert 0 == ended(process, 20.0).code


@pytest.mark.parametrize("what", ["port", "certificate"])
def test_what_keeps_it_from_answering_is_said(folder: Path, port: int, what: str) -> None:
    """One sentence, and what to do."""
    lines = [f'listen = "127.0.0.1:{port}"']
    if what == "certificate":
        lines += ['certificate = "console.pem"', 'key_file = "console.key"']
        (folder / "console.pem").write_text("no certificate")
        (folder / "console.key").write_text("no key")
        os.chmod(folder / "console.key", 0o600)
    site(folder, *lines)
    with socket.create_server(("127.0.0.1", port if what == "port" else 0)):
        told = ended(started("console", cwd=folder))

    assert {"port": 7, "certificate": 3}[what] == told.code
    said = {
        "port": "Choose another in [console] listen.",
        "certificate": "The console's certificate and key cannot be used.",
    }
    assert said[what] in told.err
    assert "Traceback" not in told.err


def test_whoever_begins_at_the_terminal_has_a_code(folder: Path) -> None:
    """From a command of its own, too."""
    site(folder)
    told = postern("user", "code")
    assert 0 == told.code
    assert 7 == len(told.out.strip().split("-"))

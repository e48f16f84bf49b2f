"""Whose certificates are believed."""

from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.stream.trust import named, trusted
from tests.brokers import write_certificate


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("door.lan", "door.lan"),
        ("door.lan:322", "door.lan"),
        ("192.0.2.7:322", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:322", "2001:db8::7"),
    ],
)
def test_certificate_has_to_be_for_the_host_alone(host: str, name: str) -> None:
    """Without port and brackets."""
    assert name == named(host)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b"no certificate", "it holds none")]
)
def test_file_that_holds_no_certificate_is_named(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """It is not the camera's fault, and may be mended while the service runs."""
    file = tmp_path / "camera.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(PosternError) as caught:
        trusted(str(file))

    assert Code.UNAVAILABLE is caught.value.code
    assert str(file) in caught.value.message
    assert words in caught.value.message


def test_authorities_in_a_folder_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a certificate comes no file may be read any more."""
    write_certificate(tmp_path / "0a1b2c3d.0")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert 1 == trusted("").cert_store_stats()["x509"]

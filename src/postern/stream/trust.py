"""Whose certificates are believed, and what is said where one is not."""

import ssl
from pathlib import Path

from postern.core.errors import Code, PosternError


def trusted(authority: str) -> ssl.SSLContext:
    """What checks the certificate of a camera; reads no file later.

    Args:
        authority: The path of the certificate that it must show, or of who signed that; empty for
            the authorities of this system.

    Raises:
        PosternError: `unavailable` where that file cannot be read, or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=authority or None)
        if not authority and not context.cert_store_stats()["x509"]:
            _read_folder(context)
    except OSError as error:
        why = "it holds none" if isinstance(error, ssl.SSLError) else error.strerror
        raise PosternError(
            Code.UNAVAILABLE,
            f"The certificate {authority or 'of an authority'} cannot be read: {why}.",
            "Save what the camera shows there, as PEM.",
        ) from None
    return context


def named(host: str) -> str:
    """The name or number that a certificate has to be for.

    Args:
        host: As in an address, with or without a port.
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def disbelief(error: BaseException) -> tuple[str, str]:
    """What is wrong with an encrypted connection that could not be made, and what to do about it.

    Args:
        error: What was raised.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "shows no certificate that can be believed",
            "Save its certificate in a file, and name that file as `certificate`.",
        )
    return "does not encrypt as it should (TLS)", "Check the address and its port."


def _read_folder(context: ssl.SSLContext) -> None:
    # OpenSSL would read them one by one when a certificate comes.
    for path in sorted(Path(ssl.get_default_verify_paths().capath or "/nowhere").glob("*.0")):
        context.load_verify_locations(path)

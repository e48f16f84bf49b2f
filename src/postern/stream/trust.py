"""Whose certificates are believed."""

import ssl

import httpx


def trusted(authority: str) -> ssl.SSLContext:
    """What checks the certificate of a camera.

    Args:
        authority: The path of the certificate that it must show, or of who signed that; empty for
            the authorities of this system.

    Raises:
        OSError: Where that file cannot be read, or holds no certificate.
    """
    if authority:
        return ssl.create_default_context(cafile=authority)
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context

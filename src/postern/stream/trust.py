"""Whose certificates are believed."""

import ssl


def trusted(authority: str) -> ssl.SSLContext:
    """What checks the certificate of a camera.

    Args:
        authority: The path of the certificate that it must show, or of who signed that; empty for
            the authorities of this system.

    Raises:
        OSError: Where that file cannot be read, or holds no certificate.
    """
    return ssl.create_default_context(cafile=authority or None)

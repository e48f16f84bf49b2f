"""Who uses this terminal."""

import os
import pwd


def operator() -> str:
    """Who uses this terminal, as the system knows them."""
    number = os.getuid()
    try:
        return f"terminal:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"terminal:{number}"

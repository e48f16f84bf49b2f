"""What is loaded when it is first needed."""

import subprocess
import sys

_LOADED = """
import sys
from postern import actuators, sources
from postern.sources import inputs
print(*sys.modules)
"""


def test_site_pays_for_no_kind_that_it_lacks() -> None:
    """The lists of kinds load no library that talks to a device or decodes its pictures."""
    said = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "postern.sources.inputs.modbus.config" in said
    assert set() == {"av", "paho", "pymodbus", "httpx", "serial", "osdp"} & set(said)

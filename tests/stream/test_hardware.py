"""What a confined process may reach for the sake of a decoder in hardware."""

import subprocess
import sys
from pathlib import Path

import pytest

from postern.stream.hardware import Accelerator
from tests.needs import missing

ROOT = Path(__file__).parents[2]
#: Denies itself files as a decoder does, and says what it can still read.
CONFINED = """
import sys
from pathlib import Path
from postern.stream.confine import confine
from postern.stream.hardware import Accelerator, read_by
from postern.stream.landlock import deny_files
import os
confine(os.getppid())
found = Accelerator("cuda", Path("/dev/nvidia0"), ()) if sys.argv[1] == "hardware" else None
print(deny_files((), (), (*(Path(p) for p in sys.path if p), *read_by(found))))
for path in sys.argv[2:]:
    try:
        open(path, "rb").close()
    except OSError:
        print("denied")
    else:
        print("read")
"""


@pytest.mark.parametrize(("how", "library"), [("hardware", "read"), ("software", "denied")])
def test_libraries_of_the_system_are_read_for_hardware_only(
    tmp_path: Path, how: str, library: str
) -> None:
    """A driver loads its own while it decodes; what is the site's stays closed to both."""
    secret = tmp_path / "site.key"
    secret.write_text("secret", "utf-8")
    system = next(Path("/usr/lib").rglob("libc.so.6"))
    said = subprocess.run(
        [sys.executable, "-c", CONFINED, how, str(system), "/etc/ld.so.cache", str(secret)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src")},
    ).stdout.split()
    if said[0] == "False":
        missing("Landlock in this kernel")

    assert [library, library, "denied"] == said[1:]


def test_devices_are_those_that_are_there(tmp_path: Path) -> None:
    """A pattern finds nodes of this machine, and no others."""
    found = Accelerator("none", tmp_path, ("nul[l]", "postern-has-no-such*"))

    assert (Path("/dev/null"),) == found.paths

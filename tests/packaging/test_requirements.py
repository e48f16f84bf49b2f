"""The locks: what a site takes of what was tried."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_installed_site_takes_the_same_libraries_and_none_for_development() -> None:
    """As they were tried, each of the same version; what only tests need stays away."""
    folder = ROOT / "requirements"
    run, lock = (_pinned((folder / name).read_text("utf-8")) for name in ("run.txt", "lock.txt"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def named(wanted: list[str]) -> set[str]:
        return {re.split(r"[<>=]", one)[0].lower().replace("_", "-") for one in wanted}

    extras = project["optional-dependencies"]
    assert run.items() <= lock.items()
    assert named([*project["dependencies"], *extras["plates"], *extras["demo"]]) <= run.keys()
    assert not named(extras["dev"]) & run.keys()


def _pinned(lock: str) -> dict[str, str]:
    """The version of everything that a lock installs, by its name."""
    lines = re.findall(r"^([a-z0-9-]+)==(\S+)(.*)\\$", lock, re.MULTILINE)
    return {name: version for name, version, when in lines if "'never'" not in when}

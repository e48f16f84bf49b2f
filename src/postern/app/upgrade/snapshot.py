"""The store as it was before a version saw it, kept as a backup in the data folder.

It has no keys, so that keeping it undoes no erasure, and it is put back as every backup is: whoever
was erased since stays erased, and what was taken back stays so.
"""

from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path

from postern.app.backup import Restored, back_up, restore
from postern.app.site import Site
from postern.app.wire import open_keys, open_site
from postern.core.errors import Code, PosternError

_BEFORE = "before-{}.backup"
#: What says that this program cannot use a store as it is: a newer one wrote it, or it is damaged.
_UNREADABLE = frozenset({Code.CONFLICT, Code.INVALID})


def keep(site: Site, version: str, now: datetime) -> None:
    """Keeps the store as it is before a version sees it.

    Args:
        site: The site.
        version: The one that will.
        now: The present time.

    Raises:
        PosternError: as `back_up`, and where the site cannot be opened.
    """
    path = snapshot(site.data, version)
    with open_site(site) as installation:
        path.unlink(missing_ok=True)
        back_up(site.data, installation.vault, installation.records.log, path, now)
    # The one from before the present version is what a way back by hand needs.
    wanted = {path, snapshot(site.data, installed("postern"))}
    for other in set(site.data.glob(_BEFORE.format("*"))) - wanted:
        other.unlink()


def go_back(site: Site, version: str, now: datetime, by: str) -> Restored | None:
    """Puts the store back where this program cannot use what that version made of it.

    Args:
        site: The site.
        version: The version that has seen the store since.
        now: The present time.
        by: Who does it, for the log.

    Returns:
        What became of the store; None where this program can use it as it is.

    Raises:
        PosternError: as `restore`.
    """
    try:
        with open_site(site):
            return None
    except PosternError as error:
        if error.code not in _UNREADABLE:
            raise
    return put_back(site, version, now, by)


def put_back(site: Site, version: str, now: datetime, by: str) -> Restored:
    """Puts the store back as it was before a version saw it.

    Raises:
        PosternError: as `restore`.
    """
    with open_keys(site) as (vault, log):
        return restore(site.data, vault, log, snapshot(site.data, version), now, by)


def snapshot(data: Path, version: str) -> Path:
    """Where the store from before a version is."""
    return data / _BEFORE.format(version)

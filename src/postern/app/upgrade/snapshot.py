"""The store as it was before a version saw it, kept as a backup in the data folder.

It has no keys, so that keeping it undoes no erasure, and it is put back as every backup is: whoever
was erased since stays erased, and what was taken back stays so. The file of keys is copied as well,
for the minute in which the version is tried, and put back only where that has changed its format.
"""

from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path

from postern.app.backup import Restored, back_up, restore
from postern.app.duty import on_duty
from postern.app.rekey import rekeying
from postern.app.site import Site
from postern.app.wire import open_keys, open_site
from postern.core.errors import Code, PosternError
from postern.vault.keyring_copy import copy_keys, forget_copy, put_back_keys
from postern.vault.vault import KEYRING_FILE

_BEFORE, _KEYS_BEFORE = "before-{}.backup", "before-{}.keys"
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
        copy_keys(site.data / KEYRING_FILE, keys_copy(site.data, version))
        back_up(site.data, installation.vault, installation.records.log, path, now)
    # The one from before the present version is what a way back by hand needs.
    wanted = {path, snapshot(site.data, installed("postern"))}
    for other in set(site.data.glob(_BEFORE.format("*"))) - wanted:
        other.unlink()


def forget(site: Site, version: str) -> None:
    """Removes the copy of the keys; the copy of the store stays.

    Raises:
        PosternError: `unavailable` where it cannot be removed now.
    """
    forget_copy(keys_copy(site.data, version))


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
    if _opens(site):
        return None
    if not _reads_keys(site):
        with on_duty(site.data), rekeying(site.data):
            put_back_keys(keys_copy(site.data, version), site.data / KEYRING_FILE)
        # With its keys again, this program may read the store as it is.
        if _opens(site):
            return None
    return put_back(site, version, now, by)


def put_back(site: Site, version: str, now: datetime, by: str) -> Restored:
    """Puts the store back as it was before a version saw it.

    Raises:
        PosternError: as `restore`.
    """
    with open_keys(site) as (vault, log):
        return restore(site.data, vault, log, snapshot(site.data, version), now, by)


def _opens(site: Site) -> bool:
    try:
        with open_site(site):
            return True
    except PosternError as error:
        if error.code not in _UNREADABLE:
            raise
        return False


def _reads_keys(site: Site) -> bool:
    try:
        with open_keys(site):
            return True
    except PosternError as error:
        if error.code is not Code.CONFLICT:
            raise
        return False


def keys_copy(data: Path, version: str) -> Path:
    """Where the keys from before a version are while it is tried."""
    return data / _KEYS_BEFORE.format(version)


def snapshot(data: Path, version: str) -> Path:
    """Where the store from before a version is."""
    return data / _BEFORE.format(version)

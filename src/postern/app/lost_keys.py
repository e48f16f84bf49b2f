"""Beginning anew where the file of keys, or the site's key, is lost for good.

What was sealed with them opens for nobody any more. It is dropped, and whoever is to be recognised
by their face is enrolled again; people, consents, permits, vehicles and the log stay. Cut off at
any moment, it is done again.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_bytes

from postern.app.config import provided_secrets
from postern.app.duty import on_duty
from postern.app.records import open_ledger
from postern.app.rekey import rekeying
from postern.app.secrets import Secrets
from postern.app.site import Site
from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Revoked
from postern.core.evidence import Factor
from postern.core.ports import Clock
from postern.ledger.log import Log
from postern.store.store import Store, open_store
from postern.vault.keyring_file import KeysLostError
from postern.vault.keys import SITE_SIZE
from postern.vault.secret_file import sync_folder
from postern.vault.vault import KEYRING_FILE, open_vault

_PARTS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Lost:
    """What was lost with the keys.

    Attributes:
        people: Those who have to be enrolled again.
        passes: Passes that counted until then.
    """

    people: int
    passes: int


def replace_lost_keys(site: Site, clock: Clock, by: str) -> Lost:
    """Begins a site's keys anew where they are lost for good, and drops what they opened.

    Args:
        site: What `site.toml` says.
        clock: Says when.
        by: Who does it, for the log.

    Raises:
        PosternError: `conflict` where the keys are not lost, or the site is being served or
            re-keyed; as `open_vault`, `open_store` and `open_log`. Do it again.
    """
    secrets = provided_secrets().secrets(site.data)
    with on_duty(site.data), rekeying(site.data), ExitStack() as opened:
        store = opened.enter_context(open_store(site.data))
        _require_lost(site, store, secrets)
        # A log that is there keeps its name; the site that a new one would be named after is lost.
        nameless, seen = token_bytes(SITE_SIZE), store.events.seen()
        log, _ = open_ledger(site.data, secrets, nameless, clock, seen)
        opened.callback(log.close)
        lost = _drop_sealed(store, log, clock.now().utc, by)
        _discard_keys(site.data)
        open_vault(site.data, 0, secrets.site).close()
    return lost


def _require_lost(site: Site, store: Store, secrets: Secrets) -> None:
    try:
        open_vault(site.data, len(store.references.names()), secrets.site).close()
    except KeysLostError:
        return
    raise PosternError(
        Code.CONFLICT, "The keys are there: nothing is lost.", "For new ones: postern rekey"
    )


def _drop_sealed(store: Store, log: Log, now: datetime, by: str) -> Lost:
    """Drops every reference and every pass of a site; all of it is in the log beforehand."""
    lost = [
        one
        for person in store.people.all()
        for one in store.credentials.of(person.id)
        if one.factor in (Factor.FACE, Factor.PASS)
    ]
    ends = [Revoked(now, one.id, one.holder) for one in lost if one.enabled]
    log.append_all([Changed(now, "keys lost", "", by), *ends])
    log.publish()
    with store.together():
        for one in lost:
            store.credentials.remove(one.id)
    passes = [one for one in lost if one.factor is Factor.PASS and one.enabled]
    return Lost(len({one.holder for one in lost}), len(passes))


def _discard_keys(data: Path) -> None:
    """Removes what is left of the file of keys, so that another can be begun."""
    try:
        for part in _PARTS:
            (data / f"{KEYRING_FILE}{part}").unlink(missing_ok=True)
        sync_folder(data)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The file of keys cannot be removed: {error.strerror}.",
            f"See {data / KEYRING_FILE}.",
        ) from None

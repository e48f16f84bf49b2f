"""A site as it is installed: its file, its store, its keys, its log."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from postern.actuators import KINDS as ACTUATORS
from postern.app.clock import SystemClock
from postern.app.config import load, models_folder, provided_secrets
from postern.app.records import Records, open_ledger
from postern.app.secrets import Provided
from postern.app.site import Site
from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Source
from postern.ledger.log import Log
from postern.sources import KINDS as SOURCES
from postern.sources.inputs import KINDS as INPUTS
from postern.store.store import STORE_FILE, Store, open_store
from postern.vault.vault import KEYRING_FILE, Vault, open_vault
from postern.vision.faces.load import DetectorName, choose_detector
from postern.vision.model import Models, read_manifest


@dataclass(frozen=True, slots=True)
class Installation:
    """A site with its open store and vault.

    Attributes:
        site: What `site.toml` says.
        store: Its records.
        vault: Its references' keeper.
        records: What happened.
        signing: The 32 bytes behind its signing keys.
        models: The models.
        clock: The two clocks.
    """

    site: Site
    store: Store
    vault: Vault
    records: Records
    signing: bytes = field(repr=False)
    models: Models
    clock: Clock


def read_site(path: Path) -> Site:
    """What a `site.toml` says, checked.

    Raises:
        PosternError: `not_found` without the file, `invalid` with everything that is wrong in it.
    """
    return load(path, SOURCES, ACTUATORS, input_kinds=INPUTS)


def has_store(site: Site) -> bool:
    """Whether anything was ever kept for the site."""
    return (site.data / STORE_FILE).exists()


def try_recording(site: Site, camera: CameraId) -> PosternError | None:
    """What is wrong with the recording that stands in for a camera; None also for a live one."""
    entry = site.cameras[camera]
    source: Source = SOURCES[entry.kind].open(entry.config, camera, SystemClock())
    if source.live:
        return None
    try:
        next(iter(source.frames()), None)
    except PosternError as error:
        return error
    finally:
        source.close()
    return None


def open_models(folder: Path | None = None) -> Models:
    """The models in that folder, or in the usual one."""
    return Models(folder or models_folder(), read_manifest())


@contextmanager
def open_site(site: Site, *, throwaway: bool = False) -> Iterator[Installation]:
    """A site's installation, closed at the end.

    Args:
        site: What `site.toml` says.
        throwaway: Whether its store is made to be thrown away, as the demo's is.

    Raises:
        PosternError: As `open_store`, `open_vault` and `open_log`.
    """
    # A demo has keys of its own, whatever the environment says about the site's.
    secrets = (Provided() if throwaway else provided_secrets()).secrets(site.data)
    clock, models = SystemClock(), open_models(site.models)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(site.data, throwaway=throwaway))
        vault = open_vault(site.data, len(store.references.names()), secrets.site)
        opened.callback(vault.close)
        seen = store.events.seen()
        log, signing = open_ledger(site.data, secrets, vault.site, clock, seen)
        records = Records(log, store.events, store.ids)
        opened.callback(records.close)
        with suppress(PosternError):  # What cannot be noted now is noted at the next start.
            records.note_loss(clock.now().utc)
        yield Installation(site, store, vault, records, signing, models, clock)


@contextmanager
def open_keys(site: Site) -> Iterator[tuple[Vault, Log]]:
    """The site's keys and log, where its store is lost or is to be replaced; closed at the end.

    Raises:
        PosternError: `not_found` where the site has no keys; as `open_vault` and `open_log`.
    """
    if not (site.data / KEYRING_FILE).exists():
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no file {KEYRING_FILE} in {site.data}.",
            "Without this site's keys a backup's references open no more.",
        )
    secrets = provided_secrets().secrets(site.data)
    with ExitStack() as opened:
        # One reference at least is expected, so that no key file is made anew.
        vault = open_vault(site.data, 1, secrets.site)
        opened.callback(vault.close)
        log, _ = open_ledger(site.data, secrets, vault.site, SystemClock())
        opened.callback(log.close)
        yield vault, log


def open_source(installation: Installation, camera: CameraId) -> Source:
    """A camera of the site.

    Raises:
        PosternError: `not_found` where the site has none of that name.
    """
    entry = installation.site.cameras.get(camera)
    if entry is None:
        known = ", ".join(installation.site.cameras)
        raise PosternError(
            Code.NOT_FOUND, f"There is no camera called {camera!r}.", f"Known cameras: {known}."
        )
    opened: Source = SOURCES[entry.kind].open(entry.config, camera, installation.clock)
    return opened


def face_detector(installation: Installation) -> DetectorName:
    """The face detector that this site uses."""
    return choose_detector(installation.models, str(installation.site.faces.detector))

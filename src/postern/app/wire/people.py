"""What takes people in, keeps their references, and lets them go."""

from collections.abc import Mapping

from postern.api.idempotency import REMEMBERED
from postern.app.clock import plausible
from postern.app.enrolment import Enrolments
from postern.app.erasure import finish_erasures
from postern.app.export import Exports
from postern.app.passes import Passes, pass_seed
from postern.app.receipt import Sign
from postern.app.records import log_origin, log_seed
from postern.app.references import ReferenceState, reference_states
from postern.app.register import Trusted
from postern.app.wire.installation import Installation, face_detector
from postern.app.withdrawal import Withdrawals
from postern.core.errors import Code, PosternError
from postern.core.ids import PersonId
from postern.engine.supervise import each, shielded
from postern.ledger.note import Note, Signer
from postern.vision.faces.load import load_calibration


def tidy(installation: Installation, *, noticed: bool = True, trusted: Trusted = plausible) -> None:
    """Forgets what has run out: what old events said, the faces of people whose consent ended,
    passes, and key epochs; and finishes erasures that were cut short.

    Each is done whatever becomes of the others: a log that is damaged keeps nobody's face alive.

    Args:
        installation: The site's.
        noticed: Whether somebody has had the time to notice a calendar that was set wrong.
        trusted: Whether a time of the calendar can be relied on.

    Raises:
        PosternError: Where the store or the keys cannot be used now, the first of its failures;
            `unavailable` where the calendar may be wrong.
    """
    at, now = installation, installation.clock.now().utc
    if not trusted(now):
        return  # A clock that was set to the end of time must not erase everybody.
    if not noticed and shielded(lambda: at.records.leapt(now), lambda _why: False):
        raise PosternError(
            Code.UNAVAILABLE,
            f"By the calendar it is {now:%Y-%m-%d}, long after anything that is recorded.",
            "If that is wrong, set it right today: tomorrow what has run out by it is destroyed.",
        )
    each(
        (
            lambda: finish_erasures(at.store, at.vault, at.records, now),
            lambda: at.records.expire(now - at.site.retention, now),
            lambda: withdrawals(at).lapse(now),
            lambda: passes(at).expire(now),
            lambda: at.store.replies.expire(now - REMEMBERED),
            at.vault.retire,
        )
    )


def enrolments(installation: Installation) -> Enrolments:
    """What takes people into the site's records."""
    at = installation
    return Enrolments(at.site, at.store, at.vault, at.records, lambda: passes(at))


def passes(installation: Installation) -> Passes:
    """The site's passes."""
    at = installation
    return Passes(at.store, at.vault, at.records, pass_seed(at.signing))


def references(installation: Installation) -> Mapping[PersonId, tuple[ReferenceState, ...]]:
    """How it stands with everybody's references; see `reference_states`."""
    embedder = load_calibration(face_detector(installation)).embedder
    return reference_states(installation.store, installation.vault, embedder)


def exports(installation: Installation) -> Exports:
    """What gives people everything that is kept about them."""
    at = installation
    return Exports(at.site, at.store, at.vault, at.records)


def sign_receipt(installation: Installation) -> Sign:
    """What signs receipts: the key of the site's log. No checkpoint begins as a receipt does."""
    signer = Signer(log_origin(installation.vault.site), log_seed(installation.signing))
    return lambda text: Note(text, (signer.sign(text),)).encode()


def withdrawals(installation: Installation) -> Withdrawals:
    """What ends the site's consents."""
    store = installation.store
    return Withdrawals(store, installation.records, installation.vault.destroy)

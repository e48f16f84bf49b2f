"""What operators see and change, whether by a command or over the network."""

from postern.api.v1 import Nouns
from postern.app.consents import Consents
from postern.app.credentials import Credentials
from postern.app.events import Events
from postern.app.log_state import SiteLog
from postern.app.people import People
from postern.app.permits import Permits
from postern.app.replies import Replies
from postern.app.vehicles import Vehicles
from postern.app.wire.installation import Installation
from postern.app.wire.people import exports, passes, sign_receipt, withdrawals
from postern.app.wire.service import prove_event
from postern.app.witness import parse_witness_key
from postern.app.wording import locales
from postern.ledger.note import Verifier


def nouns(installation: Installation) -> Nouns:
    """Everything that the API is about."""
    at = installation
    return Nouns(
        people(at),
        vehicles(at),
        Consents(at.store, at.records, at.clock, withdrawals(at)),
        Credentials(at.store, at.records, at.clock, passes(at), at.vault.destroy),
        permits(at),
        at.site,
        at.site,
        at.store.areas,
        Events(at.store, at.records, at.clock, lambda number: prove_event(at, number).file),
        SiteLog(at.records, at.store.events, witness_keys(at)),
        Replies(at.store, at.clock),
        locales(),
    )


def people(installation: Installation) -> People:
    """The site's people."""
    at = installation
    return People(
        at.site, at.store, at.vault, at.records, at.clock, withdrawals(at), exports(at),
        sign_receipt(at),
    )  # fmt: skip


def vehicles(installation: Installation) -> Vehicles:
    """The site's vehicles."""
    return Vehicles(installation.store, installation.records, installation.clock)


def permits(installation: Installation) -> Permits:
    """The site's permits."""
    at = installation
    return Permits(at.site, at.store, at.records, at.clock)


def witness_keys(installation: Installation) -> tuple[Verifier, ...]:
    """The keys of the witnesses that the site asks."""
    return tuple(parse_witness_key(entry.key) for entry in installation.site.witnesses.values())

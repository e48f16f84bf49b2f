"""The tables.

There is no column for a trait and none for free text about a person, on purpose (safeguard 4);
`tests/safeguards/test_no_traits.py` walks this file's metadata. Everything about a holder hangs on
its row in `holders`, so that removing the row forgets all of it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from postern.core.api_key import MAX_KEY_NAME
from postern.core.mode import MAX_BY, MAX_WHY
from postern.core.moment import parse_time, time_text
from postern.core.person import MAX_NAME
from postern.core.user import MAX_USER_NAME
from postern.core.vehicle import MAX_PLATE

#: Characters of an id, or of a SHA-256 in hexadecimal digits.
ID = 64
#: Characters of a password's hash.
MAX_HASH = 128


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as text of fixed width in UTC so that it sorts as it reads."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """The text that is kept."""
        return None if value is None else time_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """The time that the text stands for."""
        return None if value is None else parse_time(value)


def _holder(**options: Any) -> Column[str]:  # noqa: ANN401 - handed on to Column
    return Column("holder", String(ID), ForeignKey("holders.id", ondelete="CASCADE"), **options)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", String(ID), primary_key=True),
    Column("value", String(ID), nullable=False),
)

holders = Table("holders", metadata, Column("id", String(ID), primary_key=True))

people = Table(
    "people",
    metadata,
    Column("id", String(ID), ForeignKey("holders.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(MAX_NAME), nullable=False),
    #: The name without capitals and marks, by which it is looked for; nothing else of anybody.
    Column("folded", String, nullable=False, server_default=""),
    Index("ix_people_folded", "folded", "id"),
)

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", String(ID), ForeignKey("holders.id", ondelete="CASCADE"), primary_key=True),
    Column("plate", String(MAX_PLATE), nullable=False, unique=True),
    Column("label", String(MAX_NAME), nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column(
        "person",
        String(ID),
        ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("purpose", Text, nullable=False),
    Column("text_version", String(ID), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("given", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("withdrawn", UtcTime),
)

#: What people were shown, word for word, for as long as anybody's consent goes by it.
consent_texts = Table(
    "consent_texts",
    metadata,
    Column("version", String(ID), primary_key=True),
    Column("locale", String(ID), primary_key=True),
    Column("body", Text, nullable=False),
)

consent_places = Table(
    "consent_places",
    metadata,
    Column("consent", String(ID), ForeignKey("consents.id", ondelete="CASCADE"), primary_key=True),
    Column("access_point", String(ID), primary_key=True),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("factor", String(8), nullable=False),
    _holder(nullable=False, index=True),
    Column("enabled", Boolean, nullable=False),
    Column("valid_from", UtcTime, nullable=False),
    Column("valid_until", UtcTime),
    Column("mode", String(8)),
    Column("sealed", LargeBinary),
    #: The model's sha256: of what is on a pass the site could not tell otherwise.
    Column("model", String(ID)),
    CheckConstraint("(mode IS NOT NULL) = (factor = 'face')", name="faces_say_how_they_are_kept"),
    CheckConstraint(
        "(sealed IS NOT NULL) = (coalesce(mode, 'pass') != 'pass')", name="passes_are_not_kept"
    ),
)

permits = Table(
    "permits",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("max_false_accept", Float, nullable=False),
    Column("liveness", Boolean, nullable=False),
    Column("schedule", Text),
    Column("valid_from", UtcTime, nullable=False),
    Column("valid_until", UtcTime),
)

permit_holders = Table(
    "permit_holders",
    metadata,
    Column("permit", String(ID), ForeignKey("permits.id", ondelete="CASCADE"), primary_key=True),
    _holder(primary_key=True, index=True),
)

permit_places = Table(
    "permit_places",
    metadata,
    Column("permit", String(ID), ForeignKey("permits.id", ondelete="CASCADE"), primary_key=True),
    Column("access_point", String(ID), primary_key=True),
    Index("ix_permit_places_at", "access_point", "permit"),
)

permit_factors = Table(
    "permit_factors",
    metadata,
    Column("permit", String(ID), ForeignKey("permits.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("factor", String(8), nullable=False),
    Column("max_p", Float, nullable=False),
)

areas = Table(
    "areas",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("occupancy", Integer, nullable=False),
    CheckConstraint("occupancy >= 0", name="nobody_is_not_fewer"),
)

inside = Table(
    "inside",
    metadata,
    Column("area", String(ID), primary_key=True),
    _holder(primary_key=True, index=True),
    Column("since", UtcTime, nullable=False),
)

throttles = Table(
    "throttles",
    metadata,
    Column("access_point", String(ID), primary_key=True),
    _holder(primary_key=True, index=True),
    Column("failures", Integer, nullable=False),
    Column("until", UtcTime),
)

#: Orders about access points; one without places is about all of them.
modes = Table(
    "modes",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("by", String(MAX_BY), nullable=False),
    Column("why", String(MAX_WHY), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime),
)

mode_places = Table(
    "mode_places",
    metadata,
    Column("order", String(ID), ForeignKey("modes.id", ondelete="CASCADE"), primary_key=True),
    Column("access_point", String(ID), primary_key=True),
)

#: What the ledger's journal holds, made fit for questions; it can be made anew from the journal at
#: any time. `body` is null once it has expired. `grants` marks a granted decision, so that those
#: without an outcome are found at once after a restart. Whatever is asked for is found by an index,
#: newest first, among a million of them.
events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("access_point", String(ID)),
    Column("attempt", String(ID), index=True),
    Column("grants", Boolean, nullable=False),
    Column("body", Text),
    Column("reason", String(32)),
    Index("ix_events_grants", "attempt", sqlite_where=text("grants")),
    Index("ix_events_place", "access_point", "at"),
    Index("ix_events_place_kind", "access_point", "kind", "at"),
    Index("ix_events_place_reason", "access_point", "reason", "at"),
    Index("ix_events_kind", "kind", "at"),
    Index("ix_events_reason", "reason", "at"),
)

#: Whom an event is about, under the pseudonym that it has in the event.
event_names = Table(
    "event_names",
    metadata,
    Column("name", String(ID), primary_key=True),
    Column(
        "seq",
        Integer,
        ForeignKey("events.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sqlite_with_rowid=False,
)

#: What was asked for under a key of the caller's own choice, so that asking once more changes
#: nothing. Of what came of it there is the id, and none once whoever bore it is forgotten.
replies = Table(
    "replies",
    metadata,
    Column("caller", String(MAX_BY), primary_key=True),
    Column("key", String(ID), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
    Column("subject", String(ID)),
)

#: The last checkpoint of the ledger that was seen, in one row at most: whoever writes the ledger's
#: history anew would have to change it, too. `root` is in hexadecimal digits.
published = Table(
    "published",
    metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
)

#: Operators, never people who pass. `password` is a hash that says how it was made; `totp` is
#: sealed, and `totp_step` the last step whose code was used.
users = Table(
    "users",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("name", String(MAX_USER_NAME), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password", String(MAX_HASH)),
    Column("totp", LargeBinary),
    Column("totp_step", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created", UtcTime, nullable=False),
)


def _user(**options: Any) -> Column[str]:  # noqa: ANN401 - handed on to Column
    return Column("user", String(ID), ForeignKey("users.id", ondelete="CASCADE"), **options)


#: `id` is the SHA-256 of what the authenticator calls it, which has up to 1023 bytes.
passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(ID), primary_key=True),
    _user(nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("name", String(MAX_USER_NAME), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("used", UtcTime),
)

#: Of tokens and secrets these tables have the SHA-256 only: random bytes need no slow hash.
sessions = Table(
    "sessions",
    metadata,
    Column("token", String(ID), primary_key=True),
    _user(nullable=False, index=True),
    Column("created", UtcTime, nullable=False),
    Column("seen", UtcTime, nullable=False),
    Column("proven", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(ID), primary_key=True),
    Column("name", String(MAX_KEY_NAME), nullable=False, unique=True),
    Column("secret", String(ID), nullable=False, unique=True),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("by", String(MAX_BY), nullable=False),
    Column("used", Date),
)

api_key_rights = Table(
    "api_key_rights",
    metadata,
    Column("key", String(ID), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    Column("right", String(16), primary_key=True),
)

#: Codes that let somebody set their first password; without a user, the first administrator's.
setup_codes = Table(
    "setup_codes",
    metadata,
    Column("code", String(ID), primary_key=True),
    _user(unique=True),
    Column("expires", UtcTime, nullable=False),
)

#: How often in a row a password or code was wrong, for names of users and for others alike, so that
#: neither answers nor work tell them apart. `name` is a keyed hash: people type passwords there.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("name", String(ID), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
)

#: Numbers that go up with every change of some tables, by whichever program: triggers count
#: (`migrations/versions/r0009_revisions.py`).
revisions = Table(
    "revisions",
    metadata,
    Column("name", String(ID), primary_key=True),
    Column("number", Integer, nullable=False),
)

"""What is asked for page by page, and what was asked for once already."""

import sqlalchemy as sa
from alembic import op

from postern.core.person import folded

revision = "0008"
down_revision = "0007"

#: Where an event of a kind has names; see `postern.store.events.named`.
_NAMES = {
    "person": ("consented", "withdrawn", "erased", "viewed"),
    "consent": ("consented", "withdrawn"),
    "credential": ("enrolled", "revoked"),
    "holder": ("enrolled", "revoked"),
    "subject": ("changed",),
}


def upgrade() -> None:
    """Makes its tables, columns and indexes, and fills them."""
    _find_people()
    op.drop_index("ix_permit_places_access_point", "permit_places")
    op.create_index("ix_permit_places_at", "permit_places", ["access_point", "permit"])
    _find_events()
    op.create_table(
        "replies",
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("subject", sa.String(64)),
    )
    op.create_index("ix_replies_at", "replies", ["at"])


def _find_people() -> None:
    op.add_column("people", sa.Column("folded", sa.String, nullable=False, server_default=""))
    bind = op.get_bind()
    people = sa.table("people", sa.column("id"), sa.column("name"), sa.column("folded"))
    for row in bind.execute(sa.select(people.c.id, people.c.name)).all():
        change = sa.update(people).where(people.c.id == row.id)
        bind.execute(change.values(folded=folded(row.name)))
    op.create_index("ix_people_folded", "people", ["folded", "id"])


def _find_events() -> None:
    op.add_column("events", sa.Column("reason", sa.String(32)))
    op.create_table(
        "event_names",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column(
            "seq",
            sa.Integer,
            sa.ForeignKey("events.seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_names_seq", "event_names", ["seq"])
    _fill()
    op.drop_index("ix_events_access_point", "events")
    op.create_index("ix_events_place", "events", ["access_point", "at"])
    op.create_index("ix_events_place_kind", "events", ["access_point", "kind", "at"])
    op.create_index("ix_events_place_reason", "events", ["access_point", "reason", "at"])
    op.create_index("ix_events_kind", "events", ["kind", "at"])
    op.create_index("ix_events_reason", "events", ["reason", "at"])


def _fill() -> None:
    """Reads what the events say. One that is damaged is none of a migration's business: it is found
    where it is asked for, and all of them are made anew from the journal then."""
    body = "CASE WHEN json_valid(body) THEN body ELSE '{}' END"
    op.execute(
        f"UPDATE events SET reason = json_extract({body}, '$.reason') WHERE kind = 'decided'"  # noqa: S608
    )
    op.execute(
        "INSERT OR IGNORE INTO event_names SELECT held.value, seq "  # noqa: S608
        f"FROM events, json_each({body}, '$.holders') held WHERE kind = 'decided'"
    )
    for field, kinds in _NAMES.items():
        name, listed = f"json_extract({body}, '$.{field}')", ", ".join(f"'{k}'" for k in kinds)
        op.execute(
            f"INSERT OR IGNORE INTO event_names SELECT {name}, seq "  # noqa: S608
            f"FROM events WHERE kind IN ({listed}) AND {name} <> ''"
        )

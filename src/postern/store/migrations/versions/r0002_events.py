"""Events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table of events."""
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(27), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("access_point", sa.String(64)),
        sa.Column("attempt", sa.String(64), index=True),
        sa.Column("grants", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text),
        sa.Index("ix_events_grants", "attempt", sqlite_where=sa.text("grants")),
        sa.Index("ix_events_access_point", "access_point", "seq"),
    )

"""How references are kept, what people were shown, and events that the ledger's journal can make.

Whoever enrolled before did so for a roster. Events from before the
ledger are in no log and prove nothing: they go.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds storage modes, languages and consent texts; empties the table of events."""
    # Added in place: a table that others refer to must not be dropped, theirs would go with it.
    op.execute("ALTER TABLE consents ADD COLUMN mode VARCHAR(8) NOT NULL DEFAULT 'roster'")
    op.create_table(
        "consent_texts",
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("locale", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    _remake_credentials()
    op.execute("DELETE FROM events")


def _remake_credentials() -> None:
    # SQLite cannot change a table's conditions. Nothing refers to this one.
    op.drop_index("ix_credentials_holder", "credentials")
    op.rename_table("credentials", "credentials_before")
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("factor", sa.String(8), nullable=False),
        sa.Column(
            "holder",
            sa.String(64),
            sa.ForeignKey("holders.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("valid_from", sa.String(27), nullable=False),
        sa.Column("valid_until", sa.String(27)),
        sa.Column("mode", sa.String(8)),
        sa.Column("sealed", sa.LargeBinary),
        sa.CheckConstraint(
            "(mode IS NOT NULL) = (factor = 'face')", name="faces_say_how_they_are_kept"
        ),
        sa.CheckConstraint(
            "(sealed IS NOT NULL) = (coalesce(mode, 'pass') != 'pass')", name="passes_are_not_kept"
        ),
    )
    op.execute(
        "INSERT INTO credentials SELECT id, factor, holder, enabled, valid_from, valid_until, "
        "CASE factor WHEN 'face' THEN 'roster' END, sealed FROM credentials_before"
    )
    op.drop_table("credentials_before")

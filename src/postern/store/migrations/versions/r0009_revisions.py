"""A number that goes up with whatever says who may pass."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = (
    "permits", "permit_holders", "permit_places", "permit_factors", "credentials", "consents",
    "consent_places", "vehicles",
)  # fmt: skip


def upgrade() -> None:
    """Makes it, and what counts it up: whoever changes one of these tables, by whatever way."""
    op.create_table(
        "revisions",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO revisions VALUES ('roll', 0)")
    for table in _TABLES:
        for change in ("INSERT", "UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER roll_{table}_{change.lower()} AFTER {change} ON {table} "  # noqa: S608
                "BEGIN UPDATE revisions SET number = number + 1 WHERE name = 'roll'; END"
            )

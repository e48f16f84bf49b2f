"""Orders about access points."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes their tables."""
    op.create_table(
        "modes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("since", sa.String(27), nullable=False),
        sa.Column("until", sa.String(27)),
    )
    op.create_table(
        "mode_places",
        sa.Column(
            "order", sa.String(64), sa.ForeignKey("modes.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("access_point", sa.String(64), primary_key=True),
    )

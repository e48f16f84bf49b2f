"""Which model made a face's reference, also of those that passes carry.

Of references from before it is not known where a pass carries them; those at the site say it
themselves.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the model to credentials."""
    op.execute("ALTER TABLE credentials ADD COLUMN model VARCHAR(64)")

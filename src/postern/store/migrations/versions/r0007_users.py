"""Who signs in, and keys of programs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes their tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(32), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(128)),
        sa.Column("totp", sa.LargeBinary),
        sa.Column("totp_step", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
    )
    _proofs()
    _keys()


def _proofs() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(64), primary_key=True),
        _user(nullable=False, index=True),
        sa.Column("credential", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("used", sa.String(27)),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.String(64), primary_key=True),
        _user(nullable=False, index=True),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("seen", sa.String(27), nullable=False),
        sa.Column("proven", sa.String(27), nullable=False),
        sa.Column("expires", sa.String(27), nullable=False),
    )
    op.create_table(
        "setup_codes",
        sa.Column("code", sa.String(64), primary_key=True),
        _user(unique=True),
        sa.Column("expires", sa.String(27), nullable=False),
    )

    op.create_table(
        "sign_in_tries",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("at", sa.String(27), nullable=False, index=True),
    )


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(32), nullable=False, unique=True),
        sa.Column("secret", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("expires", sa.String(27), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("used", sa.Date),
    )
    op.create_table(
        "api_key_rights",
        sa.Column(
            "key", sa.String(64), sa.ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("right", sa.String(16), primary_key=True),
    )


def _user(*, nullable: bool = True, index: bool = False, unique: bool = False) -> sa.Column[str]:
    key = sa.ForeignKey("users.id", ondelete="CASCADE")
    return sa.Column("user", sa.String(64), key, nullable=nullable, index=index, unique=unique)

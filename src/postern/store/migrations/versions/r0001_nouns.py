"""People, vehicles, consents, credentials, permits and areas."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables of the nouns."""
    _make_holders()
    _make_consents()
    _make_credentials()
    _make_permits()
    _make_areas()


def _id(name: str = "id", *constraints: sa.ForeignKey) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), *constraints, primary_key=True)


def _to(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target, ondelete="CASCADE")


def _time(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(27), nullable=nullable)


def _make_holders() -> None:
    op.create_table("meta", _id("name"), sa.Column("value", sa.String(64), nullable=False))
    op.create_table("holders", _id())
    op.create_table(
        "people",
        _id("id", _to("holders.id")),
        sa.Column("name", sa.String(120), nullable=False),
    )
    op.create_table(
        "vehicles",
        _id("id", _to("holders.id")),
        sa.Column("plate", sa.String(10), nullable=False, unique=True),
        sa.Column("label", sa.String(120), nullable=False),
    )


def _make_consents() -> None:
    op.create_table(
        "consents",
        _id(),
        sa.Column("person", sa.String(64), _to("people.id"), nullable=False, index=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("text_version", sa.String(64), nullable=False),
        _time("given"),
        _time("expires"),
        _time("withdrawn", nullable=True),
    )
    op.create_table("consent_places", _id("consent", _to("consents.id")), _id("access_point"))


def _make_credentials() -> None:
    op.create_table(
        "credentials",
        _id(),
        sa.Column("factor", sa.String(8), nullable=False),
        sa.Column("holder", sa.String(64), _to("holders.id"), nullable=False, index=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        _time("valid_from"),
        _time("valid_until", nullable=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.CheckConstraint("sealed IS NULL OR factor = 'face'", name="only_faces_are_sealed"),
    )


def _make_permits() -> None:
    op.create_table(
        "permits",
        _id(),
        sa.Column("max_false_accept", sa.Float, nullable=False),
        sa.Column("liveness", sa.Boolean, nullable=False),
        sa.Column("schedule", sa.Text),
        _time("valid_from"),
        _time("valid_until", nullable=True),
    )
    op.create_table("permit_holders", _id("permit", _to("permits.id")), _held())
    op.create_table(
        "permit_places",
        _id("permit", _to("permits.id")),
        sa.Column("access_point", sa.String(64), primary_key=True, index=True),
    )
    op.create_table(
        "permit_factors",
        _id("permit", _to("permits.id")),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("factor", sa.String(8), nullable=False),
        sa.Column("max_p", sa.Float, nullable=False),
    )


def _make_areas() -> None:
    op.create_table(
        "areas",
        _id(),
        sa.Column("occupancy", sa.Integer, nullable=False),
        sa.CheckConstraint("occupancy >= 0", name="nobody_is_not_fewer"),
    )
    op.create_table("inside", _id("area"), _held(), _time("since"))
    op.create_table(
        "throttles",
        _id("access_point"),
        _held(),
        sa.Column("failures", sa.Integer, nullable=False),
        _time("until", nullable=True),
    )


def _held() -> sa.Column[str]:
    return sa.Column("holder", sa.String(64), _to("holders.id"), primary_key=True, index=True)

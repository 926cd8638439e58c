"""Providers with their manifests, and which functions a scope may use."""

import sqlalchemy as sa
from alembic import op

revision = "0007_catalog"
down_revision = "0006_subjects"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "providers",
        sa.Column("id", sa.Text, primary_key=True),
        _text("version"),
        _text("lang"),
        _text("sdk"),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("registered_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "assignments",
        sa.Column("game_id", sa.Text, primary_key=True),
        sa.Column("env", sa.Text, primary_key=True),
        sa.Column("functions", sa.Text, nullable=False),
    )

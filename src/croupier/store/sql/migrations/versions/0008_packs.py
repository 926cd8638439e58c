"""Installed packs and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0008_packs"
down_revision = "0007_catalog"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "packs",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        _text("changed_by"),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pack_versions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        _text("version"),
        _text("category"),
        _text("signature"),
        _text("signed_by"),
        _text("installed_by"),
        sa.Column("installed_ms", sa.BigInteger, nullable=False),
    )

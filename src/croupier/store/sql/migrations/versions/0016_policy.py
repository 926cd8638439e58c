"""Roles, and who has them where."""

import sqlalchemy as sa
from alembic import op

revision = "0016_policy"
down_revision = "0015_secrets"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("name", sa.Text, primary_key=True),
        _text("description"),
        sa.Column("permissions", sa.Text, nullable=False),
    )
    op.create_table(
        "role_bindings",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("game_id", sa.Text, primary_key=True),
        sa.Column("env", sa.Text, primary_key=True),
        _text("created_by"),
        sa.Column("created_ms", sa.BigInteger, nullable=False, server_default="0"),
    )

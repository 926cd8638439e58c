"""Limits on calls, what was spent of budgets, and maintenance windows."""

import sqlalchemy as sa
from alembic import op

revision = "0014_guards"
down_revision = "0013_audit"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "limits",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("functions", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("per", sa.Text, nullable=False),
        sa.Column("rate_calls", sa.Float),
        sa.Column("rate_seconds", sa.Float),
        sa.Column("concurrency", sa.BigInteger),
        _text("budget"),
        sa.Column("replaces", sa.Boolean, nullable=False),
        _text("note"),
        _text("changed_by"),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "budget_spent",
        sa.Column("limit_id", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("starts_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        _text("ended_by"),
    )

"""Certificates of machines, and the tokens by which they join."""

import sqlalchemy as sa
from alembic import op

revision = "0010_machines"
down_revision = "0009_second_factors"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text, primary_key=True),
        _text("identity"),
        _number("not_before_ms"),
        _number("not_after_ms"),
        _number("issued_ms"),
        _text("issued_by"),
        _number("revoked_ms"),
        _text("revoked_by"),
        _text("reason"),
    )
    op.create_table(
        "join_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        _text("machine_id"),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        _text("created_by"),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        _number("used_ms"),
        _text("serial"),
        _number("revoked_ms"),
    )

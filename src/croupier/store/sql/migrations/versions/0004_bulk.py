"""Bulk runs and their rows."""

import sqlalchemy as sa
from alembic import op

revision = "0004_bulk"
down_revision = "0003_asked_to_stop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bulks()
    _bulk_rows()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _bulks() -> None:
    op.create_table(
        "bulks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("function_id", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        _text("name"),
        sa.Column("state", sa.Text, nullable=False),
        _number("total"),
        _number("invalid"),
        _text("sha256"),
        _text("uploaded_by"),
        _text("started_by"),
        _text("started_kind"),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        _text("parent_id"),
        _number("canary"),
        sa.Column("rate", sa.Float, nullable=False),
        _number("concurrency"),
        sa.Column("skip_invalid", sa.Boolean, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        _number("created_ms"),
        _number("started_ms"),
        _number("finished_ms"),
    )
    op.create_index("ix_bulks_created", "bulks", ["created_ms", "id"])
    op.create_index("ix_bulks_scope", "bulks", ["game_id", "env", "created_ms", "id"])
    op.create_index("ix_bulks_state", "bulks", ["state", "created_ms", "id"])


def _bulk_rows() -> None:
    op.create_table(
        "bulk_rows",
        sa.Column("bulk_id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        _text("faults"),
        _text("call_id"),
        sa.Column("result", sa.LargeBinary),
        _number("result_bytes"),
        _text("reason"),
        _text("message"),
        _text("service_id"),
        _number("started_ms"),
        _number("finished_ms"),
    )
    op.create_index("ix_bulk_rows_state", "bulk_rows", ["bulk_id", "state", "number"])

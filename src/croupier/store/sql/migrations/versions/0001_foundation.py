"""Calls, jobs and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001_foundation"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _calls()
    _call_bodies()
    _jobs()
    _job_events()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("function_id", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("payload_sha256", sa.LargeBinary),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("target_service_id", sa.Text, nullable=False),
        sa.Column("hash_key", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("timeout", sa.Float),
        sa.Column("traceparent", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("finished_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("result", sa.LargeBinary),
        _text("reason"),
        _text("message"),
        _text("details"),
        _text("service_id"),
        _text("agent_id"),
    )
    keyed = sa.text("idempotency_key != '' AND reason != 'rate_limited' AND reason != 'unavailable'")
    op.create_index(
        "uq_calls_key",
        "calls",
        ["game_id", "env", "function_id", "idempotency_key"],
        unique=True,
        sqlite_where=keyed,
        postgresql_where=keyed,
    )
    running = sa.text("state = 'running'")
    op.create_index("ix_calls_running", "calls", ["id"], sqlite_where=running, postgresql_where=running)


def _call_bodies() -> None:
    op.create_table(
        "call_bodies",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("function_id", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="pending"),
        sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("progress", sa.Integer, nullable=False, server_default="0"),
        _text("error"),
        _text("reason"),
        _text("agent_id"),
        _text("service_id"),
        sa.Column("finished_ms", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_index("ix_jobs_created", "jobs", ["created_ms", "id"])
    op.create_index("ix_jobs_scope", "jobs", ["game_id", "env", "created_ms", "id"])
    op.create_index("ix_jobs_state", "jobs", ["state", "created_ms", "id"])


def _job_events() -> None:
    op.create_table(
        "job_events",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )

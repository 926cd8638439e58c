"""The way a call went, calls made again, the end of idempotency keys, and archived jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002_history"
down_revision = "0001_foundation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _calls()
    _jobs()


def _calls() -> None:
    for column in (
        sa.Column("replay_of", sa.Text, nullable=False, server_default=""),
        sa.Column("trail", sa.Text, nullable=False, server_default=""),
        sa.Column("replays", sa.Integer, nullable=False, server_default="0"),
        sa.Column("key_expired", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("calls", column)
    keyed = sa.text(
        "idempotency_key != '' AND key_expired = 0 AND reason != 'rate_limited' AND reason != 'unavailable'"
    )
    op.drop_index("uq_calls_key", "calls")
    op.create_index(
        "uq_calls_key",
        "calls",
        ["game_id", "env", "function_id", "idempotency_key"],
        unique=True,
        sqlite_where=keyed,
        postgresql_where=keyed,
    )
    op.create_index("ix_calls_started", "calls", ["started_ms", "id"])


def _jobs() -> None:
    op.add_column("jobs", sa.Column("archived", sa.Integer, nullable=False, server_default="0"))
    kept = sa.text("archived < 2 AND finished_ms > 0")
    op.create_index("ix_jobs_kept", "jobs", ["finished_ms", "id"], sqlite_where=kept, postgresql_where=kept)

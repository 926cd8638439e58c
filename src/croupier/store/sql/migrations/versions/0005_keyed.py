"""Calls that hold an idempotency key, by age."""

import sqlalchemy as sa
from alembic import op

revision = "0005_keyed"
down_revision = "0004_bulk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keyed = sa.text(
        "idempotency_key != '' AND key_expired = 0 AND reason != 'rate_limited' AND reason != 'unavailable'"
    )
    op.create_index("ix_calls_keyed", "calls", ["started_ms"], sqlite_where=keyed, postgresql_where=keyed)

"""The entities that calls are about."""

import sqlalchemy as sa
from alembic import op

revision = "0006_subjects"
down_revision = "0005_keyed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_subjects",
        sa.Column("game_id", sa.Text, primary_key=True),
        sa.Column("env", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("entity_id", sa.Text, primary_key=True),
        sa.Column("is_query", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("started_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("call_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_subjects_call", "call_subjects", ["call_id"])

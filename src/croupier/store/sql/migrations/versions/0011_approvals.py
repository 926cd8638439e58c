"""Approvals, the notices about them, and which approval a bulk run has."""

import sqlalchemy as sa
from alembic import op

revision = "0011_approvals"
down_revision = "0010_machines"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('pending', 'approved', 'executing')")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("function_id", sa.Text, nullable=False),
        sa.Column("game_id", sa.Text, nullable=False),
        sa.Column("env", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("review", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_approvals_created", "approvals", ["created_ms", "id"])
    op.create_index("ix_approvals_state", "approvals", ["state", "created_ms", "id"])
    op.create_index("ix_approvals_call", "approvals", ["call_id", "created_ms"])
    op.create_index(
        "uq_approvals_open", "approvals", ["call_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_ms", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_notices_due", "notices", ["state", "next_ms"])
    op.create_index("ix_notices_approval", "notices", ["approval_id", "created_ms"])
    op.add_column("bulks", sa.Column("starter", sa.Text, nullable=False, server_default=""))
    op.add_column("bulks", sa.Column("approval_id", sa.Text, nullable=False, server_default=""))

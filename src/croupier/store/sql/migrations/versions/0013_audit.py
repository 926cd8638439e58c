"""The audit record, its checkpoints and cuts."""

import sqlalchemy as sa
from alembic import op

revision = "0013_audit"
down_revision = "0012_accounts"
branch_labels = None
depends_on = None


def _seq(name: str) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "audit",
        _seq("seq"),
        sa.Column("row", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_audit_act", "audit", [sa.text("json_extract(\"row\", '$.act_id')")])
    op.create_index("ix_audit_time", "audit", [sa.text("json_extract(\"row\", '$.time_ms')")])
    op.create_table(
        "audit_checkpoints",
        _seq("seq"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_cuts",
        _seq("up_to"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("time_ms", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )

"""What rows of the audit record are found by, in columns: an index over an expression reads each row as JSON again."""

import sqlalchemy as sa
from alembic import op

revision = "0017_audit_filing"
down_revision = "0016_policy"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_audit_act")
    op.drop_index("ix_audit_time")
    op.add_column("audit", sa.Column("act_id", sa.Text, nullable=False, server_default=""))
    op.add_column("audit", sa.Column("time_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE audit SET act_id = coalesce(json_extract(\"row\", '$.act_id'), ''), "
        "time_ms = json_extract(\"row\", '$.time_ms')"
    )
    op.create_index("ix_audit_act", "audit", ["act_id"])
    op.create_index("ix_audit_time", "audit", ["time_ms"])

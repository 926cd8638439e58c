"""Why a row of a bulk run failed, by name. From here on the details of calls may begin with a name, which earlier programs cannot read."""

import sqlalchemy as sa
from alembic import op

revision = "0018_refusals"
down_revision = "0017_audit_filing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bulk_rows", sa.Column("refusal", sa.Text, nullable=False, server_default=""))

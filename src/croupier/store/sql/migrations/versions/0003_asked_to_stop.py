"""Jobs that were asked to stop, so that the wish outlives the server."""

import sqlalchemy as sa
from alembic import op

revision = "0003_asked_to_stop"
down_revision = "0002_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cancel_reason", sa.Text, nullable=False, server_default=""))

"""People, their sessions and their API tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0012_accounts"
down_revision = "0011_approvals"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False, unique=True),
        _text("display_name"),
        _text("email"),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        _text("password_hash"),
        sa.Column("invite_sha256", sa.LargeBinary),
        _time("invite_until_ms"),
        _text("created_by"),
        _time("created_ms"),
        _time("changed_ms"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        _time("created_ms"),
        _time("until_ms"),
        _time("seen_ms"),
        _time("proved_ms"),
        _text("address"),
        _text("agent"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        sa.Column("permissions", sa.Text),
        sa.Column("scopes", sa.Text),
        _text("created_by"),
        _time("created_ms"),
        _time("until_ms"),
        _time("seen_ms"),
    )

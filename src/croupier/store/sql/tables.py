"""The tables. Times are integer milliseconds since 1970, UTC. A change here needs a migration and a new entry in REVISIONS."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    literal_column,
)

from croupier.store import NOTHING_RAN

REVISIONS = (
    "0001_foundation",
    "0002_history",
    "0003_asked_to_stop",
    "0004_bulk",
    "0005_keyed",
    "0006_subjects",
    "0007_catalog",
    "0008_packs",
    "0009_second_factors",
    "0010_machines",
    "0011_approvals",
    "0012_accounts",
    "0013_audit",
    "0014_guards",
    "0015_secrets",
    "0016_policy",
    "0017_audit_filing",
    "0018_refusals",
)
"""Every migration, oldest first. It stands here so that a database at head is opened without importing Alembic (0.3 s)."""

HEAD = REVISIONS[-1]

RUNNING: ColumnElement[str] = literal_column("'running'")
"""Written out, not bound: only so can a partial index serve the condition."""


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("function_id", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("payload", LargeBinary),
    Column("payload_sha256", LargeBinary),
    Column("route", Text, nullable=False),
    Column("target_service_id", Text, nullable=False),
    Column("hash_key", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("timeout", Float),
    Column("traceparent", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger, nullable=False, server_default="0"),
    Column("result", LargeBinary),
    _text("reason"),
    _text("message"),
    _text("details"),
    _text("service_id"),
    _text("agent_id"),
    _text("replay_of"),
    _text("trail"),
    Column("replays", Integer, nullable=False, server_default="0"),
    Column("key_expired", Integer, nullable=False, server_default="0"),
)

KEYED = and_(
    calls.c.idempotency_key != literal_column("''"),
    calls.c.key_expired == literal_column("0"),
    *(calls.c.reason != literal_column(f"'{reason}'") for reason in sorted(NOTHING_RAN)),
)
"""Whether a call has its idempotency key to itself; an end before anything ran takes it out of the index, and time does."""
KEY = (calls.c.game_id, calls.c.env, calls.c.function_id, calls.c.idempotency_key)

Index("uq_calls_key", *KEY, unique=True, sqlite_where=KEYED, postgresql_where=KEYED)
_running = calls.c.state == RUNNING
Index("ix_calls_keyed", calls.c.started_ms, sqlite_where=KEYED, postgresql_where=KEYED)
Index("ix_calls_started", calls.c.started_ms, calls.c.id)
Index("ix_calls_running", calls.c.id, sqlite_where=_running, postgresql_where=_running)

call_bodies = Table(
    "call_bodies",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Payloads and results that are too large for their call's row, where they are NULL: SQLite writes a row anew, with all its
pages, whatever column is updated. Here nothing is ever updated. With row ids, so that the key's index stays small."""

PAYLOAD, RESULT = "payload", "result"
"""The parts of a call that are bodies."""

call_subjects = Table(
    "call_subjects",
    metadata,
    Column("game_id", Text, primary_key=True),
    Column("env", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("entity_id", Text, primary_key=True),
    Column("is_query", Integer, primary_key=True, autoincrement=False),
    Column("started_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("call_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""The entities that calls are about, in the order in which a timeline is read; most calls have none."""

Index("ix_call_subjects_call", call_subjects.c.call_id)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("function_id", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("progress", Integer, nullable=False, server_default="0"),
    _text("error"),
    _text("reason"),
    _text("agent_id"),
    _text("service_id"),
    Column("finished_ms", BigInteger, nullable=False, server_default="0"),
    Column("archived", Integer, nullable=False, server_default="0"),
    _text("cancel_reason"),
)

Index("ix_jobs_created", jobs.c.created_ms, jobs.c.id)
Index("ix_jobs_scope", jobs.c.game_id, jobs.c.env, jobs.c.created_ms, jobs.c.id)
KEPT = and_(jobs.c.archived < literal_column("2"), jobs.c.finished_ms > literal_column("0"))
"""Whether a job has ended and its events, or some, are still in job_events."""
Index("ix_jobs_kept", jobs.c.finished_ms, jobs.c.id, sqlite_where=KEPT, postgresql_where=KEPT)
Index("ix_jobs_state", jobs.c.state, jobs.c.created_ms, jobs.c.id)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

bulks = Table(
    "bulks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("function_id", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    _text("name"),
    Column("state", Text, nullable=False),
    _number("total"),
    _number("invalid"),
    _text("sha256"),
    _text("uploaded_by"),
    _text("started_by"),
    _text("started_kind"),
    Column("dry_run", Boolean, nullable=False),
    _text("parent_id"),
    _number("canary"),
    Column("rate", Float, nullable=False),
    _number("concurrency"),
    Column("skip_invalid", Boolean, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    _number("created_ms"),
    _number("started_ms"),
    _number("finished_ms"),
    _text("starter"),
    _text("approval_id"),
)

Index("ix_bulks_created", bulks.c.created_ms, bulks.c.id)
Index("ix_bulks_scope", bulks.c.game_id, bulks.c.env, bulks.c.created_ms, bulks.c.id)
Index("ix_bulks_state", bulks.c.state, bulks.c.created_ms, bulks.c.id)

bulk_rows = Table(
    "bulk_rows",
    metadata,
    Column("bulk_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("line", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    _text("faults"),
    _text("call_id"),
    Column("result", LargeBinary),
    _number("result_bytes"),
    _text("reason"),
    _text("message"),
    _text("service_id"),
    _number("started_ms"),
    _number("finished_ms"),
    _text("refusal"),
)

Index("ix_bulk_rows_state", bulk_rows.c.bulk_id, bulk_rows.c.state, bulk_rows.c.number)

providers = Table(
    "providers",
    metadata,
    Column("id", Text, primary_key=True),
    _text("version"),
    _text("lang"),
    _text("sdk"),
    Column("owner", Text, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("registered_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("game_id", Text, primary_key=True),
    Column("env", Text, primary_key=True),
    Column("functions", Text, nullable=False),
)

packs = Table(
    "packs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    _text("changed_by"),
    Column("changed_ms", BigInteger, nullable=False),
)

pack_versions = Table(
    "pack_versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    _text("version"),
    _text("category"),
    _text("signature"),
    _text("signed_by"),
    _text("installed_by"),
    Column("installed_ms", BigInteger, nullable=False),
)
"""The archives lie in `croupier.objects`, under their digests."""

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("confirmed_ms", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("recovery", Text, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("linked_ms", BigInteger, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    _text("identity"),
    _number("not_before_ms"),
    _number("not_after_ms"),
    _number("issued_ms"),
    _text("issued_by"),
    _number("revoked_ms"),
    _text("revoked_by"),
    _text("reason"),
)

join_tokens = Table(
    "join_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    _text("machine_id"),
    Column("hosts", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _text("created_by"),
    Column("expires_ms", BigInteger, nullable=False),
    _number("used_ms"),
    _text("serial"),
    _number("revoked_ms"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("function_id", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("review", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
"""`document` is the whole of it, as JSON; the other columns are what is looked for."""

UNDECIDED = approvals.c.state.in_(
    [literal_column("'pending'"), literal_column("'approved'"), literal_column("'executing'")]
)
"""Written out, so that a partial index serves it."""
Index("ix_approvals_created", approvals.c.created_ms, approvals.c.id)
Index("ix_approvals_state", approvals.c.state, approvals.c.created_ms, approvals.c.id)
Index("ix_approvals_call", approvals.c.call_id, approvals.c.created_ms)
Index("uq_approvals_open", approvals.c.call_id, unique=True, sqlite_where=UNDECIDED, postgresql_where=UNDECIDED)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("approval_id", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _text("error"),
)

Index("ix_notices_due", notices.c.state, notices.c.next_ms)
Index("ix_notices_approval", notices.c.approval_id, notices.c.created_ms)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
    _text("display_name"),
    _text("email"),
    Column("groups", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    _text("password_hash"),
    Column("invite_sha256", LargeBinary),
    _number("invite_until_ms"),
    _text("created_by"),
    _number("created_ms"),
    _number("changed_ms"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    _number("created_ms"),
    _number("until_ms"),
    _number("seen_ms"),
    _number("proved_ms"),
    _text("address"),
    _text("agent"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("permissions", Text),
    Column("scopes", Text),
    _text("created_by"),
    _number("created_ms"),
    _number("until_ms"),
    _number("seen_ms"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("row", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    _text("act_id"),
    _number("time_ms"),
    Index("ix_audit_act", "act_id"),
    Index("ix_audit_time", "time_ms"),
)
"""Rows are only ever added at the end, and cut off at the beginning. What is searched for is looked up within `row`; `act_id` and
`time_ms` are what it is found by, and no hash tells whether they were bent: `misfiled` does."""

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

audit_cuts = Table(
    "audit_cuts",
    metadata,
    Column("up_to", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("functions", Text, nullable=False),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("per", Text, nullable=False),
    Column("rate_calls", Float),
    Column("rate_seconds", Float),
    Column("concurrency", BigInteger),
    _text("budget"),
    Column("replaces", Boolean, nullable=False),
    _text("note"),
    _text("changed_by"),
    Column("changed_ms", BigInteger, nullable=False),
)
"""`budget` is JSON."""

budget_spent = Table(
    "budget_spent",
    metadata,
    Column("limit_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("game_id", Text, nullable=False),
    Column("env", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _text("ended_by"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("game_id", Text, primary_key=True),
    Column("env", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
    _text("note"),
    _text("changed_by"),
    Column("changed_ms", BigInteger, nullable=False),
)

secret_versions = Table(
    "secret_versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("game_id", Text, primary_key=True),
    Column("env", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("name", Text, primary_key=True),
    _text("description"),
    Column("permissions", Text, nullable=False),
)

role_bindings = Table(
    "role_bindings",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("game_id", Text, primary_key=True),
    Column("env", Text, primary_key=True),
    _text("created_by"),
    _number("created_ms"),
)

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False, primary_key=True),
)
"""Alembic's own table, as it makes it; apart from our metadata because migrations do not own it."""
alembic_version.primary_key.name = "alembic_version_pkc"

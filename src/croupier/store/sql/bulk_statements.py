"""The writer's statements about bulks, compiled once."""

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import sqlite

from croupier.store.sql.statements import Rows, update_rows
from croupier.store.sql.tables import bulk_rows, bulks

BULK = (
    "id",
    "function_id",
    "game_id",
    "env",
    "name",
    "state",
    "total",
    "invalid",
    "sha256",
    "uploaded_by",
    "started_by",
    "started_kind",
    "dry_run",
    "parent_id",
    "canary",
    "rate",
    "concurrency",
    "skip_invalid",
    "confirmed",
    "created_ms",
    "started_ms",
    "finished_ms",
    "starter",
    "approval_id",
)
OUTCOME = (
    "state",
    "call_id",
    "result",
    "result_bytes",
    "reason",
    "message",
    "refusal",
    "service_id",
    "started_ms",
    "finished_ms",
)

INSERT_BULKS = Rows(sqlite.insert(bulks), BULK)
UPDATE_BULKS = update_rows(bulks, BULK)
INSERT_ROWS = Rows(sqlite.insert(bulk_rows), ("bulk_id", "number", "line", "state", "payload", "faults"))
RECORD_ROWS = update_rows(bulk_rows, ("bulk_id", "number", *OUTCOME), keys=2)

DISCARD_ROWS = delete(bulk_rows).where(
    bulk_rows.c.bulk_id == bindparam("bulk_id"), bulk_rows.c.number <= bindparam("up_to")
)
DISCARD_BULK = delete(bulks).where(bulks.c.id == bindparam("id"))

"""The store on SQL: SQLAlchemy Core, on SQLite.

    store.py ── writes.py ──► writer.py ──► committer.py ──► transaction.py ─┬─► statements.py ◄── rows.py
       │        (values)      (thread)      (commit, or        (order)       └─► ledger.py (jobs)
       │                                     take apart)
       └── reads: queries.py, searches.py, timelines.py on reader threads            open: sqlite.py, schema.py, tables.py, upgrade.py + migrations/

SQLAlchemy and Alembic are imported nowhere else.
"""

from croupier.store.sql.store import SqlStore, open_store, system_clock

__all__ = ["SqlStore", "open_store", "system_clock"]

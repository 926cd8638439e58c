"""What only the SQLite store promises: the form of its file, and how the writer gathers."""

import asyncio
import hashlib
import logging
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from croupier.domain.audit import SYSTEM, AuditFilter, Note
from croupier.domain.call import UNKNOWN_TRAIL, Call, Result
from croupier.domain.entity import Subject
from croupier.domain.job import JobEvent, JobState
from croupier.domain.listing import CallFilter, Cursor, JobFilter
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition, Unavailable
from croupier.store.sql import SqlStore, open_store, sqlite, tables, upgrade, writer
from croupier.store.sql.ledger import KnownJobs
from croupier.store.sql.schema import create
from croupier.store.sql.writer import Writer
from croupier.store.sql.writes import Finish, Write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "croupier.db"


def a_call(call_id: str = "c1", payload: bytes = b"{}") -> Call:
    return Call(id=call_id, function_id="player.ban", scope=Scope("demo", "dev"), payload=payload, caller="ann")


def form(path: Path) -> dict[str, str]:
    """Every table and index, as SQL without its white space."""
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in found}


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def write_foreign(path: Path, content: str) -> None:
    if content == "no database":
        path.write_text("dear diary, " * 100)
        return
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()


def plan_of(path: Path, sql: str) -> list[str]:
    with sqlite3.connect(path) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("",) * sql.count("?")).fetchall()
    connection.close()
    return [step[3] for step in steps]


def pragma(store: SqlStore, name: str) -> object:
    return store._committer._connection.connection.driver_connection.execute(f"PRAGMA {name}").fetchone()[0]


# the form of the file


def test_migrations_and_tables_give_the_same_form(tmp_path: Path):
    with sqlite.writer_engine(tmp_path / "made.db").begin() as connection:
        create(connection)
    with sqlite.writer_engine(tmp_path / "migrated.db").begin() as connection:
        upgrade.upgrade(connection)

    assert form(tmp_path / "made.db") == form(tmp_path / "migrated.db")


def test_the_list_of_revisions_is_alembics():
    scripts = ScriptDirectory.from_config(upgrade.config())

    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == tables.REVISIONS


async def test_a_database_before_the_first_migration_is_brought_to_head(path: Path):
    with sqlite.writer_engine(path).begin() as connection:
        tables.alembic_version.create(connection)

    store = await open_store(path)

    assert await store.begin(a_call()) is None
    await store.close()
    assert "calls" in form(path)


async def test_what_the_first_version_kept_is_kept_with_its_key(path: Path):
    with sqlite.writer_engine(path).begin() as connection:
        settings = upgrade.config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001_foundation")
        connection.exec_driver_sql(
            "INSERT INTO calls (id, kind, function_id, game_id, env, caller, idempotency_key, payload, payload_sha256, route,"
            " target_service_id, hash_key, version, metadata, traceparent, state, started_ms, result)"
            " VALUES ('c0', 'invoke', 'player.ban', 'demo', 'dev', 'ann', 'k', '{}', ?, 'lb', '', '', '', '', '', 'succeeded',"
            " 1700000000000, 'first')",
            (hashlib.sha256(b"{}").digest(),),
        )
        connection.exec_driver_sql(
            "INSERT INTO jobs (id, function_id, game_id, env, caller, created_ms, state, finished_ms)"
            " VALUES ('j0', 'f', 'demo', 'dev', 'ann', 5, 'failed', 6)"
        )

    store = await open_store(path, clock=lambda: 1_700_000_000_001)

    repeated = await store.begin(Call(**KEPT, id="c1"))
    assert (repeated.call.id, repeated.trail, repeated.replays) == ("c0", UNKNOWN_TRAIL, 0)
    assert [job.id for job in await store.old_jobs(7, 1)] == ["j0"]
    await store.close()


async def test_rows_of_the_audit_record_from_before_are_found_by_act_and_time(path: Path):
    with sqlite.writer_engine(path).begin() as connection:
        settings = upgrade.config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0016_policy")
        for seq, row in ((1, '{"act_id":"c1","seq":1,"time_ms":5}'), (2, '{"seq":2,"time_ms":7}')):
            kept = {"seq": seq, "row": row, "blob": bytes(32)}
            connection.execute(
                text('INSERT INTO audit (seq, "row", hash, mac) VALUES (:seq, :row, :blob, :blob)'), kept
            )

    store = await open_store(path)

    assert [each.seq for each in (await store.audit.search(AuditFilter(act_id="c1"), 10)).rows] == [1]
    assert [each.seq for each in (await store.audit.search(AuditFilter(since_ms=6), 10)).rows] == [2]
    assert await store.audit.misfiled(0, 2, 10) == []
    await store.close()


async def test_a_row_of_the_audit_record_that_is_filed_elsewhere_by_hand_is_found(path: Path):
    store = await open_store(path)
    await store.audit.record(*(Note(actor=SYSTEM, action="audit.cut", act_id=f"a{number}") for number in range(1, 5)))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE audit SET act_id = 'a9' WHERE seq = 2")
        connection.execute("UPDATE audit SET time_ms = time_ms - 1 WHERE seq = 3")
        connection.execute("UPDATE audit SET row = 'bent' WHERE seq = 4")
    connection.close()

    assert await store.audit.misfiled(0, 4, 10) == [2, 3]
    assert await store.audit.misfiled(0, 4, 1) == [2]
    assert await store.audit.misfiled(2, 4, 10) == [3]
    assert (await store.audit.search(AuditFilter(act_id="a9"), 10)).rows == []
    assert [each.seq for each in (await store.audit.search(AuditFilter(action="audit.*"), 10)).rows] == [3, 2, 1]
    await store.close()


KEPT = {
    "function_id": "player.ban",
    "scope": Scope("demo", "dev"),
    "payload": b"{}",
    "caller": "ann",
    "idempotency_key": "k",
}


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path):
    with sqlite.writer_engine(path).begin() as connection:
        tables.alembic_version.create(connection)
        connection.exec_driver_sql("CREATE TABLE job_events (in_the_way)")
    before = form(path)

    with pytest.raises(FailedPrecondition, match="already exists"):
        asyncio.run(open_store(path))

    assert form(path) == before


async def test_a_database_of_a_newer_program_is_refused_and_untouched(path: Path):
    await (await open_store(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    connection.close()
    before = content_of(path)

    with pytest.raises(FailedPrecondition, match=r"newer Croupier.*9999_future"):
        await open_store(path)

    assert content_of(path) == before


@pytest.mark.parametrize("content", ["another program's", "no database"])
async def test_a_file_that_is_not_ours_is_refused_and_untouched(path: Path, content: str):
    write_foreign(path, content)
    before = content_of(path)

    with pytest.raises(FailedPrecondition, match="choose another data directory"):
        await open_store(path)

    assert content_of(path) == before


async def test_a_missing_directory_is_named(tmp_path: Path):
    with pytest.raises(FailedPrecondition, match="make its directory"):
        await open_store(tmp_path / "missing" / "croupier.db")


async def test_a_database_in_use_is_refused_until_it_is_closed(path: Path):
    store = await open_store(path)

    with pytest.raises(FailedPrecondition, match="in use"):
        await open_store(path)
    await store.close()

    await (await open_store(path)).close()


async def test_only_the_owner_may_read_the_files(path: Path):
    store = await open_store(path)
    await store.begin(a_call())

    assert {
        stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("croupier.db*") if file.suffix != ".lock"
    } == {0o600}
    await store.close()


async def test_every_commit_is_forced_to_the_log(path: Path):
    store = await open_store(path)
    await store.begin(a_call())

    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2
    await store.close()


def test_opening_a_database_imports_no_alembic(path: Path):
    program = """
import asyncio, pathlib, sys
from croupier.store.sql import open_store
async def main():
    await (await open_store(pathlib.Path(sys.argv[1]))).close()
    await (await open_store(pathlib.Path(sys.argv[1]))).close()
asyncio.run(main())
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


async def test_no_statement_walks_through_a_whole_table(path: Path):
    asked: list[str] = []
    store = await open_store(path)
    await store.begin(replace(a_call(), idempotency_key="k"))
    for engine in (store._committer._engine, store._reader_engine):
        event.listen(engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: asked.append(sql))

    await store.begin(replace(a_call("c2"), idempotency_key="k"))
    await store.create(a_call("j1"), about=[Subject("player", "p1")])
    await store.timeline(Scope("demo", "dev"), Subject("player", "p1"), 1)
    await store.timeline(Scope("demo", "dev"), Subject("player", "p1"), 1, Cursor(1, "c"))
    await store.place("j1", agent_id="a", service_id="s")
    await store.append([JobEvent(job_id="j1", seq=1, type="log")])
    await store.append([JobEvent(job_id="ghost", seq=1, type="log")])
    await store.finish("c1", Result(payload=b""))
    await store.begin(a_call("large", payload=b"x" * 5_000))
    await store.finish("large", Result(payload=b"x" * 5_000))
    await store.conclude("j1", reason="lost", message="")
    await store.abandon()
    await store.call("c1")
    await store.job("j1")
    await store.events("j1", 0, 1)
    await store.jobs(JobFilter(), 1)
    await store.jobs(JobFilter(scope=Scope("demo", "dev")), 1, Cursor(1, "j"))
    await store.jobs(JobFilter(states=frozenset({JobState.RUNNING})), 1)
    await store.expire_keys(1)
    await store.old_calls(1, 1)
    await store.old_jobs(1, 1)
    await store.archive_job("j1")
    await store.forget_events("j1", 1)
    await store.forget_events("j1", 1)
    await store.forget_events("j1", 1)
    await store.forget_calls(["c1", "c2"])
    await store.calls(CallFilter(), 1)
    await store.calls(CallFilter(caller="ann", since_ms=1, until_ms=2), 1, Cursor(1, "c"))
    await store.close()

    plans = {sql: plan_of(path, sql) for sql in asked if sql.split()[0] in {"SELECT", "UPDATE", "WITH", "DELETE"}}
    assert len(plans) >= 12
    walks = {
        "SCAN calls",
        "SCAN call_bodies",
        "SCAN payloads",
        "SCAN results",
        "SCAN jobs",
        "SCAN job_events",
        "SCAN call_subjects",
        "USE TEMP B-TREE FOR ORDER BY",
    }
    assert {sql: plan for sql, plan in plans.items() if walks & set(plan)} == {}


# the disk


async def test_an_error_of_the_disk_is_unavailable_and_the_next_commit_recovers(path: Path):
    store = await open_store(path)
    await store.create(a_call("j1"))
    await store.append([JobEvent(job_id="j1", seq=1, type="log")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        answers = await asyncio.gather(
            store.begin(a_call(payload=b"x" * 2_000_000)),
            store.append([JobEvent(job_id="j1", seq=2, type="log")]),
            return_exceptions=True,
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    assert await store.begin(a_call(payload=b"x" * 2_000_000)) is None
    assert await store.append([JobEvent(job_id="j1", seq=2, type="log")]) == {"j1": 2}
    await store.close()


async def test_a_database_held_by_another_program_is_unavailable(path: Path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_MS", 1)
    store = await open_store(path)
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")

    answers = await asyncio.gather(*(store.begin(a_call(f"c{n}")) for n in range(3)), return_exceptions=True)
    intruder.execute("ROLLBACK")
    intruder.close()

    assert [str(answer) for answer in answers] == ["another program holds the database: close it, then try again"] * 3
    assert await store.begin(a_call()) is None
    await store.close()


async def test_a_large_body_is_written_once(path: Path):
    store = await open_store(path)
    await store.begin(a_call(payload=b"x" * 1_000_000))
    before = path.with_name("croupier.db-wal").stat().st_size

    await store.finish("c1", Result(payload=b"ok"))

    assert path.with_name("croupier.db-wal").stat().st_size - before < 100_000
    await store.close()


async def test_no_payload_reaches_an_error_or_the_log(path: Path, caplog):
    store = await open_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE calls")
    connection.close()

    with caplog.at_level(logging.DEBUG), pytest.raises(Exception, match="its log says why") as caught:
        await store.begin(a_call(payload=b"secret of the player"))

    assert "no such table" in caplog.text
    assert "secret" not in caplog.text + str(caught.value)
    await store.close()


async def test_a_lost_record_that_nobody_waits_for_is_logged(path: Path, caplog):
    store = await open_store(path)
    await store.begin(a_call())
    await store.begin(a_call(), durable=False)
    await store.finish("c1", Result(payload=b""))

    assert "a record that nobody waits for was lost" in caplog.text
    await store.close()


# the writer


class Gate:
    """A disk that commits when it is told to, and remembers what each commit took."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.entered = threading.Event()
        self.commits: list[int] = []

    def commit(self, writes: Sequence[Write]) -> dict:
        self.entered.set()
        self.open.acquire()
        self.commits.append(len(writes))
        return {}


def a_write(payload: bytes = b"") -> Finish:
    return Finish("c1", Result(payload=payload), 0)


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_arrives_during_a_commit_shares_the_next():
    gate = Gate()
    group = Writer(gate.commit)
    first = asyncio.ensure_future(group.submit(a_write()))
    await asyncio.to_thread(gate.entered.wait)
    rest = [asyncio.ensure_future(group.submit(a_write())) for _ in range(10)]
    await turns()

    gate.open.release()
    await first
    gate.open.release()
    await asyncio.gather(*rest)
    await group.close()

    assert gate.commits == [1, 10]


async def test_what_is_posted_goes_with_the_next_that_is_submitted_and_before_it(monkeypatch):
    monkeypatch.setattr(writer, "LINGER", 3_600)
    taken: list[Write] = []
    group = Writer(lambda writes: taken.extend(writes) or {})
    posted, submitted = [a_write() for _ in range(3)], a_write()
    for write in posted:
        await group.post(write)
    await turns()

    assert taken == []
    await group.submit(submitted)
    assert taken == [*posted, submitted]
    await group.close()


async def test_what_is_posted_goes_alone_when_nothing_else_comes(monkeypatch):
    monkeypatch.setattr(writer, "LINGER", 0.001)
    gate = Gate()
    group = Writer(gate.commit)

    for _ in range(2):
        gate.entered.clear()
        await group.post(a_write())
        assert await asyncio.to_thread(gate.entered.wait, 5)
        gate.open.release()

    await group.close()
    assert gate.commits == [1, 1]


async def test_closing_takes_along_what_is_posted(monkeypatch):
    monkeypatch.setattr(writer, "LINGER", 3_600)
    taken: list[Write] = []
    group = Writer(lambda writes: taken.extend(writes) or {})
    write = a_write()
    await group.post(write)

    await group.close()

    assert taken == [write]


async def test_a_full_queue_makes_those_who_come_wait_for_room(monkeypatch):
    monkeypatch.setattr(writer, "WAITING_BYTES", 10_000)
    monkeypatch.setattr(writer, "COMMIT_BYTES", 1)
    gate = Gate()
    group = Writer(gate.commit)
    posted = [asyncio.ensure_future(group.post(a_write(b"x" * 6_000))) for _ in range(4)]
    await turns()

    assert [post.done() for post in posted] == [True, True, False, False]

    for _ in range(4):
        gate.open.release()
    await asyncio.gather(*posted)
    await group.close()
    assert gate.commits == [1, 1, 1, 1]


async def test_those_who_wait_for_room_are_told_when_the_writer_closes(monkeypatch):
    monkeypatch.setattr(writer, "WAITING_BYTES", 1)
    gate = Gate()
    group = Writer(gate.commit)
    await group.post(a_write())
    late = asyncio.ensure_future(group.submit(a_write()))
    await turns()
    closing = asyncio.ensure_future(group.close())
    await turns()

    gate.open.release()
    await closing

    with pytest.raises(Unavailable, match="closed"):
        await late


async def test_known_jobs_forget_the_oldest_and_the_store_reads_them_again(path: Path):
    store = await open_store(path)
    store._committer._known = KnownJobs(size=2)
    for number in range(5):
        await store.create(a_call(f"j{number}"))
        await store.append([JobEvent(job_id=f"j{number}", seq=1, type="log")])

    assert len(store._committer._known._jobs) == 2
    assert await store.append([JobEvent(job_id="j0", seq=2, type="log")]) == {"j0": 2}
    await store.close()

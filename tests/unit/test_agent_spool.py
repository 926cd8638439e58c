import asyncio
import sqlite3

import pytest
from tests.unit.agent_parts import RecordingSink, ScriptedGameServer

from croupier.agent.job_keeper import JobKeeper, Told, event_of
from croupier.agent.jobs import Jobs
from croupier.agent.spool import KeptJob, Spool
from croupier.domain.job import JobEvent
from croupier.tunnel.codec import encode
from croupier.tunnel.frames import JobEvents


class Kept:
    """A spool that can be killed: what was not told to be on disk may be gone."""

    def __init__(self, path):
        self.path = path

    async def open(self, **options):
        self.spool = Spool(self.path / "jobs.db", **options)
        found = {job.job_id: job for job in await self.spool.open()}
        self._running = asyncio.ensure_future(self.spool.run())
        return found

    async def written(self):
        done = asyncio.get_running_loop().create_future()
        self.spool._put([("select 1", ())], done.set_result)
        assert await done is None

    async def close(self):
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.spool.close()


@pytest.fixture
async def kept(tmp_path):
    kept = Kept(tmp_path)
    await kept.open()
    yield kept
    await kept.close()


JOB = KeptJob(job_id="j1", function_id="f", service_id="game-1", incarnation="i1", deadline_ms=7)


async def again(kept, **options):
    await kept.close()
    return await kept.open(**options)


async def test_a_job_and_its_events_are_found_again_and_how_far_it_was_told(kept):
    kept.spool.keep_job(JOB)
    kept.spool.keep_events("j1", [(1, b"one"), (2, b"two")], place=3, first=b"mark")
    (job,) = (await again(kept)).values()
    assert (job.service_id, job.incarnation, job.deadline_ms) == ("game-1", "i1", 7)
    assert (job.last_seq, job.place, job.first) == (2, 3, b"mark")
    assert job.events == ((1, b"one"), (2, b"two"))


async def test_what_is_acknowledged_or_forgotten_is_gone(kept):
    for job_id in ("j1", "j2"):
        kept.spool.keep_job(KeptJob(job_id=job_id, function_id="f", service_id="game-1"))
        kept.spool.keep_events(job_id, [(1, b"one"), (2, b"two"), (3, b"three")])
    kept.spool.acknowledged("j1", 2)
    kept.spool.forget("j2")
    found = await again(kept)
    assert list(found) == ["j1"]
    assert found["j1"].events == ((3, b"three"),)
    assert found["j1"].last_seq == 3


async def test_who_keeps_more_than_there_is_room_for_waits_until_some_is_acknowledged(kept):
    await again(kept, most_bytes=10)
    kept.spool.keep_events("j1", [(1, b"x" * 10)])
    waiting = asyncio.ensure_future(kept.spool.room())
    await kept.written()
    assert not waiting.done()
    kept.spool.acknowledged("j1", 1)
    await waiting


async def test_a_damaged_file_is_put_aside_with_a_warning(tmp_path, caplog):
    (tmp_path / "jobs.db").write_bytes(b"no database at all" * 100)
    kept = Kept(tmp_path)
    assert await kept.open() == {}
    kept.spool.keep_job(JOB)
    assert list(await again(kept)) == ["j1"]
    await kept.close()
    assert "cannot be read" in caplog.text
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


async def test_a_kill_in_the_middle_of_a_write_leaves_what_was_kept_before(kept):
    kept.spool.keep_job(JOB)
    kept.spool.keep_events("j1", [(1, b"one")])
    await kept.written()
    copy = kept.path / "copy"
    copy.mkdir()
    for name in ("jobs.db", "jobs.db-wal"):
        data = (kept.path / name).read_bytes()
        (copy / name).write_bytes(data + b"torn" if name.endswith("wal") else data)
    survivor = Kept(copy)
    assert (await survivor.open())["j1"].events == ((1, b"one"),)
    await survivor.close()


async def test_a_job_that_cannot_be_kept_is_refused_and_its_events_wait_for_the_disk(kept, monkeypatch):
    refusals = []
    monkeypatch.setattr("croupier.agent.spool.RETRY_AFTER", 0.0)
    write, failures = kept.spool._write, [sqlite3.OperationalError("disk full")]

    def failing(batch):
        if failures:
            raise failures.pop()
        write(batch)

    monkeypatch.setattr(kept.spool, "_write", failing)
    kept.spool.keep_job(JOB, refusals.append)
    done = asyncio.get_running_loop().create_future()
    kept.spool.keep_events("j0", [(1, b"one")], then=done.set_result)
    assert await done is None
    assert "disk full" in refusals[0].message


# ---------------------------------------------------------------------------------------------------- jobs over a restart


class Process:
    """The jobs of one agent process on a spool."""

    def __init__(self, kept, found=()):
        self.sink = RecordingSink()
        self.jobs = Jobs(grace=0.0, return_grace=0.0, keeper=JobKeeper(kept.spool))
        self.jobs.adopt_into(self.sink)
        self.found = found
        self.to_follow = self.jobs.restore(list(found.values())) if found else []

    def start(self, server, job_id="j1"):
        job = self.jobs.place(job_id, "f", server, self.sink)
        assert self.jobs.keep(job, lambda refusal: None)
        job.started = True
        return job


def event(seq, kind="progress", **values):
    return JobEvent(job_id="j1", seq=seq, type=kind, **values)


async def restarted(kept, process):
    process.jobs.stop()
    return Process(kept, await again(kept))


def listening():
    server = ScriptedGameServer("foreign-1", "")
    server.listens = True
    return server


async def test_an_event_of_a_game_server_that_listens_is_on_disk_before_it_goes_up(kept):
    process = Process(kept)
    process.start(server := listening())
    process.jobs.arrived(server, event(1, message="m"), told=Told(1, b"mark"))
    assert process.sink.events == []
    await process.sink.told.wait()
    process = await restarted(kept, process)
    (job,) = process.to_follow
    assert (job.last_seq, job.acknowledged, process.found["j1"].place) == (1, 0, 1)
    assert process.sink.events == [event(1, message="m")]
    assert event_of(process.sink.raws[0]) == event(1, message="m")


async def test_a_restarted_agent_sends_only_what_was_not_acknowledged(kept):
    process = Process(kept)
    process.start(server := listening())
    for seq in (1, 2, 3):
        process.jobs.arrived(server, event(seq), told=Told(seq))
    await kept.written()
    process.jobs.acknowledged("j1", 2)
    process = await restarted(kept, process)
    assert [each.seq for each in process.sink.events] == [3]


async def test_a_job_that_ended_and_was_acknowledged_leaves_nothing(kept):
    process = Process(kept)
    process.start(server := listening())
    process.jobs.arrived(server, event(1, "done"), told=Told(1))
    await kept.written()
    process.jobs.acknowledged("j1", 1)
    assert await again(kept) == {}
    process.jobs.stop()


async def test_an_attached_game_server_that_is_back_goes_on_after_a_restart(kept):
    process = Process(kept)
    process.start(ScriptedGameServer())
    process = await restarted(kept, process)
    process.jobs.back(server := ScriptedGameServer())
    process.jobs.arrived(server, event(7), b"raw")
    process.jobs.arrived(server, event(8, "done"), b"raw")
    assert [each.seq for each in process.sink.events] == [7, 8]
    process.jobs.stop()


async def test_a_job_whose_attached_game_server_is_not_back_after_a_restart_is_lost_without_a_number(kept):
    process = Process(kept)
    process.start(ScriptedGameServer())
    process = await restarted(kept, process)
    await process.sink.told.wait()
    (last,) = process.sink.events
    assert (last.seq, last.type, last.reason) == (0, "error", "lost")
    assert "the agent was restarted" in last.message
    process.jobs.acknowledged("j1", 0, stop=True)
    assert len(process.jobs) == 0


async def test_what_an_attached_game_server_told_before_it_was_gone_outlives_the_agent_too(kept):
    process = Process(kept)
    process.start(server := ScriptedGameServer())
    for seq in (1, 2):
        process.jobs.arrived(server, event(seq), encode(JobEvents(event(seq))))
    process.jobs.away(server)
    process = await restarted(kept, process)
    assert process.sink.events[:2] == [event(1), event(2)]
    process.jobs.stop()


async def test_an_end_that_the_agent_wrote_outlives_it(kept):
    process = Process(kept)
    process.start(server := ScriptedGameServer())
    process.jobs.arrived(server, event(1), encode(JobEvents(event(1))))
    process.sink.told.clear()
    process.jobs.gone(server, "its stream ended")
    await process.sink.told.wait()
    process = await restarted(kept, process)
    first, last = process.sink.events
    assert first == event(1)
    assert (last.seq, last.reason) == (2, "lost")
    process.jobs.stop()

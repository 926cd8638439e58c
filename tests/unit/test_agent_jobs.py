import pytest
from tests.unit.agent_parts import RecordingSink, ScriptedGameServer

from croupier.agent.jobs import WINDOW, Jobs
from croupier.domain.job import JobEvent
from croupier.domain.limits import JOB_MESSAGE_BYTES, PAYLOAD_BYTES


def event(seq, kind="progress", job_id="j1", **values):
    return JobEvent(job_id=job_id, seq=seq, type=kind, **values)


@pytest.fixture
def sink():
    return RecordingSink()


@pytest.fixture
def upward():
    return RecordingSink()


@pytest.fixture
async def jobs(upward):
    jobs = Jobs(grace=0.0)
    jobs.adopt_into(upward)
    yield jobs
    jobs.stop()


@pytest.fixture
def server():
    return ScriptedGameServer()


async def test_events_go_to_the_sink_with_their_bytes_untouched(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1), b"raw 1")
    jobs.arrived(server, event(2, "done", payload=b"x"), b"raw 2")
    assert [each.seq for each in sink.events] == [1, 2]
    assert sink.raws == [b"raw 1", b"raw 2"]


async def test_an_acknowledgement_reaches_the_game_server_and_the_last_one_ends_the_memory(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1))
    jobs.arrived(server, event(2, "done"))
    jobs.acknowledged("j1", 1)
    assert jobs.get("j1") is not None
    jobs.acknowledged("j1", 2)
    assert server.acknowledged == [("j1", 1, False), ("j1", 2, False)]
    assert jobs.get("j1") is None


async def test_an_event_that_comes_twice_is_told_once_and_acknowledged_again(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1))
    jobs.acknowledged("j1", 1)
    jobs.arrived(server, event(1))
    assert len(sink.events) == 1
    assert server.acknowledged == [("j1", 1, False), ("j1", 1, False)]


async def test_a_gap_or_more_than_the_window_breaks_the_rules(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(2))
    assert "event 2 of job j1 came after 0" in server.abandoned[0]
    for seq in range(1, 2 * WINDOW + 2):
        jobs.arrived(server, event(seq))
    assert len(server.abandoned) == 2
    assert sink.events[-1].seq == 2 * WINDOW


async def test_a_job_nobody_remembers_goes_up_from_where_it_is(jobs, server, upward):
    jobs.arrived(server, event(40, job_id="old"), b"raw")
    assert [(each.job_id, each.seq) for each in upward.events] == [("old", 40)]
    assert jobs.get("old").state == "running"
    jobs.acknowledged("old", 40, stop=True)
    assert server.acknowledged == [("old", 40, True)]
    assert jobs.get("old") is None


@pytest.mark.parametrize(("job_id", "seq"), [("", 1), ("x" * 257, 1), ("j", 0)])
async def test_rubbish_of_an_unknown_job_is_stopped(jobs, server, upward, job_id, seq):
    jobs.arrived(server, event(seq, job_id=job_id))
    assert server.acknowledged == [(job_id, seq, True)]
    assert upward.events == []


async def test_an_unknown_type_becomes_a_log_line_and_a_long_line_is_cut_with_a_mark(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1, "metric", message="m"), b"raw")
    jobs.arrived(server, event(2, "log", message="é" * JOB_MESSAGE_BYTES), b"raw")
    assert (sink.events[0].type, sink.events[0].message) == ("log", "metric: m")
    assert len(sink.events[1].message.encode()) <= JOB_MESSAGE_BYTES
    assert sink.events[1].message.endswith("… (cut)")
    assert sink.raws == [b"", b""]


async def test_a_result_that_is_too_large_fails_the_job_and_cancels_it(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1, "log", payload=b"x" * (PAYLOAD_BYTES + 1)), b"raw")
    (last,) = sink.events
    assert (last.type, last.reason, last.payload) == ("error", "handler_failed", b"")
    assert "10000001 bytes; at most 10000000" in last.message
    assert server.canceled_jobs[0][0] == "j1"
    jobs.arrived(server, event(2))
    assert len(sink.events) == 1


async def test_a_cancellation_reaches_the_game_server_and_an_unknown_job_is_said(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    assert jobs.cancel("j1", "enough")
    assert server.canceled_jobs == [("j1", "enough")]
    assert not jobs.cancel("j2", "enough")


async def test_the_state_follows_from_the_story(jobs, server, sink):
    job = jobs.place("j1", "f", server, sink)
    assert job.state == "pending"
    jobs.arrived(server, event(1))
    assert job.state == "running"
    jobs.arrived(server, event(2, "error", reason="canceled"))
    assert job.state == "canceled"


async def test_a_game_server_that_does_not_come_back_loses_its_jobs(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1))
    sink.told.clear()
    jobs.gone(server, "its stream ended")
    await sink.told.wait()
    last = sink.events[-1]
    assert (last.seq, last.type, last.reason) == (2, "error", "lost")
    assert "the game server game-1 is gone: its stream ended" in last.message


async def test_the_same_process_comes_back_with_its_jobs(upward, server, sink):
    jobs = Jobs(grace=1000.0)
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1))
    jobs.acknowledged("j1", 1)
    jobs.gone(server, "its stream ended")
    jobs.cancel("j1", "enough")
    again = ScriptedGameServer()
    jobs.back(again)
    assert again.acknowledged == [("j1", 1, False)]
    assert again.canceled_jobs == [("j1", "enough")]
    jobs.arrived(again, event(2, "done"))
    assert [each.type for each in sink.events] == ["progress", "done"]
    jobs.stop()


async def test_another_process_under_the_same_name_knows_nothing_of_them(upward, server, sink):
    jobs = Jobs(grace=1000.0)
    jobs.place("j1", "f", server, sink)
    jobs.gone(server, "its stream ended")
    jobs.back(ScriptedGameServer(incarnation="i2"))
    assert [(each.type, each.reason) for each in sink.events] == [("error", "lost")]
    assert "started anew" in sink.events[0].message
    jobs.stop()


async def test_a_full_sink_pauses_the_game_server_until_there_is_room(jobs, server, sink):
    jobs.place("j1", "f", server, sink)
    sink.full = True
    jobs.arrived(server, event(1))
    assert server.paused
    jobs.relieve()
    assert server.paused
    sink.full = False
    jobs.acknowledged("j1", 1)
    assert not server.paused


async def test_a_job_that_does_not_stop_in_time_ends_here_and_says_that_nobody_waited(server, sink):
    jobs = Jobs(cancel_grace=0.0)
    jobs.place("j1", "f", server, sink)
    jobs.arrived(server, event(1))
    sink.told.clear()
    jobs.cancel("j1", "enough")
    await sink.told.wait()
    last = sink.events[-1]
    assert (last.seq, last.type, last.reason) == (2, "error", "canceled")
    assert last.message == "enough; it did not end within 0 s: stopped waiting; the handler may still run"
    assert server.acknowledged == [("j1", 1, True)]
    jobs.arrived(server, event(2, "done"))
    assert len(sink.events) == 2


async def test_a_job_that_was_asked_to_stop_and_finished_nonetheless_succeeded(server, sink):
    jobs = Jobs(cancel_grace=1000.0)
    job = jobs.place("j1", "f", server, sink)
    jobs.cancel("j1", "enough")
    jobs.arrived(server, event(1, "done"))
    assert job.state == "succeeded"
    assert job.force is None


async def test_a_job_past_its_deadline_is_asked_to_stop_and_what_stopped_it_is_said(server, sink):
    jobs = Jobs(cancel_grace=1000.0)
    job = jobs.place("j1", "f", server, sink)
    jobs.limit(job, 0.0)
    await server.asked_to_stop.wait()
    assert server.canceled_jobs == [("j1", "the job did not end within 0 s")]
    jobs.arrived(server, event(1, "error", reason="canceled", message="stopped at 3 of 5"), b"raw")
    (last,) = sink.events
    assert (last.reason, last.message) == ("deadline_exceeded", "the job did not end within 0 s: stopped at 3 of 5")
    assert sink.raws == [b""]


async def test_a_job_past_its_deadline_that_does_not_stop_ends_as_deadline_exceeded(server, sink):
    jobs = Jobs(cancel_grace=0.0)
    jobs.limit(jobs.place("j1", "f", server, sink), 0.0)
    await sink.told.wait()
    assert sink.events[-1].reason == "deadline_exceeded"
    assert "stopped waiting; the handler may still run" in sink.events[-1].message


async def test_a_job_that_ended_leaves_no_timer(server, sink):
    jobs = Jobs(cancel_grace=1000.0)
    job = jobs.place("j1", "f", server, sink)
    jobs.limit(job, 1000.0)
    jobs.cancel("j1", "enough")
    jobs.arrived(server, event(1, "done"))
    assert (job.deadline, job.force) == (None, None)

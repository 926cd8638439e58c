"""Jobs through the real server: started by HTTP, told by a scripted agent, followed by server-sent events."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.planes.scripted_agent import (
    OTHER,
    RawAgent,
    ScriptedAgent,
    Server,
    attached,
    eventually,
    keep_silent,
    raw_agent,
    running,
    seen_away,
    within,
)

from croupier.errors import FunctionRejected
from croupier.server import app, jobs
from croupier.tunnel.connector import Asked, ConnectorEvent, JobAcknowledged, JobCancelAsked
from croupier.tunnel.frames import Invoke, JobStarted, StartJob
from croupier_wire.control.v1 import control_pb2, control_pb2_grpc


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


def refuse(agent: ScriptedAgent, frame: Invoke) -> None:
    agent.send(JobStarted(request_id=frame.request_id, error=FunctionRejected("the event has not begun")))


def story(agent: ScriptedAgent, job_id: str, lines: int) -> None:
    """A job that logs so often and is done."""
    for seq in range(1, lines + 1):
        agent.tell(job_id, seq, message=f"line {seq}")
    agent.tell(job_id, lines + 1, "done", payload=b'{"mails": 3}')


def told(events: list[tuple[int, str, Any]]) -> list[tuple[int, str]]:
    return [(seq, kind) for seq, kind, _ in events]


# ------------------------------------------------------------------------------------------------ the story


async def test_a_job_is_followed_to_its_end(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started(payload={"to": "all"})
        agent.tell(job_id, 1, "progress", progress=40)
        agent.tell(job_id, 2, "log", message="half way")
        agent.tell(job_id, 3, "done", payload=b'{"mails": 3}')
        events = await within(server.follow(job_id))
        job = await server.job(job_id)
    (start,) = agent.executed
    assert isinstance(start, StartJob)
    assert (start.job_id, start.payload) == (job_id, b'{"to":"all"}')
    assert told(events) == [(1, "progress"), (2, "log"), (3, "done")]
    assert (events[0][2]["progress"], events[1][2]["message"]) == (40, "half way")
    assert events[2][2]["payload"] == {"mails": 3}
    assert (job["state"], job["payload"], job["agent_id"], job["service_id"]) == (
        "succeeded",
        {"mails": 3},
        "agent-1",
        "game-1",
    )


async def test_every_follower_sees_the_same_story_however_late(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        early = [asyncio.ensure_future(server.follow(job_id)) for _ in range(2)]
        story(agent, job_id, 1_200)
        stories = await within(asyncio.gather(*early))
        late = await server.follow(job_id)
    assert told(late) == [*((seq, "log") for seq in range(1, 1_201)), (1_201, "done")]
    assert stories == [late, late]


async def test_a_crowd_of_followers_sees_the_whole_story(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        followers = [asyncio.ensure_future(server.follow(job_id)) for _ in range(20)]
        story(agent, job_id, 2_300)
        stories = await within(asyncio.gather(*followers))
    whole = [*((seq, "log") for seq in range(1, 2_301)), (2_301, "done")]
    assert [told(each) for each in stories] == [whole] * 20


async def test_a_slow_follower_that_missed_notices_is_told_how_the_job_was_lost(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1, job_lost_after=0.2) as server, attached(server) as agent:
        job_id = await server.started()
        async with server.stream(job_id) as events:
            for seq in range(1, 601):
                agent.tell(job_id, seq)
                await agent.acknowledged(job_id, seq)  # a commit and a notice each
            await agent.cut()
            await server.ended(job_id)
            seen = [event async for event in events]
    assert told(seen) == [*((seq, "log") for seq in range(1, 601)), (601, "error")]


async def test_a_follower_that_was_cut_resumes_without_gap_or_duplicate(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1)
        agent.tell(job_id, 2)
        async with server.stream(job_id) as events:
            seen = [await within(anext(events)), await within(anext(events))]
        agent.tell(job_id, 3)
        agent.tell(job_id, 4, "done")
        seen += await within(server.follow(job_id, after=2))
        after_the_end = await server.follow(job_id, after=4)
    assert told(seen) == [(1, "log"), (2, "log"), (3, "log"), (4, "done")]
    assert after_the_end == []


async def test_a_key_whose_job_reached_nobody_is_not_used_up(server: Server) -> None:
    early = await server.start(idempotency_key="k")
    async with attached(server) as agent:
        later = await server.start(idempotency_key="k")
        await agent.request()
    assert early.status == 404
    assert later.status == 200
    assert len(agent.executed) == 1


async def test_a_failed_job_says_why(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1, "error", message="disk full", reason="handler_failed")
        job = await within(server.ended(job_id))
    assert (job["state"], job["error"], job["reason"]) == ("failed", "disk full", "handler_failed")


async def test_what_an_agent_says_too_long_or_wrong_is_kept_within_bounds(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1, "data: x\n\nevent", message="é" * 100_000, progress=-5)
        agent.tell(job_id, 2, "progress", progress=2_000)
        agent.tell(job_id, 3, "done")
        events = await within(server.follow(job_id))
    assert told(events) == [(1, "log"), (2, "progress"), (3, "done")]
    assert len(events[0][2]["message"].encode()) <= 65_536
    assert events[0][2]["message"].endswith("… (cut)")
    assert [event[2]["progress"] for event in events[:2]] == [0, 100]


# ------------------------------------------------------------------------------------------------ stored, then acknowledged


class Witness(ScriptedAgent):
    """Looks, at the moment of each acknowledgement, how far the job is on disk."""

    database: Path
    on_disk: list[tuple[int, int]]

    def handle(self, event: ConnectorEvent) -> None:
        if isinstance(event, JobAcknowledged):
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
            (stored,) = connection.execute(
                "select coalesce(max(seq), 0) from job_events where job_id = ?", (event.job_id,)
            ).fetchone()
            connection.close()
            self.on_disk.append((event.seq, stored))
        super().handle(event)


async def test_events_are_acknowledged_only_after_they_are_stored(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        agent = Witness(server.grpc)
        agent.database, agent.on_disk = tmp_path / "croupier.db", []
        assert (await agent.connect()).job_window == 256
        job_id = await eventually(lambda: _start_once_known(server))
        for seq in range(1, 301):
            agent.tell(job_id, seq)
            if seq % 50 == 0:
                await agent.acknowledged(job_id, seq)
        assert agent.peer.machine.unacknowledged == 0
        await agent.cut()
    assert agent.on_disk
    assert all(acknowledged <= stored for acknowledged, stored in agent.on_disk)


async def _start_once_known(server: Server) -> str:
    reply = await server.start()
    job_id: str = reply.json.get("job_id", "")
    return job_id


async def test_duplicates_and_gaps_are_not_stored(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        for seq in (1, 2, 2, 1, 4):
            agent.tell(job_id, seq, message=f"line {seq}")
        await agent.acknowledged(job_id, 2)
        for seq in (3, 4):
            agent.tell(job_id, seq, message=f"line {seq}")
        agent.tell(job_id, 5, "done")
        events = await within(server.follow(job_id))
    assert told(events) == [(1, "log"), (2, "log"), (3, "log"), (4, "log"), (5, "done")]
    assert [event[2]["message"] for event in events[:4]] == [f"line {seq}" for seq in (1, 2, 3, 4)]


async def test_events_of_a_job_that_nobody_knows_are_stopped(server: Server) -> None:
    async with attached(server) as agent:
        agent.tell("j-unheard-of", 1)
        stop = await agent.stop_of("j-unheard-of")
    assert stop.seq == 1


async def test_events_after_the_end_of_a_job_are_stopped(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        story(agent, job_id, 1)
        await agent.acknowledged(job_id, 2)
        agent.tell(job_id, 3, message="and another thing")
        await agent.stop_of(job_id)
        assert told(await server.follow(job_id)) == [(1, "log"), (2, "done")]


@pytest.mark.parametrize("scope", [OTHER, None])
async def test_an_agent_cannot_tell_of_the_job_of_another(server: Server, scope: Any) -> None:
    places = {"scope": scope} if scope else {}
    async with attached(server) as agent, attached(server, "agent-2", **places) as intruder:
        agents = {"agent-1": agent, "agent-2": intruder}
        job_id = await server.started()
        owner = agents.pop((await server.job(job_id))["agent_id"])
        (stranger,) = agents.values()
        stranger.tell(job_id, 1, "done", payload=b'"forged"')
        await stranger.stop_of(job_id)
        story(owner, job_id, 1)
        job = await within(server.ended(job_id))
    assert (job["state"], job["payload"]) == ("succeeded", {"mails": 3})


# ------------------------------------------------------------------------------------------------ starting


async def test_a_start_that_the_game_server_refuses_fails_for_the_caller_and_the_job(server: Server) -> None:
    async with attached(server, script=refuse):
        reply = await server.start()
        job = await server.job(reply.headers["X-Call-ID"])
    assert (reply.status, reply.json["reason"]) == (422, "function_rejected")
    assert (job["state"], job["reason"]) == ("failed", "function_rejected")
    assert "the event has not begun" in job["error"]


async def test_a_job_without_an_agent_is_not_accepted(server: Server) -> None:
    reply = await server.start()
    job = await server.job(reply.headers["X-Call-ID"])
    assert (reply.status, reply.json["reason"]) == (404, "not_found")
    assert job["state"] == "failed"


async def test_a_start_without_an_answer_is_concluded_and_stopped(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "START_TIMEOUT", 0.1)
    async with attached(server, script=keep_silent) as agent:
        reply = await server.start()
        job_id = reply.headers["X-Call-ID"]
        await agent.cancel_of(job_id)
        for seq in (1, 2, 3):
            agent.tell(job_id, seq, message="late")
        await agent.stop_of(job_id)
        events = await within(server.follow(job_id))
        job = await server.job(job_id)
    assert (reply.status, reply.json["reason"]) == (504, "deadline_exceeded")
    assert told(events) == [(1, "error")]
    assert events[0][2]["message"].startswith("lost: its start was not confirmed: tunnel invoke timeout")
    assert job["state"] == "lost"  # as its call's outcome is unknown


async def test_a_caller_that_hangs_up_does_not_stop_the_job(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        calling = asyncio.ensure_future(server.start())
        start = await agent.request()
        assert isinstance(start, StartJob)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        agent.send(JobStarted(request_id=start.request_id, job_id=start.job_id))
        story(agent, start.job_id, 1)
        assert (await within(server.ended(start.job_id)))["state"] == "succeeded"


async def test_concurrent_starts_with_one_key_are_one_job(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        starts = [asyncio.ensure_future(server.start(idempotency_key="k")) for _ in range(20)]
        frame = await agent.request()
        assert isinstance(frame, StartJob)
        agent.send(JobStarted(request_id=frame.request_id, job_id=frame.job_id))
        replies = await within(asyncio.gather(*starts))
        again = await server.start(idempotency_key="k")
    assert {(reply.status, reply.json["job_id"]) for reply in [*replies, again]} == {(200, frame.job_id)}
    assert len(agent.executed) == 1


async def test_concurrent_starts_with_one_key_share_its_refusal(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        starts = [asyncio.ensure_future(server.start(idempotency_key="k")) for _ in range(5)]
        refuse(agent, await agent.request())
        replies = await within(asyncio.gather(*starts))
        again = await server.start(idempotency_key="k")
    assert {(reply.status, reply.json["reason"]) for reply in [*replies, again]} == {(422, "function_rejected")}
    assert len(agent.executed) == 1


async def test_a_job_may_be_given_longer_than_a_call(server: Server) -> None:
    async with attached(server) as agent:
        await server.started(timeout="2h")
    assert agent.executed[0].deadline_ms == 7_200_000


# ------------------------------------------------------------------------------------------------ cancelling


async def cancel(server: Server, job_id: str) -> tuple[int, Any]:
    reply = await server.request("POST", "/api/cancel_job", json={"job_id": job_id, "reason": "wrong list"})
    return reply.status, reply.json


async def test_a_cancelled_job_is_what_its_game_server_made_of_it(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1)
        cancelling = asyncio.ensure_future(cancel(server, job_id))
        assert (await agent.cancel_of(job_id)).reason == "wrong list"
        agent.tell(job_id, 2, "error", message="stopped at 2 of 3", reason="canceled")
        status, answer = await within(cancelling)
        job = await server.job(job_id)
    assert (status, answer["state"]) == (200, "canceled")
    assert (job["state"], job["error"]) == ("canceled", "stopped at 2 of 3")


async def test_an_ended_job_stays_as_it_is_when_it_is_cancelled(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        story(agent, job_id, 1)
        await within(server.ended(job_id))
        status, answer = await cancel(server, job_id)
        assert (await server.invoke()).status == 200  # had the agent been told, it would have heard by now
        assert not any(isinstance(event, JobCancelAsked) for event in agent._events)
    assert (status, answer["state"]) == (200, "succeeded")


async def test_a_cancellation_of_a_job_whose_agent_is_away_is_delivered_when_it_is_back(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        await agent.cut()
        await seen_away(server)
        status, answer = await cancel(server, job_id)
        await agent.connect()
        assert (await agent.cancel_of(job_id)).reason == "wrong list"
    assert (status, answer["state"]) in {(200, "pending"), (200, "running")}


async def test_a_cancellation_outlives_a_restart_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "GRACE", 0.1)
    async with running(tmp_path) as server:
        agent = ScriptedAgent(server.grpc)
        await agent.connect()
        job_id = await eventually(lambda: _start_once_known(server))
        await agent.cut()
        await seen_away(server)
        await cancel(server, job_id)
    async with running(tmp_path) as server:
        agent.address = server.grpc
        await agent.connect()
        assert (await agent.cancel_of(job_id)).reason == "wrong list"
        await agent.cut()


async def test_a_job_that_is_asked_to_stop_while_it_is_being_started_is_told_once_it_runs(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        starting = asyncio.ensure_future(server.start())
        start = await agent.request()
        assert isinstance(start, StartJob)
        await cancel(server, start.job_id)
        agent.send(JobStarted(request_id=start.request_id, job_id=start.job_id))
        await within(starting)
        assert (await agent.cancel_of(start.job_id)).reason == "wrong list"


async def test_a_job_that_does_not_stop_is_taken_for_canceled_and_says_how(tmp_path: Path) -> None:
    async with running(tmp_path, cancel_grace=0.05) as server, attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1)
        await cancel(server, job_id)
        job = await within(server.ended(job_id))
        agent.tell(job_id, 2)
        await agent.stop_of(job_id)
    assert job["state"] == "canceled"
    assert "wrong list" in job["error"]
    assert "stopped waiting; the handler may still run" in job["error"]


async def test_an_end_without_a_number_ends_the_job_after_what_is_stored(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        for seq in (1, 2):
            agent.tell(job_id, seq)
        agent.tell(job_id, 0, "error", reason="lost", message="lost: nobody came back")
        await agent.stop_of(job_id)
        events = await within(server.follow(job_id))
    assert told(events) == [(1, "log"), (2, "log"), (3, "error")]
    assert events[-1][2]["message"] == "lost: nobody came back"


async def test_an_unknown_job_is_404(server: Server) -> None:
    for reply in (
        await server.request("POST", "/api/cancel_job", json={"job_id": "j-none"}),
        await server.request("GET", "/api/stream_job", params={"id": "j-none"}),
        await server.request("GET", "/api/job_result", params={"id": "j-none"}),
    ):
        assert (reply.status, reply.json["detail"]) == (404, "unknown job j-none")


# ------------------------------------------------------------------------------------------------ losses


async def test_a_job_goes_on_over_a_restart_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "GRACE", 0.1)
    async with running(tmp_path) as server:
        agent = ScriptedAgent(server.grpc)
        await agent.connect()
        job_id = await eventually(lambda: _start_once_known(server))
        agent.tell(job_id, 1)
        agent.tell(job_id, 2)
        await agent.acknowledged(job_id, 2)
    await agent.cut()
    agent.tell(job_id, 3, message="nobody listens")
    async with running(tmp_path) as server:
        agent.address = server.grpc
        assert not (await agent.connect()).resumed
        following = asyncio.ensure_future(server.follow(job_id))
        agent.tell(job_id, 4, "done")
        events = await within(following)
        await agent.cut()
    assert told(events) == [(1, "log"), (2, "log"), (3, "log"), (4, "done")]


async def test_a_job_whose_agent_stays_away_is_lost_with_the_reason(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1, job_lost_after=0.2) as server, attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1)
        await agent.acknowledged(job_id, 1)
        await agent.cut()
        events = await within(server.follow(job_id))
        job = await server.job(job_id)
    assert told(events) == [(1, "log"), (2, "error")]
    assert events[1][2]["reason"] == "lost"
    assert job["state"] == "lost"
    assert "agent agent-1 has been away for 0.2 s" in job["error"]


async def test_a_job_that_its_returned_agent_knows_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1, job_lost_after=2.0) as server, attached(server) as agent:
        job_id = await server.started()
        await agent.cut()
        await seen_away(server)
        async with attached(server, incarnation="two", known_jobs={job_id: "running"}) as back:
            await back.event(Asked)
            story(back, job_id, 1)
            assert (await within(server.ended(job_id)))["state"] == "succeeded"


async def test_a_job_that_its_returned_agent_does_not_know_is_lost(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1, job_lost_after=0.2) as server, attached(server) as agent:
        job_id = await server.started()
        await agent.cut()
        await seen_away(server)
        async with attached(server, incarnation="two") as back:
            job = await within(server.ended(job_id))
            back.tell(job_id, 1, message="I remember now")
            await back.stop_of(job_id)
            assert told(await server.follow(job_id)) == [(1, "error")]
    assert job["state"] == "lost"
    assert "does not know the job" in job["error"]


async def test_a_job_is_not_lost_to_an_agent_of_the_same_name_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path, resume_window=0.1, job_lost_after=0.2) as server, attached(server) as agent:
        job_id = await server.started()
        await agent.cut()
        async with attached(server, scope=OTHER, known_jobs={job_id: "running"}) as namesake:
            job = await within(server.ended(job_id))
            assert not any(isinstance(event, Asked) for event in namesake._events)
    assert job["state"] == "lost"


async def test_jobs_that_were_being_handed_over_when_the_server_died_are_lost(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server):
        job_id = await server.started()
    connection = sqlite3.connect(tmp_path / "croupier.db")  # as if killed before the placement was written
    connection.execute("update jobs set agent_id = ''")
    connection.commit()
    connection.close()
    async with running(tmp_path) as server:
        job = await within(server.ended(job_id))
    assert job["state"] == "lost"
    assert "while the job was handed to a game server" in job["error"]


# ------------------------------------------------------------------------------------------------ plain agents


async def registered_plain(server: Server, agent: RawAgent) -> None:
    """As the contract has it: functions by ControlService, then the stream."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub: Any = control_pb2_grpc.ControlServiceStub(channel)  # type: ignore[no-untyped-call]
        await stub.Register(
            control_pb2.RegisterRequest(
                agent_id="plain-1", game_id="demo", env="dev", functions=[control_pb2.FunctionDescriptor(id="f")]
            )
        )
    await agent.hello("plain-1")

    async def is_connected() -> bool:
        shown = await server.agent("plain-1")
        return bool(shown and shown["healthy"])

    await eventually(is_connected)


async def test_a_plain_agent_names_its_jobs_itself_and_they_are_told_under_our_name(server: Server) -> None:
    async with raw_agent(server.grpc) as agent:
        await registered_plain(server, agent)
        starting = asyncio.ensure_future(server.started())
        start = await agent.hear_frame("start")
        # The contract lets a job begin to tell before its start is answered.
        await agent.say("job_event", job_evt={"job_id": "theirs-1", "type": "log", "message": "early"})
        await agent.say("start_job_result", start_r={"request_id": start.request_id, "job_id": "theirs-1"})
        job_id = await within(starting)
        await agent.say("job_evt", job_evt={"job_id": "theirs-1", "type": "progress", "progress": 50})
        await agent.say("job_event", job_evt={"job_id": "theirs-1", "type": "done", "payload": b'"ok"'})
        events = await within(server.follow(job_id))
        job = await server.job(job_id)
    assert told(events) == [(1, "log"), (2, "progress"), (3, "done")]
    assert job["state"] == "succeeded"
    assert job["finished_ms"] > 0


async def test_a_plain_agent_that_dials_again_goes_on_telling_its_jobs(server: Server) -> None:
    async with raw_agent(server.grpc) as agent:
        await registered_plain(server, agent)
        starting = asyncio.ensure_future(server.started())
        start = await agent.hear_frame("start")
        await agent.say("start_job_result", start_r={"request_id": start.request_id, "job_id": "theirs-1"})
        job_id = await within(starting)
        await agent.say("job_event", job_evt={"job_id": "theirs-1", "type": "log", "message": "before"})
        await eventually(lambda: _has_told(server, job_id))
    async with raw_agent(server.grpc) as agent:
        await registered_plain(server, agent)
        await agent.say("job_event", job_evt={"job_id": "theirs-1", "type": "done", "payload": b'"ok"'})
        events = await within(server.follow(job_id))
    assert told(events) == [(1, "log"), (2, "done")]


async def _has_told(server: Server, job_id: str) -> bool:
    return bool((await server.job(job_id))["last_seq"])


async def test_a_plain_agent_is_told_to_cancel_under_its_own_name(server: Server) -> None:
    async with raw_agent(server.grpc) as agent:
        await registered_plain(server, agent)
        starting = asyncio.ensure_future(server.started())
        start = await agent.hear_frame("start")
        await agent.say("start_job_result", start_r={"request_id": start.request_id, "job_id": "theirs-1"})
        cancelling = asyncio.ensure_future(cancel(server, await within(starting)))
        assert (await agent.hear_frame("cancel")).job_id == "theirs-1"
        await agent.say("job_event", job_evt={"job_id": "theirs-1", "type": "error", "message": "stopped"})
        status, answer = await within(cancelling)
    assert (status, answer["state"]) == (200, "failed")


async def test_a_job_that_a_plain_agent_does_not_name_is_not_accepted(server: Server) -> None:
    async with raw_agent(server.grpc) as agent:
        await registered_plain(server, agent)
        starting = asyncio.ensure_future(server.start())
        start = await agent.hear_frame("start")
        await agent.say("start_job_result", start_r={"request_id": start.request_id})
        reply = await within(starting)
    assert (reply.status, reply.json["reason"]) == (502, "outcome_unknown")

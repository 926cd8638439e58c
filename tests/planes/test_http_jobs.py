import asyncio
import logging

import orjson
import pytest
from tests.planes.http_testbed import SCOPED, Testbed

from croupier.domain.job import JobEvent, JobState
from croupier.domain.listing import Cursor, JobFilter
from croupier.domain.scope import Scope
from croupier.errors import Unavailable


@pytest.fixture
def bed():
    testbed = Testbed()
    testbed.jobs.add("j1")
    return testbed


def event(seq, kind="log", **fields):
    return JobEvent(job_id="j1", seq=seq, type=kind, **fields)


async def finished(bed):
    await bed.jobs.tell(event(1, "progress", progress=50), event(2, message="half"))
    await bed.jobs.tell(event(3, "done", payload=b'{"sent":\n 7}'), state=JobState.SUCCEEDED)


def parse(stream):
    """The events of a stream: id, event and data of each."""
    found = []
    for block in stream.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((int(lines["id"]), lines["event"], orjson.loads(lines["data"])))
    return found


@pytest.mark.parametrize("path", ["/api/stream_job?id=j1", "/jobs/j1/stream"])
async def test_a_late_follower_gets_the_whole_story_and_then_the_end(bed, path):
    await finished(bed)
    reply = await bed.request("GET", path)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["cache-control"] == "no-store"
    assert parse(reply.body) == [
        (1, "progress", {"type": "progress", "message": "", "progress": 50, "payload": None}),
        (2, "log", {"type": "log", "message": "half", "progress": 0, "payload": None}),
        (3, "done", {"type": "done", "message": "", "progress": 0, "payload": {"sent": 7}}),
    ]


async def test_a_reader_that_comes_back_resumes_after_the_last_event_it_saw(bed):
    await finished(bed)
    reply = await bed.request("GET", "/api/stream_job?id=j1", headers={"Last-Event-ID": "1"})
    assert [seq for seq, _, _ in parse(reply.body)] == [2, 3]
    reply = await bed.request("GET", "/api/stream_job?id=j1&after=2")
    assert [seq for seq, _, _ in parse(reply.body)] == [3]


async def test_the_header_counts_more_than_the_address(bed):
    await finished(bed)
    reply = await bed.request("GET", "/api/stream_job?id=j1&after=0", headers={"Last-Event-ID": "2"})
    assert [seq for seq, _, _ in parse(reply.body)] == [3]


async def test_a_reader_that_has_seen_the_end_is_told_not_to_come_back(bed):
    await finished(bed)
    reply = await bed.request("GET", "/api/stream_job?id=j1", headers={"Last-Event-ID": "3"})
    assert reply.status == 204


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "1.5"])
async def test_a_last_event_id_that_is_no_number_is_refused(bed, value):
    reply = await bed.request("GET", "/api/stream_job?id=j1", headers={"Last-Event-ID": value})
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


async def test_events_come_as_they_happen_and_two_followers_see_the_same(bed):
    async with bed.streaming("/api/stream_job?id=j1") as one, bed.streaming("/jobs/j1/stream") as other:
        await bed.jobs.tell(event(1, message="first"))
        assert parse(await one.read_until(b"first"))[0][0] == 1
        await bed.jobs.tell(event(2, "error", message="it broke", reason="handler_failed"), state=JobState.FAILED)
        told = parse(await one.read_until(b"handler_failed"))
        seen = parse(await other.read_until(b"handler_failed"))
        assert told[-1] == seen[-1]
        assert seen[-1][1:] == (
            "error",
            {"type": "error", "message": "it broke", "progress": 0, "payload": None, "reason": "handler_failed"},
        )


async def test_a_payload_that_is_not_json_comes_as_base64(bed):
    await bed.jobs.tell(event(1, "done", payload=b"\x00\xff"), state=JobState.SUCCEEDED)
    (told,) = parse((await bed.request("GET", "/api/stream_job?id=j1")).body)
    assert told[2]["payload_base64"] == "AP8="
    assert "payload" not in told[2]


async def test_a_message_cannot_end_its_event(bed):
    await bed.jobs.tell(event(1, message="a\n\nid: 9\nevent: done\r\ndata: {}"), state=JobState.SUCCEEDED)
    assert [(seq, kind) for seq, kind, _ in parse((await bed.request("GET", "/jobs/j1/stream")).body)] == [(1, "log")]


async def test_a_type_cannot_write_lines_into_the_stream(bed):
    await bed.jobs.tell(event(1, "x\n\nid: 9\nevent: done\ndata: {}"), state=JobState.SUCCEEDED)
    assert [(seq, kind) for seq, kind, _ in parse((await bed.request("GET", "/jobs/j1/stream")).body)] == [(1, "log")]


async def test_a_message_that_is_not_unicode_does_not_break_the_stream(bed):
    await bed.jobs.tell(event(1, message="\ud800"), state=JobState.SUCCEEDED)
    assert parse((await bed.request("GET", "/jobs/j1/stream")).body)[0][2]["message"] == "?"


async def test_a_reader_that_hangs_up_is_unsubscribed_at_once(bed):
    async with bed.streaming("/api/stream_job?id=j1") as stream:
        await bed.jobs.tell(event(1, message="first"))
        await stream.read_until(b"first")
        assert bed.jobs.followers == 1
        stream.hang_up()
        await bed.jobs.left.wait()
    assert bed.jobs.followers == 0


async def test_a_stream_ends_when_the_server_stops(bed):
    async with bed.streaming("/api/stream_job?id=j1") as stream:
        await stream.read_until(b"retry")
        bed.stopping.set()
        await stream.read_until(b"nothing of the kind")
    assert bed.jobs.followers == 0


async def test_a_quiet_stream_is_kept_open_by_pings(bed, monkeypatch):
    monkeypatch.setattr("croupier.server.http.stream.PING_SECONDS", 0.001)
    async with bed.streaming("/api/stream_job?id=j1") as stream:
        assert b": ping\n\n" in await stream.read_until(b": ping\n\n")


async def test_a_story_that_breaks_off_ends_the_stream_and_is_logged(bed, monkeypatch, caplog):
    async def broken(caller, job_id, after):
        yield [event(1, message="first")]
        raise Unavailable("the disk is full")

    monkeypatch.setattr(bed.jobs, "follow", broken)
    with caplog.at_level(logging.WARNING):
        reply = await bed.request("GET", "/api/stream_job?id=j1")
    assert [seq for seq, _, _ in parse(reply.body)] == [1]
    assert "the disk is full" in caplog.text


async def test_a_fault_in_a_story_cuts_the_connection(bed, monkeypatch):
    async def broken(caller, job_id, after):
        yield [event(1, message="first")]
        raise ZeroDivisionError

    monkeypatch.setattr(bed.jobs, "follow", broken)
    with pytest.raises(ZeroDivisionError):
        await bed.request("GET", "/api/stream_job?id=j1")


async def test_a_slow_reader_holds_the_story_back(bed):
    async with bed.streaming("/api/stream_job?id=j1") as stream:
        await stream.read_until(b"retry")
        taken = asyncio.Event()
        free = asyncio.Event()
        real = stream.receive_answer

        async def slow(message):
            taken.set()
            await free.wait()
            await real(message)

        stream.receive_answer = slow
        await bed.jobs.tell(event(1, message="one"))
        await taken.wait()
        await bed.jobs.tell(event(2, message="two"))
        await bed.jobs.tell(event(3, message="three"))
        free.set()
        assert [seq for seq, _, _ in parse(await stream.read_until(b"three"))][:2] == [1, 2]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/stream_job?id=nope", None),
        ("GET", "/jobs/nope/stream", None),
        ("GET", "/jobs/nope", None),
        ("GET", "/api/job_result?id=nope", None),
        ("POST", "/api/cancel_job", {"job_id": "nope"}),
        ("DELETE", "/jobs/nope", None),
    ],
)
async def test_an_unknown_job_is_not_found_wherever_it_is_asked_for(bed, method, path, body):
    reply = await bed.request(method, path, json=body)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["reason"] == "not_found"
    assert reply.json["detail"] == "unknown job nope"
    assert reply.json["trace_id"] == reply.headers["x-trace-id"]


async def test_cancel_says_what_the_job_is_now(bed):
    reply = await bed.request("POST", "/api/cancel_job", json={"job_id": "j1", "reason": "wrong text"})
    assert reply.json == {"job_id": "j1", "state": "pending"}
    assert bed.jobs.reasons == ["wrong text"]
    assert (await bed.request("DELETE", "/jobs/j1")).json == {"job_id": "j1", "state": "pending"}


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"{}", b'{"job_id": 3}', b'{"job_id": "j1", "reason": {}}'])
async def test_a_wrong_cancel_is_refused(bed, body):
    reply = await bed.request("POST", "/api/cancel_job", body=body)
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


async def test_a_form_larger_than_it_needs_to_be_is_refused(bed):
    for sent in ({"body": b"x" * 70_000}, {"chunks": [b"x" * 40_000] * 2}):
        reply = await bed.request("POST", "/api/cancel_job", **sent)
        assert (reply.status, reply.json["reason"]) == (413, "payload_too_large")


async def test_a_result_is_json_where_it_is_json(bed):
    await finished(bed)
    reply = await bed.request("GET", "/api/job_result?id=j1")
    assert reply.json == {"job_id": "j1", "state": "succeeded", "payload": {"sent": 7}, "error": "", "reason": ""}


async def test_one_job_is_told_with_its_result(bed):
    await finished(bed)
    job = (await bed.request("GET", "/jobs/j1")).json
    assert job["job_id"] == "j1"
    assert job["payload"] == {"sent": 7}
    assert (job["game_id"], job["env"], job["state"], job["last_seq"]) == ("demo", "dev", "succeeded", 3)


async def test_the_list_is_asked_for_by_scope_state_and_limit(bed):
    reply = await bed.request("GET", "/api/jobs?state=running&state=pending&limit=5", headers=SCOPED)
    assert [job["job_id"] for job in reply.json["jobs"]] == ["j1"]
    await bed.request("GET", "/api/jobs")
    assert bed.jobs.listed == [
        (JobFilter(scope=Scope("demo", "dev"), states=frozenset({JobState.RUNNING, JobState.PENDING})), 5, None),
        (JobFilter(), 100, None),
    ]


async def test_the_list_is_asked_for_by_function_caller_agent_and_time(bed):
    query = "function_id=mail.send_all&caller=ann&agent_id=agent-1&since=1&until=2026-01-31T18:00:00%2B01:00&after=9-j0"
    await bed.request("GET", f"/api/jobs?{query}")
    which = JobFilter(
        function_id="mail.send_all", caller="ann", agent_id="agent-1", since_ms=1, until_ms=1_769_878_800_000
    )
    assert bed.jobs.listed == [(which, 100, Cursor(9, "j0"))]


async def test_a_page_of_jobs_says_where_the_next_one_begins(bed):
    bed.jobs.add("j2")
    assert (await bed.request("GET", "/api/jobs?limit=1")).json["next"] == "7-j1"
    assert (await bed.request("GET", "/api/jobs?limit=2")).json["next"] == ""


@pytest.mark.parametrize("query", ["state=sleeping", "limit=0", "limit=1001", "limit=x", "game_id=demo", "env=a&env=b"])
async def test_a_wrong_list_query_is_refused(bed, query):
    reply = await bed.request("GET", f"/api/jobs?{query}")
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


async def test_a_missing_parameter_is_named(bed):
    document = (await bed.request("GET", "/api/stream_job")).json
    assert document["status"] == 400
    assert document["errors"] == [{"path": "query.id", "message": "Field required"}]
    assert "query.id" in document["detail"]

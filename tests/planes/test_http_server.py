"""The same application behind real web servers on loopback, with a real client: uvicorn as it comes, and ours."""

import asyncio
import io
import socket
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from tests.planes.http_testbed import SCOPED, TOKEN, Testbed

from croupier.asgi.server import HttpServer
from croupier.domain.call import Result
from croupier.domain.job import JobEvent, JobState


class Server(uvicorn.Server):
    def __init__(self, config):
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.ready.set()


@pytest.fixture
async def bed():
    return Testbed()


@asynccontextmanager
async def plain_server(bed):
    config = uvicorn.Config(bed.app, log_level="warning", access_log=False, http="httptools", ws="none")
    server = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        bed.stopping.set()
        server.should_exit = True
        await serving


@asynccontextmanager
async def our_server(bed):
    server = HttpServer(bed.app)
    await server.start("127.0.0.1:0")
    yield f"http://{server.address}"
    bed.stopping.set()
    await server.stop()


@pytest.fixture(params=[plain_server, our_server])
async def client(bed, request):
    headers = {"Authorization": f"Bearer {TOKEN}"} | SCOPED
    async with request.param(bed) as url, aiohttp.ClientSession(url, headers=headers) as session:
        yield session


async def test_a_call_goes_through(client):
    async with client.post("/api/invoke", json={"function_id": "player.ban"}) as reply:
        assert reply.status == 200
        assert await reply.json() == {"ok": True}


async def test_a_client_that_disconnects_cancels_its_call(bed, client):
    async def hang(call):
        await asyncio.Event().wait()
        return Result(payload=b"")

    bed.calls.script = hang
    asking = asyncio.create_task(client.post("/api/invoke", json={"function_id": "f"}))
    await bed.calls.began.wait()
    asking.cancel()
    await bed.calls.cancelled.wait()


async def test_a_body_too_large_is_answered_and_the_connection_goes_on(client):
    for _ in range(2):
        async with client.post("/api/invoke", data=io.BytesIO(b"x" * 11_000_000)) as reply:
            assert reply.status == 413
            assert (await reply.json(content_type="application/problem+json"))["reason"] == "payload_too_large"
    async with client.post("/api/invoke", json={"function_id": "f"}) as reply:
        assert reply.status == 200


async def test_a_payload_of_eight_megabytes_travels_both_ways(bed, client):
    async def echo(call):
        return Result(payload=call.payload)

    bed.calls.script = echo
    payload = b'"' + b"x" * 8_000_000 + b'"'
    async with client.post("/games/demo/functions/f", data=io.BytesIO(payload)) as reply:
        assert await reply.read() == payload


async def test_a_follower_that_is_cut_resumes_without_gap_or_duplicate(bed, client):
    bed.jobs.add("j1")
    await bed.jobs.tell(*(JobEvent(job_id="j1", seq=seq, type="log", message="m") for seq in (1, 2)))
    seen = []
    async with client.get("/api/stream_job", params={"id": "j1"}) as reply:
        while len(seen) < 2:
            line = await reply.content.readline()
            if line.startswith(b"id: "):
                seen.append(int(line[4:]))
    await bed.jobs.left.wait()
    await bed.jobs.tell(JobEvent(job_id="j1", seq=3, type="done"), state=JobState.SUCCEEDED)
    async with client.get("/api/stream_job", params={"id": "j1"}, headers={"Last-Event-ID": str(seen[-1])}) as reply:
        seen += [int(line[4:]) for line in (await reply.read()).splitlines() if line.startswith(b"id: ")]
    assert seen == [1, 2, 3]


async def test_a_stream_does_not_keep_the_server_from_stopping(bed, client):
    bed.jobs.add("j1")
    async with client.get("/api/stream_job", params={"id": "j1"}) as reply:
        assert (await reply.content.readline()).startswith(b"retry")
        bed.stopping.set()
        await reply.read()
    assert bed.jobs.followers == 0


async def test_health_answers_head_without_a_body(client):
    async with client.head("/healthz") as reply:
        assert reply.status == 200
        assert await reply.read() == b""


async def test_a_request_for_another_host_is_refused(client):
    async with client.get("/metrics", headers={"Host": "rebound.example"}) as reply:
        assert reply.status == 403


async def test_calls_one_after_another_share_a_connection(bed, client):
    for _ in range(20):
        async with client.post("/api/invoke", json={"function_id": "f"}) as reply:
            assert reply.status == 200
    assert len(bed.calls.asked) == 20

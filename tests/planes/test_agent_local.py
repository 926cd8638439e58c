"""Callers on the agent's machine, and its health."""

import asyncio
import json

import aiohttp
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.planes.agent_testbed import Agent, AttachedGame, ForeignGame, ScriptedServer
from tests.planes.scripted_agent import eventually

from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import FunctionRejected
from croupier.tunnel.frames import CallResult
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.function.v1 import function_pb2

NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest.fixture
async def agent(tmp_path):
    """Without any server: what a game server and its neighbours do with each other needs none."""
    agent = await Agent(tmp_path, ("127.0.0.1:1",)).start()
    yield agent
    await agent.stop()


@pytest.fixture
async def game(agent):
    game = await AttachedGame(agent.info.grpc, functions=("echo", "mail")).attach()
    yield game
    await game.cut()


async def is_offered(functions, function_id):
    """What the game server says of itself and this call come over two connections, in any order."""
    try:
        await functions.Invoke(function_pb2.InvokeRequest(function_id=function_id), timeout=10)
    except grpc.aio.AioRpcError as error:
        if error.code() is NOT_FOUND:
            return False
        raise
    return True


@pytest.fixture
async def functions(agent, game):
    async with agent.functions() as functions:
        await eventually(lambda: is_offered(functions, "echo"))
        game.requests.clear()
        yield functions


def request(function_id, payload=b"{}", **values):
    return function_pb2.InvokeRequest(function_id=function_id, payload=payload, **values)


async def code_of(call):
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value


# ---------------------------------------------------------------------------------------------------- calls


async def test_a_local_caller_is_answered(functions, game):
    answer = await functions.Invoke(request("echo", b"\x00", idempotency_key="once", metadata={"k": "v"}))
    assert answer.payload == b"\x00"
    (frame,) = game.requests
    assert (frame.idempotency_key, frame.metadata, frame.game_id, frame.env) == ("once", {"k": "v"}, "demo", "dev")


async def test_a_local_callers_trace_goes_on_and_every_answer_names_it(functions, game):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    calls = [
        functions.Invoke(request("echo", metadata={"traceparent": parent})),
        functions.Invoke(request("echo"), metadata=(("traceparent", parent),)),
    ]
    for call in calls:
        await call
        assert dict(await call.trailing_metadata())["croupier-trace-id"] == parent[3:35]
    assert [frame.traceparent for frame in game.requests] == [parent, parent]
    failed = functions.Invoke(request("no.such"))
    await code_of(failed)
    assert len(dict(await failed.trailing_metadata())["croupier-trace-id"]) == 32


async def test_a_caller_that_speaks_json_is_answered_in_json(agent, game, functions):
    async with agent.channel() as channel:
        invoke = channel.unary_unary("/croupier.function.v1.FunctionService/Invoke")
        assert json.loads(await invoke(b'{"function_id":"echo","payload":"eA=="}')) == {"payload": "eA=="}


async def test_a_rejection_keeps_its_code_reason_and_words(functions, game):
    game.script = lambda frame: CallResult(request_id=frame.request_id, error=FunctionRejected("banned already"))
    failure = await code_of(functions.Invoke(request("echo")))
    assert failure.code() is grpc.StatusCode.ABORTED
    assert failure.details() == "banned already"
    assert dict(failure.trailing_metadata())["croupier-reason"] == "function_rejected"


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (request("no.such"), NOT_FOUND, "no local handler for no.such"),
        (request(""), grpc.StatusCode.INVALID_ARGUMENT, "function_id is missing"),
        (request("echo", metadata={"game_id": "other"}), grpc.StatusCode.PERMISSION_DENIED, "game_id demo"),
        (request("echo", metadata={"route": "broadcast"}), grpc.StatusCode.UNIMPLEMENTED, "broadcast"),
        (
            request("echo", metadata={"route": "targeted", "target_service_id": "z"}),
            NOT_FOUND,
            "target service not found: z",
        ),
        (request("echo", metadata={str(n): "" for n in range(65)}), grpc.StatusCode.INVALID_ARGUMENT, "64 entries"),
        (request("echo", metadata={"k": "v" * 16_384}), grpc.StatusCode.INVALID_ARGUMENT, "16384 bytes"),
        (request("echo", idempotency_key="k" * 257), grpc.StatusCode.INVALID_ARGUMENT, "256 bytes"),
        (request("echo", b"x" * (PAYLOAD_BYTES + 1)), grpc.StatusCode.INVALID_ARGUMENT, "at most 10000000"),
    ],
)
async def test_a_bad_request_says_what_is_wrong_and_reaches_nobody(functions, game, asked, code, says):
    failure = await code_of(functions.Invoke(asked))
    assert failure.code() is code
    assert says in failure.details()
    assert game.requests == []


async def test_a_caller_that_hangs_up_cancels_the_handler(functions, game):
    game.script = lambda frame: None
    calling = functions.Invoke(request("echo"), timeout=60)
    sending = asyncio.create_task(_outcome(calling))
    await game.until(lambda: bool(game.requests))
    calling.cancel()
    await game.until(lambda: bool(game.aborts))
    assert game.aborts[0][0] == game.requests[0].request_id
    await asyncio.wait([sending])


async def _outcome(call):
    return await call


async def test_the_callers_deadline_travels_to_the_game_server(functions, game):
    game.script = lambda frame: None
    failure = await code_of(functions.Invoke(request("echo"), timeout=2.0))
    assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    # gRPC tells the rest of a deadline in steps of its own, some of them upwards.
    assert 0 < game.requests[0].deadline_ms <= 2_100
    await game.until(lambda: bool(game.aborts))


# ---------------------------------------------------------------------------------------------------- jobs


async def follow(functions, job_id, after=0):
    asked = function_pb2.JobStreamRequest(job_id=job_id, after_seq=after)
    return [(event.seq, event.type, event.message, event.payload) async for event in functions.StreamJob(asked)]


async def test_a_local_job_is_followed_by_several_from_its_begin_and_by_one_from_where_it_asks(functions, game):
    job_id = (await functions.StartJob(request("mail"))).job_id
    early = [asyncio.create_task(follow(functions, job_id)) for _ in range(2)]
    game.tell(job_id, 1, progress=50)
    game.tell(job_id, 2, "log", message="half")
    game.tell(job_id, 3, "done", payload=b"result")
    story = [(1, "progress", "", b""), (2, "log", "half", b""), (3, "done", "", b"result")]
    assert await asyncio.gather(*early) == [story, story]
    assert await follow(functions, job_id) == story
    assert await follow(functions, job_id, after=2) == story[2:]


async def test_the_result_of_a_local_job_can_be_asked_for(agent, functions, game):
    job_id = (await functions.StartJob(request("mail"))).job_id
    asked = local_pb2.GetJobResultRequest(job_id=job_id)
    assert (await agent.control("GetJobResult", asked)).state == "pending"
    following = asyncio.create_task(follow(functions, job_id))
    game.tell(job_id, 1, "error", message="no paper", reason="handler_failed")
    await following
    result = await agent.control("GetJobResult", asked)
    assert (result.state, result.payload, result.error) == ("failed", b"", "no paper")


async def test_a_local_job_can_be_canceled(agent, functions, game):
    job_id = (await functions.StartJob(request("mail"))).job_id
    assert (await functions.CancelJob(function_pb2.CancelJobRequest(job_id=job_id))).job_id == job_id
    await game.until(lambda: bool(game.job_cancels))
    game.tell(job_id, 1, "error", message="stopped", reason="canceled")
    assert (await follow(functions, job_id))[0][1] == "error"
    result = await agent.control("GetJobResult", local_pb2.GetJobResultRequest(job_id=job_id))
    assert result.state == "canceled"
    await functions.CancelJob(function_pb2.CancelJobRequest(job_id=job_id))


async def test_an_unknown_job_is_said_everywhere(agent, functions):
    assert (await code_of(follow(functions, "j9"))).details().startswith("unknown job j9")
    failure = await code_of(functions.CancelJob(function_pb2.CancelJobRequest(job_id="j9")))
    assert failure.code() is NOT_FOUND
    failure = await code_of(agent.control("GetJobResult", local_pb2.GetJobResultRequest(job_id="j9")))
    assert (failure.code(), "unknown job" in failure.details()) == (NOT_FOUND, True)


async def test_a_job_that_cannot_start_has_no_id(functions):
    assert (await code_of(functions.StartJob(request("no.such")))).code() is NOT_FOUND


async def test_a_local_caller_may_run_jobs_of_game_servers_that_listen(agent, functions):
    foreign = ForeignGame()
    await foreign.start()
    await agent.control("RegisterLocal", foreign.request("f.job"))
    job_id = (await functions.StartJob(request("f.job"))).job_id
    story = await follow(functions, job_id)
    assert [each[1] for each in story] == ["progress"] * 5 + ["done"]
    assert [each[0] for each in story] == [1, 2, 3, 4, 5, 6]
    await foreign.stop()


async def test_a_caller_that_leaves_while_its_job_starts_stops_it(functions, game):
    game.script = lambda frame: None
    starting = functions.StartJob(request("mail"), timeout=60)
    sending = asyncio.create_task(_outcome(starting))
    await game.until(lambda: bool(game.requests))
    job_id = game.requests[0].job_id
    starting.cancel()
    await game.until(lambda: any(each[0] == job_id for each in game.job_cancels))
    game.tell(job_id, 1)
    await game.until(lambda: (job_id, 1, True) in game.job_acks)
    await asyncio.wait([sending])


# ---------------------------------------------------------------------------------------------------- health


async def test_health_readiness_and_metrics_are_served(tmp_path):
    server = ScriptedServer()
    agent = await Agent(tmp_path, ("127.0.0.1:1",)).start()
    async with aiohttp.ClientSession(f"http://{agent.info.http}") as http:
        async with http.get("/healthz") as reply:
            assert (reply.status, await reply.json()) == (200, {"status": "ok"})
        async with http.get("/readyz") as reply:
            assert reply.status == 503
            assert await reply.json() == {
                "status": "not ready",
                "problems": ["no server of 127.0.0.1:1 is connected"],
            }
        async with http.head("/healthz") as reply:
            assert (reply.status, await reply.read()) == (200, b"")
        async with http.post("/healthz") as reply:
            assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        async with http.get("/secret") as reply:
            assert reply.status == 404
    await agent.stop()
    await server.start()
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    game = await AttachedGame(agent.info.grpc).attach()
    await server.sees("game-1")
    await server.invoke("echo")
    async with aiohttp.ClientSession(f"http://{agent.info.http}") as http:
        async with http.get("/readyz") as reply:
            assert reply.status == 200
        async with http.get("/metrics") as reply:
            text = await reply.text()
    assert 'croupier_agent_instances{state="healthy"} 1.0' in text
    assert 'croupier_agent_calls_total{outcome="ok"} 1.0' in text
    assert "croupier_agent_uplink_connected 1.0" in text
    await game.cut()
    await agent.stop()
    await server.stop()


async def test_grpc_health_is_served(agent):
    async with agent.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service="croupier.attach.v1.AttachService"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING

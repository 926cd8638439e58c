"""Game servers that listen, written with the generated stubs alone."""

import asyncio
import json
from pathlib import Path

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import Agent, AttachedGame, ForeignGame, ScriptedServer
from tests.planes.scripted_agent import eventually

from croupier.agent.foreign import ForeignChannel
from croupier.agent.foreign_jobs import STREAM_TRIES, ForeignJob
from croupier.errors import (
    DeadlineExceeded,
    FunctionRejected,
    HandlerFailed,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PayloadTooLarge,
    Unavailable,
)
from croupier.tunnel.frames import StartJob
from croupier_wire.agent.local.v1 import local_pb2
from croupier_wire.function.v1 import function_pb2

FUNCTIONS = (
    "f.echo",
    "f.metadata",
    "f.large",
    "f.slightly_large",
    "f.raise",
    "f.hang",
    "f.slow",
    "f.job",
    "f.missing",
)


@pytest.fixture
async def server():
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def agent(tmp_path, server):
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    yield agent
    await agent.stop()


@pytest.fixture
async def lone():
    """A game server that has not registered."""
    game = ForeignGame()
    await game.start()
    yield game
    await game.stop()


@pytest.fixture
async def game(agent, server, lone):
    await agent.control("RegisterLocal", lone.request(*FUNCTIONS))
    await server.sees("foreign-1")
    return lone


# ---------------------------------------------------------------------------------------------------- registering


async def test_it_registers_in_protobuf_and_is_called(game, server):
    assert server.services()["foreign-1"].addr == game.address
    answer = await server.invoke("f.echo", b"\x00\xff", idempotency_key="once")
    assert (answer.payload, answer.service_id) == (b"\x00\xff", "foreign-1")
    assert game.requests[0].idempotency_key == "once"


async def test_it_registers_in_json_and_is_called(agent, server, lone):
    body = {
        "service_id": "foreign-1",
        "version": "1.0",
        "rpc_addr": lone.address,
        "functions": [{"id": "f.echo", "version": "1.0"}],
        "unknown": 7,
    }
    async with agent.channel() as channel:
        register = channel.unary_unary("/croupier.agent.local.v1.LocalControlService/RegisterLocal")
        answer = json.loads(await register(json.dumps(body).encode()))
        heartbeat = channel.unary_unary("/croupier.agent.local.v1.LocalControlService/Heartbeat")
        assert await heartbeat(b'{"service_id":"foreign-1","session_id":""}') == b"{}"
    assert answer["session_id"]
    await server.sees("foreign-1")
    assert (await server.invoke("f.echo", b"x")).payload == b"x"


async def test_the_older_names_of_the_services_work_too(agent, server, lone):
    async with agent.channel() as channel:
        register = channel.unary_unary("/croupier.sdk.v1.ClientService/RegisterClient")
        await register(lone.request("f.echo").SerializeToString())
        invoke = channel.unary_unary("/croupier.sdk.v1.FunctionService/Invoke")
        answer = await invoke(function_pb2.InvokeRequest(function_id="f.echo", payload=b"x").SerializeToString())
        listed = channel.unary_unary("/croupier.sdk.v1.ClientService/ListClients")
        clients = local_pb2.ListLocalResponse.FromString(await listed(b""))
    assert function_pb2.InvokeResponse.FromString(answer).payload == b"x"
    assert [each.id for each in clients.functions] == ["f.echo"]


@pytest.mark.parametrize("form", [":{}", "0.0.0.0:{}", "[::]:{}"])
async def test_a_listen_string_is_completed_with_the_host_it_calls_from(agent, server, lone, form):
    port = lone.address.rpartition(":")[2]
    await agent.control("RegisterLocal", lone.request("f.echo", rpc_addr=form.format(port)))
    await server.sees("foreign-1")
    assert server.services()["foreign-1"].addr == f"127.0.0.1:{port}"
    assert (await server.invoke("f.echo", b"x")).payload == b"x"


@pytest.mark.parametrize(
    ("rpc_addr", "code"),
    [
        ("nowhere", grpc.StatusCode.INVALID_ARGUMENT),
        ("unix:/x", grpc.StatusCode.INVALID_ARGUMENT),
        ("10.0.0.1:20081", grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
async def test_an_address_that_cannot_be_dialled_is_refused(agent, lone, rpc_addr, code):
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await agent.control("RegisterLocal", lone.request("f.echo", rpc_addr=rpc_addr))
    assert failure.value.code() is code


async def test_a_second_registration_replaces_the_functions_of_the_first(agent, game, server):
    await agent.control("RegisterLocal", game.request("f.other"))
    await server.until(lambda: [ref.id for ref in server.services()["foreign-1"].functions] == ["f.other"])
    with pytest.raises(NotFound):
        await server.invoke("f.echo")


async def test_a_heartbeat_without_or_with_a_strange_session_is_accepted_and_of_an_unknown_service_not_found(
    agent, game
):
    for session_id in ("", "stale"):
        request = local_pb2.HeartbeatRequest(service_id="foreign-1", session_id=session_id)
        await agent.control("Heartbeat", request)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await agent.control("Heartbeat", local_pb2.HeartbeatRequest(service_id="foreign-9"))
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_list_shows_every_instance_of_every_function(agent, game):
    attached = await AttachedGame(agent.info.grpc, functions=("f.echo",)).attach()
    async with agent.functions() as functions:
        await functions.Invoke(function_pb2.InvokeRequest(function_id="f.echo"))
    listed = await agent.control("ListLocal", local_pb2.ListLocalRequest())
    found = {each.id: {instance.service_id: instance for instance in each.instances} for each in listed.functions}
    assert set(found) == set(FUNCTIONS)
    assert found["f.echo"]["foreign-1"].addr == game.address
    assert found["f.echo"]["foreign-1"].version == "1.0"
    assert found["f.echo"]["foreign-1"].last_seen.endswith("+00:00")
    assert found["f.echo"]["game-1"].addr == ""
    await attached.cut()


async def is_listed(agent, service_id):
    """What a game server says of itself comes after its session, and another caller may be faster."""
    answer = await agent.control("ListLocal", local_pb2.ListLocalRequest())
    return any(each.service_id == service_id for function in answer.functions for each in function.instances)


async def test_a_service_that_is_attached_does_not_register_by_address_too(agent, lone):
    attached = await AttachedGame(agent.info.grpc, "foreign-1").attach()
    await eventually(lambda: is_listed(agent, "foreign-1"))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await agent.control("RegisterLocal", lone.request("f.echo"))
    assert failure.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    await attached.cut()


# ---------------------------------------------------------------------------------------------------- calls


async def test_metadata_goes_along_as_it_is_with_the_contracts_keys_added(game, server):
    answer = await server.invoke(
        "f.metadata", metadata={"k": "v", "trace_id": "mine"}, traceparent="00-" + "a" * 32 + "-x"
    )
    assert json.loads(answer.payload) == {
        "k": "v",
        "trace_id": "mine",
        "game_id": "demo",
        "env": "dev",
        "traceparent": "00-" + "a" * 32 + "-x",
    }


@pytest.mark.parametrize(
    ("function_id", "error", "says"),
    [
        ("f.raise", HandlerFailed, "it broke"),
        ("f.missing", FunctionRejected, "no such function there"),
        ("f.large", HandlerFailed, "more than 10000000 bytes"),
        ("f.slightly_large", HandlerFailed, "answered 10500000 bytes; at most 10000000"),
    ],
)
async def test_what_goes_wrong_there_is_said(game, server, function_id, error, says):
    with pytest.raises(error, match=says):
        await server.invoke(function_id)
    assert (await server.invoke("f.echo", b"still there")).payload == b"still there"


async def test_a_payload_too_large_for_it_is_the_callers_fault(game, server):
    with pytest.raises(PayloadTooLarge, match="takes no payload of that size"):
        await server.invoke("f.echo", b"x" * 5_000_000)  # its gRPC takes 4 MB, as most do


async def test_one_that_hangs_is_timed_out_and_its_call_canceled(game, server):
    with pytest.raises(DeadlineExceeded, match="tunnel invoke timeout"):
        await server.invoke("f.hang", timeout=0.3)
    await asyncio.wait_for(game.canceled.wait(), 90)


async def test_a_caller_that_gives_up_cancels_the_call_there(game, server):
    calling = asyncio.create_task(server.invoke("f.hang"))
    await game.hanging.wait()
    calling.cancel()
    await asyncio.wait_for(game.canceled.wait(), 90)


async def test_garbage_is_named_so(agent, server):
    async def garbage(raw, context):
        return b"\xff\xff\xff\xff"

    class Garbage(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(garbage)

    answering = grpc.aio.server()
    answering.add_generic_rpc_handlers((Garbage(),))
    port = answering.add_insecure_port("127.0.0.1:0")
    await answering.start()
    await agent.control("RegisterLocal", ForeignGame("garbage").request("f.echo", rpc_addr=f":{port}"))
    await server.sees("garbage")
    with pytest.raises(HandlerFailed, match="game server garbage answered garbage"):
        await server.invoke("f.echo")
    await answering.stop(None)


async def test_a_port_that_speaks_something_else_is_unavailable(agent, server):
    async def shout(reader, writer):
        writer.write(b"SSH-2.0-nonsense\r\n")
        await reader.read(100)
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(shout, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    await agent.control("RegisterLocal", ForeignGame("ssh").request("f.echo", rpc_addr=f":{port}"))
    await server.sees("ssh", healthy=False)
    with pytest.raises(Unavailable, match="ssh is unhealthy"):
        await server.invoke("f.echo")
    listener.close()


async def test_a_dead_one_is_unavailable_until_it_is_back(game, server):
    await server.invoke("f.echo")
    await game.stop()
    await server.sees("foreign-1", healthy=False)
    with pytest.raises(Unavailable, match=r"no local handler for f\.echo is healthy"):
        await server.invoke("f.echo")
    await game.start(game.address)
    await server.sees("foreign-1")
    assert (await server.invoke("f.echo", b"back")).payload == b"back"


async def test_one_that_dies_with_a_call_under_way_leaves_its_outcome_unknown(game, server):
    calling = asyncio.create_task(server.invoke("f.hang"))
    await game.hanging.wait()
    await game.stop()
    with pytest.raises((OutcomeUnknown, HandlerFailed)):
        await calling
    await game.start(game.address)


async def test_calls_go_to_the_least_busy_of_several(agent, game, server):
    other = ForeignGame("foreign-2")
    await other.start()
    await agent.control("RegisterLocal", other.request("f.echo", "f.hang"))
    await server.sees("foreign-2")
    hanging = asyncio.create_task(
        server.invoke("f.hang", metadata={"route": "targeted", "target_service_id": "foreign-1"})
    )
    await game.hanging.wait()
    answers = [await server.invoke("f.echo") for _ in range(5)]
    assert {answer.service_id for answer in answers} == {"foreign-2"}
    hanging.cancel()
    await other.stop()


# ---------------------------------------------------------------------------------------------------- a restart


async def test_a_restarted_agent_knows_its_game_servers_and_asks_nobody_to_register_again(
    tmp_path, server, agent, game
):
    await agent.stop()
    again = await Agent(tmp_path, (server.address,)).start()
    await server.until(lambda: len(server.sessions) == 2)
    await server.sees("foreign-1")
    assert (await server.invoke("f.echo", b"x")).payload == b"x"
    request = local_pb2.HeartbeatRequest(service_id="foreign-1", session_id="")
    await again.control("Heartbeat", request)
    await again.stop()


async def test_after_a_restart_one_that_is_gone_is_known_and_unhealthy(tmp_path, server, agent, game):
    await agent.stop()
    await game.stop()
    server.registers.clear()
    again = await Agent(tmp_path, (server.address,)).start()
    await server.until(lambda: "foreign-1" in server.services())
    assert not server.services()["foreign-1"].healthy
    with pytest.raises(Unavailable):
        await server.invoke("f.echo")
    await game.start(game.address)
    await server.sees("foreign-1")
    await again.stop()


async def test_damaged_registrations_do_not_keep_the_agent_from_starting(tmp_path, caplog):
    (tmp_path / "registrations.json").write_bytes(b"{half")
    agent = await Agent(tmp_path, ("127.0.0.1:1",)).start()
    listed = await agent.control("ListLocal", local_pb2.ListLocalRequest())
    assert not listed.functions
    assert "cannot be understood" in caplog.text
    await agent.stop()


async def test_a_registration_is_on_disk_when_it_is_acknowledged(tmp_path, agent, game):
    assert b"foreign-1" in await asyncio.to_thread(Path(tmp_path / "registrations.json").read_bytes)


# ---------------------------------------------------------------------------------------------------- jobs


async def test_a_job_there_is_told_under_the_servers_name_with_numbers(game, server):
    started = await server.start_job("f.job", "job-1")
    assert (started.job_id, started.service_id) == ("job-1", "foreign-1")
    last = await server.ended("job-1")
    assert (last.type, last.payload) == ("done", b'{"steps": 5}')
    assert [(each.seq, each.progress) for each in server.story("job-1")] == [
        (1, 20),
        (2, 40),
        (3, 60),
        (4, 80),
        (5, 100),
        (6, 0),
    ]


@pytest.mark.parametrize("function_id", ["f.echo", "f.slow"])
async def test_where_it_knows_no_jobs_its_invoke_becomes_one(game, server, function_id):
    game.release.set()
    await server.start_job(function_id, "job-1", b"result")
    last = await server.ended("job-1")
    assert (last.type, last.payload) == ("done", b"result")
    assert [(each.type, each.progress) for each in server.story("job-1")] == [("progress", 0), ("done", 100)]


async def test_a_job_that_is_an_invoke_can_be_canceled(game, server):
    await server.start_job("f.slow", "job-1")
    await game.hanging.wait()
    server.cancel_job("job-1", "enough")
    last = await server.ended("job-1")
    assert (last.type, last.reason) == ("error", "canceled")
    await asyncio.wait_for(game.canceled.wait(), 90)


async def test_a_job_that_fails_as_an_invoke_fails(game, server):
    game.job_id = ""
    await server.start_job("f.raise", "job-1")
    last = await server.ended("job-1")
    assert (last.type, last.reason) == ("error", "handler_failed")
    assert "it broke" in last.message


async def test_a_cancellation_is_passed_on_and_told_as_what_really_happened(game, server):
    game.hanging.set()
    await server.start_job("f.job", "job-1")
    await server.until(lambda: len(server.story("job-1")) == 5)
    server.cancel_job("job-1", "enough")
    last = await server.ended("job-1")
    assert (last.reason, last.message) == ("canceled", "stopped on request")
    assert game.canceled_jobs == ["their-job"]


async def test_a_game_server_that_cannot_cancel_is_reported_and_the_job_goes_on(game, server):
    game.refuses_cancel = True
    game.hanging.set()
    await server.start_job("f.job", "job-1")
    await server.until(lambda: len(server.story("job-1")) == 5)
    server.cancel_job("job-1", "enough")
    await server.until(lambda: len(server.story("job-1")) == 6)
    assert "did not take the request to cancel: jobs cannot be canceled here" in server.story("job-1")[5].message
    game.release.set()
    assert (await server.ended("job-1")).type == "done"


async def test_a_stream_that_breaks_is_opened_again_without_gap_or_duplicate(game, server):
    game.break_after = 4
    await server.start_job("f.job", "job-1")
    await server.ended("job-1")
    assert game.streams == 2
    assert [each.message for each in server.story("job-1")] == [*(f"step {number}" for number in range(1, 6)), ""]


async def test_a_job_of_a_game_server_that_stays_away_is_lost(lone):
    told = []
    channel = ForeignChannel(lone.address, "game server foreign-1")
    frame = StartJob(request_id="r", function_id="f.job", payload=b"", job_id="job-1")
    job = ForeignJob(channel, frame, {}, lambda event, _: told.append(event), pause=0.001)
    lone.job_id = "j"
    await lone.stop()
    await job.run("j")
    assert [(each.seq, each.type, each.reason) for each in told] == [(1, "error", "lost")]
    assert "foreign-1 cannot be reached" in told[0].message
    assert STREAM_TRIES == 5
    await channel.close()
    await lone.start()


async def test_a_job_nobody_acknowledges_is_read_no_further_than_the_window(lone):
    class Endless(ForeignGame):
        sent = 0

        async def StreamJob(self, request, context):
            while True:
                self.sent += 1
                yield function_pb2.JobEvent(type="log", message="x" * 10_000)

    game = Endless()
    await game.start()
    told = []
    full = asyncio.Event()

    def tell(event, _):
        told.append(event)
        if len(told) == 256:
            full.set()

    channel = ForeignChannel(game.address, "game server foreign-1")
    job = ForeignJob(channel, StartJob(request_id="r", function_id="f", payload=b"", job_id="j"), {}, tell)
    running = asyncio.create_task(job.run("j"))
    await full.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(told) == 256
    full.clear()
    job.acknowledge(10)
    async with asyncio.timeout(90):
        while len(told) < 266:  # noqa: ASYNC110 — each turn of the loop lets the job go on
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    await channel.close()
    await game.stop()


async def test_a_job_has_the_time_it_was_given(game, server):
    game.hanging.set()
    await server.start_job("f.job", "job-1", deadline_ms=300)
    last = await server.ended("job-1")
    assert last.reason == "deadline_exceeded"
    async with asyncio.timeout(90):
        await game.release.wait()
    assert game.canceled_jobs == ["their-job"]


async def test_a_malformed_registration_says_what_is_wrong(agent, lone):
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await agent.control("RegisterLocal", lone.request(""))
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "a function's id is missing" in failure.value.details()
    assert dict(failure.value.trailing_metadata())["croupier-reason"] == InvalidArgument.reason

import asyncio

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import Agent, AttachedGame, ScriptedServer

from croupier.agent.app import run
from croupier.domain.identifiers import new_id
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import (
    Conflict,
    DeadlineExceeded,
    FailedPrecondition,
    HandlerFailed,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    Unavailable,
)
from croupier.rpc.service import RpcServer
from croupier.tunnel.frames import CallResult, JobQuery, ListLocal
from croupier_wire.function.v1 import function_pb2


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
async def game(agent, server):
    game = AttachedGame(agent.info.grpc)
    await game.attach()
    await server.sees("game-1")
    yield game
    await game.cut()


async def test_the_server_hears_of_every_game_server_that_comes_and_changes(game, server):
    assert [ref.id for ref in server.services()["game-1"].functions] == ["echo"]
    game.register("echo", "player.ban", manifest=b'[{"id":"player.ban"}]')
    await server.until(lambda: len(server.services()["game-1"].functions) == 2)
    assert server.services()["game-1"].manifest_json == b'[{"id":"player.ban"}]'


async def test_changes_that_come_together_share_a_registration(agent, server):
    before = len(server.registers)
    games = [AttachedGame(agent.info.grpc, f"game-{number}") for number in range(20)]
    await asyncio.gather(*(game.attach() for game in games))
    await server.until(lambda: len(server.services()) == 20)
    assert len(server.registers) - before < 20
    for game in games:
        await game.cut()


async def test_a_call_goes_to_the_game_server_and_back(game, server):
    answer = await server.invoke(
        "echo", b"\x00\xff", request_id="r-1", metadata={"k": "v"}, traceparent="00-a-b-01", idempotency_key="once"
    )
    assert (answer.request_id, answer.payload, answer.service_id) == ("r-1", b"\x00\xff", "game-1")
    (frame,) = game.requests
    assert (frame.request_id, frame.idempotency_key, frame.traceparent) == ("r-1", "once", "00-a-b-01")
    assert frame.metadata == {"k": "v"}


async def test_a_thousand_calls_at_once_each_get_their_own_answer(game, server):
    payloads = [str(number).encode() for number in range(1_000)]
    answers = await asyncio.gather(*(server.invoke("echo", payload) for payload in payloads))
    assert [answer.payload for answer in answers] == payloads


async def test_a_failure_keeps_its_reason_and_words(game, server):
    game.script = lambda frame: CallResult(request_id=frame.request_id, error=HandlerFailed("ValueError: no"))
    with pytest.raises(HandlerFailed, match="ValueError: no"):
        await server.invoke("echo")


async def test_an_unknown_function_is_not_found(game, server):
    with pytest.raises(NotFound, match=r"no local handler for no\.such"):
        await server.invoke("no.such")


async def test_a_call_for_another_game_is_refused_and_reaches_nobody(game, server):
    with pytest.raises(PermissionDenied):
        await server.invoke("echo", game_id="other", env="dev")
    with pytest.raises(PermissionDenied):
        await server.invoke("echo", metadata={"env": "prod"})
    assert game.requests == []


async def test_a_call_that_is_given_up_is_aborted_at_the_game_server(game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo", request_id="r-1"))
    await game.until(lambda: bool(game.requests))
    calling.cancel()
    await game.until(lambda: bool(game.aborts))
    assert game.aborts == [("r-1", "the caller gave up")]


async def test_a_game_server_that_hangs_is_timed_out_and_told(game, server):
    game.script = lambda frame: None
    with pytest.raises(DeadlineExceeded, match="tunnel invoke timeout"):
        await server.invoke("echo", timeout=0.2)
    await game.until(lambda: bool(game.aborts))


async def test_a_game_server_that_hangs_does_not_stall_another(agent, game, server):
    game.script = lambda frame: None
    other = await AttachedGame(agent.info.grpc, "game-2").attach()
    await server.sees("game-2")
    hanging = asyncio.create_task(server.invoke("echo", metadata=_to("game-1")))
    await game.until(lambda: bool(game.requests))
    assert (await server.invoke("echo", b"x", metadata=_to("game-2"))).payload == b"x"
    assert (await server.invoke("echo", b"y")).service_id == "game-2"  # game-1 has a call under way
    hanging.cancel()
    await other.cut()


def _to(service_id):
    return {"route": "targeted", "target_service_id": service_id}


async def test_an_answer_of_eleven_megabytes_is_the_game_servers_failure_and_the_tunnel_lives(game, server):
    game.script = lambda frame: CallResult(request_id=frame.request_id, payload=b"x" * (PAYLOAD_BYTES + 400_000))
    with pytest.raises(HandlerFailed, match="answered 10400000 bytes; at most 10000000"):
        await server.invoke("echo")
    game.script = lambda frame: CallResult(request_id=frame.request_id, payload=frame.payload)
    payload = b"x" * PAYLOAD_BYTES
    assert (await server.invoke("echo", payload)).payload == payload
    assert len(server.streams) == 1


async def test_a_broken_stream_is_resumed_and_the_call_in_flight_is_answered(game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo", b"x", timeout=10.0))
    await game.until(lambda: bool(game.requests))
    await server.cut()
    game.answer(CallResult(request_id=game.requests[0].request_id, payload=b"late"))
    assert (await calling).payload == b"late"
    assert len(server.sessions) == 1


async def test_a_server_that_is_started_anew_gets_the_agent_back(tmp_path, server, agent, game):
    await server.stop()
    again = ScriptedServer()
    await again.start(server.address)
    await again.sees("game-1")
    assert (await again.invoke("echo", b"x")).payload == b"x"
    await again.stop()


async def test_a_new_session_aborts_the_calls_of_the_old_one(game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo", request_id="r-1"))
    await game.until(lambda: bool(game.requests))
    server.peer.close("forgotten")
    with pytest.raises(OutcomeUnknown):
        await calling
    await game.until(lambda: bool(game.aborts))
    assert game.aborts[0][0] == "r-1"


async def test_the_next_server_is_tried_when_the_first_does_not_answer(tmp_path, server):
    agent = await Agent(tmp_path, ("127.0.0.1:1", server.address)).start()
    await server.connected()
    await agent.stop()


async def test_the_log_says_once_why_a_server_refuses_the_agent(tmp_path, caplog):
    tries = asyncio.Queue()

    async def refuse(stream, context):
        await tries.put(await stream.read())
        raise Conflict("agent id agent-1 is in use")

    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": refuse}})
    await rpc.start("127.0.0.1:0")
    agent = await Agent(tmp_path, (rpc.address,)).start()
    for _ in range(3):
        await tries.get()
    await agent.stop()
    await rpc.stop(0)
    said = [record for record in caplog.records if "agent id agent-1 is in use" in record.getMessage()]
    assert [record.levelname for record in said] == ["WARNING"]


async def test_the_log_says_once_of_each_server_why_it_refuses_the_agent(tmp_path, caplog):
    tries = asyncio.Queue()

    def refusing(why):
        async def refuse(stream, context):
            await tries.put(await stream.read())
            raise Conflict(why)

        return RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": refuse}})

    servers = [refusing("agent id agent-1 is in use"), refusing("agents are not wanted here")]
    for rpc in servers:
        await rpc.start("127.0.0.1:0")
    agent = await Agent(tmp_path, tuple(rpc.address for rpc in servers)).start()
    for _ in range(5):
        await tries.get()
    await agent.stop()
    for rpc in servers:
        await rpc.stop(0)
    said = [record.getMessage() for record in caplog.records if "cannot be used" in record.getMessage()]
    assert [any(rpc.address in each for each in said) for rpc in servers] == [True, True]
    assert len(said) == 2


async def test_a_server_on_another_machine_is_refused_with_the_reason(tmp_path):
    settings = Agent(tmp_path, ("127.0.0.1:1",)).settings.model_copy(update={"servers": ("10.0.0.1:8443",)})
    with pytest.raises(FailedPrecondition, match="plain text"):
        await run(settings)


async def test_an_address_in_use_is_said(tmp_path, agent):
    with pytest.raises(OSError, match="cannot listen on"):
        await Agent(tmp_path / "b", ("127.0.0.1:1",), grpc_address=agent.info.grpc).start()


async def test_the_server_may_ask_which_game_servers_offer_a_function(game, server):
    answer = await server.peer.request(ListLocal("q-1", "echo"), 5.0)
    assert answer.service_ids == ("game-1",)
    answer = await server.peer.request(ListLocal("q-2", ""), 5.0)
    assert answer.service_ids == ("game-1",)
    answer = await server.peer.request(ListLocal("q-3", "no.such"), 5.0)
    assert isinstance(answer.error, NotFound)


async def test_the_server_may_ask_for_a_job_and_game_servers_are_asked_where_the_agent_does_not_know(game, server):
    await server.start_job("echo", "job-1")
    assert (await server.peer.request(JobQuery("q-1", "job-1"), 5.0)).state == "running"
    game.known_jobs["job-old"] = "running"
    assert (await server.peer.request(JobQuery("q-2", "job-old"), 5.0)).state == "running"
    answer = await server.peer.request(JobQuery("q-3", "job-none"), 5.0)
    assert (answer.state, answer.error) == ("", "unknown job job-none")


async def test_a_stop_tells_the_server_lets_calls_end_and_refuses_new_ones(tmp_path, server):
    agent = await Agent(tmp_path, (server.address,)).start()
    await server.connected()
    game = await AttachedGame(agent.info.grpc, script=lambda frame: None).attach()
    await server.sees("game-1")
    calling = asyncio.create_task(server.invoke("echo"))
    await game.until(lambda: bool(game.requests))
    stopping = asyncio.create_task(agent.stop())
    await server.until(lambda: bool(server.drains))
    with pytest.raises(Unavailable, match="stopping"):
        await server.invoke("echo", request_id=new_id("c"))
    async with agent.functions() as functions:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await functions.Invoke(function_pb2.InvokeRequest(function_id="echo"))
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    game.answer(CallResult(request_id=game.requests[0].request_id, payload=b"the last"))
    assert (await calling).payload == b"the last"
    await stopping
    await game.cut()

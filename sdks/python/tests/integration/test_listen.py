import asyncio
import json

import grpc
import grpc.aio
import pytest
from tests.wires import Wire

from croupier_sdk import CallError, InvokeOptions, Invoker, JobContext, Provider, Rejected, current_call
from croupier_sdk.testing import FakeAgent
from croupier_wire.function.v1 import function_pb2


@pytest.fixture
async def agent():
    async with FakeAgent() as agent:
        yield agent


@pytest.fixture
async def game(agent):
    game = Provider(
        agent=agent.address, service_id="game-1", game_id="demo", env="dev", mode="listen", heartbeat_interval=0.05
    )
    game.release = asyncio.Event()
    game.ended = asyncio.Event()

    @game.function("player.ban", risk="high")
    def ban(player_id: str) -> dict:
        """Ban a player."""
        if player_id == "gone":
            raise Rejected("no such player")
        return {"banned": player_id}

    @game.function("metadata")
    async def metadata() -> dict:
        call = current_call()
        return {**call.metadata, "key": call.idempotency_key, "deadline": call.deadline is not None}

    @game.function("hang")
    async def hang() -> None:
        game.release.set()
        try:
            await asyncio.Event().wait()
        finally:
            game.ended.set()

    @game.job("count")
    async def count(job: JobContext, to: int) -> int:
        for n in range(to):
            await job.log(str(n))
            await asyncio.sleep(0)
        return to

    async with game:
        await agent.wait_registered("count")
        yield game


@pytest.fixture
def address(agent, game):
    return agent._listening["game-1"].address


@pytest.fixture
async def invoker(address):
    async with Invoker(address, game_id="demo", env="dev", token="t") as invoker:
        yield invoker


async def test_a_listening_game_registers_its_address_and_is_called(agent, game):
    assert agent.registered["game-1"]["player.ban"]["summary"] == {"en": "Ban a player."}
    assert await agent.invoke("player.ban", {"player_id": "p1"}) == {"banned": "p1"}
    job = await agent.start_job("count", {"to": 20})
    assert await job.result() == 20
    assert len(job.seen) == 21


async def test_an_agent_that_forgot_a_listening_game_is_told_again(agent, game):
    await agent.restart()
    await agent.wait_registered("player.ban")
    del agent._listening["game-1"]
    await agent.wait_registered("player.ban")
    assert await agent.invoke("player.ban", {"player_id": "p1"}) == {"banned": "p1"}


async def test_a_function_added_while_listening_is_registered_too(agent, game):
    @game.function("late")
    def late() -> int:
        return 1

    await agent.wait_registered("late")
    assert await agent.invoke("late") == 1


async def test_the_options_of_a_call_reach_the_handler(invoker):
    options = InvokeOptions(
        idempotency_key="k",
        route="hash",
        hash_key="h",
        target_service_id="s",
        version="2",
        trace_id="t",
        metadata={"x": "y"},
        timeout=5,
    )
    assert await invoker.invoke("metadata", options=options) == {
        "game_id": "demo",
        "env": "dev",
        "route": "hash",
        "hash_key": "h",
        "target_service_id": "s",
        "version": "2",
        "trace_id": "t",
        "x": "y",
        "key": "k",
        "deadline": True,
    }


async def test_failures_come_with_code_and_reason(invoker, fails):
    for function_id, payload, code, reason, words in (
        ("player.ban", {"player_id": "gone"}, 10, "function_rejected", "no such player"),
        ("player.ban", {"player_id": 1}, 3, "invalid_argument", "argument 'player_id'"),
        ("player.ban", b"{", 3, "invalid_argument", "not JSON"),
        ("none", {}, 5, "not_found", "no local handler for none"),
        ("count", {"to": 1}, 9, "failed_precondition", "is a job"),
    ):
        error = await fails(invoker.invoke(function_id, payload))
        assert (error.code, error.reason) == (code, reason)
        assert words in error.message
    assert (await fails(invoker.start_job("none"))).code == 5
    assert (await fails(invoker.cancel_job("none"))).message == "unknown job none"
    assert (await fails(invoker.invoke("player.ban", object()))).reason == "invalid_argument"


async def test_a_call_for_another_scope_is_never_run(address, fails):
    async with Invoker(address, game_id="demo", env="prod") as invoker:
        assert (await fails(invoker.invoke("player.ban", {"player_id": "p"}))).reason == "permission_denied"
        assert (await fails(invoker.start_job("count", {"to": 1}))).reason == "permission_denied"


async def test_the_deadline_reaches_the_handler(invoker, game, fails):
    error = await fails(invoker.invoke("hang", options=InvokeOptions(timeout=0.1)))
    assert (error.code, error.reason) == (4, "deadline_exceeded")
    await game.ended.wait()


async def test_a_caller_that_goes_away_cancels_the_handler(invoker, game):
    call = asyncio.create_task(invoker.invoke("hang"))
    await game.release.wait()
    call.cancel()
    await game.ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_job_is_followed_from_any_event(invoker):
    job_id = await invoker.start_job("count", {"to": 5})
    story = [event async for event in invoker.stream_job(job_id)]
    assert [(event.seq, event.type) for event in story] == [(n, "log") for n in range(1, 6)] + [(6, "done")]
    assert story[-1].result == 5
    assert [event.seq async for event in invoker.stream_job(job_id, after=4)] == [5, 6]


async def test_a_follower_that_is_cut_resumes_without_gap_or_duplicate(address):
    async with Wire(address) as relay, Invoker(relay.address, game_id="demo", env="dev") as invoker:
        job_id = await invoker.start_job("count", {"to": 3_000})
        seen = []
        async for event in invoker.stream_job(job_id):
            seen.append(event.seq)
            if event.seq in {10, 1_500}:
                relay.cut()
        assert seen == list(range(1, 3_002))
        assert relay.connections >= 3


async def test_a_follower_gives_up_after_five_failures(address, fails):
    async with Wire(address) as relay, Invoker(relay.address, game_id="demo", env="dev") as invoker:
        job_id = await invoker.start_job("count", {"to": 1})
        await relay.close()
        error = await fails(anext(invoker.stream_job(job_id)))
        assert (error.code, error.reason) == (14, "unavailable")


async def test_a_job_is_cancelled_over_function_service(invoker, game):
    job_id = await invoker.start_job("hang")
    await game.release.wait()
    await invoker.cancel_job(job_id)
    story = [event async for event in invoker.stream_job(job_id)]
    assert [(event.type, event.message) for event in story] == [("error", "the job was cancelled")]


@pytest.mark.parametrize("service", ["croupier.function.v1.FunctionService", "croupier.sdk.v1.FunctionService"])
async def test_json_is_answered_in_json_under_both_names(address, service):
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/{service}/Invoke")
        answer = await call(b'{"function_id":"player.ban","payload":"eyJwbGF5ZXJfaWQiOiJwMSJ9"}')
        assert json.loads(answer) == {"payload": "eyJiYW5uZWQiOiJwMSJ9"}
        start = await channel.unary_unary(f"/{service}/StartJob")(b'{"function_id":"count","payload":"eyJ0byI6MX0="}')
        stream = channel.unary_stream(f"/{service}/StreamJob")(
            b'{"job_id":"%s"}' % json.loads(start)["job_id"].encode()
        )
        assert [json.loads(event)["type"] async for event in stream] == ["log", "done"]


async def test_garbage_is_an_error_and_not_an_answer(address):
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary("/croupier.function.v1.FunctionService/Invoke")
        for garbage in (b"{", b"\xff\xff", b'{"payload":"?"}'):
            with pytest.raises(grpc.aio.AioRpcError):
                await call(garbage)


async def test_health_tells_serving_and_draining(address, game):
    async with grpc.aio.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert await check(b"") == b"\x08\x01"
        assert json.loads(await check(b"{}")) == {"status": 1}
        game._running.link.drain("test")
        assert await check(b"") == b"\x08\x02"


async def test_a_port_that_is_taken_is_said_by_serve_and_ready(agent, game, address):
    second = Provider(
        agent=agent.address, service_id="game-2", game_id="demo", env="dev", mode="listen", listen=address
    )
    with pytest.raises(OSError, match=f"cannot listen on {address}"):
        await second.serve()
    with pytest.raises(OSError, match="cannot listen"):
        async with second:
            await second.ready()


async def test_stopping_ends_the_listener(game, address, fails):
    await game.stop()
    async with Invoker(address, game_id="demo", env="dev") as invoker:
        assert (await fails(invoker.invoke("player.ban", {"player_id": "p"}))).reason == "unavailable"


async def test_no_reason_from_the_peer_leaves_the_codes_meaning(address):
    error = CallError(5, "", "x")
    assert str(error) == "code 5: x"
    assert function_pb2.JobEvent().seq == 0


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_call_made_in_a_handler_belongs_to_the_trace_of_the_call_it_runs_for(game, address, invoker):
    @game.function("relay")
    async def relay() -> dict:
        async with Invoker(address, game_id="demo", env="dev") as inner:
            return await inner.invoke("metadata")

    options = InvokeOptions(traceparent=PARENT, tracestate="vendor=1")
    passed_on = await invoker.invoke("relay", options=options)
    assert (passed_on["traceparent"], passed_on["tracestate"]) == (PARENT, "vendor=1")
    assert "traceparent" not in await invoker.invoke("metadata")


async def test_a_handler_knows_its_trace(game, invoker):
    @game.function("trace")
    async def trace() -> list[str]:
        call = current_call()
        return [call.trace_id, call.traceparent, call.tracestate]

    options = InvokeOptions(traceparent=PARENT, tracestate="vendor=1")
    assert await invoker.invoke("trace", options=options) == [PARENT[3:35], PARENT, "vendor=1"]
    assert await invoker.invoke("trace", options=InvokeOptions(trace_id="mine")) == ["mine", "", ""]

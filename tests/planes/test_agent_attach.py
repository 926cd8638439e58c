import asyncio

import grpc
import grpc.aio
import pytest
from tests.planes.agent_testbed import Agent, AttachedGame, ScriptedServer

from croupier.errors import OutcomeUnknown, Unavailable
from croupier.tunnel.codec import encode
from croupier.tunnel.frames import CallResult, Heartbeat, Hello
from croupier.tunnel.grpc import ATTACH, open_stream


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
    game = await AttachedGame(agent.info.grpc).attach()
    await server.sees("game-1")
    yield game
    await game.cut()


@pytest.mark.parametrize("scope", [{"game_id": "other"}, {"env": "prod"}])
async def test_a_game_server_of_another_game_or_env_is_refused(agent, scope):
    game = AttachedGame(agent.info.grpc, **scope)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await game.attach()
    assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "this agent serves" in failure.value.details()
    await game.cut()


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (encode(Heartbeat()), "bad hello"),
        (b"\xff\xff", "bad frame"),
        (encode(Hello(agent_id="", game_id="demo", env="dev", capabilities=("session",))), "bad hello"),
        (encode(Hello(agent_id="x" * 300, game_id="demo", env="dev", capabilities=("session",))), "bad hello"),
        (encode(Hello(agent_id="plain", game_id="demo", env="dev")), "register by address"),
    ],
)
async def test_what_is_no_proper_hello_ends_the_stream(agent, first, says):
    async with agent.channel() as channel:
        call = open_stream(channel, ATTACH)
        await call.write(first)
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert says in await call.details()


async def test_an_attachment_registers_exactly_its_own_service(game, server):
    game.register("echo", service_id="somebody-else")
    code, details = await game.refused()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "exactly one service" in details
    await server.misses("game-1")


async def test_too_many_functions_are_refused_with_the_limit(game, server):
    game.register(*(f"f{number}" for number in range(10_001)))
    code, details = await game.refused()
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "10000 functions" in details


async def test_a_broken_stream_is_resumed_and_nothing_is_lost(game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo", timeout=10.0))
    await game.until(lambda: bool(game.requests))
    await game.cut()
    waiting = asyncio.create_task(server.invoke("echo", timeout=10.0))
    await game.attach()
    assert game.opened[-1].resumed
    await game.until(lambda: len(game.requests) == 2)
    for frame in game.requests:
        game.answer(CallResult(request_id=frame.request_id, payload=frame.request_id.encode()))
    for answer in await asyncio.gather(calling, waiting):
        assert answer.payload == answer.request_id.encode()


async def test_a_game_server_whose_stream_is_broken_is_not_healthy_meanwhile(game, server):
    await game.cut()
    await server.sees("game-1", healthy=False)
    await game.attach()
    await server.sees("game-1")


async def test_a_dead_game_server_ends_its_calls_once_it_cannot_resume(agent, game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo", timeout=30.0))
    await game.until(lambda: bool(game.requests))
    await game.cut()
    await server.sees("game-1", healthy=False)
    unsent = asyncio.create_task(server.invoke("echo", timeout=30.0))
    with pytest.raises(OutcomeUnknown, match="check whether it took effect"):
        await calling
    with pytest.raises(Unavailable, match="may be repeated"):
        await unsent
    await server.misses("game-1")


async def test_a_restarted_game_server_takes_the_place_of_the_one_that_died(agent, game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo"))
    await game.until(lambda: bool(game.requests))
    await game.cut()
    await server.sees("game-1", healthy=False)
    again = await AttachedGame(agent.info.grpc, functions=("echo", "new")).attach()
    with pytest.raises(OutcomeUnknown):
        await calling
    await server.until(lambda: len(server.services()["game-1"].functions) == 2)
    assert (await server.invoke("new", b"x")).payload == b"x"
    await again.cut()


async def test_of_two_live_game_servers_with_one_id_the_second_waits_until_the_first_is_gone(agent, game, server):
    """They would throw each other out for ever, and no call would know whom it met."""
    second = AttachedGame(agent.info.grpc, functions=("echo", "new"))
    with pytest.raises(
        grpc.aio.AioRpcError, match="game-1 is in use: another process with it is attached and alive"
    ) as refused:
        await second.attach()
    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert (await server.invoke("echo", b"x")).payload == b"x"
    assert len(game.requests) == 1
    await game.cut()
    await server.sees("game-1", healthy=False)
    again = await AttachedGame(agent.info.grpc, functions=("echo", "new")).attach()
    await server.until(lambda: len(server.services()["game-1"].functions) == 2)
    assert (await server.invoke("new", b"x")).payload == b"x"
    await again.cut()


async def test_a_draining_game_server_ends_what_it_has_and_gets_nothing_new(agent, game, server):
    game.script = lambda frame: None
    calling = asyncio.create_task(server.invoke("echo"))
    await game.until(lambda: bool(game.requests))
    game.drain()
    await server.sees("game-1", healthy=False)
    with pytest.raises(Unavailable, match="game-1 is draining"):
        await server.invoke("echo")
    game.answer(CallResult(request_id=game.requests[0].request_id, payload=b"x"))
    assert (await calling).payload == b"x"

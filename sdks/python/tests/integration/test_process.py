import asyncio
import signal
import sys
import textwrap
from contextlib import AsyncExitStack

import pytest
from tests import programs
from tests.wires import Wire

from croupier_sdk import CallError, Provider, RawPayload
from croupier_sdk.testing import FakeAgent

GAME = textwrap.dedent(
    """
    import sys, threading
    from croupier_sdk import Provider

    game = Provider(agent=sys.argv[1], service_id="game-1", game_id="demo", env="dev")

    @game.function("add")
    def add(a: int, b: int) -> int:
        return a + b

    @game.function("stuck")
    def stuck() -> None:
        print("stuck", flush=True)
        threading.Event().wait()

    game.run()
    """
)


@pytest.fixture
async def agent():
    async with FakeAgent() as agent:
        yield agent


@pytest.fixture
async def start(agent, tmp_path):
    script = tmp_path / "game.py"
    script.write_text(GAME)
    async with AsyncExitStack() as ending:

        async def start():
            process = await ending.enter_async_context(programs.running(sys.executable, str(script), agent.address))
            await agent.wait_registered("stuck")
            return process

        yield start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_game_cleanly(agent, start, number):
    process = await start()
    assert await agent.invoke("add", {"a": 1, "b": 2}) == 3
    process.send_signal(number)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_a_second_signal_does_not_wait_for_a_stuck_handler(agent, start):
    process = await start()
    call = asyncio.create_task(agent.invoke("stuck", timeout=None))
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    await agent.wait_draining("game-1")
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call  # it ended without an answer, as a second signal asks for


async def test_a_killed_game_comes_back_as_a_new_one(agent, start):
    process = await start()
    call = asyncio.create_task(agent.invoke("stuck", timeout=30))
    await process.stdout.readline()
    process.kill()
    await process.wait()
    await start()
    with pytest.raises(CallError) as caught:
        await call
    assert caught.value.reason == "outcome_unknown"
    assert await agent.invoke("add", {"a": 1, "b": 2}) == 3


async def test_a_cut_connection_is_resumed_with_every_answer(agent):
    async with Wire(agent.address) as relay:
        game = Provider(agent=relay.address, service_id="game-1", game_id="demo", env="dev")
        runs = []

        @game.function("echo")
        async def echo(payload: RawPayload) -> bytes:
            runs.append(payload)
            return payload

        async with game:
            await agent.wait_registered("echo")
            calls = [asyncio.create_task(agent.invoke_raw("echo", b"%d" % n, timeout=20)) for n in range(500)]
            await calls[0]
            relay.cut()
            assert await asyncio.gather(*calls) == [b"%d" % n for n in range(500)]
        assert len(runs) == 500

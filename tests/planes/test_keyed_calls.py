"""A call with an idempotency key happens once, whatever becomes of the connection between agent and game server."""

import asyncio
import json
import random
from collections import Counter

import pytest
from tests.planes.agent_testbed import Agent, ScriptedServer
from tests.wires import Wire

from croupier.errors import CroupierError, NotFound, OutcomeUnknown, Unavailable
from croupier_sdk import CallContext, Provider

WINDOW = 0.2
"""Seconds in which a session may be resumed here: a cut that lasts longer loses it."""


class Ledger:
    """What really happened in the game."""

    def __init__(self):
        self.begun = Counter()
        self.done = Counter()
        self.at_work = asyncio.Event()


def provider(address, ledger):
    game = Provider(agent=address, service_id="game-1", game_id="demo", env="dev", grace=0.1)

    @game.function("pay")
    async def pay(key: str, call: CallContext, seconds: float = 0.0) -> str:
        ledger.begun[key] += 1
        ledger.at_work.set()
        await asyncio.sleep(seconds)
        ledger.done[key] += 1
        return f"paid {call.idempotency_key}"

    return game


@pytest.fixture
async def server():
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
async def wire(tmp_path, server, ledger):
    agent = await Agent(tmp_path, (server.address,), resume_window=WINDOW).start()
    await server.connected()
    async with Wire(agent.info.grpc) as wire, provider(wire.address, ledger):
        await server.sees("game-1")
        yield wire
    await agent.stop()


def pay(server, key, *, seconds=0.0, keyed=True, timeout=30.0):
    payload = json.dumps({"key": key, "seconds": seconds}).encode()
    return server.invoke("pay", payload, idempotency_key=key if keyed else "", timeout=timeout)


async def lost(wire, server):
    """The connection is gone for so long that the session is, too."""
    wire.part()
    await server.misses("game-1")
    wire.mend()


async def test_a_keyed_call_under_way_when_the_session_is_lost_is_answered_and_happens_once(wire, server, ledger):
    calling = asyncio.create_task(pay(server, "k1", seconds=0.5))
    await ledger.at_work.wait()
    await lost(wire, server)
    assert (await calling).payload == b'"paid k1"'
    assert (ledger.begun["k1"], ledger.done["k1"]) == (1, 1)


async def test_an_unkeyed_call_is_never_sent_again_and_its_handler_is_cancelled(wire, server, ledger):
    calling = asyncio.create_task(pay(server, "k1", seconds=60, keyed=False))
    await ledger.at_work.wait()
    await lost(wire, server)
    with pytest.raises(OutcomeUnknown):
        await calling
    await server.sees("game-1")
    await pay(server, "k2")
    assert (ledger.begun["k1"], ledger.done["k1"]) == (1, 0)


async def test_keyed_calls_happen_once_and_unkeyed_ones_at_most_once_while_the_connection_is_cut_again_and_again(
    wire, server, ledger
):
    chance = random.Random(7)

    async def one(number):
        """As a careful caller does: what was certainly not sent is tried again, nothing else."""
        await asyncio.sleep(chance.random() * 3)
        key, keyed = f"k{number}", number % 4 > 0
        seconds = chance.random() * 0.3
        while True:
            await server.sees("game-1")
            try:
                await pay(server, key, seconds=seconds, keyed=keyed)
            except (Unavailable, NotFound):
                await server.stirred()
            except CroupierError as error:
                return key, keyed, error.reason
            else:
                return key, keyed, "ok"

    calls = [asyncio.create_task(one(number)) for number in range(400)]
    for _ in range(4):
        await asyncio.sleep(chance.random() * 0.5)
        await lost(wire, server)
        await server.sees("game-1")
    outcomes = await asyncio.gather(*calls)
    assert max(ledger.begun.values()) == 1
    assert [key for key, keyed, outcome in outcomes if keyed and outcome != "ok"] == []
    assert [key for key, _, outcome in outcomes if outcome == "ok" and ledger.done[key] != 1] == []
    assert {outcome for _, _, outcome in outcomes} == {"ok", "outcome_unknown"}

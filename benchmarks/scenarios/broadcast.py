"""One call to a hundred game servers at once, held against one call to one of them, and against a hundred plain streams."""

import asyncio

import wrk
from deployment import ECHO, ENV, GAME_ID, Deployment, call_body, payload_of, start_agent, start_server
from figures import Figure, Sample, figure
from processes import Broken, Stage, cpu_of
from yardsticks import Streams

GAME_SERVERS = 100
ROUNDS = 5
SECONDS = 3.0
_READY_SECONDS = 30.0


def broadcast_body(payload: bytes) -> bytes:
    return b'{"route":"broadcast",' + call_body(payload)[1:]


async def start_crowd(stage: Stage) -> Deployment:
    alone = await start_server(stage)
    agent, address = await start_agent(stage, alone.grpc)
    games, _ = await stage.program("games", address, "--count", str(GAME_SERVERS))
    return Deployment(
        url=alone.url, grpc=alone.grpc, token=alone.token, processes={**alone.processes, "agent": agent, "games": games}
    )


async def until_all_answer(product: Deployment) -> None:
    """Raises Broken when they do not in time, or when one of them fails."""
    body = {"function_id": ECHO, "game_id": GAME_ID, "env": ENV, "payload": {"text": "x"}, "route": "broadcast"}
    answer: object = None
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                status, answer = await product.ask("POST", "/api/invoke", body)
                if status == 200 and (answer["succeeded"], answer["failed"]) == (GAME_SERVERS, 0):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise Broken(f"a broadcast did not reach all within {_READY_SECONDS:g} s: {str(answer)[:500]}") from error


async def run(stage: Stage) -> list[Figure]:
    product = await start_crowd(stage)
    plain = await Streams.start(stage, GAME_SERVERS)
    await until_all_answer(product)
    payload = payload_of(100)
    rounds, seconds = (2, 1.0) if stage.quick else (ROUNDS, SECONDS)

    async def load(body: bytes) -> Sample:
        """One at a time; CPU in µs for each request."""
        before = cpu_of(product.processes)
        url = product.url + "/api/invoke"
        found = await wrk.load(url, connections=1, seconds=seconds, body=body, token=product.token)
        after = cpu_of(product.processes)
        cpu = {name: (after[name] - before[name]) / found.requests * 1_000_000 for name in after}
        return Sample(rate=found.rate, p50=found.p50, p99=found.p99, worst=found.worst, cpu=cpu)

    await load(broadcast_body(payload))
    one, many, bare = [], [], []
    for _ in range(rounds):
        one.append(await load(call_body(payload)))
        many.append(await load(broadcast_body(payload)))
        bare.append(await plain.round_trips(seconds=seconds, payload=payload))
    await until_all_answer(product)
    return [
        figure("broadcast: p50 to 100 ÷ to one", [a.p50 / b.p50 for a, b in zip(many, one, strict=True)], at_most=3.0),
        figure("broadcast: Y3 ÷ p50 to one", [a / b.p50 for a, b in zip(bare, one, strict=True)]),
        figure("broadcast: p50 to 100 ÷ Y3", [a.p50 / b for a, b in zip(many, bare, strict=True)]),
        figure("broadcast: p50 to 100", [each.p50 for each in many], unit="ms"),
        figure("broadcast: p50 to one", [each.p50 for each in one], unit="ms"),
        *(
            figure(f"broadcast: CPU of {part} for each", [each.cpu[part] / GAME_SERVERS for each in many], unit="µs")
            for part in product.processes
        ),
    ]

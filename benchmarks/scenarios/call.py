"""The whole path under load: HTTP, server, agent, a game server with our SDK."""

from figures import Figure, figure
from processes import Stage
from scenarios.calls import Plan, measure


async def run(stage: Stage) -> list[Figure]:
    rounds = await measure(stage, Plan())
    return [
        figure("call: calls/s ÷ Y1", rounds.rate(), at_least=2.2),
        figure("call: CPU ÷ Y1", rounds.cpu(), at_most=0.30),
        figure("call: p99 ÷ p50", rounds.tail(), at_most=4.0),
        *rounds.told("call"),
    ]

"""Payloads of 10 KB, both ways."""

from figures import Figure, figure
from processes import Stage
from scenarios.calls import Plan, measure


async def run(stage: Stage) -> list[Figure]:
    rounds = await measure(stage, Plan(payload_bytes=10_000))
    return [
        figure("large: calls/s ÷ Y1", rounds.rate(), at_least=1.2),
        figure("large: CPU ÷ Y1", rounds.cpu()),
        *rounds.told("large"),
    ]

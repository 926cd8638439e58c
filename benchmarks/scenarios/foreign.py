"""A game server that knows only the contract, called by unary gRPC."""

from figures import Figure, figure
from processes import Stage
from scenarios.calls import Plan, measure


async def run(stage: Stage) -> list[Figure]:
    rounds = await measure(stage, Plan(kind="foreign"))
    return [
        figure("foreign: calls/s ÷ Y1", rounds.rate(), at_least=0.6),
        figure("foreign: CPU ÷ Y1", rounds.cpu()),
        *rounds.told("foreign"),
    ]

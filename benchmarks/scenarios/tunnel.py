"""The server without agent and game server: the other end of the tunnel answers by itself. Tells where time goes."""

from figures import Figure, figure
from processes import Stage
from scenarios.calls import Plan, measure


async def run(stage: Stage) -> list[Figure]:
    rounds = await measure(stage, Plan(kind="tunnel"))
    return [
        figure("tunnel: calls/s ÷ Y1", rounds.rate(), rising=True),
        figure("tunnel: CPU ÷ Y1", rounds.cpu()),
        *rounds.told("tunnel"),
    ]

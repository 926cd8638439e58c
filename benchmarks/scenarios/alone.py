"""One call at a time: what the hops cost when nothing waits."""

from figures import Figure, figure
from processes import Stage
from scenarios.calls import Plan, measure


async def run(stage: Stage) -> list[Figure]:
    rounds = await measure(stage, Plan(in_flight=1))
    return [
        figure("alone: p50 ÷ Y1", rounds.values(lambda one: one.product.p50 / one.unary.p50), at_most=3.0),
        *rounds.told("alone"),
    ]

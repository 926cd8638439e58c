"""The whole path again, with an edge between server and agent: what the extra hop costs, beside the direct one."""

from dataclasses import dataclass

from deployment import Deployment, payload_of, start_all, start_edged
from figures import Figure, Sample, figure
from processes import Stage

IN_FLIGHT = 64
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    direct: Sample
    edged: Sample


async def run(stage: Stage) -> list[Figure]:
    direct, edged = await start_all(stage), await start_edged(stage)
    payload = payload_of(100)

    async def one_round(seconds: float) -> Pair:
        async def load(deployment: Deployment) -> Sample:
            return await deployment.load(in_flight=IN_FLIGHT, seconds=seconds, payload=payload)

        return Pair(direct=await load(direct), edged=await load(edged))

    await one_round(_WARM_UP_SECONDS)
    rounds = [await one_round(2.0 if stage.quick else 4.0) for _ in range(2 if stage.quick else 5)]
    parts = rounds[0].edged.cpu
    return [
        figure("edge: CPU ÷ direct", [one.edged.total_cpu / one.direct.total_cpu for one in rounds], at_most=1.5),
        figure("edge: calls/s ÷ direct", [one.edged.rate / one.direct.rate for one in rounds], rising=True),
        figure("edge: calls", [one.edged.rate for one in rounds], unit="/s", rising=True),
        figure("edge: p50", [one.edged.p50 for one in rounds], unit="ms"),
        figure("edge: p99", [one.edged.p99 for one in rounds], unit="ms"),
        *(figure(f"edge: CPU of {part}", [one.edged.cpu[part] for one in rounds], unit="s/1000") for part in parts),
        *(
            figure(f"edge: direct CPU of {part}", [one.direct.cpu[part] for one in rounds], unit="s/1000")
            for part in rounds[0].direct.cpu
        ),
    ]

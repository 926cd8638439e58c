"""Rounds of calls, interleaved with the yardsticks: what the machine does in one minute it may not do in the next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployment import Kind, call_body, payload_of, start_all
from figures import Figure, Sample, figure
from processes import Stage
from yardsticks import Yardsticks

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    kind: Kind = "attached"
    in_flight: int = 64
    payload_bytes: int = 100
    rounds: int = 5
    seconds: float = 4.0

    def quick(self) -> "Plan":
        return Plan(kind=self.kind, in_flight=self.in_flight, payload_bytes=self.payload_bytes, rounds=2, seconds=2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    product: Sample
    unary: Sample
    web: Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounds:
    each: Sequence[Round]

    def values(self, of: Callable[[Round], float]) -> list[float]:
        return [of(one) for one in self.each]

    def rate(self) -> list[float]:
        """Calls per second of the product in units of Y1's, round by round, as the next two."""
        return self.values(lambda one: one.product.rate / one.unary.rate)

    def cpu(self) -> list[float]:
        return self.values(lambda one: one.product.total_cpu / one.unary.total_cpu)

    def part(self, name: str) -> list[float]:
        """Seconds per 1000 calls of one process of the product."""
        return self.values(lambda one: one.product.cpu[name])

    def tail(self) -> list[float]:
        return self.values(lambda one: one.product.p99 / one.product.p50)

    def told(self, name: str) -> list[Figure]:
        """The plain numbers behind the ratios."""
        return [
            figure(f"{name}: calls", self.values(lambda one: one.product.rate), unit="/s", rising=True),
            figure(f"{name}: p50", self.values(lambda one: one.product.p50), unit="ms"),
            figure(f"{name}: p99", self.values(lambda one: one.product.p99), unit="ms"),
            *(figure(f"{name}: CPU of {part}", self.part(part), unit="s/1000") for part in self.each[0].product.cpu),
            figure(f"{name}: Y1 calls", self.values(lambda one: one.unary.rate), unit="/s", rising=True),
            figure(f"{name}: Y1 p50", self.values(lambda one: one.unary.p50), unit="ms"),
            figure(f"{name}: Y1 CPU", self.values(lambda one: one.unary.total_cpu), unit="s/1000"),
            figure(f"{name}: Y2 requests", self.values(lambda one: one.web.rate), unit="/s", rising=True),
            figure(f"{name}: Y2 CPU", self.values(lambda one: one.web.total_cpu), unit="s/1000"),
        ]


async def measure(stage: Stage, plan: Plan) -> Rounds:
    """Raises Broken when a single call fails."""
    if stage.quick:
        plan = plan.quick()
    product = await start_all(stage, plan.kind)
    yardsticks = await Yardsticks.start(stage)
    payload = payload_of(plan.payload_bytes)
    body = call_body(payload)

    async def one_round(seconds: float) -> Round:
        return Round(
            product=await product.load(in_flight=plan.in_flight, seconds=seconds, payload=payload),
            unary=await yardsticks.unary(in_flight=plan.in_flight, seconds=seconds / 2, payload=payload),
            web=await yardsticks.web(in_flight=plan.in_flight, seconds=seconds / 2, body=body),
        )

    await product.until_callable(payload)
    await one_round(_WARM_UP_SECONDS)
    return Rounds(each=[await one_round(plan.seconds) for _ in range(plan.rounds)])

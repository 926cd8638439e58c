"""What is measured, and what it is held against."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One subject under load in one round."""

    rate: float
    """Calls per second."""
    p50: float
    """Milliseconds, as are the next two; the worst is known of wrk only."""
    p99: float
    worst: float = 0.0
    cpu: Mapping[str, float] = field(default_factory=dict)
    """Seconds per 1000 calls, by process."""

    @property
    def total_cpu(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One result: the median of the rounds and their span."""

    name: str
    value: float
    low: float
    high: float
    unit: str = "x"
    target: float | None = None
    at_least: bool = False
    """The target is a floor; otherwise it is a ceiling."""

    @property
    def met(self) -> bool | None:
        """None where there is no target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def travels(self) -> bool:
        """Only ratios can be held against another machine's."""
        return self.unit == "x"

    def worse_than(self, recorded: float) -> float:
        """How much worse it is than what was recorded, as a share; negative when it is better."""
        return (recorded - self.value if self.at_least else self.value - recorded) / recorded


def figure(
    name: str,
    values: Sequence[float],
    *,
    unit: str = "x",
    at_most: float | None = None,
    at_least: float | None = None,
    rising: bool = False,
) -> Figure:
    """The median of `values`. `rising`: more is better although there is no target."""
    return Figure(
        name=name,
        value=statistics.median(values),
        low=min(values),
        high=max(values),
        unit=unit,
        target=at_most if at_least is None else at_least,
        at_least=at_least is not None or rising,
    )

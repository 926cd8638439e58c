"""What Prometheus reads. Labels have few values: never a function, a game or a caller."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Of a call's time, in seconds."""
BROKEN = 500
"""The lowest status that says that something broke."""
_LABELS = (*map(str, BOUNDS), "+Inf")


class _Calls:
    """The calls of one route."""

    __slots__ = ("buckets", "ends", "seconds")

    def __init__(self) -> None:
        self.ends: Counter[tuple[str, int]] = Counter()
        """By outcome and status, so that a call counts once; who reads adds them up."""
        self.buckets = [0] * len(_LABELS)
        self.seconds = 0.0

    def outcomes(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (outcome, _), count in self.ends.items():
            found[outcome] += count
        return found


class HttpMetrics(Collector):
    """Counters of the HTTP side in a registry of its own; other parts of the server may add theirs to it.

    They are plain integers of one event loop, told when Prometheus asks: the client library's own counters lock, and cost
    more than all the rest of an answer.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.following = 0
        """Followers of jobs, now."""
        self.watching = 0
        """Readers of the live stream, now."""
        self._in_flight: Callable[[], int] = int
        self._asked: list[Callable[[], Awaitable[None]]] = []
        self._requests: Counter[tuple[str, int]] = Counter()
        self._calls: defaultdict[str, _Calls] = defaultdict(_Calls)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def request(self, route: str, status: int) -> None:
        self._requests[route, status] += 1

    def call(self, route: str, outcome: str, status: int, seconds: float) -> None:
        """`outcome` is `ok` or the reason of an error; `status` is 0 where the caller left without an answer."""
        calls = self._calls[route]
        calls.ends[outcome, status] += 1
        calls.buckets[bisect_left(BOUNDS, seconds)] += 1
        calls.seconds += seconds

    def _answered(self) -> Counter[tuple[str, int]]:
        found = self._requests.copy()
        for route, calls in self._calls.items():
            for (_, status), count in calls.ends.items():
                if status:
                    found[route, status] += count
        return found

    def counted(self) -> tuple[list[int], int]:
        """Calls by how long they took, one number for each of `BOUNDS` and one for longer ones; and how many of all broke,
        which is no fault of their callers.
        """
        took = [0] * len(_LABELS)
        broken = 0
        for calls in self._calls.values():
            for at, count in enumerate(calls.buckets):
                took[at] += count
            broken += sum(count for (_, status), count in calls.ends.items() if status >= BROKEN)
        return took, broken

    def watch_calls(self, count: Callable[[], int]) -> None:
        """Ask `count` for the calls on their way whenever Prometheus reads."""
        self._in_flight = count

    def watch(self, part: Collector, ask: Callable[[], Awaitable[None]]) -> None:
        """Tell what `part` counts too, which is asked to bring it up to date first."""
        self.registry.register(part)
        self._asked.append(ask)

    async def text(self) -> bytes:
        for ask in self._asked:
            await ask()
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("croupier_http_requests", "HTTP requests answered.", labels=["route", "status"])
        for (route, status), count in self._answered().items():
            requests.add_metric([route, str(status)], count)
        calls = CounterMetricFamily(
            "croupier_calls", "Calls and job starts by how they ended.", labels=["route", "outcome"]
        )
        for route, told in self._calls.items():
            for outcome, count in told.outcomes().items():
                calls.add_metric([route, outcome], count)
        seconds = HistogramMetricFamily(
            "croupier_call_seconds", "From the request's head to its answer.", labels=["route"]
        )
        for route, told in self._calls.items():
            buckets = list(zip(_LABELS, map(float, accumulate(told.buckets)), strict=True))
            seconds.add_metric([route], buckets, told.seconds)
        yield from (requests, calls, seconds)
        yield GaugeMetricFamily(
            "croupier_calls_in_flight", "Calls and job starts on their way now.", value=self._in_flight()
        )
        yield GaugeMetricFamily("croupier_job_streams", "Followers of jobs over HTTP.", value=self.following)
        yield GaugeMetricFamily("croupier_event_streams", "Readers of the live stream.", value=self.watching)

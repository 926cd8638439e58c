"""What Prometheus reads. Labels have few values: never a function, a game or a caller."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HttpMetrics:
    """Counters of the HTTP side in a registry of its own; other parts of the server may add theirs to it."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "croupier_http_requests", "HTTP requests answered.", ["route", "status"], registry=self.registry
        )
        self._calls = Counter(
            "croupier_calls", "Calls and job starts by how they ended.", ["route", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "croupier_call_seconds", "From the whole request to its answer.", ["route"], registry=self.registry
        )
        self._in_flight = Gauge(
            "croupier_calls_in_flight", "Calls and job starts on their way now.", registry=self.registry
        )
        self.following = Gauge("croupier_job_streams", "Followers of jobs over HTTP.", registry=self.registry)
        # Looking a child up by its labels costs four times the counting.
        self._request_children: dict[tuple[str, int], Counter] = {}
        self._call_children: dict[tuple[str, str], Counter] = {}

    def request(self, route: str, status: int) -> None:
        child = self._request_children.get((route, status))
        if child is None:
            child = self._request_children[route, status] = self._requests.labels(route, str(status))
        child.inc()

    def call(self, route: str, outcome: str, seconds: float) -> None:
        """`outcome` is `ok` or the reason of an error."""
        child = self._call_children.get((route, outcome))
        if child is None:
            child = self._call_children[route, outcome] = self._calls.labels(route, outcome)
        child.inc()
        self._seconds.labels(route).observe(seconds)

    def watch_calls(self, count: Callable[[], float]) -> None:
        """Ask `count` for the calls on their way whenever Prometheus reads."""
        self._in_flight.set_function(count)

    def text(self) -> bytes:
        return generate_latest(self.registry)

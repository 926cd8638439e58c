"""What Prometheus reads of an edge. Labels have few values: never a function, an agent or a caller."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from croupier.edge.links import Links
from croupier.edge.passing import Passing


class _Edge(Collector):
    def __init__(self, links: Links, passing: Passing) -> None:
        self._links = links
        self._passing = passing

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("croupier_edge_links", "Servers that are linked.", value=len(self._links))
        yield CounterMetricFamily("croupier_edge_links_joined", "Links there ever were.", value=self._links.joined)
        now = GaugeMetricFamily("croupier_edge_streams", "Calls that are relayed now, by kind.", labels=["kind"])
        now.add_metric(["tunnel"], self._passing.open_tunnels)
        now.add_metric(["call"], self._passing.open_calls)
        ever = CounterMetricFamily("croupier_edge_streams_opened", "Calls that were taken, by kind.", labels=["kind"])
        ever.add_metric(["tunnel"], self._passing.tunnels)
        ever.add_metric(["call"], self._passing.calls)
        ended = CounterMetricFamily("croupier_edge_streams_ended", "Calls by their gRPC status.", labels=["code"])
        for code, count in sorted(self._passing.ended.items()):
            ended.add_metric([code], count)
        yield from (now, ever, ended)
        yield GaugeMetricFamily("croupier_edge_draining", "1 while it takes nothing new.", value=self._passing.draining)


class EdgeMetrics:
    def __init__(self, links: Links, passing: Passing) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Edge(links, passing))

    def text(self) -> bytes:
        return generate_latest(self._registry)

"""What Prometheus reads of an agent. Labels have few values: never a function, a game server or a caller."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from croupier.agent.instances import Instances, InstanceState
from croupier.agent.jobs import Jobs


class Calls:
    """Counts of calls, kept as plain numbers: counting costs next to nothing, reading happens at a scrape."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.outcomes: Counter[str] = Counter()
        """By `ok` or the reason of the error."""


class UplinkState(Protocol):
    connected: bool
    reconnects: int


class _Agent(Collector):
    def __init__(self, instances: Instances, calls: Calls, jobs: Jobs, uplink: UplinkState) -> None:
        self._instances = instances
        self._calls = calls
        self._jobs = jobs
        self._uplink = uplink

    def collect(self) -> Iterator[Metric]:
        states = Counter(each.state for each in self._instances)
        instances = GaugeMetricFamily("croupier_agent_instances", "Game servers by state.", labels=["state"])
        for state in InstanceState:
            instances.add_metric([state], states[state])
        calls = CounterMetricFamily("croupier_agent_calls", "Calls and job starts by outcome.", labels=["outcome"])
        for outcome, count in sorted(self._calls.outcomes.items()):
            calls.add_metric([outcome], count)
        yield instances
        yield calls
        yield GaugeMetricFamily("croupier_agent_calls_in_flight", "Calls under way.", value=self._calls.in_flight)
        yield GaugeMetricFamily(
            "croupier_agent_jobs", "Jobs whose story is not told to its end.", value=len(self._jobs)
        )
        yield CounterMetricFamily("croupier_agent_job_events", "Events of jobs taken.", value=self._jobs.events)
        yield GaugeMetricFamily(
            "croupier_agent_uplink_connected", "1 while a server is connected.", value=self._uplink.connected
        )
        yield CounterMetricFamily(
            "croupier_agent_uplink_reconnects", "Times the server was dialled again.", value=self._uplink.reconnects
        )


class AgentMetrics:
    def __init__(self, instances: Instances, calls: Calls, jobs: Jobs, uplink: UplinkState) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Agent(instances, calls, jobs, uplink))

    def text(self) -> bytes:
        return generate_latest(self._registry)

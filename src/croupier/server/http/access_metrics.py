"""What Prometheus reads of access: who was refused, what waits for people, and whether the record can be kept."""

import logging
from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from croupier.errors import CroupierError
from croupier.server.access.audit import Audit
from croupier.server.access.limits import Throttle
from croupier.store.approvals import Tally

log = logging.getLogger(__name__)


class AccessMetrics(Collector):
    """`ask` before Prometheus is answered: what the store counts is read then."""

    def __init__(self, *, audit: Audit, throttle: Throttle, tally: Callable[[], Awaitable[Tally]]) -> None:
        self._audit = audit
        self._throttle = throttle
        self._read = tally
        self._tally: Tally | None = None

    async def ask(self) -> None:
        """Where the store cannot tell, its numbers are left out rather than told wrong."""
        try:
            self._tally = await self._read()
        except CroupierError as error:
            log.warning("approvals and notices could not be counted: %s", error.message)
            self._tally = None

    def collect(self) -> Iterator[Metric]:
        denials = CounterMetricFamily(
            "croupier_denials", "Refusals by what was asked for and why.", labels=["area", "reason"]
        )
        for (area, reason), count in self._audit.refusals.items():
            denials.add_metric([area, reason], count)
        throttled = CounterMetricFamily(
            "croupier_throttled_requests", "Requests that came too fast, by who is counted.", labels=["by"]
        )
        for by, count in self._throttle.refused.items():
            throttled.add_metric([by], count)
        yield from (denials, throttled)
        yield CounterMetricFamily(
            "croupier_audit_write_failures",
            "Rows of the audit record that the disk refused.",
            value=self._audit.unwritten,
        )
        if self._tally is not None:
            yield from _waiting(self._tally)


def _waiting(tally: Tally) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "croupier_approvals_pending", "Requests that wait for somebody to decide.", value=tally.pending
    )
    yield GaugeMetricFamily(
        "croupier_approval_reviews_open", "Break-glass runs that nobody has reviewed.", value=tally.reviews
    )
    notices = GaugeMetricFamily(
        "croupier_notices", "Notices that were not taken: tried again (stuck), or given up (failed).", labels=["state"]
    )
    notices.add_metric(["stuck"], tally.stuck)
    notices.add_metric(["failed"], tally.failed)
    yield notices

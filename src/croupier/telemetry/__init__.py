"""Calls as OpenTelemetry spans, sent to a collector by OTLP; the only home of opentelemetry.

    server   enter (server span) ─► send (client span, one a game server asked) ─┐ traceparent in the frame
    agent                          forward (client span) ◄───────────────────────┘ ─► game server

    end ─► queue of 4096 ─► a thread ─ POST ─► collector          (full, or nobody there: spans are dropped, calls go on)

Each span's own traceparent is what the next hop gets. A process without a collector has no tracer, and a call then pays
for one comparison. Spans tell names and outcomes, never payloads, keys or tokens.
"""

import importlib
from collections.abc import Mapping
from typing import Protocol

from croupier.domain.trace import Trace
from croupier.settings import TelemetrySettings

Facts = Mapping[str, str]
"""Attributes of a span; empty ones are left out."""


class Span(Protocol):
    """One hop's part of a trace."""

    @property
    def traceparent(self) -> str:
        """What the next hop goes on from."""

    def end(self, outcome: str, facts: Facts) -> None:
        """It is over: `ok`, or the reason of its error. May be called once."""


class Tracer(Protocol):
    """Makes spans. Nothing here waits or fails."""

    def enter(self, name: str, trace: Trace, facts: Facts) -> Span:
        """A request came in: the first span here, and of a trace that begins here."""

    def send(self, name: str, traceparent: str, facts: Facts) -> Span:
        """A request goes on to the next hop."""

    async def close(self) -> None:
        """Send what waits, a few seconds at most."""


def open_tracer(settings: TelemetrySettings | None, *, service: str, instance: str) -> Tracer | None:
    """A tracer of the process `instance` of `service`, or None when no collector is named."""
    if settings is None or settings.otlp_endpoint is None:
        return None
    # Imported here and by name because who collects nothing should not wait for it at every start.
    tracer: Tracer = importlib.import_module("croupier.telemetry.otlp").open_otlp(
        settings.otlp_endpoint, settings.sample_ratio, service=service, instance=instance
    )
    return tracer

"""Spans made by the OpenTelemetry SDK. Its own reading of the environment is kept out: settings decide."""

import asyncio

from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from croupier import __version__
from croupier.domain.trace import Trace, begin_trace, read_traceparent, trace_id_of
from croupier.telemetry import Facts
from croupier.telemetry.exporter import OtlpExporter

QUEUE = 4_096
BATCH = 512
DELAY_MS = 1_000
CLOSE_SECONDS = 6.0

_OUTCOME = "croupier.outcome"
_FAULTS = frozenset(
    {"unavailable", "deadline_exceeded", "outcome_unknown", "handler_failed", "unimplemented", "internal", "lost"}
)
"""Outcomes that mark a span as failed; a call that was refused as it should be is none."""

_LIMITS = SpanLimits(
    max_span_attributes=32,
    max_events=8,
    max_links=8,
    max_event_attributes=8,
    max_link_attributes=8,
    max_attributes=32,
    max_attribute_length=256,
    max_span_attribute_length=256,
)


class _Ids(IdGenerator):
    """Random ids, but a trace that begins here has its id already: its caller is told that one."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace_id = ""

    def generate_span_id(self) -> int:
        return self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        return int(self.trace_id, 16)


class OtlpSpan:
    __slots__ = ("_span", "traceparent")

    def __init__(self, span: otel.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def end(self, outcome: str, facts: Facts) -> None:
        span = self._span
        if span.is_recording():
            span.set_attribute(_OUTCOME, outcome)
            for name, value in facts.items():
                if value:
                    span.set_attribute(name, value)
            if outcome in _FAULTS:
                span.set_status(otel.StatusCode.ERROR, outcome)
        span.end()


class OtlpTracer:
    """Used from the loop's thread only: the id of a trace that begins is handed over in a field."""

    def __init__(self, exporter: OtlpExporter, ratio: float, *, service: str, instance: str) -> None:
        self._exporter = exporter
        self._ids = _Ids()
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(ratio),
            resource=Resource(
                {"service.name": service, "service.instance.id": instance, "service.version": __version__}
            ),
            id_generator=self._ids,
            span_limits=_LIMITS,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=QUEUE,
                schedule_delay_millis=DELAY_MS,
                max_export_batch_size=BATCH,
                export_timeout_millis=CLOSE_SECONDS * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("croupier", __version__)

    def enter(self, name: str, trace: Trace, facts: Facts) -> OtlpSpan:
        return self._start(name, trace, otel.SpanKind.SERVER, facts)

    def send(self, name: str, traceparent: str, facts: Facts) -> OtlpSpan:
        trace = read_traceparent(traceparent) or begin_trace()
        return self._start(name, trace, otel.SpanKind.CLIENT, facts)

    def _start(self, name: str, trace: Trace, kind: otel.SpanKind, facts: Facts) -> OtlpSpan:
        self._ids.trace_id = trace.trace_id
        span = self._tracer.start_span(
            name,
            context=otel.set_span_in_context(_remote(trace.traceparent) if trace.continued else otel.INVALID_SPAN),
            kind=kind,
            attributes={key: value for key, value in facts.items() if value},
        )
        return OtlpSpan(span)

    async def close(self) -> None:
        """Send what waits. A collector that fails is not tried again, so this takes little more than one time-out."""
        self._exporter.closing = True
        await asyncio.to_thread(self._provider.shutdown)


def _remote(traceparent: str) -> otel.Span:
    """The span that the caller named, as a parent."""
    context = otel.SpanContext(
        trace_id=int(trace_id_of(traceparent), 16),
        span_id=int(traceparent[36:52], 16),
        is_remote=True,
        trace_flags=otel.TraceFlags(int(traceparent[53:55], 16)),
    )
    return otel.NonRecordingSpan(context)


def open_otlp(endpoint: str, ratio: float, *, service: str, instance: str) -> OtlpTracer:
    return OtlpTracer(OtlpExporter(endpoint), ratio, service=service, instance=instance)

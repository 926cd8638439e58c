"""Spans as the SDK makes them, and an exporter whose collector is away."""

import logging
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from croupier.domain.trace import Trace, begin_trace, read_traceparent, trace_of
from croupier.settings import TelemetrySettings
from croupier.telemetry import open_tracer
from croupier.telemetry.exporter import SAY_AGAIN, OtlpExporter
from croupier.telemetry.otlp import OtlpTracer

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT[:-1] + "0"


class KeptSpans(OtlpExporter):
    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


@pytest.fixture
def kept() -> KeptSpans:
    return KeptSpans()


def continued(traceparent: str) -> Trace:
    trace = read_traceparent(traceparent)
    assert trace is not None
    return trace


async def test_a_trace_that_begins_here_has_the_id_its_caller_was_told(kept):
    tracer = OtlpTracer(kept, 1.0, service="s", instance="i")
    trace = begin_trace()
    span = tracer.enter("call", trace, {"croupier.function": "f", "croupier.route": ""})
    span.end("ok", {})
    await tracer.close()
    (told,) = kept.spans
    assert told.parent is None
    assert f"{told.context.trace_id:032x}" == trace.trace_id
    assert dict(told.attributes) == {"croupier.function": "f", "croupier.outcome": "ok"}
    assert told.status.is_unset


async def test_every_hop_is_the_child_of_the_one_before(kept):
    tracer = OtlpTracer(kept, 1.0, service="s", instance="i")
    entered = tracer.enter("call", trace_of(PARENT.encode()), {})
    sent = tracer.send("send", entered.traceparent, {})
    sent.end("outcome_unknown", {"croupier.service": "game-1"})
    entered.end("outcome_unknown", {})
    await tracer.close()
    by_name = {span.name: span for span in kept.spans}
    assert f"{by_name['call'].parent.span_id:016x}" == "b7ad6b7169203331"
    assert by_name["send"].parent.span_id == by_name["call"].context.span_id
    assert {f"{span.context.trace_id:032x}" for span in kept.spans} == {PARENT[3:35]}
    assert not by_name["send"].status.is_ok
    assert by_name["send"].attributes["croupier.service"] == "game-1"


async def test_a_trace_whose_caller_records_nothing_is_not_recorded_here(kept):
    tracer = OtlpTracer(kept, 1.0, service="s", instance="i")
    span = tracer.enter("call", continued(UNSAMPLED), {})
    span.end("ok", {})
    await tracer.close()
    assert not kept.spans
    assert span.traceparent.startswith(UNSAMPLED[:35])
    assert span.traceparent.endswith("-00")


async def test_of_the_traces_that_begin_here_the_given_share_is_recorded(kept):
    tracer = OtlpTracer(kept, 0.0, service="s", instance="i")
    span = tracer.enter("call", begin_trace(), {})
    span.end("ok", {})
    tracer.enter("call", continued(PARENT), {}).end("ok", {})
    await tracer.close()
    assert span.traceparent.endswith("-00")
    assert [f"{each.context.trace_id:032x}" for each in kept.spans] == [PARENT[3:35]]


async def test_a_hop_whose_traceparent_is_rubbish_begins_a_trace(kept):
    tracer = OtlpTracer(kept, 1.0, service="s", instance="i")
    tracer.send("send", "00-a-b-01", {}).end("ok", {})
    await tracer.close()
    assert kept.spans[0].parent is None


async def test_long_names_of_peers_are_cut(kept):
    tracer = OtlpTracer(kept, 1.0, service="s", instance="i")
    tracer.send("send", PARENT, {"croupier.service": "x" * 10_000}).end("ok", {})
    await tracer.close()
    assert len(kept.spans[0].attributes["croupier.service"]) == 256


class Away(OtlpExporter):
    """Its collector cannot be reached."""

    def _post(self, body: bytes) -> None:
        raise ConnectionRefusedError(111, "Connection refused")


def test_a_collector_that_is_away_is_complained_of_once_in_a_while(caplog):
    now = 0.0
    exporter = Away("http://127.0.0.1:4318", clock=lambda: now)
    with caplog.at_level(logging.INFO):
        results = {exporter.export([]) for _ in range(100)}
        now = SAY_AGAIN
        exporter.export([])
    assert results == {SpanExportResult.FAILURE}
    assert len(caplog.messages) == 2
    assert "http://127.0.0.1:4318" in caplog.messages[0]
    assert "refused" in caplog.messages[0]


def test_at_the_end_a_collector_that_fails_is_asked_once():
    asked = []

    class Counting(OtlpExporter):
        def _post(self, body: bytes) -> None:
            asked.append(body)
            raise TimeoutError("timed out")

    exporter = Counting("http://127.0.0.1:4318")
    exporter.closing = True
    for _ in range(5):
        exporter.export([])
    assert len(asked) == 1


def test_without_a_collector_there_is_no_tracer():
    assert open_tracer(None, service="s", instance="i") is None
    settings = TelemetrySettings.model_validate({})
    assert open_tracer(settings, service="s", instance="i") is None

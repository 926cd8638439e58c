"""OTLP over HTTP: batches of spans to a collector. Runs in the batch processor's thread, where it may block."""

import http.client
import logging
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds that a collector may take for one batch."""
SAY_AGAIN = 60.0
"""Seconds in which a collector that fails is complained of once."""

_PATH = "/v1/traces"


class OtlpExporter(SpanExporter):
    """A batch that cannot be sent is dropped and counted: traces are worth less than memory and calls."""

    def __init__(self, endpoint: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`endpoint` is the collector's base address, `http://127.0.0.1:4318`."""
        self._endpoint = endpoint
        self._clock = clock
        self._lost = 0
        self._said = float("-inf")
        self._failing = False
        self.closing = False
        """Set before the end: after one more failure nothing else is tried."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.closing and self._failing:
            return SpanExportResult.FAILURE
        try:
            self._post(encode_spans(spans).SerializeToString())
        except (OSError, http.client.HTTPException) as error:
            self._failed(len(spans), str(error) or type(error).__name__)
            return SpanExportResult.FAILURE
        if self._failing:
            self._failing = False
            log.info("traces are sent to %s again", self._endpoint)
        return SpanExportResult.SUCCESS

    def _post(self, body: bytes) -> None:
        parts = urlsplit(self._endpoint)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request("POST", parts.path.rstrip("/") + _PATH, body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            if not 200 <= answer.status < 300:
                raise http.client.HTTPException(f"it answered {answer.status}")
        finally:
            connection.close()

    def _failed(self, count: int, why: str) -> None:
        self._failing = True
        self._lost += count
        now = self._clock()
        if now - self._said >= SAY_AGAIN:
            self._said = now
            log.warning("%d spans could not be sent to %s: %s; calls go on", self._lost, self._endpoint, why)
            self._lost = 0

    def shutdown(self) -> None:
        """Nothing is kept between batches."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 — the SDK's signature
        return True

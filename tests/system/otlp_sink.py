"""A collector: takes what OTLP/HTTP brings and keeps the spans."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


@dataclass(frozen=True, kw_only=True)
class Span:
    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str]
    failed: bool


@dataclass
class Sink:
    address: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.bodies.append(body)
        for resource in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans += [_span(service, span) for span in scope.spans]
        self._news.set()
        return web.Response(body=trace_service_pb2.ExportTraceServiceResponse().SerializeToString())

    async def until(self, condition: Callable[[list[Span]], bool]) -> list[Span]:
        async with asyncio.timeout(90):
            while not condition(self.spans):
                self._news.clear()
                await self._news.wait()
        return self.spans


def _span(service: str, span: object) -> Span:
    return Span(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes={each.key: each.value.string_value for each in span.attributes},
        failed=span.status.code == 2,
    )


@asynccontextmanager
async def collecting() -> AsyncIterator[Sink]:
    sink = Sink()
    app = web.Application()
    app.router.add_post("/v1/traces", sink.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sink.address = f"http://{host}:{port}"
    try:
        yield sink
    finally:
        await runner.cleanup()

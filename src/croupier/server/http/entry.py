"""The lean entry: calls and job starts, written straight on ASGI, because a framework's request costs four times this one's."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

import orjson

from croupier.domain.call import Call, Result
from croupier.domain.identifiers import new_id
from croupier.domain.limits import CALL_TIMEOUT_MAX, JOB_TIMEOUT_MAX, PAYLOAD_BYTES
from croupier.domain.trace import trace_in, tracestate_of
from croupier.errors import RateLimited
from croupier.server.http.bodies import Body, CallerLeft, Room
from croupier.server.http.documents import to_json
from croupier.server.http.entity_orders import PREFIX, EntityOrders
from croupier.server.http.exchange import BYTES, JSON, REPLAYED, Answer, Exchange, served_by
from croupier.server.http.flights import Flight, Flights
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.payloads import check_bounds, check_payload
from croupier.server.http.ports import Calls, Directory, Entities, History, Jobs
from croupier.server.http.problems import known
from croupier.server.http.requests import (
    AgainBody,
    CallBody,
    again_decoder,
    build_again,
    build_call,
    call_decoder,
    one_of,
    options_body,
    parse_body,
    parse_query,
    scope_of,
)
from croupier.server.payload_json import is_json
from croupier.telemetry import Tracer
from croupier.telemetry.facts import facts_of

ENVELOPE_BYTES = 65_536
"""What may stand round a payload in a request body."""
BODY_BYTES = PAYLOAD_BYTES + ENVELOPE_BYTES

FUNCTION_PATH = "/games/{game_id}/functions/{function_id}"

AGAIN_PATH = "/api/calls/{call_id}/replay"

_AGAIN = re.compile(r"/api/calls/([^/]+)/replay")
_FUNCTION = re.compile(r"/games/([^/]+)/functions/([^/]+)")

Order = Callable[[Exchange, bytes], Awaitable[Answer]]
Door = tuple[str, Mapping[str, Order]]


class LeanEntry:
    """Answers the addresses that run functions, or say where they would run; `find` says whether a path is one of them."""

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: Jobs,
        history: History,
        directory: Directory,
        entities: Entities,
        flights: Flights,
        room: Room,
        metrics: HttpMetrics,
        tracer: Tracer | None = None,
    ) -> None:
        self._calls = calls
        self._jobs = jobs
        self._history = history
        self._directory = directory
        self._flights = flights
        self._room = room
        self._metrics = metrics
        self._tracer = tracer
        self._entity_orders = EntityOrders(entities, self._run)
        self.orders: Mapping[str, Door] = {
            "/api/invoke": ("/api/invoke", {"POST": self._invoke}),
            "/invoke": ("/api/invoke", {"POST": self._invoke}),
            "/api/start_job": ("/api/start_job", {"POST": self._start}),
            "/start-job": ("/api/start_job", {"POST": self._start}),
            "/api/route_preview": ("/api/route_preview", {"POST": self._preview}),
        }
        self._function_door: Door = (FUNCTION_PATH, {"POST": self._run_function})
        self._again_door: Door = (AGAIN_PATH, {"POST": self._again})

    def routes(self) -> set[tuple[str, str]]:
        """Method and path of everything that is answered here."""
        return {("POST", path) for path in (*self.orders, FUNCTION_PATH, AGAIN_PATH)} | self._entity_orders.routes()

    def find(self, exchange: Exchange) -> Door | None:
        """The route (as metrics name it) and what to do there, by method."""
        path = exchange.path
        door = self.orders.get(path)
        if door is not None:
            return door
        if path.startswith(PREFIX):
            return self._entity_orders.find(exchange)
        if path.startswith("/games/") and _FUNCTION.fullmatch(path):
            return self._function_door
        return self._again_door if path.endswith("/replay") and _AGAIN.fullmatch(path) else None

    async def serve(self, exchange: Exchange, route: str, order: Order) -> None:
        began = time.perf_counter()
        outcome = "ok"
        body = Body(self._room)
        try:
            with Flight(self._flights, exchange) as flight:
                content = body.take(exchange, BODY_BYTES)
                if content is None:
                    content = await flight.read(body, BODY_BYTES)
                flight.take_off()
                answer = await order(exchange, content)
        except CallerLeft:
            self._metrics.call(route, "canceled", 0, time.perf_counter() - began)
            if exchange.span is not None:
                exchange.span.end("canceled", {})
            return
        except Exception as failure:  # noqa: BLE001 — the border: whatever it was, the caller gets an answer
            error = known(failure, exchange.call_id, exchange.trace_id)
            outcome = error.reason
            # A full server is not the caller's fault: 503 sends a load balancer elsewhere, 429 would not.
            full = isinstance(error, RateLimited) and not exchange.call_id
            answer = exchange.refusal(error, status=503 if full else None)
        finally:
            body.let_go()
        took = time.perf_counter() - began
        self._metrics.call(route, outcome, answer.status, took)
        if exchange.span is not None:
            exchange.span.end(outcome, {"http.route": route, "http.response.status_code": str(answer.status)})
        await exchange.answer(answer, (b"x-duration-ms", b"%.1f" % (took * 1000)))

    async def _invoke(self, exchange: Exchange, content: bytes) -> Answer:
        exchange.call_id = new_id("c")
        return await self._send(exchange, self._call_of(exchange, _parsed(content)))

    async def _start(self, exchange: Exchange, content: bytes) -> Answer:
        exchange.call_id = new_id("j")
        call = self._call_of(exchange, _parsed(content), timeout_max=JOB_TIMEOUT_MAX)
        return await self._begin(exchange, call, status=200)

    async def _preview(self, exchange: Exchange, content: bytes) -> Answer:
        call = self._call_of(exchange, _parsed(content))
        return Answer(200, JSON, to_json(await self._calls.preview(exchange.caller, call)))

    async def _run_function(self, exchange: Exchange, content: bytes) -> Answer:
        body, query = _function_body(exchange, content)
        scope = scope_of(exchange.headers, query, {"game_id": body.game_id})
        function = self._directory.function(scope, body.function_id)
        return await self._run(exchange, body, is_job=function is not None and function.returns == "job")

    async def _run(self, exchange: Exchange, body: CallBody, is_job: bool) -> Answer:
        if not is_job:
            exchange.call_id = new_id("c")
            return await self._send(exchange, self._call_of(exchange, body))
        exchange.call_id = new_id("j")
        return await self._begin(exchange, self._call_of(exchange, body, timeout_max=JOB_TIMEOUT_MAX), status=202)

    def _call_of(self, exchange: Exchange, body: CallBody, **bounds: float) -> Call:
        if body.metadata or exchange.trace.continued:
            _continue_trace(exchange, body)
        query = exchange.scope["query_string"]
        call = build_call(
            body,
            call_id=exchange.call_id,
            caller=exchange.caller,
            headers=exchange.headers,
            query=parse_query(query) if query else {},
            traceparent=exchange.traceparent,
            **bounds,
        )
        return self._traced(exchange, call)

    def _traced(self, exchange: Exchange, call: Call) -> Call:
        if self._tracer is None:
            return call
        exchange.span = self._tracer.enter(f"{exchange.method} {call.function_id}", exchange.trace, facts_of(call))
        return replace(call, traceparent=exchange.span.traceparent)

    async def _again(self, exchange: Exchange, content: bytes) -> Answer:
        found = _AGAIN.fullmatch(exchange.path)
        if found is None:
            raise ValueError("only a path that `find` knows comes here")
        body = parse_body(again_decoder, content) if content.strip() else AgainBody()
        record = await self._history.whole(exchange.caller, found[1])
        is_job = record.kind == "job"
        exchange.call_id = new_id("j" if is_job else "c")
        call = build_again(
            record.call,
            body,
            call_id=exchange.call_id,
            caller=exchange.caller,
            headers=exchange.headers,
            query=parse_query(exchange.scope["query_string"]),
            traceparent=exchange.traceparent,
            timeout_max=JOB_TIMEOUT_MAX if is_job else CALL_TIMEOUT_MAX,
        )
        call = self._traced(exchange, call)
        return await (self._begin(exchange, call, status=200) if is_job else self._send(exchange, call))

    async def _send(self, exchange: Exchange, call: Call) -> Answer:
        result = await self._calls.invoke(exchange.caller, call)
        exchange.call_id = result.call_id or call.id
        return _answer(result)

    async def _begin(self, exchange: Exchange, call: Call, *, status: int) -> Answer:
        job_id = await self._jobs.start(exchange.caller, call)
        exchange.call_id = job_id
        headers = [_location(job_id)] if job_id == call.id else [_location(job_id), REPLAYED]
        return Answer(status, JSON, orjson.dumps({"job_id": job_id}), headers)


def _parsed(content: bytes) -> CallBody:
    body = parse_body(call_decoder, content)
    check_bounds(bytes(body.payload))
    return body


def _continue_trace(exchange: Exchange, body: CallBody) -> None:
    """Take the trace from the metadata where no header named one; a tracestate goes where its traceparent goes."""
    if not exchange.trace.continued:
        if "traceparent" in body.metadata or "trace_id" in body.metadata:
            exchange.trace = trace_in(body.metadata)
            exchange.trace_id, exchange.traceparent, _ = exchange.trace
    elif (state := tracestate_of(exchange.headers.get(b"tracestate", b"").decode("latin-1"))) != "":
        body.metadata = {**body.metadata, "tracestate": state}


def _function_body(exchange: Exchange, content: bytes) -> tuple[CallBody, Mapping[str, str]]:
    """The payload is the whole body, so the function stands in the path and the options in the query."""
    found = _FUNCTION.fullmatch(exchange.path)
    if found is None:
        raise ValueError("only a path that `find` knows comes here")
    query = parse_query(exchange.scope["query_string"])
    payload = content or b"{}"
    check_payload(payload)
    function_id = one_of("function_id", found[2], query.get("function_id", ""))
    body = options_body(function_id, payload, query, game_id=found[1])
    return body, query


def _answer(result: Result) -> Answer:
    headers = served_by(result)
    if result.replayed:
        headers.append(REPLAYED)
    return Answer(200, JSON if is_json(result.payload) else BYTES, result.payload, headers)


def _location(job_id: str) -> tuple[bytes, bytes]:
    return b"location", b"/jobs/" + quote(job_id, safe="").encode()

"""FunctionService of a game server that listens, in both codecs and under both names of the contract; and its health."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, Never

import grpc
import grpc.aio

from croupier_sdk.errors import CODES, Failure
from croupier_sdk.rpc.codec import Received, decoder, encode
from croupier_sdk.rpc.kept_events import KeptEvents
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.context import CallContext
from croupier_sdk.running.jobs import Jobs
from croupier_sdk.running.workers import Outcome
from croupier_wire.function.v1 import function_pb2

_SERVICES = ("croupier.function.v1.FunctionService", "croupier.sdk.v1.FunctionService")
_IDENTITY = "croupier://"
"""How the identity in a certificate of Croupier's own authority begins: deployment, role, game, env and id follow."""
_ENDED_JOBS = 1_000
_ENDED_SECONDS = 600.0
_Context = grpc.aio.ServicerContext[Any, Any]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class FunctionService:
    def __init__(self, game_id: str, env: str, calls: Calls, jobs: Jobs, *, certified: bool = False) -> None:
        """`certified`: callers have certificates, and of Croupier's only those of this game's and env's agents may call."""
        self._scope = (game_id, env)
        self._certified = certified
        self._calls = calls
        self._jobs = jobs
        self._events: dict[str, KeptEvents] = {}

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        invoke = decoder(function_pb2.InvokeRequest)
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Invoke": grpc.unary_unary_rpc_method_handler(self.invoke, invoke, encode),
            "StartJob": grpc.unary_unary_rpc_method_handler(self.start_job, invoke, encode),
            "StreamJob": grpc.unary_stream_rpc_method_handler(
                self.stream_job, decoder(function_pb2.JobStreamRequest), encode
            ),
            "CancelJob": grpc.unary_unary_rpc_method_handler(
                self.cancel_job, decoder(function_pb2.CancelJobRequest), encode
            ),
        }
        return [grpc.method_handlers_generic_handler(name, methods) for name in _SERVICES]

    async def invoke(self, received: Received[function_pb2.InvokeRequest], context: _Context) -> Any:
        request, as_json = received
        await self._check_scope(request, context)
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        call = self._call(request, context, secrets.token_hex(16))
        self._calls.start(call, request.payload, lambda _, outcome: None if ended.done() else ended.set_result(outcome))
        try:
            outcome = await ended
        except asyncio.CancelledError:
            self._calls.cancel(call.call_id)
            raise
        if isinstance(outcome, Failure):
            await abort(context, outcome)
        return function_pb2.InvokeResponse(payload=outcome), as_json

    async def start_job(self, received: Received[function_pb2.InvokeRequest], context: _Context) -> Any:
        request, as_json = received
        await self._check_scope(request, context)
        if (refusal := self._jobs.refusal(request.function_id)) is not None:
            await abort(context, refusal)
        self._let_go()
        call = self._call(request, None, f"j{secrets.token_hex(16)}")
        events = self._events[call.call_id] = KeptEvents()
        self._jobs.start(call, request.payload, events)
        return function_pb2.StartJobResponse(job_id=call.call_id), as_json

    async def stream_job(
        self, received: Received[function_pb2.JobStreamRequest], context: _Context
    ) -> AsyncIterator[Any]:
        request, as_json = received
        events = await self._find(request.job_id, context)
        async for event in events.follow(request.after_seq):
            yield event, as_json

    async def cancel_job(self, received: Received[function_pb2.CancelJobRequest], context: _Context) -> Any:
        request, as_json = received
        await self._find(request.job_id, context)
        self._jobs.cancel(request.job_id)
        return function_pb2.StartJobResponse(job_id=request.job_id), as_json

    def _call(self, request: function_pb2.InvokeRequest, context: _Context | None, call_id: str) -> CallContext:
        left = context.time_remaining() if context is not None else None
        return CallContext(
            call_id=call_id,
            function_id=request.function_id,
            metadata=dict(request.metadata),
            idempotency_key=request.idempotency_key,
            traceparent=request.metadata.get("traceparent", ""),
            deadline=None if left is None else monotonic() + left,
            game_id=self._scope[0],
            env=self._scope[1],
        )

    async def _check_caller(self, context: _Context) -> None:
        for name in context.auth_context().get("peer_uri", ()):
            uri = bytes(name).decode(errors="replace")
            if uri.startswith(_IDENTITY) and uri.removeprefix(_IDENTITY).split("/")[1:4] != ["agent", *self._scope]:
                text = f"the certificate of {uri[:300]} may not call this game server: it is called by its agent"
                await abort(context, Failure(reason="permission_denied", message=text))

    async def _check_scope(self, request: function_pb2.InvokeRequest, context: _Context) -> None:
        if self._certified:
            await self._check_caller(context)
        theirs = (request.metadata.get("game_id") or self._scope[0], request.metadata.get("env") or self._scope[1])
        if theirs != self._scope:
            text = f"this game server is of {'|'.join(self._scope)}; the call is for {'|'.join(theirs)}"
            await abort(context, Failure(reason="permission_denied", message=text))

    async def _find(self, job_id: str, context: _Context) -> KeptEvents:
        if self._certified:
            await self._check_caller(context)
        events = self._events.get(job_id)
        if events is None:
            await abort(context, Failure(reason="not_found", message=f"unknown job {job_id[:128]}"))
        return events

    def _let_go(self) -> None:
        """Forget jobs that ended long ago, and the oldest where there are too many."""
        ended = [(job_id, events.ended_at) for job_id, events in self._events.items() if events.ended_at is not None]
        surplus = len(ended) - _ENDED_JOBS
        for index, (job_id, at) in enumerate(ended):
            if index < surplus or at + _ENDED_SECONDS < monotonic():
                del self._events[job_id]


async def abort(context: _Context, failure: Failure) -> Never:
    """End an RPC with a failure; its reason goes into the trailing metadata."""
    code = _CODES[CODES[failure.reason]]
    await context.abort(code, failure.message, (("croupier-reason", failure.reason),))


class Health:
    """grpc.health.v1 by hand: two messages of one field each are not worth a dependency."""

    def __init__(self) -> None:
        self.serving = True

    def handler(self) -> grpc.GenericRpcHandler:
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"Check": grpc.unary_unary_rpc_method_handler(self.check)}
        return grpc.method_handlers_generic_handler("grpc.health.v1.Health", methods)

    async def check(self, request: bytes, _context: _Context) -> bytes:
        status = 1 if self.serving else 2  # SERVING, NOT_SERVING
        if request[:1] == b"{":
            return json.dumps({"status": status}).encode()
        return bytes((0x08, status))

"""The agent's half of an attachment."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import grpc.aio

from croupier_sdk.errors import CallError, call_error_of
from croupier_sdk.invoker import JobEvent
from croupier_sdk.testing.job import FakeJob
from croupier_sdk.testing.service import Request, read_manifest
from croupier_sdk.tunnel.flow import Flow, ProtocolError
from croupier_wire.tunnel.v1 import tunnel_pb2
from croupier_wire.tunnel.v1.tunnel_pb2 import TunnelMessage

Context = grpc.aio.ServicerContext[bytes, bytes]
_Answer = asyncio.Future[Any]

RESUME_SECONDS = 3.0
_QUESTION_SECONDS = 5.0
_LATE_SECONDS = 1.0
"""The game server keeps the deadline itself; only if it does not, so much later, the fake agent speaks for it."""


class Attached:
    """One attached game server. It outlives its streams, as its session does."""

    def __init__(self, hello: tunnel_pb2.Hello, settings: tunnel_pb2.Welcome, on_change: Callable[[], None]) -> None:
        self.service_id = hello.agent_id
        self.functions: Mapping[str, Mapping[str, Any]] = {}
        self.entities: Mapping[str, Mapping[str, Any]] = {}
        self.draining = False
        self.acknowledge_jobs = True
        self.received_messages = 0
        self._incarnation = hello.incarnation
        self._settings = settings
        self._on_change = on_change
        self._session_id = secrets.token_hex(8)
        self._flow = Flow()
        self._queue: deque[bytes] = deque()
        self._work = asyncio.Event()
        self._dropped = asyncio.Event()
        self._answers: dict[str, _Answer] = {}
        self._jobs: dict[str, FakeJob] = {}
        self._expiry: asyncio.TimerHandle | None = None

    def adopt(self, jobs: Mapping[str, FakeJob]) -> None:
        """Jobs that are remembered from before: the platform does, where an agent restarts."""
        self._jobs.update(jobs)

    # calls

    async def invoke(self, request: Request) -> bytes:
        answer = await self._ask(
            request.timeout,
            lambda request_id: TunnelMessage(
                type="invoke", invoke=tunnel_pb2.InvokeFrame(**_call(request, request_id))
            ),
        )
        if (error := call_error_of(answer.status, answer.error)) is not None:
            raise error
        return answer.payload if isinstance(answer, tunnel_pb2.ResultFrame) else b""

    async def start_job(self, request: Request, job: FakeJob) -> str:
        self._jobs[job.id] = job
        answer = await self._ask(
            request.timeout,
            lambda request_id: TunnelMessage(
                type="start_job", start=tunnel_pb2.StartJobFrame(**_call(request, request_id), job_id=job.id)
            ),
        )
        if (error := call_error_of(answer.status, answer.error)) is not None:
            del self._jobs[job.id]
            raise error
        return job.id

    async def cancel_job(self, job_id: str, reason: str) -> None:
        self._send(TunnelMessage(type="cancel_job", cancel=tunnel_pb2.CancelJobFrame(job_id=job_id, reason=reason)))

    async def job_result(self, job_id: str) -> tunnel_pb2.GetJobResultResponse:
        answer: tunnel_pb2.GetJobResultResponse = await self._ask(
            _QUESTION_SECONDS,
            lambda request_id: TunnelMessage(
                type="get_job_result_req",
                job_res_req=tunnel_pb2.GetJobResultRequest(request_id=request_id, job_id=job_id),
            ),
        )
        return answer

    async def list_local(self, function_id: str) -> tunnel_pb2.ListLocalResponse:
        answer: tunnel_pb2.ListLocalResponse = await self._ask(
            _QUESTION_SECONDS,
            lambda request_id: TunnelMessage(
                type="list_local_req",
                list_req=tunnel_pb2.ListLocalRequest(request_id=request_id, function_id=function_id),
            ),
        )
        return answer

    async def _ask(self, timeout: float | None, make: Callable[[str], TunnelMessage]) -> Any:
        request_id = secrets.token_hex(8)
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        self._send(make(request_id))
        try:
            async with asyncio.timeout(None if timeout is None else timeout + _LATE_SECONDS):
                return await answer
        except TimeoutError:
            raise CallError(4, "deadline_exceeded", "the game server did not answer in time") from None
        finally:
            del self._answers[request_id]
            if answer.cancelled():
                cancel = tunnel_pb2.CancelCallFrame(request_id=request_id)
                self._send(TunnelMessage(type="cancel_call", cancel_call=cancel))

    def acknowledge(self, job_id: str, *, stop: bool = False) -> None:
        seen = len(self._jobs[job_id].seen) if job_id in self._jobs else 0
        ack = tunnel_pb2.JobAckFrame(job_id=job_id, seq=seen, stop=stop)
        self._send(TunnelMessage(type="job_ack", job_ack=ack))

    def acknowledge_all(self) -> None:
        for job_id in self._jobs:
            self.acknowledge(job_id)

    def _send(self, message: TunnelMessage) -> None:
        self._queue.append(message.SerializeToString())
        self._work.set()

    # the stream

    def drop(self) -> None:
        self._dropped.set()

    async def forget(self) -> None:
        self._fail_calls()
        self.drop()

    async def serve(self, hello: tunnel_pb2.Hello, context: Context) -> None:
        """Exchange messages over a new stream until it ends or is dropped; a stream served before is dropped."""
        self._dropped.set()
        dropped = self._dropped = asyncio.Event()
        if self._expiry is not None:
            self._expiry.cancel()
        resend = self._greet(hello)
        welcome = tunnel_pb2.Welcome(
            session_id=self._session_id,
            resumed=resend is not None,
            received=self._flow.received,
            capabilities=["session"],
            incarnation="fake",
            heartbeat_ms=self._settings.heartbeat_ms,
            job_window=self._settings.job_window,
        )
        await context.write(TunnelMessage(type="welcome", welcome=welcome).SerializeToString())
        parts = (self._read(context), self._write(context, resend or []), dropped.wait())
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._dropped is dropped:
                self._expiry = asyncio.get_running_loop().call_later(RESUME_SECONDS, self._fail_calls)
        if dropped.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was dropped")

    def _greet(self, hello: tunnel_pb2.Hello) -> list[bytes] | None:
        """What to send again; None if this is a new session."""
        if hello.session_id == self._session_id and hello.incarnation == self._incarnation:
            self._flow.acknowledge(hello.received)
            return self._flow.unacknowledged()
        self._fail_calls()
        self._incarnation, self._session_id = hello.incarnation, secrets.token_hex(8)
        self._flow = Flow()
        self._queue.clear()
        return None

    def _fail_calls(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(CallError(2, "outcome_unknown", "the connection to the game server was lost"))

    async def _read(self, context: Context) -> None:
        while isinstance(data := await context.read(), bytes):
            message = TunnelMessage.FromString(data)
            self.received_messages += 1
            if self._flow.accept(message, len(data)):
                for part in message.batch or [data]:
                    self._take(TunnelMessage.FromString(part))
            if self._flow.ack_due:
                self._work.set()

    def _take(self, frame: TunnelMessage) -> None:
        if frame.HasField("result"):
            self._answered(frame.result)
        elif frame.HasField("start_r"):
            self._answered(frame.start_r)
        elif frame.HasField("job_res_res"):
            self._answered(frame.job_res_res)
        elif frame.HasField("list_res"):
            self._answered(frame.list_res)
        elif frame.HasField("job_evt"):
            self._event(frame.job_evt)
        elif frame.HasField("register"):
            (service,) = frame.register.services
            self.functions, self.entities = read_manifest(service.manifest_json)
            self._on_change()
        elif frame.HasField("drain"):
            self.draining = True
            self._on_change()

    def _answered(self, frame: Any) -> None:
        answer = self._answers.get(frame.request_id)
        if answer is not None and not answer.done():
            answer.set_result(frame)

    def _event(self, frame: tunnel_pb2.JobEventFrame) -> None:
        job = self._jobs.get(frame.job_id)
        if job is None:
            self.acknowledge(frame.job_id, stop=True)
            return
        error = call_error_of(frame.status, frame.message if frame.type == "error" else "")
        event = JobEvent(
            seq=frame.seq, type=frame.type, message=frame.message, progress=frame.progress, payload=frame.payload
        )
        if not job.add(event, error):
            raise ProtocolError(f"event {frame.seq} of job {job.id} came after {len(job.seen)}")
        if self.acknowledge_jobs:
            self.acknowledge(job.id)

    async def _write(self, context: Context, resend: list[bytes]) -> None:
        for message in resend:
            await context.write(message)
        while True:
            while self._queue:
                await asyncio.sleep(0)
                frames = [self._queue.popleft() for _ in range(min(len(self._queue), 512))]
                await context.write(self._flow.pack(frames))
            if self._flow.ack_due:
                await context.write(self._flow.heartbeat())
            self._work.clear()
            await self._work.wait()


def _call(request: Request, request_id: str) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "function_id": request.function_id,
        "idempotency_key": request.idempotency_key,
        "payload": request.payload,
        "metadata": request.metadata,
        "deadline_ms": 0 if request.timeout is None else max(1, int(request.timeout * 1000)),
        "traceparent": request.traceparent,
    }

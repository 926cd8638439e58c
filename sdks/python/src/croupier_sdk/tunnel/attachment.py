"""The pump of `mode="attach"`: keeps one stream to the agent, for ever, and lets a Session say what goes over it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic, time_ns
from typing import Any

import grpc
import grpc.aio

from croupier_sdk.errors import Failure
from croupier_sdk.rpc.backoff import Backoff
from croupier_sdk.rpc.channel import Tls, dial
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.context import CallContext
from croupier_sdk.running.jobs import Jobs
from croupier_sdk.tunnel.flow import ProtocolError
from croupier_sdk.tunnel.metadata import LateMetadata
from croupier_sdk.tunnel.session import Session
from croupier_wire.tunnel.v1 import tunnel_pb2

log = logging.getLogger("croupier_sdk")

_PATH = "/croupier.attach.v1.AttachService/Attach"
_WELCOME_SECONDS = 10.0
_STABLE_SECONDS = 1.0
"""A connection that held so long was a good one: the next failure starts with the shortest wait."""
_BREACHES = 2
"""After so many breaches of the protocol in a row a session is not resumed any more: it would break again."""

_Stream = grpc.aio.StreamStreamCall[bytes, bytes]
_BUSY = Failure(
    reason="rate_limited", message="rate limited: too much waits to be sent to the agent; wait until it has caught up"
)


class JobEventsOnTunnel:
    """The JobEvents of an attached job."""

    def __init__(self, job_id: str, session: Session, wake: Callable[[], None]) -> None:
        self._job_id = job_id
        self._session = session
        self._wake = wake
        self._changed = asyncio.Event()
        self.result = tunnel_pb2.GetJobResultResponse(state="running")

    def full(self) -> bool:
        return self._session.job_is_full(self._job_id)

    async def room(self) -> None:
        await self._changed.wait()

    def changed(self) -> None:
        """There may be room: wake all who wait now; who comes later looks first."""
        self._changed.set()
        self._changed.clear()

    def put(
        self, kind: str, *, message: str = "", progress: int = 0, payload: bytes = b"", failure: Failure | None = None
    ) -> None:
        event = tunnel_pb2.JobEventFrame(
            job_id=self._job_id,
            type=kind,
            message=message,
            progress=progress,
            payload=payload,
            time_ms=time_ns() // 1_000_000,
            status=failure.to_status() if failure else None,
        )
        self._session.put_event(self._job_id, event, last=kind in {"done", "error"})
        if kind == "done":
            self.result = tunnel_pb2.GetJobResultResponse(state="succeeded", payload=payload)
        elif failure is not None:
            state = "canceled" if failure.reason == "canceled" else "failed"
            self.result = tunnel_pb2.GetJobResultResponse(state=state, error=failure.message)
        self._wake()


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Where the agent is, and which scope the game server is of."""

    agent: str
    game_id: str
    env: str
    tls: Tls | None


class Attachment:
    def __init__(self, peer: Peer, session: Session, calls: Calls, jobs: Jobs) -> None:
        self._peer = peer
        self._session = session
        self._calls = calls
        self._jobs = jobs
        self._events: dict[str, JobEventsOnTunnel] = {}
        self._work = asyncio.Event()
        self._progress = asyncio.Event()
        self._over = asyncio.Event()
        self._leaving = False
        self._sent = False
        self.attached = asyncio.Event()
        """Set while the functions are registered over a live stream."""
        self._handle: Mapping[type[Any], Callable[[Any], None]] = {
            tunnel_pb2.InvokeFrame: self._invoke,
            tunnel_pb2.StartJobFrame: self._start_job,
            tunnel_pb2.CancelCallFrame: lambda frame: calls.cancel(frame.request_id),
            tunnel_pb2.CancelJobFrame: lambda frame: jobs.cancel(frame.job_id, frame.reason),
            tunnel_pb2.JobAckFrame: self._job_ack,
            tunnel_pb2.ListLocalRequest: self._list_local,
            tunnel_pb2.GetJobResultRequest: self._get_job_result,
            tunnel_pb2.Drain: lambda frame: log.info("the agent is draining: %s", frame.reason),
        }

    async def run(self) -> None:
        """Attach, and attach again whenever the stream is lost, until cancelled or `leave`."""
        backoff, breaches = Backoff(), 0
        while True:
            began = monotonic()
            try:
                await self._connect()
                reason = "the agent ended the stream"
            except grpc.aio.AioRpcError as error:
                reason = f"{error.code().name}: {error.details()}"
                breaches += error.code() is grpc.StatusCode.DATA_LOSS
            except ProtocolError as error:
                reason = str(error)
                breaches += 1
            except (TimeoutError, OSError, grpc.aio.BaseError, asyncio.InvalidStateError) as error:
                reason = str(error) or f"no Welcome within {_WELCOME_SECONDS:g} s"
            was_attached = self.attached.is_set()
            self.attached.clear()
            self._session.closed()
            self._pulse()
            if self._leaving:
                break
            if was_attached and monotonic() - began >= _STABLE_SECONDS:
                backoff.reset()
                breaches = 0
            if breaches >= _BREACHES:
                self._session.abandon()
                breaches = 0
            delay = backoff.delay()
            log.warning("not attached to the agent at %s (%s); next try in %.1f s", self._peer.agent, reason, delay)
            await asyncio.sleep(delay)
        self._over.set()

    def register(self, service: tunnel_pb2.Service) -> None:
        """Offer these functions, at once if attached."""
        self._session.register(service)
        self._work.set()

    def drain(self, reason: str) -> None:
        self._session.drain(reason)
        self._work.set()

    async def leave(self) -> None:
        """Tell the agent all there is to say, and end the stream; at once where there is none."""
        while self.attached.is_set() and not self._session.settled:
            await self._progress.wait()
        self._leaving = True
        self._work.set()
        if self.attached.is_set():
            await self._over.wait()

    async def _connect(self) -> None:
        channel = dial(self._peer.agent, self._peer.tls, "agent")
        try:
            stream: _Stream = channel.stream_stream(_PATH)()
            try:
                await self._greet(stream)
                await self._exchange(stream)
            finally:
                stream.cancel()
        finally:
            await channel.close()

    async def _greet(self, stream: _Stream) -> None:
        async with asyncio.timeout(_WELCOME_SECONDS):
            await stream.write(self._session.hello())
            first = await stream.read()
        if not isinstance(first, bytes):
            raise ProtocolError("the agent ended the stream without a Welcome")
        if not self._session.welcome(first):
            self._calls.session_lost()
        for events in self._events.values():
            events.changed()
        self._work.set()
        self.attached.set()
        log.info("attached to the agent at %s", self._peer.agent)

    async def _exchange(self, stream: _Stream) -> None:
        """Read and write until the stream ends; whichever of the two notices stops the other."""
        tasks = [asyncio.create_task(part(stream)) for part in (self._read, self._write, self._beat)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, stream: _Stream) -> None:
        session, handle, work = self._session, self._handle, self._work
        while isinstance(data := await stream.read(), bytes):
            for frame in session.receive(data):
                handle[type(frame)](frame)
            if session.has_output:
                work.set()
            self._pulse()

    async def _write(self, stream: _Stream) -> None:
        """Writing returns at once, so frames gather only if the loop gets its turn first; there is no timer."""
        session, work = self._session, self._work
        while True:
            await work.wait()
            work.clear()
            while session.has_output:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                if (message := session.next_message()) is not None:
                    await stream.write(message)
                    self._sent = True
            self._pulse()
            if self._leaving:
                await stream.done_writing()
                await self._over.wait()  # the agent ends the stream in its turn, which the reader sees

    async def _beat(self, _stream: _Stream) -> None:
        pause = self._session.heartbeat_ms / 1000
        while True:
            self._sent = False
            await asyncio.sleep(pause)
            if not self._sent:
                self._session.beat()
                self._work.set()

    def _pulse(self) -> None:
        self._progress.set()
        self._progress.clear()

    def _context(self, frame: tunnel_pb2.InvokeFrame | tunnel_pb2.StartJobFrame, call_id: str) -> CallContext:
        return CallContext(
            call_id=call_id,
            function_id=frame.function_id,
            metadata=LateMetadata(frame.metadata),
            idempotency_key=frame.idempotency_key,
            traceparent=frame.traceparent or frame.metadata.get("traceparent", ""),
            deadline=monotonic() + frame.deadline_ms / 1000 if frame.deadline_ms else None,
            game_id=frame.game_id or self._peer.game_id,
            env=frame.env or self._peer.env,
        )

    def _invoke(self, frame: tunnel_pb2.InvokeFrame) -> None:
        if self._session.busy:
            self._answer(frame.request_id, _BUSY)
        elif (refusal := self._out_of_scope(frame)) is not None:
            self._answer(frame.request_id, refusal)
        else:
            answer = partial(self._answer, began=monotonic())
            self._calls.start(self._context(frame, frame.request_id), frame.payload, answer)

    def _answer(self, request_id: str, outcome: bytes | Failure, *, began: float = 0.0) -> None:
        self._session.answer(request_id, outcome, monotonic() - began if began else 0.0)
        self._work.set()

    def _start_job(self, frame: tunnel_pb2.StartJobFrame) -> None:
        session, job_id = self._session, frame.job_id or frame.request_id
        if session.knows_job(job_id):
            session.job_accepted(frame.request_id, job_id)
        elif refusal := _BUSY if session.busy else self._out_of_scope(frame) or self._jobs.refusal(frame.function_id):
            session.job_refused(frame.request_id, refusal)
        else:
            session.job_accepted(frame.request_id, job_id)
            events = self._events[job_id] = JobEventsOnTunnel(job_id, session, self._work.set)
            self._jobs.start(self._context(frame, job_id), frame.payload, events)
        self._work.set()

    def _out_of_scope(self, frame: tunnel_pb2.InvokeFrame | tunnel_pb2.StartJobFrame) -> Failure | None:
        """A call for another game or environment is never run, whoever sent it here."""
        ours = (self._peer.game_id, self._peer.env)
        theirs = (frame.game_id or ours[0], frame.env or ours[1])
        if ours == theirs:
            return None
        text = f"this game server is of {'|'.join(ours)}; the call is for {'|'.join(theirs)}"
        return Failure(reason="permission_denied", message=text)

    def _job_ack(self, frame: tunnel_pb2.JobAckFrame) -> None:
        if frame.stop:  # first, because the session may have dropped the job at this message's earlier frames
            self._jobs.forget(frame.job_id)
        if (events := self._events.get(frame.job_id)) is None:
            return
        events.changed()
        if not self._session.knows_job(frame.job_id):
            del self._events[frame.job_id]

    def _list_local(self, frame: tunnel_pb2.ListLocalRequest) -> None:
        self._session.list_local(frame, offered=self._jobs.refusal(frame.function_id) is None)
        self._work.set()

    def _get_job_result(self, frame: tunnel_pb2.GetJobResultRequest) -> None:
        events = self._events.get(frame.job_id)
        found = tunnel_pb2.GetJobResultResponse(error=f"unknown job {frame.job_id}")
        if events is not None:
            found.CopyFrom(events.result)
        found.request_id = frame.request_id
        self._session.job_result(found)
        self._work.set()

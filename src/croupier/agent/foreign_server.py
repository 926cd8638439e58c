"""A game server that registered by address: called by unary gRPC over a channel that is kept and watched."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from croupier.agent.foreign import ForeignChannel
from croupier.agent.foreign_jobs import ForeignJob
from croupier.agent.game_server import Done
from croupier.agent.job_keeper import Told
from croupier.agent.jobs import NOTHING_TOLD, Jobs
from croupier.agent.spool import KeptJob
from croupier.domain.identifiers import new_id
from croupier.domain.scope import Scope
from croupier.domain.trace import trace_id_of
from croupier.errors import CroupierError, InternalError, Unavailable, Unimplemented
from croupier.pki.identity import MachineFiles
from croupier.tunnel.frames import CallResult, Invoke, JobStarted, StartJob

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 2.0
"""Seconds in which a game server on this machine must accept a connection."""


class ForeignServer:
    """Calls in protobuf: many foreign servers know no other codec."""

    def __init__(
        self,
        service_id: str,
        address: str,
        *,
        scope: Scope,
        jobs: Jobs,
        health: Callable[["ForeignServer", bool], None],
        files: MachineFiles | None = None,
    ) -> None:
        self.service_id = service_id
        self.incarnation = ""
        self.listens = True
        self.capabilities: frozenset[str] = frozenset()
        self.outstanding = 0
        self.last_turn = 0
        self.address = address
        self.healthy = False
        self._scope = scope
        self._story = jobs
        self._health = health
        self._channel = ForeignChannel(address, f"game server {service_id}", files)
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._jobs: dict[str, ForeignJob] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch = asyncio.ensure_future(self._watched())

    # ------------------------------------------------------------------------------------------------ health

    async def _watched(self) -> None:
        """Report whether there is a connection, whenever that changes."""
        while True:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self._channel.connect()
            except (TimeoutError, Unavailable):
                self._report(healthy=False)
                await self._channel.connect(patient=True)
            self._report(healthy=True)
            await self._channel.disconnected()

    def _report(self, *, healthy: bool) -> None:
        self.healthy = healthy
        self._health(self, healthy)

    # ------------------------------------------------------------------------------------------------ calls

    def call(self, frame: Invoke, raw: bytes, timeout: float | None, done: Done) -> str:  # noqa: ARG002 — unary gRPC has a message of its own
        name = new_id("f")
        task = asyncio.ensure_future(self._call(frame, timeout, done))
        self._calls[name] = task
        task.add_done_callback(lambda _: self._calls.pop(name))
        return name

    def cancel(self, name: str, reason: str) -> None:  # noqa: ARG002 — unary gRPC cancels without a reason
        task = self._calls.get(name)
        if task is not None:
            task.cancel()

    async def _call(self, frame: Invoke, timeout: float | None, done: Done) -> None:
        starts = isinstance(frame, StartJob)
        try:
            outcome = await (
                self._start(frame, timeout) if isinstance(frame, StartJob) else self._invoke(frame, timeout)
            )
        except CroupierError as error:
            outcome = self._failed(frame, error)
        except Exception:
            extra = {"call_id": frame.request_id, "trace_id": trace_id_of(frame.traceparent)}
            log.exception("a %s of %s failed", "job start" if starts else "call", self.service_id, extra=extra)
            fault = InternalError("the call failed inside the agent; its log has the details")
            outcome = self._failed(frame, fault)
        done(outcome, b"")

    def _failed(self, frame: Invoke, error: CroupierError) -> CallResult | JobStarted:
        kind = JobStarted if isinstance(frame, StartJob) else CallResult
        return kind(request_id=frame.request_id, error=error, service_id=self.service_id)

    async def _invoke(self, frame: Invoke, timeout: float | None) -> CallResult | JobStarted:
        timeout = await self._connected(timeout)
        payload = await self._channel.invoke(frame, self._metadata(frame), timeout)
        return CallResult(request_id=frame.request_id, payload=payload, service_id=self.service_id)

    async def _connected(self, timeout: float | None) -> float | None:
        """What is left of `timeout` once there is a connection. Raises Unavailable: then nothing was sent."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT if timeout is None else min(CONNECT_TIMEOUT, timeout)):
                await self._channel.connect()
        except TimeoutError as error:
            raise Unavailable(f"game server {self.service_id} does not answer; the call was not sent") from error
        return None if timeout is None else max(0.001, timeout - (loop.time() - began))

    def _metadata(self, frame: Invoke) -> dict[str, str]:
        """What the caller sent along, and the keys of the contract that are missing in it."""
        metadata = {"game_id": self._scope.game_id, "env": self._scope.env, **frame.metadata}
        if frame.traceparent:
            metadata["traceparent"] = frame.traceparent
            metadata.setdefault("trace_id", trace_id_of(frame.traceparent))
        return metadata

    # ------------------------------------------------------------------------------------------------ jobs

    async def _start(self, frame: StartJob, timeout: float | None) -> CallResult | JobStarted:
        timeout = await self._connected(timeout)
        try:
            remote_id = await self._channel.start_job(frame, self._metadata(frame), timeout)
        except Unimplemented:
            remote_id = ""
        await self._story.named(frame.job_id, remote_id)
        self._follow(frame, remote_id, 0, NOTHING_TOLD)
        return JobStarted(request_id=frame.request_id, job_id=frame.job_id, service_id=self.service_id)

    def follow_again(self, kept: KeptJob) -> None:
        """Go on telling a job's story where an earlier agent process was."""
        frame = StartJob(request_id="", function_id=kept.function_id, payload=b"", job_id=kept.job_id)
        self._follow(frame, kept.remote_id, kept.last_seq, Told(kept.place, kept.first))

    def _follow(self, frame: StartJob, remote_id: str, seq: int, told: Told) -> None:
        job = self._jobs[frame.job_id] = ForeignJob(
            self._channel,
            frame,
            self._metadata(frame),
            lambda event, told: self._story.arrived(self, event, told=told),
            room=self._story.room,
            seq=seq,
            told=told,
        )
        follower = self._followers[frame.job_id] = asyncio.ensure_future(job.run(remote_id))
        follower.add_done_callback(lambda _: self._ended(frame.job_id))

    def _ended(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
        self._followers.pop(job_id, None)

    def cancel_job(self, job_id: str, reason: str) -> None:
        job = self._jobs.get(job_id)
        if job is not None:
            self._spawn(job.cancel(reason))

    def acknowledge(self, job_id: str, seq: int, *, stop: bool) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        job.acknowledge(seq)
        if stop:
            self._spawn(self._drop(job))

    async def _drop(self, job: ForeignJob) -> None:
        await job.drop()
        follower = self._followers.get(job.job_id)
        if follower is not None:
            follower.cancel()

    def pause(self) -> None:
        """Its jobs keep within their windows already."""

    def proceed(self) -> None:
        """As above."""

    def abandon(self, why: str) -> None:
        log.error("the agent numbered the events of %s wrongly: %s", self.service_id, why)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------------ the end

    async def retire(self) -> None:
        """Another took its place, or it expired: close once what runs there has ended."""
        self._watch.cancel()
        while running := [*self._calls.values(), *self._followers.values(), *self._tasks]:
            await asyncio.wait(running)
        await self._channel.close()

    def give_up_jobs(self, why: str) -> None:
        for job in list(self._jobs.values()):
            job.give_up(why)

    async def close(self) -> None:
        """End everything now."""
        running = [self._watch, *self._calls.values(), *self._followers.values(), *self._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._channel.close()

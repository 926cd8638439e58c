"""Agents that registered an address and did not dial in: called there, over a channel that is kept."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from croupier.domain.addresses import dialable, is_loopback
from croupier.domain.call import Call, Result
from croupier.domain.job import JobEvent
from croupier.domain.limits import CALL_TIMEOUT_MAX
from croupier.domain.machine import MachineIdentity
from croupier.errors import CroupierError, InvalidArgument, OutcomeUnknown
from croupier.pki.identity import MachineFiles
from croupier.rpc.client import FunctionClient
from croupier.server.dispatch.link import Arrived, travelling_metadata
from croupier.server.dispatch.sending import sent
from croupier.telemetry import Tracer
from croupier.tunnel.frames import JobAnswer, JobStarted
from croupier_wire.function.v1 import function_pb2 as wire

log = logging.getLogger(__name__)

_Place = tuple[str, MachineIdentity | None]
"""An address, and who is there."""


class DirectLink:
    def __init__(self, agent_id: str, client: FunctionClient, arrived: Arrived, tracer: Tracer | None = None) -> None:
        self.agent_id = agent_id
        self._tracer = tracer
        self._client = client
        self._arrived = arrived
        self._outstanding = 0
        self._theirs: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Event()
        self._gate.set()

    @property
    def connected(self) -> bool:
        return True

    @property
    def usable(self) -> bool:
        return True

    @property
    def outstanding(self) -> int:
        return self._outstanding

    def invoke(self, call: Call, service_id: str, timeout: float) -> Coroutine[Any, Any, Result]:
        if self._tracer is None:
            return self._invoke(call, service_id, timeout)
        return sent(
            self._tracer, call, self.agent_id, service_id, lambda traced: self._invoke(traced, service_id, timeout)
        )

    async def _invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        self._outstanding += 1
        try:
            payload = await self._client.invoke(_request(call, service_id), timeout)
        finally:
            self._outstanding -= 1
        return Result(payload=payload, agent_id=self.agent_id, service_id=service_id)

    def start(self, call: Call, service_id: str, timeout: float) -> Coroutine[Any, Any, JobStarted]:
        if self._tracer is None:
            return self._start(call, service_id, timeout)
        return sent(
            self._tracer, call, self.agent_id, service_id, lambda traced: self._start(traced, service_id, timeout)
        )

    async def _start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        theirs = await self._client.start_job(_request(call, service_id), timeout)
        if not theirs:
            raise OutcomeUnknown(
                f"agent {self.agent_id} accepted the job without naming it, so it cannot be followed; check what it did"
            )
        self._theirs[call.id] = theirs
        self._spawn(self._follow(call.id, theirs))
        return JobStarted(request_id=call.id, job_id=call.id, service_id=service_id)

    async def _follow(self, job_id: str, theirs: str) -> None:
        """Bring the job's events; a foreign agent numbers nothing, so they are numbered as they come."""
        seq = 0
        last = ""
        why = "the agent ended the stream before the job's end"
        try:
            async for event in self._client.stream_job(theirs):
                seq += 1
                last = event.type
                self._arrived(self, _event(job_id, seq, event))
                if last in {"done", "error"}:
                    break
                await self._gate.wait()
        except CroupierError as error:
            why = error.message
        finally:
            self._theirs.pop(job_id, None)
        if last not in {"done", "error"}:
            message = f"lost: {why}; check what the job did before starting it again"
            self._arrived(self, JobEvent(job_id=job_id, seq=seq + 1, type="error", reason="lost", message=message))

    def cancel_job(self, job_id: str, reason: str) -> None:  # noqa: ARG002 — the contract's CancelJob carries no reason
        theirs = self._theirs.get(job_id)
        if theirs is not None:
            self._spawn(self._cancel(theirs))

    async def _cancel(self, theirs: str) -> None:
        try:
            await self._client.cancel_job(theirs, 5.0)
        except CroupierError as error:
            log.warning("agent %s did not take the cancel of job %s: %s", self.agent_id, theirs, error.message)

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:  # noqa: ARG002 — nothing is resent here
        """A foreign agent waits for no acknowledgement; what nobody wants any more it is told to stop."""
        if stop:
            self.cancel_job(job_id, "")

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        answer = await self._client.job_result(self._theirs.get(job_id, job_id), timeout)
        return JobAnswer(request_id="", state=answer.state, payload=answer.payload, error=answer.error)

    def pause(self) -> None:
        self._gate.clear()

    def proceed(self) -> None:
        self._gate.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def retire(self) -> None:
        """Close, once the jobs and calls here have ended: their agent, or its connection, ends them."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._client.close(CALL_TIMEOUT_MAX)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()


def _request(call: Call, service_id: str) -> wire.InvokeRequest:
    return wire.InvokeRequest(
        function_id=call.function_id,
        idempotency_key=call.idempotency_key,
        payload=call.payload,
        metadata=travelling_metadata(call, service_id),
    )


def _event(job_id: str, seq: int, event: wire.JobEvent) -> JobEvent:
    return JobEvent(
        job_id=job_id,
        seq=seq,
        type=event.type,
        message=event.message,
        progress=event.progress,
        payload=event.payload,
        reason="handler_failed" if event.type == "error" else "",
    )


class DirectLinks:
    """One kept link for each agent that is called by address."""

    def __init__(self, arrived: Arrived, tracer: Tracer | None = None, files: MachineFiles | None = None) -> None:
        """With `files`, agents that have shown a certificate are called by mTLS."""
        self._arrived = arrived
        self._tracer = tracer
        self._files = files
        self._links: dict[str, tuple[_Place, DirectLink]] = {}
        self._retiring: dict[asyncio.Task[None], DirectLink] = {}

    def link(self, agent_id: str, rpc_addr: str, peer: str, machine: MachineIdentity | None = None) -> DirectLink:
        """`machine` is whom the agent's certificate names: whoever answers at the address must have one of it too.

        Raises InvalidArgument for an address that is none, or without certificates is not on this machine.
        """
        address = dialable(rpc_addr, peer)
        files = self._files if machine is not None else None
        if files is None and not is_loopback(address):
            raise InvalidArgument(
                f"rpc_addr {rpc_addr} is not on this machine: without certificates agents are called by plain text, so on "
                "loopback only; give this server and the agent certificates, or let the agent dial in"
            )
        place, known = (address, machine), self._links.get(agent_id)
        if known is not None and known[0] == place:
            return known[1]
        self.forget(agent_id)
        client = FunctionClient(address, f"agent {agent_id}", files, machine)
        fresh = DirectLink(agent_id, client, self._arrived, self._tracer)
        self._links[agent_id] = (place, fresh)
        return fresh

    def forget(self, agent_id: str) -> None:
        """The agent is gone, or is called elsewhere now. What was sent to it may still come to its end."""
        known = self._links.pop(agent_id, None)
        if known is not None:
            task = asyncio.ensure_future(known[1].retire())
            self._retiring[task] = known[1]
            task.add_done_callback(self._retiring.pop)

    async def close(self) -> None:
        retiring = list(self._retiring)
        links = [*self._retiring.values(), *(link for _, link in self._links.values())]
        await asyncio.gather(*(link.close() for link in links))
        await asyncio.gather(*retiring)

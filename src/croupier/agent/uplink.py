"""The way to the server: one stream, dialled outwards, for ever dialled again.

server ─ Execute ─► forward ─► game server ─ answer's bytes ─► Connector ─► server
server ◄─ job event ─ deliver ◄─ jobs            server ─ JobAck ─► jobs ─► game server
"""

import asyncio
import logging
import random
from collections.abc import Coroutine, Sequence
from time import perf_counter
from typing import Any

import grpc
import grpc.aio

from croupier.agent.attachments import Attachments
from croupier.agent.control import ControlRegistration
from croupier.agent.forward import Flight, Forward
from croupier.agent.instances import Instances
from croupier.agent.jobs import Jobs
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, InvalidArgument, NotFound, Unavailable
from croupier.pki.identity import MachineFiles
from croupier.pki.names import HUB
from croupier.rpc.control import ControlClient
from croupier.rpc.secure import check_plain, open_channel
from croupier.tunnel.backoff import Backoff, Redial
from croupier.tunnel.codec import agent_time, encode
from croupier.tunnel.connector import (
    Abort,
    AcceptorDraining,
    Asked,
    Connector,
    ConnectorEvent,
    Execute,
    JobAcknowledged,
    JobCancelAsked,
    Opened,
)
from croupier.tunnel.frames import (
    Answer,
    CallResult,
    Hello,
    Invoke,
    JobAnswer,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    StartJob,
)
from croupier.tunnel.grpc import CHANNEL_OPTIONS, OPEN, ClientStream, open_stream
from croupier.tunnel.peer import ConnectorPeer

log = logging.getLogger(__name__)

COALESCE = 0.05
"""Seconds in which changes of the game servers share one registration."""
REASON_SHOWN = 500
"""Characters of a foreign reason that the log shows."""
RESUMABLE = 10.0
"""Seconds after a lost stream in which a server still holds the session, unless it was told otherwise."""
HURRY = 1.0
"""The longest pause, in seconds, while that lasts: calls wait for this agent."""
BACKOFF = Backoff(most=12.0)
"""A server that was away, however long, has every agent back within a heartbeat, which are 15 seconds."""
SPREAD = 1.0
"""Seconds over which the agents of a server that stopped in order dial it again, so that they do not all come at once."""
FLUSH_CHECK = 0.01
ASK_TIMEOUT = 2.0
"""Seconds in which game servers must say what they know of a job."""


class Uplink:
    def __init__(
        self,
        hello: Hello,
        servers: tuple[str, ...],
        *,
        forward: Forward,
        instances: Instances,
        jobs: Jobs,
        attachments: Attachments,
        control: ControlRegistration,
        backoff: Backoff | None = None,
        files: MachineFiles | None = None,
    ) -> None:
        """With `files` it dials by mTLS. Raises InvalidArgument or FailedPrecondition for a server that cannot be dialled."""
        for server in servers:
            if files is None:
                check_plain(server, "server")
        if not servers:
            raise InvalidArgument("name at least one server to dial")
        self._files = files
        self._channel: grpc.aio.Channel | None = None
        self._servers = servers
        self._forward = forward
        self._instances = instances
        self._jobs = jobs
        self._attachments = attachments
        self._control = control
        self._redial = Redial(len(servers), backoff or BACKOFF, hurry=HURRY, resumable=RESUMABLE)
        self._loop = asyncio.get_running_loop()
        self._peer = ConnectorPeer(Connector(hello), self)
        self._flights: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._register_due = False
        self._opened = asyncio.Event()
        self._plain = False
        self._refusals: dict[str, str] = {}
        """How the last try of each server failed."""
        self._call: grpc.aio.StreamStreamCall[bytes, bytes] | None = None
        self._stopping = asyncio.Event()
        self._server_stops = False
        self.connected = False
        self.reconnects = 0

    # ------------------------------------------------------------------------------------------------ the stream

    async def run(self) -> None:
        """Dial for ever, one server after the other, until cancelled or drained."""
        place = 0
        while not self._stopping.is_set():
            began = self._loop.time()
            reached = await self._try(self._servers[place % len(self._servers)])
            place += 1  # also after a good stream: whatever ended it, another way is the better bet
            now = self._loop.time()
            pause = self._redial.pause(now, lived=now - began if reached else None)
            if self._server_stops and len(self._servers) == 1:
                pause = random.uniform(0.0, SPREAD)  # noqa: S311 — jitter, no secret
            await self._pause(pause)
            self._server_stops = False
            self.reconnects += 1

    async def _try(self, server: str) -> bool:
        try:
            return await self._carry(server)
        except Exception:
            # A fault of ours must not cut game servers off until somebody restarts the agent.
            log.exception("the stream to server %s failed inside the agent", server)
            return False

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _carry(self, server: str) -> bool:
        """One stream, from its beginning to its end. False when nobody answered."""
        self._opened.clear()
        async with open_channel(server, CHANNEL_OPTIONS, self._files, HUB) as channel:
            self._channel = channel
            call = self._call = open_stream(channel, OPEN)
            beside = asyncio.ensure_future(self._register_beside(channel))
            why = ""
            try:
                why = await self._peer.run(ClientStream(call))
            except InvalidArgument as error:
                log.warning("server %s broke the tunnel's protocol: %s", server, error.message)
            finally:
                self.connected = False
                self._jobs.unheard()
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)
                call.cancel()
                self._call = self._channel = None
        reached = self._opened.is_set()
        self._tell_end(server, why, reached=reached)
        return reached

    def _tell_end(self, server: str, why: str, *, reached: bool) -> None:
        """A server that refuses this agent is asked for ever; the log says so once, not at every try."""
        said = why[:REASON_SHOWN]
        if reached:
            log.info("the stream to server %s ended%s", server, f": {said}" if said else "")
        elif said and said != self._refusals.get(server, ""):
            log.warning("server %s cannot be used, trying on: %s", server, said)
        self._refusals[server] = "" if reached else said

    async def channel(self) -> grpc.aio.Channel:
        """The one that carries the stream, once there is one."""
        await self._opened.wait()
        if self._channel is None:
            raise Unavailable("no server is connected")
        return self._channel

    async def _register_beside(self, channel: grpc.aio.Channel) -> None:
        """A plain server learns by ControlService what can be reached."""
        await self._opened.wait()
        if self._plain:
            await self._control.run(ControlClient(channel))

    # ------------------------------------------------------------------------------------------------ registering

    def changed(self) -> None:
        """The game servers are not what they were."""
        self._control.changed()
        if not self._register_due and self.connected:
            self._register_due = True
            self._loop.call_later(COALESCE, self._register)

    def _register(self) -> None:
        self._register_due = False
        self._peer.machine.register(Register(self._instances.services()))
        self._peer.wake()

    # ------------------------------------------------------------------------------------------------ what the server wants

    def handle(self, event: ConnectorEvent) -> None:
        match event:
            case Execute():
                self._execute(event)
            case Abort():
                flight = self._flights.pop(event.request_id, None)
                if flight is not None:
                    flight.cancel(event.reason)
            case JobAcknowledged():
                self._jobs.acknowledged(event.job_id, event.seq, stop=event.stop)
            case JobCancelAsked():
                self._cancel_job(event.job_id, event.reason)
            case Asked(query=ListLocal() as query):
                self._list(query)
            case Asked(query=JobQuery() as query):
                self._spawn(self._answer_query(query))
            case Opened():
                self._open(event)
            case AcceptorDraining():
                self._server_stops = True
                log.info("the server drains: %s", event.reason[:256] or "no reason given")

    def _open(self, event: Opened) -> None:
        log.info("connected to the server%s", ", the session goes on" if event.resumed else "")
        self.connected = True
        self._jobs.heard()
        self._plain = event.plain
        self._opened.set()
        # After a resume too: what changed in between was not sent, since nobody was there.
        self._register()

    def _execute(self, event: Execute) -> None:
        frame = event.frame
        request_id = frame.request_id
        began = perf_counter()  # the loop's own time stands still between two turns, in whole milliseconds

        def done(outcome: Answer | CroupierError, raw: bytes) -> None:
            self._flights.pop(request_id, None)
            self._answer(frame, outcome, raw, began)

        try:
            if isinstance(frame, StartJob):
                flight = self._forward.start(frame, event.raw, event.deadline, done, self)
            else:
                flight = self._forward.invoke(frame, event.raw, event.deadline, done)
        except CroupierError as error:
            self._answer(frame, error, b"", began)
            return
        if flight is not None:
            self._flights[request_id] = flight

    def _answer(self, frame: Invoke, outcome: Answer | CroupierError, raw: bytes, began: float) -> None:
        if not raw:
            answer = _failed(frame, outcome) if isinstance(outcome, CroupierError) else outcome
            raw = encode(answer)
        if not self._plain and type(frame) is Invoke:
            raw += agent_time(perf_counter() - began)
        self._peer.machine.answer_raw(frame.request_id, raw)
        self._peer.wake()

    def _cancel_job(self, job_id: str, reason: str) -> None:
        if self._jobs.cancel(job_id, reason):
            return
        # An earlier agent process may have started it: the game server that has it will know.
        log.info("job %s is not known here, every attached game server is asked to cancel it", job_id[:256])
        for server in self._attachments.servers():
            server.cancel_job(job_id, reason)

    def _list(self, query: ListLocal) -> None:
        if query.function_id:
            found = tuple(self._instances.offering(query.function_id))
        else:
            found = tuple(each.service.service_id for each in self._instances)
        error = None if found else NotFound(f"no local handler for {query.function_id[:256]}")
        self._peer.machine.answer(
            LocalList(request_id=query.request_id, function_id=query.function_id, service_ids=found, error=error)
        )
        self._peer.wake()

    async def _answer_query(self, query: JobQuery) -> None:
        self._peer.machine.answer(await self._known_job(query))
        self._peer.wake()

    async def _known_job(self, query: JobQuery) -> JobAnswer:
        job = self._jobs.get(query.job_id)
        if job is not None:
            end = job.end
            return JobAnswer(
                request_id=query.request_id,
                state=job.state,
                payload=end.payload if end is not None else b"",
                error=end.message if end is not None and end.type == "error" else "",
            )
        asked = [server.ask(query.job_id, ASK_TIMEOUT) for server in self._attachments.servers()]
        for answer in await asyncio.gather(*asked):
            if answer is not None:
                return JobAnswer(
                    request_id=query.request_id, state=answer.state, payload=answer.payload, error=answer.error
                )
        return JobAnswer(request_id=query.request_id, error=f"unknown job {query.job_id[:256]}")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------------ what jobs tell

    def deliver(self, event: JobEvent, raw: bytes) -> None:
        self._peer.machine.emit(event, raw)
        self._peer.wake()

    def waiting(self, job_id: str) -> Sequence[tuple[int, bytes]]:
        return self._peer.machine.events_of(job_id)

    @property
    def full(self) -> bool:
        return self._peer.machine.link.full

    # ------------------------------------------------------------------------------------------------ the end

    def drain(self) -> None:
        """Tell the server that no more calls are taken."""
        self._stopping.set()
        self._peer.machine.drain("the agent is stopping")
        self._peer.wake()

    async def close(self, grace: float) -> None:
        """End the stream in order once everything was sent, `grace` seconds at most; `run` then returns."""
        for task in self._tasks:
            task.cancel()
        call = self._call
        if call is None or not self.connected:
            return
        try:
            async with asyncio.timeout(grace):
                while self._peer.machine.link.ready and self.connected:  # noqa: ASYNC110 — the link is no source of events
                    await asyncio.sleep(FLUSH_CHECK)
                await call.done_writing()
        except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
            log.info("not everything could be sent to the server before the stop")


def _failed(frame: Invoke, error: CroupierError) -> CallResult | JobStarted:
    if isinstance(frame, StartJob):
        return JobStarted(request_id=frame.request_id, job_id=frame.job_id, error=error, service_id=error.service_id)
    return CallResult(request_id=frame.request_id, error=error, service_id=error.service_id)

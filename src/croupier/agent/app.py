"""The agent as a process: every part made and joined, started, and ended in order."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from croupier import __version__
from croupier.agent.attachments import Attachments
from croupier.agent.control import ControlRegistration
from croupier.agent.forward import Forward
from croupier.agent.identified import identified
from croupier.agent.instances import Instances
from croupier.agent.job_keeper import JobKeeper
from croupier.agent.jobs import RETURN_GRACE, WINDOW, Jobs
from croupier.agent.local import LocalCalls, LocalControl, services
from croupier.agent.local_functions import LocalFunctions
from croupier.agent.local_jobs import LocalJobs
from croupier.agent.metrics import AgentMetrics, Calls
from croupier.agent.registrar import Registrar
from croupier.agent.resend import Resend
from croupier.agent.spool import Spool
from croupier.agent.uplink import Uplink
from croupier.asgi.server import HttpServer
from croupier.domain.identifiers import new_id
from croupier.domain.scope import parse_scope
from croupier.health import Health
from croupier.rpc.machine_client import OverChannel
from croupier.rpc.renewal import Renewal
from croupier.rpc.service import RpcServer
from croupier.settings import AgentSettings, TelemetrySettings
from croupier.telemetry import Tracer, open_tracer
from croupier.tunnel.acceptor import AcceptorConfig
from croupier.tunnel.frames import Hello

log = logging.getLogger(__name__)

DRAIN = 10.0
"""Seconds that calls under way are given at the end."""
FLUSH = 2.0
"""Seconds in which the last answers must reach the server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyInfo:
    """The addresses the agent really listens on, host:port."""

    grpc: str
    http: str


class Changes(Protocol):
    def changed(self) -> None: ...


class Agent:
    """Made inside a running loop; `start` may be called once."""

    def __init__(self, settings: AgentSettings, tracer: Tracer | None = None) -> None:
        self._settings = settings
        self._tracer = tracer
        self._listeners: list[Changes] = []
        scope = parse_scope(settings.game_id, settings.env)
        known = identified(settings)
        calls = Calls()
        self._instances = Instances(self._changed)
        self._spool = Spool(settings.data / "jobs.db")
        self._jobs = Jobs(
            grace=settings.job_lost_after,
            cancel_grace=settings.cancel_grace,
            return_grace=max(settings.job_lost_after, RETURN_GRACE),
            keeper=JobKeeper(self._spool),
        )
        resend = Resend(self._instances)
        self._forward = Forward(scope, self._instances, self._jobs, calls, resend, tracer)
        self._attachments = Attachments(
            scope,
            self._instances,
            self._jobs,
            resend,
            config=AcceptorConfig(resume_window=settings.resume_window, job_window=WINDOW),
        )
        self._registrar = Registrar(
            settings.data / "registrations.json", scope, self._instances, self._jobs, known.local
        )
        hello = Hello(
            agent_id=settings.agent_id,
            game_id=settings.game_id,
            env=settings.env,
            incarnation=new_id("i"),
            version=__version__,
            region=settings.region,
            zone=settings.zone,
            labels=settings.labels,
        )
        control = ControlRegistration(
            agent_id=settings.agent_id,
            scope=scope,
            version=__version__,
            rpc_addr=settings.rpc_addr,
            instances=self._instances,
        )
        self._uplink = Uplink(
            hello,
            settings.servers,
            forward=self._forward,
            instances=self._instances,
            jobs=self._jobs,
            attachments=self._attachments,
            control=control,
            files=known.files,
        )
        self._renewal = (
            Renewal(known.files, known.revocations, OverChannel(self._uplink.channel), known.revoked)
            if known.files is not None
            else None
        )
        self._jobs.adopt_into(self._uplink)
        self._listeners.append(self._uplink)
        functions = LocalFunctions(scope, self._forward, self._jobs, LocalJobs(self._jobs))
        local_control = LocalControl(self._registrar, self._instances, functions)
        self._rpc = RpcServer(
            services(local_control, LocalCalls(functions), self._attachments), files=known.local, gate=known.gate
        )
        if known.gate is not None:
            known.revocations.listen(self._attachments.revoked)
        metrics = AgentMetrics(self._instances, calls, self._jobs, self._uplink)
        self._health = HttpServer(Health(problems=self._problems, metrics=metrics.text), grace=1.0)
        self._spooling: asyncio.Task[None] | None = None
        self._running: list[asyncio.Task[None]] = []

    def _changed(self) -> None:
        for listener in self._listeners:
            listener.changed()

    def _problems(self) -> list[str]:
        problems = [] if self._uplink.connected else [f"no server of {', '.join(self._settings.servers)} is connected"]
        return [*problems, "the agent is stopping"] if self._forward.draining else problems

    async def start(self) -> ReadyInfo:
        """Listen, bring back what was registered, dial the server. Raises OSError for an address that cannot be had."""
        await self._registrar.restore()
        await self._take_up_jobs()
        await self._rpc.start(self._settings.grpc)
        await self._health.start(self._settings.http)
        self._running = [asyncio.ensure_future(self._registrar.run()), asyncio.ensure_future(self._uplink.run())]
        if self._renewal is not None:
            self._renewal.begin()
        log.info("agent %s serves %s|%s", self._settings.agent_id, self._settings.game_id, self._settings.env)
        return ReadyInfo(grpc=self._rpc.address, http=self._health.address)

    async def _take_up_jobs(self) -> None:
        kept = {job.job_id: job for job in await self._spool.open()}
        self._spooling = asyncio.ensure_future(self._spool.run())
        if kept:
            log.info("%d jobs of the process before this one are taken up", len(kept))
        for job in self._jobs.restore(list(kept.values())):
            self._registrar.follow_again(job, kept[job.job_id])

    async def serve(self) -> None:
        """Until cancelled. Raises whatever ended one of its parts, which none is expected to do."""
        done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """No new calls, those under way to their end, the last answers to the server, then everything closed."""
        self._attachments.stopping = True
        self._uplink.drain()
        await self._rpc.set_serving(serving=False)
        await self._forward.drain(DRAIN)
        self._registrar.give_up_jobs("the agent stopped")
        if self._renewal is not None:
            await self._renewal.stop()
        await self._uplink.close(FLUSH)
        if self._running:
            await asyncio.wait(self._running[1:], timeout=FLUSH)
        self._attachments.close("the agent stopped")
        self._jobs.stop()
        await self._rpc.stop(grace=0.5)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._registrar.close()
        if self._spooling is not None:
            self._spooling.cancel()
            await asyncio.gather(self._spooling, return_exceptions=True)
            await self._spool.close()
        await self._health.stop()
        if self._tracer is not None:
            await self._tracer.close()


async def run(
    settings: AgentSettings,
    *,
    telemetry: TelemetrySettings | None = None,
    ready: Callable[[ReadyInfo], None] | None = None,
) -> None:
    """Serve until cancelled; then end in order, which takes about 10 s at most, and return by the cancellation.

    `ready` is told the addresses once the agent listens; the server may be reached later.
    Raises OSError for an address that cannot be had, CroupierError for a server that may not be dialled.
    """
    tracer = open_tracer(telemetry, service="croupier-agent", instance=settings.agent_id)
    agent = Agent(settings, tracer)
    try:
        info = await agent.start()
        if ready is not None:
            ready(info)
        await agent.serve()
    finally:
        await agent.stop()

"""The server process, put together; the only place of the server that chooses implementations."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from croupier import __version__
from croupier.asgi.server import HttpServer
from croupier.audit.signing import Signer
from croupier.bus.memory import MemoryBus
from croupier.descriptors import Fault, Message
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.routing import Canary
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition
from croupier.objects import Objects
from croupier.objects.disk import DiskObjects
from croupier.redaction import Redactor
from croupier.relay.dialing import LINK_SERVER_OPTIONS
from croupier.relay.frames import Identity, Role
from croupier.rpc.service import RpcServer
from croupier.server.access.addresses import Hosts, Proxies
from croupier.server.access.audit import CHAIN_PURPOSE, MASK_PURPOSE, SIGN_PURPOSE, Audit, Checkpoints, Masker
from croupier.server.access.audit_record import AuditRecord, Keys
from croupier.server.access.clock import OnwardClock
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey, load_key
from croupier.server.access.limits import Budgets, Limiter, Limits, Maintenance, Throttle, Windows
from croupier.server.access.passwords import Passwords, usual_hasher
from croupier.server.access.people import People
from croupier.server.access.residents import Residents
from croupier.server.access.roles import Roles
from croupier.server.access.second_factors import SecondFactors
from croupier.server.access.secrets import PURPOSE, Envelope, Secrets
from croupier.server.access.ways_in import WaysIn, ways_in
from croupier.server.admission import Admission
from croupier.server.approvals import Approving, Runners
from croupier.server.archive import Archive
from croupier.server.bulk import Bulks
from croupier.server.calls import Calls
from croupier.server.catalog import Catalog, Kind, Origin
from croupier.server.catalog.assigned import AssignedFunctions
from croupier.server.catalog.directories import Directories
from croupier.server.catalog.entry import LoadFault
from croupier.server.catalog.pack_sources import PackSources
from croupier.server.catalog.providers import Providers
from croupier.server.catalog.view import CatalogView
from croupier.server.control.direct import DirectLinks
from croupier.server.control.directory import Directory
from croupier.server.control.functions import Functions
from croupier.server.control.machine_service import MachineService
from croupier.server.control.registration import Registration
from croupier.server.control.relays import Relays
from croupier.server.control.services import services
from croupier.server.control.tunnels import Tunnels
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.canary import Canaries
from croupier.server.dispatch.link import Link
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router
from croupier.server.entities import Entities
from croupier.server.explain import Explain
from croupier.server.games import Games
from croupier.server.history import History
from croupier.server.http.app import build_app
from croupier.server.identified import Identified, identified, web_tls
from croupier.server.job_cancel import JobCancels
from croupier.server.job_events import JobIntake
from croupier.server.job_watch import JobWatch
from croupier.server.jobs import Jobs
from croupier.server.packs import Packs, Trust
from croupier.server.retention import Kept, Retention
from croupier.settings import (
    CanarySettings,
    RoutingSettings,
    SecretsSettings,
    ServerSettings,
    TelemetrySettings,
    read_secret_key,
)
from croupier.store import Store
from croupier.store.sql import SqlStore, open_store, system_clock
from croupier.telemetry import Tracer, open_tracer
from croupier.tunnel.acceptor import AcceptorConfig

log = logging.getLogger(__name__)

EXPIRY_INTERVAL = 5.0
"""Seconds between looks for agents whose registration ran out."""
GRACE = 5.0
"""Seconds that calls in flight get when the server stops."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyInfo:
    http: str
    """host:port"""
    grpc: str
    """host:port"""
    token: str
    """Of the settings; empty where they name none."""
    setup_link: str = ""
    """Whoever opens it makes the first account; empty where there is one, or a token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Described:
    """What fills the catalog, besides agents."""

    catalog: Catalog
    assigned: AssignedFunctions
    providers: Providers
    packs: Packs
    directories: Directories

    async def begin(self) -> None:
        for part in (self.assigned, self.providers, self.packs, self.directories):
            await part.begin()

    async def stop(self) -> None:
        await self.directories.stop()
        await self.packs.stop()
        await self.catalog.spoken.stop()

    def faults(self) -> list[LoadFault]:
        return [*self.providers.faults(), *self.directories.faults(), *self._unreadable()]

    def _unreadable(self) -> Iterator[LoadFault]:
        for name, problem in self.packs.problems():
            fault = Fault(file=name, path="$", message=Message(problem, problem))
            yield LoadFault(origin=Origin(kind=Kind.PACK, name=name), fault=fault)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Access:
    """Who may do what, and what stands before every call."""

    guard: Guard
    roles: Roles
    explain: Explain
    audit: Audit
    residents: Residents
    people: People
    ways: WaysIn
    admission: Admission
    limits: Limits
    maintenance: Maintenance
    approving: Approving
    secrets: Secrets

    async def begin(self) -> None:
        await self.ways.begin()
        await self.limits.begin()
        await self.maintenance.begin()
        await self.secrets.begin()

    async def close(self) -> None:
        self.residents.passwords.close()
        await self.ways.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """The audit record, and what signs it from time to time."""

    record: AuditRecord
    checkpoints: Checkpoints


@dataclass(frozen=True, slots=True)
class _Reports:
    """What agents report, to the use cases that care."""

    intake: JobIntake
    catalog: Catalog
    watch: JobWatch
    cancels: JobCancels

    def job_event(self, link: Link, event: JobEvent) -> None:
        self.intake.arrived(link, event)

    def registered(self, agent: Agent) -> None:
        self.catalog.learn(agent.agent_id, agent.scope, agent.services)

    def connected(self, agent_id: str) -> None:
        self.cancels.reached(agent_id)

    def session_lost(self, agent_id: str) -> None:
        self.watch.session_lost(agent_id)


async def run(
    settings: ServerSettings,
    *,
    telemetry: TelemetrySettings | None = None,
    ready: Callable[[ReadyInfo], None] | None = None,
    redactor: Redactor | None = None,
) -> None:
    """Serve until cancelled; then stop in order: no new calls, the ones in flight, the store.

    `redactor` is taught the secrets that are kept; the process's log should use it too. Raises FailedPrecondition or OSError when it cannot start.
    """
    async with serving(settings, telemetry, redactor) as info:
        if ready is not None:
            ready(info)
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def serving(
    settings: ServerSettings, telemetry: TelemetrySettings | None = None, redactor: Redactor | None = None
) -> AsyncIterator[ReadyInfo]:
    """A running server for as long as the context lasts."""
    redactor = redactor or Redactor()
    async with contextlib.AsyncExitStack() as stack:
        tracer = _tracer(settings, telemetry, stack)
        key = await asyncio.to_thread(_key, settings)
        store = await _opened(settings, key, stack)
        bus = _bus(stack)
        agents, catalog, router = _table(settings.routing)
        audit = Audit(store.audit, Masker(key.derive(MASK_PURPOSE), redactor))
        access = await _access(settings, store, catalog, audit, router, _Sealing(key, redactor))
        stack.push_async_callback(access.close)
        guard, streams = access.guard, access.residents.streams
        known = await identified(settings, guard, audit, store.machines, system_clock, stack)
        intake = JobIntake(store, bus, system_clock, catalog.codec_of, redactor)
        watch = JobWatch(agents=agents, store=store, intake=intake, grace=settings.job_lost_after)
        stack.push_async_callback(watch.stop)
        calls = Calls(
            guard=guard, catalog=catalog, admission=access.admission, store=store, router=router, redactor=redactor
        )
        cancels = JobCancels(agents=agents, store=store, intake=intake, grace=settings.cancel_grace)
        stack.push_async_callback(cancels.stop)
        objects = DiskObjects(settings.data / "objects")
        archive = Archive(objects)
        record = _record(key, guard, store, objects, audit)
        jobs = Jobs(
            guard=guard,
            audit=audit,
            admission=access.admission,
            store=store,
            router=router,
            agents=agents,
            intake=intake,
            cancels=cancels,
            bus=bus,
            archive=archive,
        )
        bulks = Bulks(
            guard=guard,
            audit=audit,
            catalog=catalog,
            calls=calls,
            approvals=access.approving.gate,
            current=access.approving.current,
            store=store,
            bus=bus,
            clock=system_clock,
        )
        described = _described(settings, access, catalog, store, objects)
        for end in (audit.stop, access.limits.drain, calls.drain, jobs.drain, bulks.stop, described.stop):
            stack.push_async_callback(end)
        direct = DirectLinks(intake.arrived, tracer)
        stack.push_async_callback(direct.close)
        tunnels = Tunnels(
            agents,
            _Reports(intake, catalog, watch, cancels),
            AcceptorConfig(resume_window=settings.resume_window),
            tracer,
            known.machines.revocations,
        )
        retention = _retention(settings, store, archive)
        for forever in (
            intake.run(),
            _expire(agents, catalog, direct),
            retention.run(),
            access.limits.run(),
            access.residents.run(),
            record.checkpoints.run(),
        ):
            stack.push_async_callback(_end, asyncio.ensure_future(forever))
        offered = services(
            tunnels,
            Registration(
                agents=agents,
                direct=direct,
                providers=described.providers,
                guard=guard,
                revocations=known.machines.revocations,
            ),
            Functions(guard=guard, streams=streams, calls=calls, jobs=jobs, tracer=tracer),
            MachineService(known.machines),
        )
        relays = _relays(offered, settings, known)
        grpc = RpcServer(
            {**offered, **relays.services}, options=LINK_SERVER_OPTIONS, files=known.files, gate=known.gate
        )
        stopping = asyncio.Event()
        directory = Directory(agents, catalog)
        http = HttpServer(
            build_app(
                calls=calls,
                jobs=jobs,
                history=History(guard=guard, store=store, catalog=catalog, audit=audit),
                bulks=bulks,
                approvals=access.approving.approvals,
                directory=directory,
                entities=Entities(guard=guard, catalog=catalog, store=store, health=directory.health),
                assigned=described.assigned,
                providers=described.providers,
                catalog=CatalogView(catalog, agents, described.faults),
                packs=described.packs,
                reread=described.directories.reload,
                record=record.record,
                readiness=_readiness,
                limits=access.limits,
                maintenance=access.maintenance,
                machines=known.machines,
                secrets=access.secrets,
                guard=guard,
                roles=access.roles,
                explain=access.explain,
                games=_games(settings, guard, agents, catalog),
                people=access.people,
                ways=access.ways,
                streams=streams,
                proxies=Proxies(settings.trusted_proxies),
                stopping=stopping,
                tracer=tracer,
                throttle=Throttle(credential=settings.throttle_credential, address=settings.throttle_address),
            ),
            grace=GRACE + 1.0,
            tls=web_tls(settings, known.files),
        )
        for part in (access, described, watch, cancels, bulks):
            await part.begin()
        await _listen(settings, grpc, http, stack)
        relays.dial(settings.edges)
        stack.push_async_callback(relays.stop)
        # Their calls end here, so that those who wait for them at either door are told before it closes.
        stack.push_async_callback(tunnels.drain, GRACE)
        stack.callback(agents.close)
        stack.callback(http.close_door)
        stack.callback(bulks.halt)
        access.approving.begin(Runners(calls=calls, jobs=jobs, bulks=bulks), stack)
        stack.callback(stopping.set)
        log.info("server ready: HTTP on %s, gRPC on %s", http.address, grpc.address)
        yield ReadyInfo(
            http=http.address,
            grpc=grpc.address,
            token=_plain(settings.token),
            setup_link=_setup_link(settings, access, http),
        )
        log.info("server stopping")


def _key(settings: ServerSettings) -> DeploymentKey:
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.token is None and (settings.data / "token").exists():
        log.warning(
            "the file token in %s is no credential any more: set server.token to what it holds, or make API tokens and "
            "remove it",
            settings.data,
        )
    return load_key(settings.data, settings.key_file)


async def _opened(settings: ServerSettings, key: DeploymentKey, stack: contextlib.AsyncExitStack) -> SqlStore:
    """The store, closed at the end, in which no call of an earlier process still runs."""
    store = await open_store(settings.data / "croupier.db", audit_key=key.derive(CHAIN_PURPOSE))
    stack.push_async_callback(store.close)
    abandoned = await store.abandon()
    if abandoned:
        log.warning("%d calls were running when the server last stopped; their outcome is unknown", abandoned)
    return store


async def _listen(
    settings: ServerSettings, grpc: RpcServer, http: HttpServer, stack: contextlib.AsyncExitStack
) -> None:
    await grpc.start(settings.grpc)
    stack.push_async_callback(grpc.stop, 0.5)
    await http.start(settings.http)
    stack.push_async_callback(http.stop)


def _tracer(
    settings: ServerSettings, telemetry: TelemetrySettings | None, stack: contextlib.AsyncExitStack
) -> Tracer | None:
    tracer = open_tracer(telemetry, service="croupier-server", instance=settings.http)
    if tracer is not None:
        stack.push_async_callback(tracer.close)
    return tracer


def _bus(stack: contextlib.AsyncExitStack) -> MemoryBus:
    bus = MemoryBus()
    stack.push_async_callback(bus.close)
    return bus


def _relays(offered: Mapping[str, Mapping[str, Any]], settings: ServerSettings, known: Identified) -> Relays:
    """Raises FailedPrecondition for edges without the token that they would have to know."""
    token = settings.link_token
    if settings.edges and token is None:
        raise FailedPrecondition("server.edges are to be dialled, but there is no link_token: set the one they have")
    return Relays(
        offered,
        identity=Identity(Role.SERVER, known.server_id or new_id("s"), __version__),
        token=token.get_secret_value().encode() if token is not None else b"",
        scopes={
            edge: frozenset(Scope(*name.split("|")) for name in names) for edge, names in settings.edge_scopes.items()
        },
        files=known.files,
        gate=known.gate,
    )


def _games(settings: ServerSettings, guard: Guard, agents: Agents, catalog: Catalog) -> Games:
    named = {Scope(*name.split("|")) for names in (settings.games, *settings.edge_scopes.values()) for name in names}
    named |= {Scope(rule.game_id, rule.env) for rule in settings.routing.canary}
    return Games(
        guard=guard,
        production=settings.production,
        sources=(
            lambda: named,
            lambda: (agent.scope for agent in agents),
            catalog.scopes,
            lambda: guard.policy.snapshot.places,
        ),
    )


def _record(key: DeploymentKey, guard: Guard, store: Store, objects: Objects, audit: Audit) -> _Record:
    signer = Signer(key.derive(SIGN_PURPOSE))
    checkpoints = Checkpoints(store.audit, objects, signer, system_clock)
    record = AuditRecord(
        guard=guard,
        store=store.audit,
        audit=audit,
        checkpoints=checkpoints,
        keys=Keys(chain=key.derive(CHAIN_PURPOSE), signer=signer),
        clock=system_clock,
    )
    return _Record(record=record, checkpoints=checkpoints)


def _retention(settings: ServerSettings, store: Store, archive: Archive) -> Retention:
    kept = Kept(calls=settings.retention_calls, jobs=settings.retention_jobs)
    return Retention(
        store=store, archive=archive if settings.retention_archive else None, clock=system_clock, kept=kept
    )


def _described(
    settings: ServerSettings, access: _Access, catalog: Catalog, store: Store, objects: Objects
) -> _Described:
    guard, audit, sources = access.guard, access.audit, PackSources(catalog)
    trust = Trust(keys=settings.packs.trusted_keys, allow_unsigned=settings.packs.allow_unsigned)
    directories = Directories(settings.packs.directories, sources)
    return _Described(
        catalog=catalog,
        assigned=AssignedFunctions(guard=guard, audit=audit, catalog=catalog, store=store.catalog),
        providers=Providers(guard=guard, audit=audit, catalog=catalog, store=store.catalog, clock=system_clock),
        packs=Packs(
            guard=guard,
            audit=audit,
            store=store.packs,
            objects=objects,
            trust=trust,
            changed=sources.use_installed,
            clock=system_clock,
            lying=lambda: directories.packs,
        ),
        directories=directories,
    )


@dataclass(frozen=True, slots=True)
class _Sealing:
    """What secrets are sealed with by default, and what looks for them."""

    key: DeploymentKey
    redactor: Redactor

    async def envelope(self, settings: SecretsSettings) -> Envelope:
        """Raises FailedPrecondition when a key that is named is not there."""
        derived = self.key.derive(PURPOSE)
        now = await asyncio.to_thread(read_secret_key, settings.key_file, settings.key_env, settings.key_command)
        before = await asyncio.to_thread(read_secret_key, settings.previous_key_file, settings.previous_key_env)
        return Envelope(now or derived, [each for each in (before, derived) if each])


async def _access(
    settings: ServerSettings, store: Store, catalog: Catalog, audit: Audit, router: Router, sealing: _Sealing
) -> _Access:
    residents = Residents(
        store=store.accounts,
        clock=OnwardClock(wall=system_clock),
        passwords=Passwords(usual_hasher()),
        session_idle=settings.session_idle,
        session_lifetime=settings.session_lifetime,
    )
    await residents.begin()
    guard = Guard(
        _plain(settings.token) or None,
        credentials=residents.credentials,
        hosts=Hosts((*settings.public_names, *settings.hosts)),
        audit=audit,
    )
    roles = Roles(guard=guard, store=store.policy, audit=audit, clock=system_clock)
    await roles.begin()
    guard.policy.on_change(lambda: residents.streams.end(guard.policy.lessened))
    approving = Approving(
        settings.approvals,
        public_url=settings.public_url,
        guard=guard,
        audit=audit,
        accounts=residents.accounts,
        store=store,
        catalog=catalog,
        foresee=functools.partial(preview, router),
        clock=system_clock,
    )
    factors = SecondFactors(
        guard=guard,
        audit=audit,
        store=store.second_factors,
        key=sealing.key,
        proofs=residents.sessions,
        clock=system_clock,
    )
    people = residents.people(guard=guard, audit=audit, second_factor=factors, grant_admin=roles.grant_admin)
    limiter = Limiter(budgets=Budgets(system_clock, store.guards))
    windows = Windows(system_clock)
    admission = Admission(
        guard=guard,
        catalog=catalog,
        audit=audit,
        approvals=approving.gate,
        limiter=limiter,
        windows=windows,
        repeats=store.repeats,
    )
    return _Access(
        guard=guard,
        roles=roles,
        explain=Explain(guard=guard, catalog=catalog, whois=residents.whois, clock=system_clock),
        audit=audit,
        residents=residents,
        people=people,
        ways=ways_in(
            settings.oidc,
            audit=audit,
            factors=factors,
            residents=residents,
            login=people.login,
            store=store.identities,
            key=sealing.key,
            clock=system_clock,
            public_url=settings.public_url or "",
            before_setup=settings.token is not None,
        ),
        admission=admission,
        limits=Limits(guard=guard, audit=audit, store=store.guards, limiter=limiter),
        maintenance=Maintenance(guard=guard, audit=audit, store=store.guards, windows=windows),
        approving=approving,
        secrets=Secrets(
            guard=guard,
            audit=audit,
            store=store.secrets,
            envelope=await sealing.envelope(settings.secrets),
            redactor=sealing.redactor,
            clock=system_clock,
        ),
    )


def _setup_link(settings: ServerSettings, access: _Access, http: HttpServer) -> str:
    secret = "" if settings.token is not None else access.people.setup.open()
    scheme = "https" if http.is_tls else "http"
    return f"{scheme}://{http.address}/setup#{secret}" if secret else ""


def _plain(token: SecretStr | None) -> str:
    return token.get_secret_value() if token is not None else ""


def _table(routing: RoutingSettings) -> tuple[Agents, Catalog, Router]:
    agents = Agents()
    return agents, Catalog(), Router(agents, Canaries(_canary(rule) for rule in routing.canary))


def _canary(rule: CanarySettings) -> Canary:
    return Canary(
        scope=Scope(rule.game_id, rule.env), function_id=rule.function_id, version=rule.version, percent=rule.percent
    )


async def _expire(agents: Agents, catalog: Catalog, direct: DirectLinks) -> None:
    while True:
        await asyncio.sleep(EXPIRY_INTERVAL)
        for agent_id in agents.expire():
            log.warning("agent %s has not been heard of for its time to live", agent_id)
            direct.forget(agent_id)
            if agents.get(agent_id) is None:
                catalog.forget(agent_id)


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _readiness() -> list[str]:
    """The store is open and the listeners are up before anything is served, and stay so."""
    return []

"""The server process, put together.

    foundation ─► gates ─► works ─► described ─┬─► http
    (key, store)  (guard)  (calls)  (catalog)  └─► control (gRPC)

`foundation.py` chooses the implementations of ports; nothing else of the server does.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from croupier import __version__
from croupier.asgi.server import HttpServer
from croupier.domain.identifiers import new_id
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition
from croupier.redaction import Redactor
from croupier.relay.dialing import LINK_SERVER_OPTIONS
from croupier.relay.frames import Identity, Role
from croupier.rpc.service import RpcServer
from croupier.server.access.addresses import Proxies
from croupier.server.access.audit import MASK_PURPOSE, Audit, Masker
from croupier.server.access.limits import Throttle
from croupier.server.approvals import Runners
from croupier.server.catalog.view import CatalogView
from croupier.server.control.direct import DirectLinks
from croupier.server.control.directory import Directory
from croupier.server.control.functions import Functions
from croupier.server.control.machine_service import MachineService
from croupier.server.control.registration import Registration
from croupier.server.control.relays import Relays
from croupier.server.control.services import services
from croupier.server.control.tunnels import Tunnels
from croupier.server.described import Described, described_by
from croupier.server.entities import Entities
from croupier.server.explain import Matrix
from croupier.server.foundation import Foundation, lay
from croupier.server.games import Games
from croupier.server.gates import Gates, Sealing, open_gates, plain
from croupier.server.history import History
from croupier.server.http.access_metrics import AccessMetrics
from croupier.server.http.app import build_app
from croupier.server.http.flights import Flights
from croupier.server.http.front import Front
from croupier.server.http.metrics import HttpMetrics
from croupier.server.identified import Identified, identified, web_tls
from croupier.server.onlooking import live_of
from croupier.server.packs.plugins import Plugins
from croupier.server.recorded import Record, audit_record, audit_retention_of, retention_of
from croupier.server.reports import Reports, expire
from croupier.server.web.page import BuiltPage
from croupier.server.works import Works, works_of
from croupier.settings import ServerSettings, TelemetrySettings
from croupier.store.sql import system_clock
from croupier.tunnel.acceptor import AcceptorConfig

log = logging.getLogger(__name__)

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
    page: str = ""
    """Whoever opens it is signed in as the developer, once; only of a server for development."""


async def run(
    settings: ServerSettings,
    *,
    telemetry: TelemetrySettings | None = None,
    ready: Callable[[ReadyInfo], None] | None = None,
    redactor: Redactor | None = None,
    development: bool = False,
) -> None:
    """Serve until cancelled; then stop in order: no new calls, the ones in flight, the store.

    `redactor` is taught the secrets that are kept; the process's log should use it too. `development` lets the developer's
    browser in by a link; no setting does. Raises FailedPrecondition or OSError when it cannot start.
    """
    async with serving(settings, telemetry, redactor, development=development) as info:
        if ready is not None:
            ready(info)
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def serving(
    settings: ServerSettings,
    telemetry: TelemetrySettings | None = None,
    redactor: Redactor | None = None,
    *,
    development: bool = False,
) -> AsyncIterator[ReadyInfo]:
    """A running server for as long as the context lasts."""
    redactor = redactor or Redactor()
    async with contextlib.AsyncExitStack() as stack:
        base = await lay(settings, telemetry, stack)
        store, catalog, agents, tracer = base.store, base.catalog, base.agents, base.tracer
        audit = Audit(store.audit, Masker(base.key.derive(MASK_PURPOSE), redactor))
        sealing = Sealing(base.key, redactor)
        gates = await open_gates(settings, base, audit, sealing, development=development)
        stack.push_async_callback(gates.close)
        known = await identified(settings, gates.guard, audit, store.machines, system_clock, stack)
        works = works_of(settings, base, gates, redactor, stack)
        record = audit_record(base.key, gates.guard, store, base.objects, audit)
        described = described_by(settings, gates, catalog, store, base.objects)
        for end in (
            audit.stop,
            gates.limits.drain,
            works.calls.drain,
            works.jobs.drain,
            works.bulks.stop,
            described.stop,
        ):
            stack.push_async_callback(end)
        direct = DirectLinks(works.intake.arrived, tracer, known.files)
        stack.push_async_callback(direct.close)
        tunnels = Tunnels(
            agents,
            Reports(works.intake, catalog, works.watch, works.cancels),
            AcceptorConfig(resume_window=settings.resume_window),
            tracer,
            known.machines.revocations,
        )
        for forever in (
            works.intake.run(),
            expire(agents, catalog, direct),
            retention_of(settings, store, works.archive).run(),
            gates.limits.run(),
            gates.residents.run(),
            record.checkpoints.run(),
        ):
            stack.push_async_callback(_end, asyncio.ensure_future(forever))
        audit_retention = audit_retention_of(settings, store, works.archive, record.cuts)
        if audit_retention is not None:
            stack.push_async_callback(_end, asyncio.ensure_future(audit_retention.run()))
        offered = services(
            tunnels,
            Registration(
                agents=agents,
                direct=direct,
                providers=described.providers,
                guard=gates.guard,
                revocations=known.machines.revocations,
            ),
            Functions(
                guard=gates.guard, streams=gates.residents.streams, calls=works.calls, jobs=works.jobs, tracer=tracer
            ),
            MachineService(known.machines),
        )
        relays = _relays(offered, settings, known)
        grpc = RpcServer(
            {**offered, **relays.services}, options=LINK_SERVER_OPTIONS, files=known.files, gate=known.gate
        )
        stopping = asyncio.Event()
        front = _front(settings, base, gates, works, described, record, known, stack, stopping)
        http = HttpServer(front, grace=GRACE + 1.0, tls=web_tls(settings, known.files))
        for part in (gates, described, works):
            await part.begin()
        await _listen(settings, grpc, http, stack)
        relays.dial(settings.edges)
        stack.push_async_callback(relays.stop)
        # Their calls end here, so that those who wait for them at either door are told before it closes.
        stack.push_async_callback(tunnels.drain, GRACE)
        stack.callback(agents.close)
        stack.callback(http.close_door)
        stack.callback(works.bulks.halt)
        gates.approving.begin(Runners(calls=works.calls, jobs=works.jobs, bulks=works.bulks), stack)
        stack.callback(stopping.set)
        log.info("server ready: HTTP on %s, gRPC on %s", http.address, grpc.address)
        yield ReadyInfo(
            http=http.address,
            grpc=grpc.address,
            token=plain(settings.token),
            setup_link=_setup_link(settings, gates, http),
            page=_page_link(gates, http),
        )
        log.info("server stopping")


def _front(
    settings: ServerSettings,
    base: Foundation,
    gates: Gates,
    works: Works,
    described: Described,
    record: Record,
    known: Identified,
    stack: contextlib.AsyncExitStack,
    stopping: asyncio.Event,
) -> Front:
    guard, store, catalog = gates.guard, base.store, base.catalog
    directory, view = Directory(base.agents, catalog), CatalogView(catalog, base.agents, described.faults)
    page, metrics, flights = BuiltPage(settings.web.directory), HttpMetrics(), Flights()
    throttle = Throttle(credential=settings.throttle_credential, address=settings.throttle_address)
    watched = AccessMetrics(audit=gates.audit, throttle=throttle, tally=store.approvals.tally)
    metrics.watch(watched, watched.ask)
    return build_app(
        calls=works.calls,
        jobs=works.jobs,
        history=History(guard=guard, store=store, catalog=catalog, audit=gates.audit),
        bulks=works.bulks,
        approvals=gates.approving.approvals,
        directory=directory,
        entities=Entities(guard=guard, catalog=catalog, store=store, health=directory.health),
        assigned=described.assigned,
        providers=described.providers,
        live=live_of(base, gates, works, catalog=view, page=page, metrics=metrics, flights=flights, stack=stack),
        catalog=view,
        packs=described.packs,
        plugins=Plugins(described.packs.counting),
        reread=described.directories.reload,
        record=record.record,
        readiness=_readiness,
        limits=gates.limits,
        maintenance=gates.maintenance,
        machines=known.machines,
        secrets=gates.secrets,
        guard=guard,
        roles=gates.roles,
        explain=gates.explain,
        matrix=Matrix(guard, view),
        games=_games(settings, base, gates),
        people=gates.people,
        ways=gates.ways,
        streams=gates.residents.streams,
        proxies=Proxies(settings.trusted_proxies),
        page=page,
        stopping=stopping,
        metrics=metrics,
        flights=flights,
        tracer=base.tracer,
        throttle=throttle,
        public_url=settings.public_url or "",
    )


def _games(settings: ServerSettings, base: Foundation, gates: Gates) -> Games:
    named = {Scope(*name.split("|")) for names in (settings.games, *settings.edge_scopes.values()) for name in names}
    named |= {Scope(rule.game_id, rule.env) for rule in settings.routing.canary}
    return Games(
        guard=gates.guard,
        production=settings.production,
        sources=(
            lambda: named,
            lambda: (agent.scope for agent in base.agents),
            base.catalog.scopes,
            lambda: gates.guard.policy.snapshot.places,
        ),
    )


async def _listen(
    settings: ServerSettings, grpc: RpcServer, http: HttpServer, stack: contextlib.AsyncExitStack
) -> None:
    await grpc.start(settings.grpc)
    stack.push_async_callback(grpc.stop, 0.5)
    await http.start(settings.http)
    stack.push_async_callback(http.stop)


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


def _setup_link(settings: ServerSettings, gates: Gates, http: HttpServer) -> str:
    secret = "" if settings.token is not None else gates.people.setup.open()
    return f"{_address(http)}/setup#{secret}" if secret else ""


def _page_link(gates: Gates, http: HttpServer) -> str:
    tickets = gates.ways.tickets
    return f"{_address(http)}/login#ticket={tickets.issue()}" if tickets is not None else ""


def _address(http: HttpServer) -> str:
    return f"{'https' if http.is_tls else 'http'}://{http.address}"


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _readiness() -> list[str]:
    """The store is open and the listeners are up before anything is served, and stay so."""
    return []

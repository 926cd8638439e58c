"""The HTTP application, put together."""

import asyncio

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from croupier import __version__
from croupier.descriptors import FaultyDescriptor
from croupier.errors import CroupierError
from croupier.server.access.addresses import Proxies
from croupier.server.access.audit_record import AuditRecord
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Limits, Maintenance, Throttle
from croupier.server.access.machines import Machines
from croupier.server.access.people import People
from croupier.server.access.roles import Roles
from croupier.server.access.secrets import Secrets
from croupier.server.access.streams import LiveStreams
from croupier.server.access.ways_in import WaysIn
from croupier.server.catalog.assigned import AssignedFunctions
from croupier.server.catalog.providers import Providers
from croupier.server.catalog.view import CatalogView
from croupier.server.explain import Explain, Matrix
from croupier.server.games import Games
from croupier.server.http.approvals import approval_routes
from croupier.server.http.asking import answer_failure, answer_faulty, answer_invalid, answer_refusal, answer_stale
from croupier.server.http.assignments import assignment_routes
from croupier.server.http.audit import audit_routes
from croupier.server.http.bodies import Room
from croupier.server.http.bulk import bulk_routes
from croupier.server.http.calls import call_routes
from croupier.server.http.catalog import catalog_routes
from croupier.server.http.description import Description, description_routes
from croupier.server.http.directory import directory_routes
from croupier.server.http.entities import entity_routes
from croupier.server.http.entry import LeanEntry
from croupier.server.http.events import event_routes
from croupier.server.http.explain import explain_routes
from croupier.server.http.flights import Flights
from croupier.server.http.front import OPEN, Front
from croupier.server.http.functions import function_routes
from croupier.server.http.health import health_routes
from croupier.server.http.job_cancels import job_cancel_routes
from croupier.server.http.jobs import job_routes
from croupier.server.http.limits import limit_routes
from croupier.server.http.login import login_routes
from croupier.server.http.machines import machine_routes
from croupier.server.http.maintenance import maintenance_routes
from croupier.server.http.me import me_routes
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.oidc import oidc_routes
from croupier.server.http.packs import Reread, pack_routes
from croupier.server.http.page import PageDoor
from croupier.server.http.people import credential_routes, user_routes, user_verb_routes
from croupier.server.http.plugins import PluginDoor, plugin_routes
from croupier.server.http.ports import Approvals, Bulks, Calls, Directory, Entities, History, Jobs, Live, Readiness
from croupier.server.http.providers import provider_routes
from croupier.server.http.roles import binding_routes, policy_routes, role_routes
from croupier.server.http.second_factors import second_factor_routes
from croupier.server.http.secrets import secret_routes
from croupier.server.http.tickets import ticket_routes
from croupier.server.http.version import version_routes
from croupier.server.http.visitors import Visitors
from croupier.server.packs import Packs, StaleTag
from croupier.server.packs.plugins import Plugins
from croupier.server.web.page import BuiltPage
from croupier.telemetry import Tracer


def build_app(
    *,
    calls: Calls,
    jobs: Jobs,
    history: History,
    bulks: Bulks,
    approvals: Approvals,
    directory: Directory,
    entities: Entities,
    live: Live,
    assigned: AssignedFunctions,
    catalog: CatalogView,
    providers: Providers,
    packs: Packs,
    plugins: Plugins,
    reread: Reread,
    record: AuditRecord,
    limits: Limits,
    maintenance: Maintenance,
    machines: Machines,
    secrets: Secrets,
    readiness: Readiness,
    guard: Guard,
    roles: Roles,
    explain: Explain,
    matrix: Matrix,
    games: Games,
    people: People,
    ways: WaysIn,
    streams: LiveStreams,
    proxies: Proxies,
    page: BuiltPage,
    stopping: asyncio.Event,
    metrics: HttpMetrics | None = None,
    flights: Flights | None = None,
    room: Room | None = None,
    tracer: Tracer | None = None,
    throttle: Throttle | None = None,
    public_url: str = "",
) -> Front:
    """The ASGI application. `public_url` is where people open it, empty where nobody said. `stopping` is set by the process when it begins to stop: streams end, readiness says so."""
    metrics = HttpMetrics() if metrics is None else metrics
    flights = Flights() if flights is None else flights
    room = Room() if room is None else room
    metrics.watch_calls(lambda: len(flights))
    visitors = Visitors(guard, proxies)
    entry = LeanEntry(
        calls=calls,
        jobs=jobs,
        history=history,
        directory=directory,
        entities=entities,
        flights=flights,
        room=room,
        metrics=metrics,
        tracer=tracer,
    )
    framework = _framework(
        call_routes(history),
        job_cancel_routes(jobs),
        job_routes(jobs, streams=streams, stopping=stopping, metrics=metrics),
        event_routes(live, streams=streams, stopping=stopping, metrics=metrics),
        bulk_routes(bulks, streams=streams, stopping=stopping, metrics=metrics),
        approval_routes(approvals),
        directory_routes(directory, guard),
        entity_routes(entities),
        assignment_routes(assigned),
        catalog_routes(catalog, providers, guard),
        function_routes(catalog, directory, guard),
        provider_routes(providers, catalog),
        pack_routes(packs, reread),
        plugin_routes(plugins),
        audit_routes(record),
        limit_routes(limits),
        role_routes(roles),
        binding_routes(roles),
        policy_routes(roles),
        explain_routes(explain, matrix, guard),
        maintenance_routes(maintenance),
        secret_routes(secrets),
        login_routes(people, visitors),
        me_routes(people, ways, games, guard),
        oidc_routes(ways, visitors),
        ticket_routes(ways, people, visitors),
        second_factor_routes(ways, visitors),
        user_routes(people, public_url),
        user_verb_routes(people, public_url),
        credential_routes(people),
        machine_routes(machines, visitors),
        health_routes(readiness, metrics, guard, stopping=stopping),
        version_routes(page),
    )
    description = Description(framework, entry, OPEN)
    _add(framework, description_routes(description.openapi))
    return Front(
        guard=guard,
        entry=entry,
        framework=framework,
        description=description,
        flights=flights,
        room=room,
        metrics=metrics,
        throttle=throttle or Throttle(),
        visitors=visitors,
        public=(PageDoor(page), PluginDoor(plugins)),
    )


def _framework(*groups: APIRouter) -> FastAPI:
    app = FastAPI(
        title="Croupier",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            StaleTag: answer_stale,
            FaultyDescriptor: answer_faulty,
            CroupierError: answer_failure,
            Exception: answer_failure,
            HTTPException: answer_refusal,
            RequestValidationError: answer_invalid,
        },
    )
    for group in groups:
        _add(app, group)
    return app


def _add(app: FastAPI, group: APIRouter) -> None:
    """`include_router` would make every route, and the models of its answers, a second time."""
    app.router.routes.extend(group.routes)

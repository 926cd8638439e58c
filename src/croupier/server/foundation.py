"""What everything else of a server stands on: its key, its store, its bus, what traces it, and who is where."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from croupier.bus.memory import MemoryBus
from croupier.domain.routing import Canary
from croupier.domain.scope import Scope
from croupier.objects.disk import DiskObjects
from croupier.server.access.audit import CHAIN_PURPOSE
from croupier.server.access.keys import DeploymentKey, load_key
from croupier.server.catalog import Catalog
from croupier.server.dispatch.agents import RETURN, Agents
from croupier.server.dispatch.canary import Canaries
from croupier.server.dispatch.router import Router
from croupier.server.ears import Ears
from croupier.server.news import News
from croupier.settings import CanarySettings, ServerSettings, TelemetrySettings
from croupier.store.sql import SqlStore, open_store
from croupier.telemetry import Tracer, open_tracer

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Foundation:
    key: DeploymentKey
    store: SqlStore
    objects: DiskObjects
    bus: MemoryBus
    ears: Ears
    news: News
    tracer: Tracer | None
    agents: Agents
    catalog: Catalog
    router: Router


async def lay(
    settings: ServerSettings, telemetry: TelemetrySettings | None, stack: contextlib.AsyncExitStack
) -> Foundation:
    """What is opened is closed when `stack` is left. Raises FailedPrecondition where the data folder cannot be used."""
    tracer = _tracer(settings, telemetry, stack)
    key = await asyncio.to_thread(_key, settings)
    database = settings.data / "croupier.db"
    anew = await asyncio.to_thread(database.exists)
    store = await _opened(database, key, stack)
    bus = _bus(stack)
    agents = Agents(returning=RETURN if anew else 0.0)
    return Foundation(
        key=key,
        store=store,
        objects=DiskObjects(settings.data / "objects"),
        bus=bus,
        ears=_ears(bus, stack),
        news=News(bus),
        tracer=tracer,
        agents=agents,
        catalog=Catalog(),
        router=Router(agents, Canaries(_canary(rule) for rule in settings.routing.canary)),
    )


def _key(settings: ServerSettings) -> DeploymentKey:
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.token is None and (settings.data / "token").exists():
        log.warning(
            "the file token in %s is no credential any more: set server.token to what it holds, or make API tokens and "
            "remove it",
            settings.data,
        )
    return load_key(settings.data, settings.key_file)


async def _opened(database: Path, key: DeploymentKey, stack: contextlib.AsyncExitStack) -> SqlStore:
    """The store, closed at the end, in which no call of an earlier process still runs."""
    store = await open_store(database, audit_key=key.derive(CHAIN_PURPOSE))
    stack.push_async_callback(store.close)
    abandoned = await store.abandon()
    if abandoned:
        log.warning("%d calls were running when the server last stopped; their outcome is unknown", abandoned)
    return store


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


def _ears(bus: MemoryBus, stack: contextlib.AsyncExitStack) -> Ears:
    ears = Ears(bus)
    stack.push_async_callback(ears.close)
    return ears


def _canary(rule: CanarySettings) -> Canary:
    return Canary(
        scope=Scope(rule.game_id, rule.env), function_id=rule.function_id, version=rule.version, percent=rule.percent
    )

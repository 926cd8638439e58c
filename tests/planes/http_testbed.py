"""The HTTP side over the in-process ASGI interface, in front of ports that do as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from tests.planes.audit_testbed import audit_in_memory, record_in_memory
from tests.planes.machines_testbed import machines_in_memory
from tests.planes.packs_testbed import packs_in_memory
from tests.planes.people_testbed import PeopleTestbed
from tests.planes.policy_testbed import PolicyInMemory

from croupier.descriptors import Fault
from croupier.domain.assignment import Assignments
from croupier.domain.call import Call, Result
from croupier.domain.entity import Subject
from croupier.domain.function import Function
from croupier.domain.job import Job, JobEvent, JobState
from croupier.domain.limit import Limit, Spent
from croupier.domain.listing import CallFilter, Cursor, JobFilter, Page
from croupier.domain.maintenance import Window
from croupier.domain.principal import Principal
from croupier.domain.provider import Provider
from croupier.domain.registry import FunctionHealth, InstanceView, RegistryView
from croupier.domain.routing import Preview
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, NotFound
from croupier.redaction import Redactor
from croupier.server.access.addresses import Proxies
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Limiter, Limits, Maintenance, Throttle, Windows
from croupier.server.access.roles import Roles
from croupier.server.access.secrets import Envelope, Secrets
from croupier.server.approvals import Rules
from croupier.server.catalog import Catalog
from croupier.server.catalog.assigned import AssignedFunctions
from croupier.server.catalog.providers import Providers
from croupier.server.catalog.view import CatalogView
from croupier.server.dispatch.agents import Agents
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router
from croupier.server.entities import EntityState, Order, Wish
from croupier.server.explain import Explain, Matrix
from croupier.server.explain.inspector import Inspector
from croupier.server.games import Games
from croupier.server.http.app import build_app
from croupier.server.http.bodies import Room
from croupier.server.http.flights import Flights
from croupier.server.packs.plugins import Plugins
from croupier.server.web.page import BuiltPage
from croupier.store import CallRecord, Deed

TOKEN = "the-one-token"
SCOPE = Scope("demo", "dev")
SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}


async def answer_at_once(call: Call) -> Result:
    return Result(payload=b'{"ok": true}', service_id="game-1", agent_id="agent-1")


@dataclass
class ScriptedCalls:
    """Answers with `script`; remembers what it was asked and which calls were cancelled."""

    script: Callable[[Call], Awaitable[Result]] = answer_at_once
    asked: list[Call] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def invoke(self, caller: Principal, call: Call) -> Result:
        self.asked.append(call)
        self.began.set()
        try:
            return await self.script(call)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def preview(self, caller: Principal, call: Call) -> Preview:
        self.asked.append(call)
        return Preview(route=call.route, candidates=(), total=0, reason="nobody is here")


class ScriptedJobs:
    """Jobs whose stories a test tells event by event."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.stories: dict[str, list[JobEvent]] = {}
        self.asked: list[Call] = []
        self.reasons: list[str] = []
        self.listed: list[tuple[JobFilter, int, Cursor | None]] = []
        self.followers = 0
        self.left = asyncio.Event()
        self._told = asyncio.Condition()

    def add(self, job_id: str, **fields: Any) -> None:
        self.jobs[job_id] = Job(id=job_id, function_id="mail.send_all", scope=SCOPE, caller="developer", **fields)
        self.stories[job_id] = []

    async def tell(self, *events: JobEvent, state: JobState = JobState.RUNNING) -> None:
        for event in events:
            self.stories[event.job_id].append(event)
            job = self.jobs[event.job_id]
            self.jobs[event.job_id] = Job(
                id=job.id,
                function_id=job.function_id,
                scope=job.scope,
                caller=job.caller,
                state=state,
                last_seq=event.seq,
                payload=event.payload,
            )
        async with self._told:
            self._told.notify_all()

    async def start(self, caller: Principal, call: Call) -> str:
        self.asked.append(call)
        return call.id

    async def follow(self, caller: Principal, job_id: str, after: int) -> AsyncIterator[list[JobEvent]]:
        self.followers += 1
        try:
            while True:
                batch = [event for event in self.stories[job_id] if event.seq > after]
                if batch:
                    after = batch[-1].seq
                    yield batch
                elif self.jobs[job_id].ended:
                    return
                else:
                    async with self._told:
                        await self._told.wait()
        finally:
            self.followers -= 1
            self.left.set()

    async def cancel(self, caller: Principal, job_id: str, reason: str) -> Job:
        self.reasons.append(reason)
        return await self.get(caller, job_id)

    async def get(self, caller: Principal, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFound(f"unknown job {job_id}")
        return self.jobs[job_id]

    async def list(self, caller: Principal, which: JobFilter, limit: int, after: Cursor | None = None) -> Page[Job]:
        self.listed.append((which, limit, after))
        found = list(self.jobs.values())
        return Page(found[:limit], Cursor(7, found[limit - 1].id) if len(found) > limit else None)


@dataclass
class ScriptedHistory:
    records: list[CallRecord] = field(default_factory=list)
    asked: list[tuple[CallFilter, int, Cursor | None]] = field(default_factory=list)

    async def calls(
        self, caller: Principal, which: CallFilter, limit: int, after: Cursor | None = None
    ) -> Page[CallRecord]:
        self.asked.append((which, limit, after))
        more = len(self.records) > limit
        return Page(self.records[:limit], Cursor(7, self.records[limit - 1].call.id) if more else None)

    async def call(self, caller: Principal, call_id: str, *, reveal: bool = False) -> CallRecord:
        return await self.whole(caller, call_id)

    async def whole(self, caller: Principal, call_id: str) -> CallRecord:
        for record in self.records:
            if record.call.id == call_id:
                return record
        raise NotFound(f"unknown call {call_id}")


class NoBulks:
    """Knows no bulk run; the real ones are tested with the real server (test_bulk.py)."""

    async def refuse(self, caller: Principal, bulk_id: str, *more: Any, **named: Any) -> Any:
        raise NotFound(f"unknown bulk {bulk_id}")

    start = confirm = pause = resume = cancel = rerun = get = rows = export = refuse

    async def upload(self, caller: Principal, upload: Any, chunks: AsyncIterator[bytes]) -> Any:
        raise NotFound("no bulk is taken here")

    async def list(self, *asked: Any) -> "list[Any]":
        return []

    async def follow(self, caller: Principal, bulk_id: str) -> AsyncIterator[Any]:
        raise NotFound(f"unknown bulk {bulk_id}")
        yield


class NoLive:
    """Tells nothing; the real one is tested with the real server (test_events.py)."""

    def reading(self, *asked: Any) -> Any:
        raise NotFound("nothing is told here")


class NoApprovals:
    """Knows no approval; the real ones are tested with the real server (test_approvals.py)."""

    async def refuse(self, caller: Principal, approval_id: str, **said: Any) -> Any:
        raise NotFound(f"unknown approval {approval_id}")

    get = approve = reject = withdraw = comment = review = refuse

    async def list(self, *asked: Any) -> "Page[Any]":
        return Page([])


@dataclass
class ScriptedDirectory:
    functions: dict[str, Function] = field(default_factory=dict)
    view: RegistryView = field(default_factory=RegistryView)
    offered: list[InstanceView] = field(default_factory=list)
    asked: list[tuple[str, Scope | None]] = field(default_factory=list)

    async def registry(self) -> RegistryView:
        return self.view

    def instances(self, function_id: str, scope: Scope | None) -> list[InstanceView]:
        self.asked.append((function_id, scope))
        return self.offered

    def health(self, scope: Scope | None, function_ids: Collection[str]) -> dict[str, FunctionHealth]:
        return {each: FunctionHealth(healthy=1, total=2) for each in function_ids}

    def function(self, scope: Scope, function_id: str) -> Function | None:
        return self.functions.get(function_id)


class KeptInMemory:
    """`croupier.store.catalog.CatalogStore` for as long as a test lasts."""

    def __init__(self) -> None:
        self._assignments: Assignments = {}
        self._providers: dict[str, Provider] = {}

    async def put_provider(self, provider: Provider) -> None:
        self._providers[provider.id] = provider

    async def remove_provider(self, provider_id: str) -> None:
        self._providers.pop(provider_id, None)

    async def providers(self) -> list[Provider]:
        return list(self._providers.values())

    async def put_assignments(self, assignments: Assignments) -> None:
        self._assignments = assignments

    async def assignments(self) -> Assignments:
        return self._assignments


class GuardsInMemory:
    """`croupier.store.guards.GuardStore` for as long as a test lasts; it forgets nothing that is asked for once, at the start."""

    async def put_limit(self, limit: Limit) -> None: ...

    async def remove_limit(self, limit_id: str) -> None: ...

    async def limits(self) -> "list[Limit]":
        return []

    async def put_window(self, window: Window) -> None: ...

    async def windows(self) -> "list[Window]":
        return []

    async def keep_spent(self, spent: Sequence[Spent]) -> None: ...

    async def spent(self) -> "list[Spent]":
        return []

    async def forget_guards(self, before_ms: int) -> None: ...


def no_secrets(guard: Guard) -> Secrets:
    """Knows none; the real ones are tested with the real server (test_secrets.py)."""
    nobody: Any = None
    return Secrets(
        guard=guard, audit=nobody, store=nobody, envelope=Envelope(bytes(32)), redactor=Redactor(), clock=lambda: 7
    )


@dataclass
class ScriptedEntities:
    """Knows the entities of `states`, and makes of every wish the order that it is told."""

    states: list[EntityState] = field(default_factory=list)
    ordered: Order | CroupierError = field(default_factory=lambda: NotFound("there is no entity here"))
    offered: frozenset[str] = frozenset()
    deeds: list[Deed] = field(default_factory=list)
    wishes: list[tuple[Scope, Wish]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    async def list(self, caller: Principal, scope: Scope | None) -> "list[EntityState]":
        self.asked.append(scope)
        return self.states

    async def get(self, caller: Principal, scope: Scope | None, entity: str) -> EntityState:
        self.asked.append((scope, entity))
        if not self.states:
            raise NotFound(f"there is no entity {entity}")
        return self.states[0]

    def order(self, scope: Scope, wish: Wish) -> Order:
        self.wishes.append((scope, wish))
        if isinstance(self.ordered, CroupierError):
            raise self.ordered
        return self.ordered

    def offers(self, scope: Scope, entity: str, verbs: Sequence[str]) -> bool:
        return bool(self.offered & set(verbs))

    async def timeline(
        self,
        caller: Principal,
        scope: Scope,
        subject: Subject,
        limit: int,
        before: Cursor | None = None,
        *,
        queries: bool = True,
    ) -> Page[Deed]:
        self.asked.append((scope, subject, limit, before, queries))
        more = len(self.deeds) > limit
        return Page(self.deeds[:limit], Cursor(7, self.deeds[limit - 1].record.call.id) if more else None)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Connection:
    """One request under way: what was sent so far, and a way to hang up."""

    def __init__(self, app: Any, scope: dict[str, Any], chunks: Iterable[bytes] | None) -> None:
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.listening = asyncio.Event()
        """Set when the application has read everything and waits for more: for a hang-up."""
        parts = [b""] if chunks is None else list(chunks)
        for index, part in enumerate(parts):
            self._inbox.put_nowait({"type": "http.request", "body": part, "more_body": index < len(parts) - 1})
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            await self._outbox.put(None)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.receive_answer(message)

    async def receive_answer(self, message: dict[str, Any]) -> None:
        """Take what the application sends; a test may put something slower in its place."""
        await self._outbox.put(message)

    async def _receive(self) -> dict[str, Any]:
        if self._inbox.empty():
            self.listening.set()
        return await self._inbox.get()

    def hang_up(self) -> None:
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def message(self) -> dict[str, Any] | None:
        """The next thing the application sends; None when it has returned."""
        return await self._outbox.get()

    async def read_until(self, mark: bytes) -> bytes:
        """Body bytes up to and with `mark`, or all of them."""
        found = b""
        while mark not in found and (message := await self.message()) is not None:
            found += message.get("body", b"")
        return found

    async def reply(self) -> Reply:
        status, headers, body = 0, {}, b""
        while (message := await self.message()) is not None:
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            else:
                body += message["body"]
        await self.task
        return Reply(status, headers, body)


class Testbed:
    __test__ = False

    def __init__(
        self,
        *,
        flights: Flights | None = None,
        room: Room | None = None,
        residence: PeopleTestbed | None = None,
        trusted_proxies: Sequence[str] = (),
        throttle: Throttle | None = None,
        page: Path = Path("nowhere"),
    ) -> None:
        self.calls = ScriptedCalls()
        self.jobs = ScriptedJobs()
        self.history = ScriptedHistory()
        self.directory = ScriptedDirectory()
        self.entities = ScriptedEntities()
        self.problems: list[str] = []
        self.residence = PeopleTestbed(token=TOKEN) if residence is None else residence
        guard = self.residence.guard
        self.catalog = Catalog()
        self.agents = Agents()
        self.kept = KeptInMemory()
        self.guards = GuardsInMemory()
        self.stopping = asyncio.Event()
        self.packs = packs_in_memory(guard)
        limiter, windows = Limiter(), Windows()
        view = CatalogView(self.catalog, self.agents, lambda: ())
        inspector = Inspector(
            guard=guard,
            catalog=self.catalog,
            limiter=limiter,
            windows=windows,
            rules=Rules(),
            foresee=partial(preview, Router(self.agents)),
            clock=lambda: 7,
        )
        self.app = build_app(
            calls=self.calls,
            jobs=self.jobs,
            history=self.history,
            bulks=NoBulks(),
            live=NoLive(),
            approvals=NoApprovals(),
            directory=self.directory,
            entities=self.entities,
            readiness=self._readiness,
            assigned=AssignedFunctions(guard=guard, audit=audit_in_memory(), catalog=self.catalog, store=self.kept),
            catalog=view,
            providers=Providers(
                guard=guard, audit=audit_in_memory(), catalog=self.catalog, store=self.kept, clock=lambda: 7
            ),
            packs=self.packs,
            plugins=Plugins(self.packs.counting),
            reread=self._reread,
            record=record_in_memory(guard),
            limits=Limits(guard=guard, audit=None, store=self.guards, limiter=limiter),
            maintenance=Maintenance(guard=guard, audit=None, store=self.guards, windows=windows),
            machines=machines_in_memory(guard, lambda: 7),
            secrets=no_secrets(guard),
            guard=guard,
            roles=Roles(guard=guard, store=PolicyInMemory(), audit=self.residence.audit, clock=lambda: 7),
            explain=Explain(guard=guard, inspector=inspector, whois=self.residence.residents.whois),
            matrix=Matrix(guard, view),
            games=Games(
                guard=guard,
                production=("prod",),
                sources=(lambda: {SCOPE, Scope("other", "prod")}, lambda: guard.policy.snapshot.places),
            ),
            people=self.residence.people,
            ways=self.residence.ways,
            streams=self.residence.residents.streams,
            proxies=Proxies(trusted_proxies),
            page=BuiltPage(page),
            stopping=self.stopping,
            flights=flights,
            room=room,
            throttle=throttle,
        )

    async def _reread(self) -> list[Fault]:
        return []

    async def _readiness(self) -> list[str]:
        return self.problems

    def connect(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] | dict[str, str] = (),
        json: Any = None,
        body: bytes = b"",
        chunks: Iterable[bytes] | None = None,
        token: str | None = TOKEN,
        host: str = "localhost:8080",
        client: str = "127.0.0.1",
    ) -> Connection:
        sent = [("host", host)] if host else []
        if token is not None:
            sent.append(("authorization", f"Bearer {token}"))
        sent += headers.items() if isinstance(headers, dict) else headers
        if json is not None:
            body = orjson.dumps(json)
        if chunks is None:
            sent.append(("content-length", str(len(body))))
            chunks = [body]
        place, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent],
            "client": (client, 1),
            "server": ("127.0.0.1", 8080),
        }
        return Connection(self.app, scope, chunks)

    async def request(self, method: str, path: str, **sent: Any) -> Reply:
        return await self.connect(method, path, **sent).reply()

    async def invoke(self, function_id: str = "player.ban", payload: Any = None, **fields: Any) -> Reply:
        body = {"function_id": function_id, "payload": payload or {}, **fields}
        return await self.request("POST", "/api/invoke", json=body, headers=SCOPED)

    @asynccontextmanager
    async def streaming(self, path: str, headers: dict[str, str] | None = None) -> AsyncIterator[Connection]:
        """A stream whose answer has begun with 200; hung up at the end."""
        connection = self.connect("GET", path, headers=headers or {})
        start = await connection.message()
        assert start is not None
        assert start["status"] == 200
        try:
            yield connection
        finally:
            connection.hang_up()
            await connection.task

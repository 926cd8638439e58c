"""What runs calls, with approvals before it, and people who may do this and that: all of it real but the way to the agent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import orjson

from croupier.bus.memory import MemoryBus
from croupier.domain.account import Account
from croupier.domain.approval import Approval, ApprovalState
from croupier.domain.call import Call, Result
from croupier.domain.function import FunctionRef, Service
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.policy import Binding, Role
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import AwaitingApproval, CroupierError
from croupier.objects.disk import DiskObjects
from croupier.server.access.accounts import Accounts
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.clock import OnwardClock
from croupier.server.access.epoch import Epoch
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Budgets, Limiter, Limits
from croupier.server.access.policy.snapshot import Snapshot
from croupier.server.admission import Admission
from croupier.server.approvals import Approving, Runners
from croupier.server.archive import Archive
from croupier.server.bulk import Bulks
from croupier.server.calls import Calls
from croupier.server.catalog import Catalog
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router
from croupier.server.ears import Ears
from croupier.server.job_cancel import JobCancels
from croupier.server.job_events import JobIntake
from croupier.server.jobs import Jobs
from croupier.settings import ApprovalsSettings
from croupier.store.accounts import AccountChange
from croupier.store.sql import open_store
from croupier.tunnel.frames import JobStarted

SCOPE = Scope("demo", "dev")
START_MS = 1_700_000_000_000
DEADLINE = 60.0
BAN: dict[str, Any] = {"id": "ban", "version": "1.0.0", "auth": {"two_person_rule": True}}

ROLES = (
    Role(name="operator", permissions=frozenset({"function:*", "bulk:*", "jobs:*"})),
    Role(name="lead", permissions=frozenset({"approvals:*"})),
    Role(name="decider", permissions=frozenset({"approvals:read", "approvals:decide"})),
    Role(name="looker", permissions=frozenset({"approvals:read"})),
)
PEOPLE = {"ann": "operator", "olaf": "operator", "bob": "lead", "cid": "lead", "dan": "decider", "eve": "looker"}
ROOT = Principal(name="developer", root=True)


def person(name: str, **fields: Any) -> Principal:
    return Principal(name=name, kind="user", user_id=f"u-{name}", **fields)


ANN, OLAF, BOB, CID, DAN, EVE = (person(name) for name in PEOPLE)


class Clock:
    def __init__(self) -> None:
        self.now = START_MS

    def __call__(self) -> int:
        return self.now


@dataclass
class GameServer:
    """Behind an agent: what it was given, and what it says."""

    agent_id: str = "agent-1"
    connected: bool = True
    usable: bool = True
    outstanding: int = 0
    given: list[Call] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    error: CroupierError | None = None

    def __post_init__(self) -> None:
        self.goes_on.set()

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        self.given.append(call)
        self.began.set()
        await self.goes_on.wait()
        if self.error is not None:
            raise self.error
        return Result(payload=call.payload, service_id=service_id, agent_id=self.agent_id)

    async def start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        self.given.append(call)
        return JobStarted(request_id="r", job_id=call.id, service_id=service_id)

    def cancel_job(self, job_id: str, reason: str) -> None: ...

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None: ...

    async def ask(self, job_id: str, timeout: float) -> Any:
        raise NotImplementedError

    def pause(self) -> None: ...

    def proceed(self) -> None: ...


class Installation:
    """`async with` it. What it keeps is in `path`, where another one may be opened after it."""

    def __init__(
        self, path: Path, *, clock: Callable[[], int], game: GameServer | None = None, **settings: Any
    ) -> None:
        self.path = path
        self.clock = clock
        self.game = game or GameServer()
        self.settings = ApprovalsSettings.model_validate(settings)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._put_together()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _put_together(self) -> None:
        self.store = store = await open_store(self.path / "croupier.db", clock=self.clock)
        self._stack.push_async_callback(store.close)
        self.abandoned = await store.abandon()
        self.agents, self.catalog = Agents(), Catalog()
        self.router = router = Router(self.agents)
        self.accounts = Accounts(store=store.accounts, clock=OnwardClock(wall=self.clock), epoch=Epoch())
        await self._people()
        guard = self.guard = Guard("token", clock=self.clock)
        self.bind(PEOPLE)
        audit = Audit(store.audit, Masker(b"key"))
        limiter = Limiter(budgets=Budgets(self.clock, store.guards))
        self.limits = Limits(guard=guard, audit=audit, store=store.guards, limiter=limiter)
        self.approving = Approving(
            self.settings,
            public_url="https://croupier.example",
            guard=guard,
            audit=audit,
            accounts=self.accounts,
            store=store,
            catalog=self.catalog,
            foresee=partial(preview, router),
            clock=self.clock,
        )
        self.approvals = self.approving.approvals
        admission = Admission(
            guard=guard,
            catalog=self.catalog,
            audit=audit,
            approvals=self.approving.gate,
            limiter=limiter,
            repeats=store.repeats,
        )
        bus = MemoryBus()
        self._stack.push_async_callback(bus.close)
        ears = Ears(bus)
        self._stack.push_async_callback(ears.close)
        self.calls = Calls(guard=guard, catalog=self.catalog, admission=admission, store=store, router=router)
        self._stack.push_async_callback(self.calls.drain)
        intake = JobIntake(store, bus, self.clock)
        self.jobs = Jobs(
            audit=audit,
            guard=guard,
            admission=admission,
            store=store,
            router=router,
            agents=self.agents,
            intake=intake,
            cancels=JobCancels(agents=self.agents, store=store, intake=intake, grace=1.0),
            bus=bus,
            ears=ears,
            archive=Archive(DiskObjects(self.path / "objects")),
        )
        self.bulks = Bulks(
            audit=audit,
            guard=guard,
            catalog=self.catalog,
            calls=self.calls,
            approvals=self.approving.gate,
            current=self.approving.current,
            store=store,
            bus=bus,
            clock=self.clock,
        )
        self._stack.push_async_callback(self.bulks.stop)
        self.describe(BAN, {"id": "kick"})
        await self.bulks.begin()

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def execute(self) -> None:
        """From now on what is approved is executed."""
        self.approving.begin(Runners(calls=self.calls, jobs=self.jobs, bulks=self.bulks), self._stack)

    async def _people(self) -> None:
        known = await self.store.accounts.accounts()
        if not known:
            made = [Account(id=f"u-{name}", name=name, created_ms=START_MS, changed_ms=START_MS) for name in PEOPLE]
            await self.store.accounts.change(AccountChange(accounts=made))
        await self.accounts.begin()

    def bind(self, people: dict[str, str]) -> None:
        bindings = [Binding(subject=f"user:u-{name}", role=role, game_id="demo") for name, role in people.items()]
        self.guard.policy.use(Snapshot(ROLES, bindings))

    def describe(self, *functions: dict[str, Any], services: Sequence[str] = ("game-1",)) -> None:
        """What the game servers say of their functions."""
        refs = tuple(FunctionRef(each["id"]) for each in functions)
        manifest = orjson.dumps(list(functions))
        offered = tuple(Service(service_id=name, functions=refs, manifest_json=manifest) for name in services)
        self.agents.put(Agent(agent_id="agent-1", scope=SCOPE, link=self.game, services=offered))
        self.catalog.learn("agent-1", SCOPE, offered)

    # ------------------------------------------------------------------------------------------------ what tests do

    def call(self, function_id: str = "ban", payload: Any = None, *, by: Principal = ANN, **fields: Any) -> Call:
        body = orjson.dumps({"id": "p1"} if payload is None else payload)
        made = Call(id=new_id("c"), function_id=function_id, scope=SCOPE, payload=body, caller=by.name, timeout=30.0)
        return replace(made, **fields)

    async def ask(self, call: Call | None = None, *, by: Principal = ANN) -> Approval:
        """The approval that the call waits for."""
        try:
            await self.calls.invoke(by, call or self.call(by=by))
        except AwaitingApproval as error:
            return await self.kept(error.details["approval_id"])
        raise AssertionError("it did not have to wait")

    async def kept(self, approval_id: str) -> Approval:
        found = await self.store.approvals.approval(approval_id)
        assert found is not None
        return found

    async def reaches(self, approval: Approval, *states: ApprovalState) -> Approval:
        async with asyncio.timeout(DEADLINE):
            while (found := await self.kept(approval.id)).state not in states:  # noqa: ASYNC110 — nothing announces it
                await asyncio.sleep(0.01)
            return found


@contextlib.asynccontextmanager
async def installed(path: Path, clock: Callable[[], int], **settings: Any) -> AsyncIterator[Installation]:
    async with Installation(path, clock=clock, **settings) as found:
        yield found


def done(job_id: str) -> JobEvent:
    return JobEvent(job_id=job_id, seq=1, type="done", payload=b"{}")

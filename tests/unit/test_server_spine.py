"""The spine over a real store and a real session, in memory: what does not fit is refused, and what ends is recorded."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pytest

from croupier.descriptors import FunctionDescriptor, read_descriptor
from croupier.domain.audit import Note
from croupier.domain.call import Call, CallState, Outcome, Result, Trail
from croupier.domain.function import FunctionRef, Service
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import Canceled, CroupierError, DeadlineExceeded, OutcomeUnknown, RateLimited, Unavailable
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.admission import Admission
from croupier.server.approvals import ApprovalGate, Rules
from croupier.server.approvals.notices.outbox import Outbox
from croupier.server.calls import Calls
from croupier.server.catalog import Catalog, Kind, Origin
from croupier.server.catalog.snapshot import source_of
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.link import TunnelLink
from croupier.server.dispatch.preview import preview
from croupier.server.dispatch.router import Router
from croupier.server.news import News
from croupier.store.sql import SqlStore, open_store, system_clock
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.connector import Abort, Connector, ConnectorEvent, Execute, Opened
from croupier.tunnel.frames import CallResult, Hello, Invoke
from croupier.tunnel.peer import AcceptorPeer, ConnectorPeer
from croupier.tunnel.stream import MemoryStream, memory_streams

SCOPE = Scope("demo", "dev")
CALLER = Principal(name="tester", root=True)


class Holding:
    """The agent's side: keeps every call until it is told to answer."""

    def __init__(self) -> None:
        self.peer = ConnectorPeer(Connector(Hello(agent_id="a", game_id="demo", env="dev", incarnation="one")), self)
        self.held: list[Invoke] = []
        self.news = asyncio.Event()
        self.opened = asyncio.Event()
        self.aborted = asyncio.Event()

    def handle(self, event: ConnectorEvent) -> None:
        if isinstance(event, Execute):
            self.held.append(event.frame)
            self.news.set()
        elif isinstance(event, Opened):
            self.opened.set()
        elif isinstance(event, Abort):
            self.aborted.set()

    async def until_held(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.held) < count:
                self.news.clear()
                await self.news.wait()

    def answer_all(self) -> None:
        for frame in self.held:
            self.peer.machine.answer(CallResult(request_id=frame.request_id, payload=frame.payload))
        self.peer.wake()


class Heedless:
    def registered(self, *said: object) -> None: ...

    def job_event(self, *said: object) -> None: ...

    def draining(self, *said: object) -> None: ...

    def closed(self, *said: object) -> None: ...


class Forgetful(SqlStore):
    """Cannot write how a call ended."""

    async def finish(
        self,
        call_id: str,
        outcome: Outcome,
        *,
        durable: bool = True,
        unsent: bool = False,
        trail: Trail | None = None,
        note: Note | None = None,
    ) -> None:
        raise Unavailable("the disk is full")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await open_store(tmp_path / "croupier.db")
    yield store
    await store.close()


@asynccontextmanager
async def spine(
    store: SqlStore, catalog: Catalog | None = None, **config: int
) -> AsyncIterator[tuple[Calls, Holding, TunnelLink]]:
    ours, theirs = memory_streams()
    agent = Holding()
    hello = Hello(agent_id="a", game_id="demo", env="dev", capabilities=("session",), incarnation="one")
    machine = Acceptor(hello, session_id="t", incarnation="s", config=AcceptorConfig(**config))
    link = TunnelLink("a", AcceptorPeer(machine, Heedless()), lambda _link, _event: None)
    agents = Agents()
    agents.put(
        Agent(agent_id="a", scope=SCOPE, link=link, services=(Service(service_id="s", functions=(FunctionRef("f"),)),))
    )
    guard, catalog = Guard("token"), catalog or Catalog()
    router = Router(agents)
    audit = Audit(store.audit, Masker(b"key"))
    gate = ApprovalGate(
        news=News(),
        guard=guard,
        audit=audit,
        store=store,
        rules=Rules(),
        foresee=partial(preview, router),
        outbox=Outbox([], system_clock),
        clock=system_clock,
    )
    admission = Admission(guard=guard, catalog=catalog, audit=audit, approvals=gate)
    calls = Calls(guard=guard, catalog=catalog, admission=admission, store=store, router=router)
    accepting = asyncio.ensure_future(_accept(link, ours, hello))
    dialling = asyncio.ensure_future(agent.peer.run(theirs))
    async with asyncio.timeout(90):
        await agent.opened.wait()
    try:
        yield calls, agent, link
    finally:
        link.peer.close("the test is over")
        ours.cut()
        await asyncio.gather(accepting, dialling)
        await calls.drain()
        agent.peer._timer.cancel()


async def _accept(link: TunnelLink, stream: MemoryStream, hello: Hello) -> None:
    await stream.read()  # the hello, which the server's border reads
    await link.peer.run(stream, hello)


def call(number: int = 0, **fields: object) -> Call:
    chosen: dict[str, object] = {"timeout": 60.0, **fields}
    return Call(id=f"c{number}", function_id="f", scope=SCOPE, payload=b"%d" % number, caller="x", **chosen)  # type: ignore[arg-type]


async def ended(calls: Calls, each: Call) -> Result | CroupierError:
    try:
        return await calls.invoke(CALLER, each)
    except CroupierError as error:
        return error


async def test_ten_thousand_calls_beyond_what_fits_are_refused_and_none_hangs(store: SqlStore) -> None:
    async with spine(store, calls=2_000) as (calls, agent, link):
        waiting = [asyncio.ensure_future(ended(calls, call(number))) for number in range(12_000)]
        await agent.until_held(2_000)
        while sum(each.done() for each in waiting) < 10_000:
            await asyncio.wait([each for each in waiting if not each.done()], return_when=asyncio.FIRST_COMPLETED)
        agent.answer_all()
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*waiting)
        assert link.outstanding == 0
    assert Counter(type(outcome) for outcome in outcomes) == {Result: 2_000, RateLimited: 10_000}
    assert all(
        outcome.payload == b"%d" % number for number, outcome in enumerate(outcomes) if isinstance(outcome, Result)
    )
    assert {str(outcome) for outcome in outcomes if isinstance(outcome, RateLimited)} == {
        "rate limited: the tunnel has too much in flight; the call was not sent, try again later"
    }


async def test_a_call_whose_time_passed_before_it_could_be_sent_is_not_sent(store: SqlStore) -> None:
    async with spine(store) as (calls, agent, _):
        outcome = await ended(calls, call(1, timeout=1e-9, idempotency_key="k"))
        assert isinstance(outcome, Unavailable)
        assert "nothing ran" in outcome.message
        assert not agent.held
        record = await store.call("c1")
    assert record is not None
    assert record.state is CallState.FAILED


async def test_an_answer_reaches_its_caller_even_when_it_cannot_be_recorded(store: SqlStore) -> None:
    store.__class__ = Forgetful
    async with spine(store) as (calls, agent, _):
        calling = asyncio.ensure_future(ended(calls, call(1, idempotency_key="k")))
        await agent.until_held(1)
        agent.answer_all()
        assert isinstance(await calling, Result)
        assert not calls._keyed


async def test_a_caller_that_leaves_lets_the_repetitions_know(store: SqlStore) -> None:
    async with spine(store) as (calls, agent, _):
        one = call(1, idempotency_key="k")
        first = asyncio.ensure_future(ended(calls, one))
        await agent.until_held(1)
        second = asyncio.ensure_future(ended(calls, replace(one, id="c2")))
        third = await ended(calls, replace(one, id="c3", timeout=0.01))
        first.cancel()
        outcome = await second
    assert isinstance(third, DeadlineExceeded)
    assert isinstance(outcome, Canceled)


async def test_a_session_that_closes_ends_every_call_once(store: SqlStore) -> None:
    async with spine(store) as (calls, agent, link):
        waiting = [asyncio.ensure_future(ended(calls, call(number))) for number in range(50)]
        await agent.until_held(50)
        link.peer.close("the agent was replaced")
        outcomes = await asyncio.gather(*waiting)
    assert {type(outcome) for outcome in outcomes} == {OutcomeUnknown}


async def test_a_deadline_ends_a_call_and_its_agent_is_told(store: SqlStore) -> None:
    async with spine(store) as (calls, agent, link):
        outcome = await ended(calls, call(1, timeout=1))
        assert isinstance(outcome, DeadlineExceeded)
        assert link.outstanding == 0
        async with asyncio.timeout(90):
            await agent.aborted.wait()
        assert agent.peer.machine.running == 0


def described_as(mode: str) -> Catalog:
    function = read_descriptor(orjson.dumps({"id": "f", "semantics": {"mode": mode}}), "f.json")
    assert isinstance(function, FunctionDescriptor)
    origin = Origin(kind=Kind.PROVIDER, name="test")
    catalog = Catalog()
    catalog.use_sources(providers=[source_of(origin, [function])])
    return catalog


@contextmanager
def a_full_disk(store: SqlStore) -> Iterator[None]:
    """While this lasts the database takes no page more."""
    connection = store._committer._connection.connection.driver_connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute("CREATE TABLE filler (x)")
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with suppress(sqlite3.OperationalError):
        while True:
            connection.execute("INSERT INTO filler VALUES (zeroblob(500))")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.parametrize("mode", ["command", "query"])
async def test_a_full_disk_stops_commands_and_no_queries_and_is_over_when_there_is_room(
    store: SqlStore, mode: str
) -> None:
    catalog = described_as(mode)
    await store.audit.record(Note(actor=CALLER, action="test.begin"))
    large = b'"' + b"x" * 900 + b'"'
    async with spine(store, catalog) as (calls, agent, _):
        answering = asyncio.ensure_future(answer_for_ever(agent))
        with a_full_disk(store):
            outcomes = await asyncio.gather(
                *(ended(calls, replace(call(number), payload=large)) for number in range(40))
            )
            with pytest.raises(Unavailable):
                await store.audit.record(Note(actor=CALLER, action="test.full", details="x" * 9_000))
        refused = [outcome for outcome in outcomes if isinstance(outcome, CroupierError)]
        assert bool(refused) is (mode == "command")
        assert all(isinstance(outcome, Unavailable) and "disk is full" in outcome.message for outcome in refused)
        assert isinstance(await ended(calls, replace(call(1_000), payload=large)), Result)
        answering.cancel()
    await store.audit.record(Note(actor=CALLER, action="test.end"))
    rows = [orjson.loads(each.row) for each in await store.audit.rows(0, 1_000)]
    assert any(row["action"] == "audit.gap" for row in rows)


async def answer_for_ever(agent: Holding) -> None:
    while True:
        await agent.until_held(1)
        agent.answer_all()
        agent.held.clear()

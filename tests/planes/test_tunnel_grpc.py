"""Two peers over real streams: in memory, and over grpcio on loopback. Whatever happens, no task is left behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import grpc
import grpc.aio
import pytest
from tests.wires import Wire

from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, DeadlineExceeded, InvalidArgument, NotFound, OutcomeUnknown, Unavailable
from croupier.rpc.service import RpcServer, read_hello
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.codec import decode, parse
from croupier.tunnel.connector import Abort, Asked, Connector, ConnectorEvent, Execute, JobAcknowledged, Opened
from croupier.tunnel.frames import (
    CallResult,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    StartJob,
)
from croupier.tunnel.grpc import CHANNEL_OPTIONS, OPEN, ClientStream, ServerContext, open_stream
from croupier.tunnel.link import WAITING_BYTES
from croupier.tunnel.peer import AcceptorPeer, ConnectorPeer
from croupier.tunnel.stream import MemoryStream, Stream, StreamBroken, memory_streams

HELLO = Hello(agent_id="a", game_id="g", env="e", incarnation="i")


class ServerSide:
    """The sessions a server holds: one agent's, over whatever streams come."""

    def __init__(self, config: AcceptorConfig) -> None:
        self.config = config
        self.peer: AcceptorPeer | None = None
        self.sessions = 0
        self.streams = 0
        self.runs: set[asyncio.Task[None]] = set()
        self.opened = asyncio.Event()
        self.lost = asyncio.Event()
        self.stored: dict[str, int] = {}
        self.reports: list[Register] = []
        self.refuses_events = False

    async def serve(self, stream: Stream, _: ServerContext | None = None) -> None:
        hello = read_hello(decode(parse(await stream.read() or b"")))
        if self.peer is None or not self.peer.machine.resumes(hello):
            if self.peer is not None:
                self.peer.close("a new session began")
            self.sessions += 1
            machine = Acceptor(hello, session_id=f"s{self.sessions}", incarnation="x", config=self.config)
            self.peer = AcceptorPeer(machine, self)
        self.streams += 1
        self.opened.set()
        await self.peer.run(stream, hello)

    def accept(self, stream: Stream) -> None:
        task = asyncio.ensure_future(self.serve(stream))
        self.runs.add(task)
        task.add_done_callback(self.runs.discard)

    def registered(self, peer: AcceptorPeer, register: Register) -> None:
        self.reports.append(register)

    def job_event(self, peer: AcceptorPeer, event: JobEvent, raw: bytes) -> None:
        if self.refuses_events:
            raise InvalidArgument("bad frame: no events today")
        assert event.seq <= self.stored.get(event.job_id, 0) + 1
        self.stored[event.job_id] = max(event.seq, self.stored.get(event.job_id, 0))
        peer.tell(JobAck(event.job_id, event.seq))

    def draining(self, peer: AcceptorPeer, reason: str) -> None:
        """The agent goes on."""

    def closed(self, peer: AcceptorPeer) -> None:
        self.lost.set()


class AgentSide:
    """Runs what it is asked to run: `echo` answers at once, `wait` when it is told to, `fail` with an error."""

    def __init__(self) -> None:
        self.peer = ConnectorPeer(Connector(HELLO), self)
        self.waiting: dict[str, asyncio.Event] = {}
        self.started = asyncio.Event()
        self.stopped: dict[str, str] = {}
        self.stop = asyncio.Event()
        self.opened: list[Opened] = []
        self.acknowledged: dict[str, int] = {}
        self.all_acknowledged = asyncio.Event()
        self.executed = 0

    def handle(self, event: ConnectorEvent) -> None:
        match event:
            case Execute():
                self._execute(event.frame)
            case Asked(query=ListLocal() as query):
                self._answer(LocalList(request_id=query.request_id, function_id="f", service_ids=("s",)))
            case Asked(query=JobQuery() as query):
                self._answer(JobAnswer(request_id=query.request_id, state="running"))
            case Abort():
                self.stopped[event.request_id] = event.reason
                self.stop.set()
            case Opened():
                self.opened.append(event)
                if not event.resumed:
                    self.peer.machine.register(Register(()))
            case JobAcknowledged():
                self.acknowledged[event.job_id] = event.seq
                if not self.peer.machine.unacknowledged:
                    self.all_acknowledged.set()
            case _:
                raise AssertionError(f"unexpected {event}")

    def _execute(self, frame: Invoke) -> None:
        self.executed += 1
        match frame.function_id:
            case "wait":
                self.started.set()
            case "fail":
                self._answer(CallResult(request_id=frame.request_id, error=NotFound("no local handler for fail")))
            case _ if isinstance(frame, StartJob):
                self._answer(JobStarted(request_id=frame.request_id, job_id=frame.job_id))
            case _:
                self._answer(CallResult(request_id=frame.request_id, payload=frame.payload))

    def _answer(self, frame: CallResult | JobStarted | LocalList | JobAnswer) -> None:
        self.peer.machine.answer(frame)
        self.peer.wake()

    def answer(self, request_id: str, payload: bytes) -> None:
        assert self.peer.machine.answer(CallResult(request_id=request_id, payload=payload))
        self.peer.wake()


class Plane:
    """A server and an agent, and what joins them."""

    def __init__(self, server: ServerSide, dial: Callable[[], Awaitable[tuple[Stream, Callable[[], None]]]]) -> None:
        self.server = server
        self.agent = AgentSide()
        self._dial = dial
        self._cut: Callable[[], None] | None = None
        self._run: asyncio.Task[None] | None = None

    @property
    def peer(self) -> AcceptorPeer:
        assert self.server.peer is not None
        return self.server.peer

    async def connect(self) -> None:
        """Until both ends know of the stream."""
        self.server.opened.clear()
        stream, self._cut = await self._dial()
        self._run = asyncio.ensure_future(self.agent.peer.run(stream))
        await self.server.opened.wait()
        await self.peer.request(JobQuery(f"hello {self.server.streams}", "j"), 30)

    async def cut(self) -> None:
        """Until both ends know that the stream is gone."""
        assert self._cut is not None
        assert self._run is not None
        self._cut()
        await self._run
        async with asyncio.timeout(90):
            while self.peer.machine.connected:  # noqa: ASYNC110 — a session that may be resumed tells nobody of a lost stream
                await asyncio.sleep(0.001)

    async def close(self) -> None:
        if self.server.peer is not None:
            self.server.peer.close("the test is over")
        if self._run is not None and not self._run.done():
            await self.cut()
        await asyncio.gather(*self.server.runs, return_exceptions=True)


def invoke(request_id: str, function_id: str = "echo", payload: bytes = b"{}", deadline_ms: int = 0) -> Invoke:
    return Invoke(request_id=request_id, function_id=function_id, payload=payload, deadline_ms=deadline_ms)


CONFIG = AcceptorConfig(resume_window=30.0, heartbeat=15.0, job_window=16)


@pytest.fixture
def config() -> AcceptorConfig:
    return CONFIG


@pytest.fixture(params=["memory", "grpc"])
async def plane(request: pytest.FixtureRequest, config: AcceptorConfig) -> AsyncIterator[Plane]:
    server = ServerSide(config)
    if request.param == "memory":

        async def dial_memory() -> tuple[Stream, Callable[[], None]]:
            near, far = memory_streams()
            server.accept(far)
            return near, near.cut

        plane = Plane(server, dial_memory)
        await plane.connect()
        yield plane
        await plane.close()
        return
    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": server.serve}})
    await rpc.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(rpc.address, options=CHANNEL_OPTIONS) as channel:

        async def dial_grpc() -> tuple[Stream, Callable[[], None]]:
            call = open_stream(channel, OPEN)

            def hang_up() -> None:
                call.cancel()

            return ClientStream(call), hang_up

        plane = Plane(server, dial_grpc)
        await plane.connect()
        yield plane
        await plane.close()
    await rpc.stop(0)


# ------------------------------------------------------------------------------------------------ calls


async def test_each_kind_of_request_comes_back_answered(plane: Plane) -> None:
    assert await plane.peer.request(invoke("r1", payload=b"\x00\xff"), 30) == CallResult(
        request_id="r1", payload=b"\x00\xff"
    )
    start = StartJob(request_id="r2", function_id="f", payload=b"", job_id="j")
    assert await plane.peer.request(start, 30) == JobStarted(request_id="r2", job_id="j")
    assert await plane.peer.request(ListLocal("r3", "f"), 30) == LocalList(
        request_id="r3", function_id="f", service_ids=("s",)
    )
    assert await plane.peer.request(JobQuery("r4", "j"), 30) == JobAnswer(request_id="r4", state="running")


async def test_a_functions_error_arrives_in_the_answer(plane: Plane) -> None:
    answer = await plane.peer.request(invoke("r", "fail"), 30)
    assert isinstance(answer, CallResult)
    assert isinstance(answer.error, NotFound)
    assert answer.error.message == "no local handler for fail"


async def test_ten_megabytes_come_back_whole(plane: Plane) -> None:
    payload = bytes(range(256)) * (10_000_000 // 256)
    answer = await plane.peer.request(invoke("r", payload=payload), 60)
    assert isinstance(answer, CallResult)
    assert answer.payload == payload


async def test_five_thousand_requests_at_once_are_all_answered(plane: Plane) -> None:
    answers = await asyncio.gather(*(plane.peer.request(invoke(f"r{n}", payload=b"%d" % n), 60) for n in range(5000)))

    assert [answer.payload for answer in answers if isinstance(answer, CallResult)] == [b"%d" % n for n in range(5000)]
    assert plane.agent.executed == 5000
    assert plane.peer.machine.in_flight == plane.agent.peer.machine.running == 0


async def test_more_than_a_full_link_passes_both_ways_without_a_stall(plane: Plane) -> None:
    payload = bytes(1_000_000)
    count = 2 * WAITING_BYTES // len(payload)
    limit = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with limit:
            answer = await plane.peer.request(invoke(f"r{number}", payload=payload), 60)
        assert isinstance(answer, CallResult)
        assert len(answer.payload) == len(payload)

    await asyncio.gather(*(one(number) for number in range(count)))

    assert not plane.peer.machine.link.full


async def test_a_waiter_that_gives_up_stops_the_work_at_the_other_end(plane: Plane) -> None:
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r", "wait"), 30))
    await plane.agent.started.wait()

    waiter.cancel()

    with suppress(asyncio.CancelledError):
        await waiter
    await plane.agent.stop.wait()
    assert plane.agent.stopped == {"r": "the caller gave up"}
    assert plane.peer.machine.in_flight == plane.agent.peer.machine.running == 0


async def test_a_call_that_hangs_ends_at_its_deadline_and_is_stopped(plane: Plane) -> None:
    with pytest.raises(DeadlineExceeded, match="tunnel invoke timeout"):
        await plane.peer.request(invoke("r", "wait"), 0.5)
    await plane.agent.stop.wait()
    assert plane.agent.stopped == {"r": "deadline exceeded"}


async def test_the_agent_keeps_the_deadline_itself(plane: Plane) -> None:
    answer = await plane.peer.request(invoke("r", "wait", deadline_ms=20), 30)
    assert isinstance(answer, CallResult)
    assert isinstance(answer.error, DeadlineExceeded)
    assert plane.agent.stopped == {"r": "deadline exceeded"}


async def test_the_agent_keeps_the_deadline_without_a_stream_too(plane: Plane) -> None:
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r", "wait", deadline_ms=500), 30))
    await plane.agent.started.wait()
    await plane.cut()

    await plane.agent.stop.wait()
    await plane.connect()

    answer = await waiter
    assert isinstance(answer, CallResult)
    assert isinstance(answer.error, DeadlineExceeded)


# ------------------------------------------------------------------------------------------------ streams come and go


async def test_a_call_survives_a_cut_and_is_answered_over_the_second_stream(plane: Plane) -> None:
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r", "wait"), 30))
    await plane.agent.started.wait()
    await plane.cut()
    plane.agent.answer("r", b"from before the cut")

    await plane.connect()

    assert await waiter == CallResult(request_id="r", payload=b"from before the cut")
    assert [opened.resumed for opened in plane.agent.opened] == [False, True]
    assert (plane.server.sessions, plane.server.streams) == (1, 2)
    assert plane.agent.executed == 1


async def test_a_call_made_without_a_stream_leaves_with_the_next_one(plane: Plane) -> None:
    await plane.cut()
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r"), 30))

    await plane.connect()

    assert await waiter == CallResult(request_id="r", payload=b"{}")


async def test_calls_go_on_through_many_cuts(plane: Plane) -> None:
    async def worker(name: int) -> None:
        for number in range(20):
            frame = invoke(f"{name}-{number}", payload=b"%d" % number)
            assert await plane.peer.request(frame, 60) == CallResult(
                request_id=frame.request_id, payload=b"%d" % number
            )

    working = asyncio.gather(*(worker(name) for name in range(50)))
    for _ in range(5):
        await plane.cut()
        await plane.connect()
    await working

    assert plane.agent.executed == 1000
    assert plane.server.sessions == 1


async def test_a_new_stream_takes_the_place_of_one_whose_end_nobody_saw(plane: Plane) -> None:
    first = plane.agent
    assert plane.server.peer is not None
    session = plane.server.peer
    near, far = memory_streams()
    # The agent's host came back so fast that the server still holds the old stream; the machine is the same.
    machine = first.peer.machine
    second = ConnectorPeer(machine, first)
    plane.server.opened.clear()
    plane.server.accept(far)
    running = asyncio.ensure_future(second.run(near))
    await plane.server.opened.wait()
    first.peer = second

    assert await session.request(invoke("r"), 30) == CallResult(request_id="r", payload=b"{}")
    assert session.machine.generation == 2
    assert session.machine.connected
    near.cut()
    await running


async def test_a_restarted_agent_begins_a_new_session_and_lost_calls_say_whether_they_were_sent(plane: Plane) -> None:
    sent = asyncio.ensure_future(plane.peer.request(invoke("sent", "wait"), 30))
    await plane.agent.started.wait()
    await plane.cut()
    unsent = asyncio.ensure_future(plane.peer.request(invoke("unsent"), 30))
    plane.agent = AgentSide()

    await plane.connect()

    with pytest.raises(OutcomeUnknown):
        await sent
    with pytest.raises(Unavailable):
        await unsent
    assert plane.agent.executed == 0
    assert plane.server.sessions == 2
    assert plane.server.lost.is_set()


@pytest.mark.parametrize("config", [AcceptorConfig(resume_window=0.05)])
async def test_an_agent_that_stays_away_ends_its_calls(plane: Plane) -> None:
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r", "wait"), 30))
    await plane.agent.started.wait()

    await plane.cut()

    with pytest.raises(OutcomeUnknown, match="agent not connected"):
        await waiter
    await plane.server.lost.wait()
    with pytest.raises(Unavailable, match="agent not connected"):
        await plane.peer.request(invoke("late"), 30)


@pytest.mark.parametrize("config", [AcceptorConfig(heartbeat=0.3, resume_window=0.05)])
async def test_a_silent_agent_is_given_up(plane: Plane) -> None:
    plane.agent.peer.machine.tick = lambda now: []  # type: ignore[method-assign]  # a host that froze: it sends no heartbeats
    await plane.server.lost.wait()
    assert not plane.peer.machine.connected


async def test_closing_ends_every_call_and_the_stream(plane: Plane) -> None:
    waiters = [asyncio.ensure_future(plane.peer.request(invoke(f"r{n}", "wait"), 30)) for n in range(100)]
    await plane.agent.started.wait()

    plane.peer.close("the server stopped")

    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert all(isinstance(outcome, OutcomeUnknown | Unavailable) for outcome in outcomes)
    assert any(isinstance(outcome, OutcomeUnknown) for outcome in outcomes)
    assert plane.server.lost.is_set()
    assert plane._run is not None
    if plane._cut is not None and plane.server.runs:  # a memory pipe does not end with the task that served it
        await asyncio.gather(*plane.server.runs)
        plane._cut()
    await plane._run


async def test_a_refused_event_ends_the_stream_and_no_call_beside_it_is_forgotten(plane: Plane) -> None:
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r", "wait"), 30))
    await plane.agent.started.wait()
    plane.server.refuses_events = True
    machine = plane.agent.peer.machine

    machine.emit(JobEvent(job_id="j", seq=1, type="log"))
    machine.answer(CallResult(request_id="r", payload=b"1"))
    plane.agent.peer.wake()

    assert await waiter == CallResult(request_id="r", payload=b"1")
    plane.server.refuses_events = False
    if plane.server.runs:
        with pytest.raises(InvalidArgument, match="no events"):
            await asyncio.gather(*plane.server.runs)
    await plane.cut()
    await plane.connect()
    await plane.agent.all_acknowledged.wait()
    assert plane.server.sessions == 2, "an agent that broke the protocol begins again"
    assert plane.server.stored == {"j": 1}


# ------------------------------------------------------------------------------------------------ jobs


async def test_a_jobs_events_arrive_in_order_through_cuts(plane: Plane) -> None:
    machine = plane.agent.peer.machine
    for seq in range(1, 2001):
        machine.emit(JobEvent(job_id="j", seq=seq, type="log", message="x" * 100))
    plane.agent.peer.wake()
    for _ in range(3):
        await plane.cut()
        await plane.connect()

    await plane.agent.all_acknowledged.wait()

    assert plane.server.stored == {"j": 2000}
    assert plane.agent.acknowledged == {"j": 2000}


async def test_a_paused_reader_holds_the_agent_back_and_goes_on(plane: Plane) -> None:
    plane.peer.pause()
    waiter = asyncio.ensure_future(plane.peer.request(invoke("r"), 30))
    plane.peer.proceed()
    assert await waiter == CallResult(request_id="r", payload=b"{}")


# ------------------------------------------------------------------------------------------------ memory streams


async def test_cutting_a_memory_stream_breaks_both_ends() -> None:
    near, far = memory_streams()
    await near.write(b"lost")
    reading = asyncio.ensure_future(near.read())
    near.cut()
    for broken in (far.read(), far.write(b"x"), near.write(b"x"), reading):
        with pytest.raises(StreamBroken):
            await broken


async def test_a_writer_that_waits_for_room_is_freed_by_the_cut() -> None:
    near, far = memory_streams()

    async def fill(stream: MemoryStream) -> None:
        while True:
            await stream.write(b"x")

    filling = asyncio.ensure_future(fill(near))
    await far.read()
    far.cut()
    with pytest.raises(StreamBroken):
        await filling


async def test_a_memory_stream_that_ends_in_order_delivers_what_was_sent() -> None:
    near, far = memory_streams()
    await near.write(b"last")
    await near.end()
    assert await far.read() == b"last"
    assert await far.read() is None


# ------------------------------------------------------------------------------------------------ grpc streams


async def test_a_stream_to_nobody_is_broken_with_the_reason() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1", options=CHANNEL_OPTIONS) as channel:
        stream = ClientStream(open_stream(channel, OPEN))
        with pytest.raises(StreamBroken, match="UNAVAILABLE"):
            await stream.read()


async def test_an_agent_far_away_reaches_its_server() -> None:
    server = ServerSide(CONFIG)
    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": server.serve}})
    await rpc.start("127.0.0.1:0")
    async with (
        Wire(rpc.address, delay=0.3) as wire,
        grpc.aio.insecure_channel(wire.address, options=CHANNEL_OPTIONS) as channel,
    ):
        running = asyncio.ensure_future(AgentSide().peer.run(ClientStream(open_stream(channel, OPEN))))
        opened = asyncio.ensure_future(server.opened.wait())
        await asyncio.wait([running, opened], return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        assert not running.done(), running.result()
        assert server.peer is not None
        assert await server.peer.request(JobQuery("q", "j"), 30) == JobAnswer(request_id="q", state="running")
        server.peer.close("the test is over")
        await running
    await rpc.stop(0)


async def test_a_server_that_stops_ends_the_agents_stream() -> None:
    server = ServerSide(CONFIG)
    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": server.serve}})
    await rpc.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(rpc.address, options=CHANNEL_OPTIONS) as channel:
        agent = AgentSide()
        running = asyncio.ensure_future(agent.peer.run(ClientStream(open_stream(channel, OPEN))))
        await server.opened.wait()
        assert server.peer is not None
        waiter = asyncio.ensure_future(server.peer.request(invoke("r", "wait"), 30))
        await agent.started.wait()

        server.peer.close("the server stopped")
        await rpc.stop(0)

        await running
        with pytest.raises(CroupierError):
            await waiter


async def test_a_cancelled_agent_is_cancelled() -> None:
    server = ServerSide(CONFIG)
    rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": server.serve}})
    await rpc.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(rpc.address, options=CHANNEL_OPTIONS) as channel:
        agent = AgentSide()
        running = asyncio.ensure_future(agent.peer.run(ClientStream(open_stream(channel, OPEN))))
        await server.opened.wait()

        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running
    assert server.peer is not None
    server.peer.close("the test is over")
    await rpc.stop(0)

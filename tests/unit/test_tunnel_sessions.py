"""Whatever happens to the streams and processes, each call ends once and each job's story arrives whole.

A server (which keeps what job events it stored) and an agent are driven by hypothesis through calls, cuts, reconnects,
restarts and time, on the real machines. The pipe between them may lose everything under way at any moment.
"""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from croupier.domain.function import Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, DeadlineExceeded, OutcomeUnknown, Unavailable
from croupier.tunnel.acceptor import (
    Acceptor,
    AcceptorConfig,
    AcceptorEvent,
    Closed,
    Completed,
    JobEventArrived,
    PeerDraining,
    Registered,
    Silent,
)
from croupier.tunnel.codec import decode, encode, parse
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
    CancelJob,
    Drain,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    Request,
    StartJob,
)
from croupier.tunnel.link import BATCH_BYTES

CONFIG = AcceptorConfig(resume_window=10.0, heartbeat=15.0, job_window=4)


@dataclass
class Pipe:
    """One stream. `broken` loses what is under way; each end notices in its own time."""

    up: deque[bytes] = field(default_factory=deque)
    down: deque[bytes] = field(default_factory=deque)
    broken: bool = False
    acceptor: Acceptor | None = None
    generation: int = 0


@dataclass
class Asking:
    """A call as its caller sees it."""

    frame: Request
    deadline: float | None
    outcome: Answer | CroupierError | None = None
    withdrawn: bool = False
    executed: int = 0

    @property
    def open(self) -> bool:
        return self.outcome is None and not self.withdrawn


class Server:
    """What stands behind an acceptor. `stored` outlives the process, as a database does."""

    def __init__(self) -> None:
        self.acceptor: Acceptor | None = None
        self.asked: dict[str, Asking] = {}
        self.stored: dict[str, int] = {}
        self.process = 0
        self.registered: Register | None = None

    def restart(self) -> None:
        """The waiters die with their process; nobody is left to be told."""
        self.acceptor = None
        self.process += 1
        for asking in self.asked.values():
            asking.withdrawn = asking.withdrawn or asking.outcome is None

    def hello(self, pipe: Pipe, hello: Hello, now: float) -> None:
        acceptor = self.acceptor
        if acceptor is None or not acceptor.resumes(hello):
            if acceptor is not None:
                self.handle(acceptor.close("a new session began"))
            session_id = f"s{self.process}-{len(self.asked)}-{now}"
            acceptor = self.acceptor = Acceptor(hello, session_id=session_id, incarnation="x", config=CONFIG)
        welcome = acceptor.connect(hello, now)
        assert welcome is not None
        pipe.acceptor, pipe.generation = acceptor, acceptor.generation
        pipe.down.append(welcome)

    def handle(self, events: list[AcceptorEvent]) -> bool:
        """Returns whether the stream is to be closed."""
        silent = False
        for event in events:
            match event:
                case Completed():
                    event.token(event.outcome, event.raw)
                case JobEventArrived():
                    self.store(event.event)
                case Registered():
                    self.registered = event.register
                case Silent():
                    silent = True
                case Closed():
                    self.acceptor = None
                case PeerDraining():
                    assert self.acceptor is not None
                    assert self.acceptor.draining
        return silent

    def store(self, event: JobEvent) -> None:
        last = self.stored.get(event.job_id, 0)
        assert event.seq <= last + 1, f"{event.job_id}: {event.seq} came after {last}"
        self.stored[event.job_id] = max(last, event.seq)

    def ask(self, asking: Asking, now: float) -> bool:
        assert self.acceptor is not None

        def told(outcome: Answer | CroupierError, raw: bytes) -> None:
            assert asking.outcome is None, "completed twice"
            assert not asking.withdrawn, "completed after it was withdrawn"
            asking.outcome = outcome
            assert not (isinstance(outcome, Unavailable) and asking.executed), "called safe to repeat, but it ran"
            if isinstance(outcome, CallResult) and outcome.error is None:
                assert outcome.payload == asking.frame.payload  # type: ignore[union-attr]
                assert decode(parse(raw)) == outcome

        self.asked[asking.frame.request_id] = asking
        self.acceptor.call(asking.frame.request_id, encode(asking.frame), told, asking.deadline)
        return True


class Agent:
    """What stands in front of a connector: one process with its requests and jobs."""

    def __init__(self, incarnation: int, server: Server) -> None:
        self.connector = Connector(Hello(agent_id="a", game_id="g", env="e", incarnation=f"i{incarnation}"))
        self.incarnation = incarnation
        self.running: dict[str, Request] = {}
        self.emitted: dict[str, int] = {}
        self.acknowledged: dict[str, int] = {}
        self._server = server

    def handle(self, events: list[ConnectorEvent]) -> None:
        for event in events:
            match event:
                case Execute():
                    self._start(event.frame)
                case Asked():
                    self._start(event.query)
                case Abort():
                    del self.running[event.request_id]
                case JobAcknowledged():
                    self.acknowledged[event.job_id] = max(event.seq, self.acknowledged.get(event.job_id, 0))
                    assert event.seq <= self.emitted.get(event.job_id, 0)
                case Opened():
                    if not event.resumed:
                        assert not self.running, "calls of an older session still run"
                        self.connector.register(Register((Service(service_id=f"i{self.incarnation}"),)))
                case JobCancelAsked() | AcceptorDraining():
                    pass

    def _start(self, request: Request) -> None:
        assert request.request_id not in self.running
        asking = self._server.asked[request.request_id]
        asking.executed += 1
        assert asking.executed == 1, "executed twice"
        assert not isinstance(asking.outcome, Unavailable), "ran after it was called safe to repeat"
        self.running[request.request_id] = request

    def answer(self, request_id: str) -> None:
        request = self.running.pop(request_id)
        assert self.connector.answer(answer_to(request))

    def emit(self, job: str, *, last: bool = False) -> bool:
        """A producer waits while its window is full."""
        seq = self.emitted.get(job, 0) + 1
        if seq - self.acknowledged.get(job, 0) > CONFIG.job_window:
            return False
        self.emitted[job] = seq
        self.connector.emit(JobEvent(job_id=job, seq=seq, type="done" if last else "log", message="m" * seq))
        return True


def answer_to(request: Request) -> Answer:
    match request:
        case StartJob():
            return JobStarted(request_id=request.request_id, job_id=request.job_id)
        case Invoke():
            return CallResult(request_id=request.request_id, payload=request.payload)
        case ListLocal():
            return LocalList(request_id=request.request_id, function_id=request.function_id, service_ids=("s",))
        case JobQuery():
            return JobAnswer(request_id=request.request_id, state="running")


class Sessions(RuleBasedStateMachine):
    calls = Bundle("calls")

    @initialize()
    def begin(self) -> None:
        self.now = 1000.0
        self.server = Server()
        self.agents = [Agent(0, self.server)]
        self.pipe: Pipe | None = None
        self.stale: list[Pipe] = []
        """Streams whose end the server has not noticed."""
        self.asked = 0
        self.dial()
        self._flow()

    @property
    def agent(self) -> Agent:
        return self.agents[-1]

    # ------------------------------------------------------------------------------------ the pipe

    @precondition(lambda self: self.pipe is None or self.pipe.broken)
    @rule(greeted=st.booleans())
    def come_back(self, greeted: bool) -> None:
        if self.pipe is not None:
            self.agent_notices()
        self.dial()
        if greeted:
            self._deliver_up(self._newest())
            if self._newest().down:
                self._deliver_down()

    def dial(self) -> None:
        self.pipe = Pipe()
        self.pipe.up.append(self.agent.connector.greet())

    @precondition(lambda self: self.pipe is not None)
    @rule(lose_upward=st.booleans())
    def cut(self, lose_upward: bool) -> None:
        """What the agent sent may still have arrived; what the server sends goes nowhere."""
        assert self.pipe is not None
        self.pipe.broken = True
        self.pipe.down.clear()
        if lose_upward:
            self.pipe.up.clear()

    @precondition(lambda self: self.pipe is not None and self.pipe.broken)
    @rule()
    def agent_notices(self) -> None:
        assert self.pipe is not None
        self.agent.handle(self.agent.connector.disconnect())
        self.stale.append(self.pipe)
        self.pipe = None

    @precondition(lambda self: bool(self.stale))
    @rule(data=st.data())
    def server_notices(self, data: st.DataObject) -> None:
        self._end(self.stale.pop(data.draw(st.integers(0, len(self.stale) - 1))))

    def _end(self, pipe: Pipe) -> None:
        if pipe.acceptor is not None:
            self.server.handle(pipe.acceptor.disconnect(pipe.generation, self.now))

    def _carries(self, pipe: Pipe) -> bool:
        """Does the server still listen to this stream?"""
        acceptor = pipe.acceptor
        return acceptor is self.server.acceptor and acceptor is not None and acceptor.generation == pipe.generation

    @precondition(lambda self: any(pipe.up for pipe in self._pipes()))
    @rule(data=st.data(), again=st.booleans())
    def deliver_to_server(self, data: st.DataObject, again: bool) -> None:
        pipe = data.draw(st.sampled_from([pipe for pipe in self._pipes() if pipe.up]))
        self._deliver_up(pipe, again=again)

    def _newest(self) -> Pipe:
        assert self.pipe is not None
        return self.pipe

    def _pipes(self) -> list[Pipe]:
        return [*self.stale, *([self.pipe] if self.pipe is not None else [])]

    def _deliver_up(self, pipe: Pipe, *, again: bool = False) -> None:
        message = pipe.up.popleft()
        frame = decode(parse(message))
        if isinstance(frame, Hello):
            if not pipe.broken:
                self.server.hello(pipe, frame, self.now)
        elif self._carries(pipe):
            assert self.server.acceptor is not None
            self.server.handle(self.server.acceptor.receive(message, self.now))
            if again and self.server.acceptor is not None:
                assert self.server.acceptor.receive(message, self.now) == []

    @precondition(lambda self: self.pipe is not None and self.pipe.down)
    @rule(again=st.booleans())
    def deliver_to_agent(self, again: bool) -> None:
        self._deliver_down(again=again)

    def _deliver_down(self, *, again: bool = False) -> None:
        assert self.pipe is not None
        message = self.pipe.down.popleft()
        was_open = self.agent.connector.open
        self.agent.handle(self.agent.connector.receive(message, self.now))
        if again and was_open:
            assert self.agent.connector.receive(message, self.now) == []

    @precondition(lambda self: self.pipe is not None)
    @rule(count=st.integers(1, 3), upward=st.booleans())
    def write(self, count: int, upward: bool) -> None:
        if upward:
            self._write_up(count)
        else:
            self._write_down(count)

    def _write_down(self, count: int) -> None:
        assert self.pipe is not None
        acceptor = self.pipe.acceptor
        while count and acceptor is not None and self._carries(self.pipe) and (message := acceptor.take()) is not None:
            count -= 1
            assert len(message) <= BATCH_BYTES or len(parse(message).batch) == 1
            if not self.pipe.broken:
                self.pipe.down.append(message)

    def _write_up(self, count: int) -> None:
        assert self.pipe is not None
        while count and (message := self.agent.connector.take(self.now)) is not None:
            count -= 1
            assert len(message) <= BATCH_BYTES or len(parse(message).batch) == 1
            if not self.pipe.broken:
                self.pipe.up.append(message)

    @precondition(lambda self: self.pipe is not None and not self.pipe.broken)
    @rule()
    def everything_flows(self) -> None:
        """A healthy moment: otherwise few examples get far."""
        self._flow()

    def _flow(self) -> None:
        assert self.pipe is not None
        moved = True
        while moved:
            self._write_up(1000)
            self._write_down(1000)
            moved = bool(self.pipe.up or self.pipe.down)
            while self.pipe.up:
                self._deliver_up(self.pipe)
            while self.pipe.down:
                self._deliver_down()

    # ------------------------------------------------------------------------------------ calls

    @precondition(lambda self: self.server.acceptor is not None)
    @rule(
        target=calls,
        kinds=st.lists(st.sampled_from(["invoke", "invoke", "start", "list", "query"]), min_size=1, max_size=4),
        timeout=st.sampled_from([None, 0.5, 0.5, 3.0, 30.0]),
        size=st.sampled_from([0, 10, 100_000, 300_000]),
        written=st.booleans(),
    )
    def call(self, kinds: list[str], timeout: float | None, size: int, written: bool) -> MultipleResults[str]:
        ids = [self._call(kind, timeout, size) for kind in kinds]
        if written and self.pipe is not None:
            self._write_down(10)
        return multiple(*ids)

    def _call(self, kind: str, timeout: float | None, size: int) -> str:
        self.asked += 1
        request_id = f"r{self.asked}"
        left = int((timeout or 0) * 1000)
        payload = b"%d" % self.asked + bytes(size)
        frames: dict[str, Request] = {
            "invoke": Invoke(request_id=request_id, function_id="f", payload=payload, deadline_ms=left),
            "start": StartJob(request_id=request_id, function_id="f", payload=b"", job_id="j", deadline_ms=left),
            "list": ListLocal(request_id, "f"),
            "query": JobQuery(request_id, "j"),
        }
        asking = Asking(frames[kind], None if timeout is None else self.now + timeout)
        self.server.ask(asking, self.now)
        return request_id

    @rule(request_id=consumes(calls))
    def the_caller_gives_up(self, request_id: str) -> None:
        asking = self.server.asked[request_id]
        if self.server.acceptor is None:
            return
        token = self.server.acceptor.cancel(request_id, "the caller gave up")
        assert (token is not None) == asking.open
        asking.withdrawn = asking.withdrawn or token is not None

    @precondition(lambda self: bool(self.agent.running))
    @rule(data=st.data(), written=st.booleans())
    def answer(self, data: st.DataObject, written: bool) -> None:
        assert not self.agent.connector.answer(CallResult(request_id="nobody waits for this one", payload=b"late"))
        for request_id in data.draw(st.permutations(sorted(self.agent.running)))[:3]:
            self.agent.answer(request_id)
        if written and self.pipe is not None:
            self._write_up(10)

    # ------------------------------------------------------------------------------------ jobs and reports

    @rule(jobs=st.lists(st.sampled_from(["j1", "j2", "j3"]), min_size=1, max_size=8), written=st.booleans())
    def emit(self, jobs: list[str], written: bool) -> None:
        for job in jobs:
            self.agent.emit(f"{job}-{self.agent.incarnation}")
        if written and self.pipe is not None:
            self._write_up(10)

    @precondition(lambda self: self.server.acceptor is not None)
    @rule()
    def acknowledge_jobs(self) -> None:
        self._acknowledge_jobs()

    def _acknowledge_jobs(self) -> None:
        assert self.server.acceptor is not None
        for job, seq in self.server.stored.items():
            if job.endswith(f"-{self.agent.incarnation}"):
                self.server.acceptor.tell(JobAck(job, seq))

    @rule(what=st.sampled_from(["register", "agent drains", "server drains"]))
    def report(self, what: str) -> None:
        if what == "register":
            self.agent.connector.register(Register((Service(service_id=f"i{self.agent.incarnation}"),)))
        elif what == "agent drains":
            self.agent.connector.drain("going")
        elif self.server.acceptor is not None:
            self.server.acceptor.tell(Drain("going"))
            self.server.acceptor.tell(CancelJob("j1-0", "for a test"))

    # ------------------------------------------------------------------------------------ processes and time

    @rule(which=st.sampled_from(["agent", "server", "", "", "", "", "", ""]))
    def a_process_restarts(self, which: str) -> None:
        """Seldom: a session has to grow old to be interesting."""
        if which == "agent":
            self._agent_restarts()
        elif which == "server":
            self._server_restarts()

    def _agent_restarts(self) -> None:
        if self.pipe is not None:
            self.pipe.broken = True
            self.pipe.down.clear()
            self.stale.append(self.pipe)
            self.pipe = None
        self.agents.append(Agent(len(self.agents), self.server))

    def _server_restarts(self) -> None:
        self.server.restart()
        self.stale.clear()
        if self.pipe is not None:
            self.pipe.broken = True
            self.pipe.up.clear()
            self.pipe.down.clear()
            self.pipe.acceptor = None

    @rule(seconds=st.sampled_from([0.05, 1.0, 4.0, 4.0, 11.0, 50.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._tick()

    def _tick(self) -> None:
        acceptor = self.server.acceptor
        if acceptor is not None and self.server.handle(acceptor.tick(self.now)):
            assert acceptor.connected
            self.server.handle(acceptor.disconnect(acceptor.generation, self.now))
            if self.pipe is not None and self.pipe.acceptor is acceptor:
                self.pipe.broken = True
        self.agent.handle(self.agent.connector.tick(self.now))
        wake = self.agent.connector.next_wake()
        assert wake is None or wake > self.now

    # ------------------------------------------------------------------------------------ what always holds

    @invariant()
    def no_call_outlives_its_deadline_or_its_session(self) -> None:
        acceptor = self.server.acceptor
        still_open = [asking for asking in self.server.asked.values() if asking.open]
        assert len(still_open) == (acceptor.in_flight if acceptor is not None else 0)
        # (deadlines are looked at when time passes, so one is at most as late as the last tick)

    @invariant()
    def the_agent_works_on_what_it_was_asked_and_nothing_else(self) -> None:
        assert self.agent.connector.running == len(self.agent.running)

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        self._come_to_rest()
        acceptor, connector = self.server.acceptor, self.agent.connector
        assert acceptor is not None
        assert acceptor.in_flight == connector.running == 0
        assert not any(asking.open for asking in self.server.asked.values())
        assert acceptor.link.idle
        assert acceptor.link._queued_bytes == acceptor.link._retained_bytes == 0
        assert connector.link._queued_bytes == 0
        assert len(connector.link._retained) < 32
        assert not connector.link._urgent
        assert not connector.link._jobs
        assert connector.unacknowledged == 0
        assert {job: self.server.stored.get(job, 0) for job in self.agent.emitted} == self.agent.emitted
        assert acceptor._deadlines.next() is None
        assert acceptor._deadlines.entries == 0
        assert connector._deadlines.next() is None
        assert connector._deadlines.entries == 0
        assert self.server.registered == Register((Service(service_id=f"i{self.agent.incarnation}"),))
        for asking in self.server.asked.values():
            if isinstance(asking.outcome, CroupierError):
                assert isinstance(asking.outcome, Unavailable | OutcomeUnknown | DeadlineExceeded)

    def _come_to_rest(self) -> None:
        """Connect, answer everything, acknowledge everything, let a heartbeat pass."""
        for pipe in self.stale:
            self._end(pipe)
        self.stale.clear()
        if self.pipe is not None and (self.pipe.broken or not self._carries(self.pipe)):
            self._end(self.pipe)
            self.agent.handle(self.agent.connector.disconnect())
            self.pipe = None
        if self.pipe is None:
            self.dial()
        self._flow()
        for request_id in list(self.agent.running):
            self.agent.answer(request_id)
        self._flow()
        self._acknowledge_jobs()
        self._flow()
        self.now += CONFIG.heartbeat
        self._tick()
        self._flow()


Sessions.TestCase.settings = settings(max_examples=200, stateful_step_count=60)
TestSessions = Sessions.TestCase

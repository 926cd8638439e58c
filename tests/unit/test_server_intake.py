"""Job events on their way into the store, and the watch over jobs whose agents went: real store, real bus, no network."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from croupier.bus.memory import MemoryBus
from croupier.domain.call import Call, Result
from croupier.domain.job import Job, JobEvent, JobState
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, NotFound, Unavailable, Unimplemented
from croupier.server import job_events
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.job_events import PENDING, PENDING_BYTES, JobIntake, topic
from croupier.server.job_watch import JobWatch
from croupier.store.sql import SqlStore, open_store
from croupier.tunnel.frames import JobAnswer, JobStarted

SCOPE = Scope("demo", "dev")


@dataclass(eq=False)
class Line:
    """The way to an agent, as the intake sees it; `answer` is what it says when it is asked for a job."""

    agent_id: str = "a"
    answer: JobAnswer | CroupierError = field(default_factory=lambda: NotFound("unknown job"))
    outstanding: int = 0
    usable: bool = True
    connected: bool = True
    acknowledged: list[tuple[str, int, bool]] = field(default_factory=list)
    paused: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    async def invoke(self, call: Call, service_id: str, timeout: float) -> Result:
        raise Unavailable("only jobs are told here")

    async def start(self, call: Call, service_id: str, timeout: float) -> JobStarted:
        raise Unavailable("only jobs are told here")

    async def ask(self, job_id: str, timeout: float) -> JobAnswer:
        self.asked.append(job_id)
        self.news.set()
        if isinstance(self.answer, CroupierError):
            raise self.answer
        return self.answer

    def cancel_job(self, job_id: str, reason: str) -> None: ...

    def acknowledge(self, job_id: str, seq: int, *, stop: bool = False) -> None:
        self.acknowledged.append((job_id, seq, stop))
        self.news.set()

    def pause(self) -> None:
        self.paused = True

    def proceed(self) -> None:
        self.paused = False
        self.news.set()

    async def until(self, count: int) -> list[tuple[str, int, bool]]:
        """So many acknowledgements."""
        async with asyncio.timeout(90):
            while len(self.acknowledged) < count:
                self.news.clear()
                await self.news.wait()
        return self.acknowledged


class Faltering(SqlStore):
    """Refuses reads and appends for as long as it is told, as a full disk would; holds appends until `gate` opens."""

    refusals = 0
    gate: asyncio.Event | None = None

    async def append(self, events: Sequence[JobEvent]) -> dict[str, int]:
        self._refuse()
        if self.gate is not None:
            await self.gate.wait()
        return await super().append(events)

    async def job(self, job_id: str) -> Job | None:
        self._refuse()
        return await super().job(job_id)

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the disk is full")


@dataclass
class Bench:
    store: Faltering
    bus: MemoryBus
    intake: JobIntake
    line: Line = field(default_factory=Line)

    async def job(self, job_id: str = "j", agent_id: str = "a") -> None:
        await self.store.create(Call(id=job_id, function_id="f", scope=SCOPE, payload=b"", caller="x"))
        await self.store.place(job_id, agent_id=agent_id, service_id="s")

    def tell(self, seq: int, kind: str = "log", *, job_id: str = "j", line: Line | None = None, **more: object) -> None:
        event = JobEvent(job_id=job_id, seq=seq, type=kind, **more)  # type: ignore[arg-type]
        self.intake.arrived(line or self.line, event)

    async def state(self, job_id: str = "j") -> Job:
        found = await self.store.job(job_id)
        assert found is not None
        return found


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(job_events, "RETRY_AFTER", 0.001)
    store = await open_store(tmp_path / "croupier.db")
    store.__class__ = Faltering
    assert isinstance(store, Faltering)
    bus = MemoryBus()
    bench = Bench(store, bus, JobIntake(store, bus, lambda: 1_234))
    running = asyncio.ensure_future(bench.intake.run())
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def test_what_is_stored_is_acknowledged_dated_and_announced(bench: Bench) -> None:
    await bench.job()
    async with bench.bus.subscribe(topic("j")) as notices:
        bench.tell(1)
        bench.tell(2, time_ms=77)
        notice = await anext(notices)
    assert await bench.line.until(1) == [("j", 2, False)]
    assert notice.body == b"2"
    assert [event.time_ms for event in await bench.store.events("j", 0, 9)] == [1_234, 77]


async def test_a_store_that_refuses_is_asked_again_and_nothing_is_lost(bench: Bench) -> None:
    await bench.job()
    bench.store.refusals = 5  # the first look-up of the job is among them
    bench.tell(1)
    bench.tell(2, "done")
    assert await bench.line.until(1) == [("j", 2, False)]
    assert (await bench.state()).state is JobState.SUCCEEDED


async def test_an_agent_is_not_read_from_while_too_many_events_wait(bench: Bench) -> None:
    await bench.job()
    bench.store.gate = asyncio.Event()
    for seq in range(1, PENDING + 2):
        bench.tell(seq)
    assert bench.line.paused
    bench.store.gate.set()
    await _until_proceeding(bench.line)
    assert (await bench.state()).last_seq == PENDING + 1


async def test_an_agent_is_not_read_from_while_too_large_events_wait(bench: Bench) -> None:
    await bench.job()
    bench.store.gate = asyncio.Event()
    for seq in range(1, 9):
        bench.tell(seq, payload=b"x" * (PENDING_BYTES // 8))
    assert not bench.line.paused
    bench.tell(9, payload=b"x")
    assert bench.line.paused
    bench.store.gate.set()
    await _until_proceeding(bench.line)
    assert (await bench.state()).last_seq == 9


async def _until_proceeding(line: Line) -> None:
    async with asyncio.timeout(90):
        while line.paused:
            line.news.clear()
            await line.news.wait()


async def test_an_event_that_arrives_with_the_verdict_is_not_taken_for_it(bench: Bench) -> None:
    await bench.job()
    bench.tell(1)
    await bench.line.until(1)
    bench.store.gate = asyncio.Event()
    bench.tell(2, message="I am still here")
    await asyncio.sleep(0)  # the intake holds it at the store's door now
    await bench.intake.conclude("j", reason="lost", message="lost: away")
    bench.store.gate.set()
    assert await bench.line.until(2) == [("j", 1, False), ("j", 2, True)]
    assert [event.reason for event in await bench.store.events("j", 1, 9)] == ["lost"]
    assert bench.intake.recent.after("j", 1, 9) == []


async def test_a_verdict_that_could_not_be_written_leaves_the_job_to_its_agent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.job()

    async def refuse(job_id: str, *, reason: str, message: str) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as refusing:
        refusing.setattr(bench.store, "conclude", refuse)
        with pytest.raises(Unavailable):
            await bench.intake.conclude("j", reason="lost", message="lost: away")
    bench.tell(1, "done")
    assert await bench.line.until(1) == [("j", 1, False)]
    assert (await bench.state()).state is JobState.SUCCEEDED


async def test_a_job_may_be_told_of_before_its_start_was_recorded(bench: Bench) -> None:
    await bench.store.create(Call(id="j", function_id="f", scope=SCOPE, payload=b"", caller="x"))
    bench.intake.expect("j", "a")
    bench.tell(1)
    assert await bench.line.until(1) == [("j", 1, False)]


async def test_only_the_jobs_own_agent_is_listened_to(bench: Bench) -> None:
    await bench.job()
    stranger = Line("b")
    bench.tell(1, "done", line=stranger)
    bench.tell(1, "log")
    assert await stranger.until(1) == [("j", 1, True)]
    assert await bench.line.until(1) == [("j", 1, False)]
    assert (await bench.state()).state is JobState.RUNNING


async def test_what_follows_the_end_in_one_breath_is_stopped(bench: Bench) -> None:
    await bench.job()
    for seq, kind in ((1, "log"), (2, "done"), (3, "log"), (2, "done")):
        bench.tell(seq, kind)
    assert await bench.line.until(2) == [("j", 2, False), ("j", 3, True)]
    bench.tell(2, "done")
    assert (await bench.line.until(3))[2] == ("j", 2, True)


# ------------------------------------------------------------------------------------------------ the watch


@asynccontextmanager
async def watching(bench: Bench, agents: Agents, grace: float = 0.01) -> AsyncIterator[JobWatch]:
    watch = JobWatch(agents=agents, store=bench.store, intake=bench.intake, grace=grace)
    try:
        yield watch
    finally:
        await watch.stop()


async def ended(bench: Bench, job_id: str = "j") -> Job:
    async with asyncio.timeout(90), bench.bus.subscribe(topic(job_id)) as notices:
        while not (job := await bench.state(job_id)).ended:
            await anext(notices)
        return job


def with_agent(line: Line | None, scope: Scope = SCOPE) -> Agents:
    agents = Agents()
    agents.put(Agent(agent_id="a", scope=scope, link=line))
    return agents


async def test_a_job_is_lost_when_its_agent_stays_away(bench: Bench) -> None:
    await bench.job()
    async with watching(bench, Agents()) as watch:
        watch.session_lost("a")
        job = await ended(bench)
    assert (job.state, job.error) == (
        JobState.LOST,
        "lost: agent a has been away for 0.01 s; check what it did before starting it again",
    )


@pytest.mark.parametrize(
    "answer",
    [
        NotFound("unknown job j"),
        Unimplemented("no JobService here"),
        JobAnswer(request_id="r"),
        JobAnswer(request_id="r", state="unknown"),
        JobAnswer(request_id="r", error="unknown job"),
    ],
)
async def test_a_job_is_lost_when_its_agent_does_not_know_it(bench: Bench, answer: JobAnswer | CroupierError) -> None:
    await bench.job()
    bench.line.answer = answer
    async with watching(bench, with_agent(bench.line)) as watch:
        watch.session_lost("a")
        assert (await ended(bench)).state is JobState.LOST


async def test_a_job_whose_agent_cannot_answer_now_is_asked_for_again(bench: Bench) -> None:
    await bench.job()
    bench.line.answer = Unavailable("reconnecting")
    async with watching(bench, with_agent(bench.line)) as watch:
        watch.session_lost("a")
        async with asyncio.timeout(90):
            while len(bench.line.asked) < 3:
                bench.line.news.clear()
                await bench.line.news.wait()
        assert not (await bench.state()).ended
        bench.line.answer = NotFound("unknown job")
        assert (await ended(bench)).state is JobState.LOST


async def test_an_agent_that_is_lost_again_has_its_whole_time_again(bench: Bench) -> None:
    await bench.job()
    async with watching(bench, with_agent(None), grace=3_600) as watch:
        watch.session_lost("a")
        watch._due["a"].cancel()
        watch._check_soon("a")  # what an earlier loss had set up comes due just after this one
        await asyncio.gather(*watch._checks)
        assert not (await bench.state()).ended
        assert watch._due["a"].when() > asyncio.get_running_loop().time() + 3_000


async def test_an_agent_of_another_scope_is_not_asked(bench: Bench) -> None:
    await bench.job()
    async with watching(bench, with_agent(bench.line, Scope("other", "dev"))) as watch:
        watch.session_lost("a")
        assert (await ended(bench)).state is JobState.LOST
    assert not bench.line.asked


async def test_at_start_jobs_without_an_agent_are_lost_and_the_others_are_asked_for(bench: Bench) -> None:
    await bench.job("j1", "")
    await bench.job("j2", "a")
    bench.line.answer = JobAnswer(request_id="r", state="running")
    async with watching(bench, with_agent(bench.line)) as watch:
        await watch.begin()
        assert (await bench.state("j1")).state is JobState.LOST
        async with asyncio.timeout(90):
            await bench.line.news.wait()
        assert bench.line.asked == ["j2"]
        assert not (await bench.state("j2")).ended


async def test_a_watch_that_has_stopped_asks_nobody(bench: Bench) -> None:
    await bench.job()
    async with watching(bench, Agents()) as watch:
        watch.session_lost("a")
    watch.session_lost("a")
    assert not watch._due.keys() - {"a"}
    assert all(handle.cancelled() for handle in watch._due.values())
    assert not (await bench.state()).ended

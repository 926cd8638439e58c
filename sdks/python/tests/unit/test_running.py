import asyncio
import threading

import pytest

from croupier_sdk import BlockingJobContext, CallContext, JobCancelled, JobContext, Provider
from croupier_sdk.rpc.kept_events import KEPT_EVENTS, KeptEvents
from croupier_sdk.running.calls import Calls
from croupier_sdk.running.jobs import Jobs
from croupier_sdk.running.workers import Workers


@pytest.fixture
def game():
    return Provider(service_id="game-1", game_id="demo", env="dev")


@pytest.fixture
def workers():
    workers = Workers(1, "test")
    yield workers
    workers.close()


def call(function_id, call_id="c1"):
    return CallContext(call_id=call_id, function_id=function_id)


async def story(events):
    return [(event.type, event.message) async for event in events.follow(0)]


async def test_a_job_cancelled_before_its_first_step_ends_canceled(game, workers):
    @game.job("work")
    async def work() -> None: ...

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("work"), b"", events)
    jobs.cancel("c1", "at once")
    assert await story(events) == [("error", "at once")]
    await jobs.idle()


async def test_a_sync_job_cancelled_in_the_queue_never_runs(game, workers):
    release, ran = threading.Event(), []

    @game.job("work")
    def work(job: BlockingJobContext) -> None:
        ran.append(job.job_id)
        release.wait()

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("work", "first"), b"", KeptEvents())
    jobs.start(call("work", "second"), b"", events)
    jobs.cancel("second")
    assert await story(events) == [("error", "the job was cancelled")]
    release.set()
    await jobs.idle()
    assert ran == ["first"]


async def test_a_job_that_ignores_its_cancellation_is_ended_by_force_and_may_say_no_more(game, workers):
    release, said = threading.Event(), []

    @game.job("deaf")
    def deaf(job: BlockingJobContext) -> None:
        release.wait()
        try:
            job.log("still here")
        except JobCancelled as error:
            said.append(error)
            raise

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("deaf"), b"", events)
    jobs.cancel("c1", "stop it", grace=0.01)
    jobs.cancel("c1", "again")
    (last,) = await story(events)
    assert last == ("error", "stop it; it did not end when asked: stopped waiting; the handler may still run")
    done = asyncio.get_running_loop().create_future()
    workers.submit(lambda: b"", done.set_result)
    release.set()
    await done
    assert len(said) == 1
    assert await story(events) == [last]


async def test_a_job_whose_deadline_passes_is_asked_to_stop_and_says_that_it_was_the_deadline(game, workers):
    @game.job("work", timeout=0.01)
    async def work() -> None:
        await asyncio.Event().wait()

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("work"), b"", events)
    assert await story(events) == [("error", "deadline exceeded: the job did not end in time")]


@pytest.mark.parametrize("asked", ["cancel", "deadline"])
async def test_a_job_that_finishes_all_the_same_succeeded(game, workers, asked):
    @game.job("stubborn", timeout=0.01 if asked == "deadline" else 0)
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return "never"

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("stubborn"), b"", events)
    await asyncio.sleep(0)
    if asked == "cancel":
        jobs.cancel("c1")
    assert await story(events) == [("done", "")]


async def test_jobs_beyond_the_limit_are_refused(game, workers):
    @game.job("work")
    async def work() -> None:
        await asyncio.Event().wait()

    jobs = Jobs(game.functions, workers, limit=1)
    assert jobs.refusal("work") is None
    jobs.start(call("work"), b"", KeptEvents())
    assert jobs.refusal("work").reason == "rate_limited"
    assert jobs.refusal("none").reason == "not_found"
    jobs.cancel_all("the end", grace=1)
    await jobs.idle()


async def test_an_async_handler_that_ignores_cancellation_is_waited_for_by_left(game, workers):
    release, answers = asyncio.Event(), []

    @game.function("deaf", timeout=0.01)
    async def deaf() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await release.wait()
        return "late"

    calls = Calls(game.functions, workers)
    calls.start(call("deaf"), b"", lambda _, outcome: answers.append(outcome))
    await calls.idle()
    assert [answer.reason for answer in answers] == ["deadline_exceeded"]
    release.set()
    await calls.left()
    assert len(answers) == 1


async def test_a_call_with_the_id_of_a_running_one_is_not_run_again(game, workers):
    runs = []

    @game.function("f")
    async def f() -> None:
        runs.append(1)

    calls = Calls(game.functions, workers)
    for _ in range(2):
        calls.start(call("f"), b"", lambda *_: None)
    await calls.idle()
    assert len(calls) == 0
    assert runs == [1]


async def test_a_handler_that_cancels_itself_failed(game, workers):
    answers = []

    @game.function("f")
    async def f() -> None:
        raise asyncio.CancelledError

    calls = Calls(game.functions, workers)
    calls.start(call("f"), b"", lambda _, outcome: answers.append(outcome))
    await calls.idle()
    assert (answers[0].reason, answers[0].message) == ("handler_failed", "CancelledError: the handler cancelled itself")


async def test_a_job_that_nobody_follows_waits_once_its_memory_is_full(game, workers):
    made = 0

    @game.job("chatter")
    async def chatter(job: JobContext) -> None:
        nonlocal made
        for made in range(1, KEPT_EVENTS * 2 + 1):  # noqa: B007 — seen from outside
            await job.log("x")

    jobs, events = Jobs(game.functions, workers), KeptEvents()
    jobs.start(call("chatter"), b"", events)
    await asyncio.sleep(0)
    assert made == KEPT_EVENTS + 1
    assert [event.seq async for event in events.follow(0)] == list(range(1, KEPT_EVENTS * 2 + 2))
    assert [event.seq async for event in events.follow(KEPT_EVENTS * 2)] == [KEPT_EVENTS * 2 + 1]


def test_outcomes_of_a_thread_that_outlives_the_loop_are_dropped():
    release, outcomes = threading.Event(), []
    workers = Workers(1, "late")

    def work():
        release.wait()
        return b""

    async def submit():
        workers.submit(work, outcomes.append)

    asyncio.run(submit())
    thread = next(thread for thread in threading.enumerate() if thread.name == "late-1")
    release.set()
    workers.close()
    thread.join()
    assert outcomes == []


def test_a_pool_without_threads_is_refused():
    with pytest.raises(ValueError, match="at least one thread"):
        Workers(0, "none")

import asyncio
import contextlib
import threading

import pytest

from croupier_sdk import (
    BadArgument,
    BlockingJobContext,
    CallContext,
    CallError,
    JobCancelled,
    JobContext,
    OutcomeUnknown,
    Provider,
    RawPayload,
    Rejected,
    Unavailable,
    current_call,
)
from croupier_sdk.testing import FakeAgent


@pytest.fixture
async def agent():
    async with FakeAgent(job_window=8) as agent:
        yield agent


def provider(agent, **options):
    return Provider(agent=agent.address, service_id="game-1", game_id="demo", env="dev", **options)


@contextlib.asynccontextmanager
async def serving(game):
    async with game:
        await game.ready()
        yield game


async def fails(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value


async def test_a_function_is_registered_with_its_manifest_and_called(agent):
    game = provider(agent, version="1.2")

    @game.function("player.ban", risk="high")
    def ban(player_id: str, reason: str = "") -> dict:
        """Ban a player."""
        return {"banned": player_id, "reason": reason}

    async with serving(game):
        await agent.wait_registered("player.ban")
        assert agent.registered["game-1"]["player.ban"]["risk"] == "high"
        assert await agent.invoke("player.ban", {"player_id": "p1"}) == {"banned": "p1", "reason": ""}


async def test_a_function_added_while_serving_is_registered_too(agent):
    game = provider(agent)
    async with serving(game):

        @game.function("late")
        def late() -> str:
            return "better than never"

        await agent.wait_registered("late")
        assert await agent.invoke("late") == "better than never"


async def test_a_virtual_object_is_registered_with_its_functions(agent):
    game = provider(agent)

    async with serving(game):

        def get(player_id: str) -> dict[str, int]:
            return {"coins": 7}

        game.register_virtual_object("wallet", operations={"read": get}, key="player_id")

        await agent.wait_registered("wallet.read")
        (operation,) = agent.entities["game-1"]["wallet"]["operations"]
        assert operation == {"op": "read", "function": "wallet.read", "target": {"field": "player_id"}}
        assert await agent.invoke("wallet.read", {"player_id": "p1"}) == {"coins": 7}


async def test_bytes_go_both_ways_as_they_are(agent):
    game = provider(agent)

    @game.function("echo")
    async def echo(payload: RawPayload) -> bytes:
        return payload

    @game.function("nothing")
    async def nothing() -> None: ...

    async with serving(game):
        await agent.wait_registered("echo")
        assert await agent.invoke_raw("echo", b"\x00\xff") == b"\x00\xff"
        assert await agent.invoke_raw("nothing", b"") == b"null"
        large = b"x" * 9_000_000
        assert await agent.invoke_raw("echo", large) == large


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_call_is_at_hand_in_a_handler(agent, kind):
    game = provider(agent)
    seen: list[CallContext] = []

    if kind == "sync":

        @game.function("f")
        def f(call: CallContext) -> None:
            assert call is current_call()
            seen.append(call)
    else:

        @game.function("f")
        async def f(call: CallContext) -> None:
            assert call is current_call()
            seen.append(call)

    async with serving(game):
        await agent.wait_registered("f")
        await agent.invoke("f", idempotency_key="k", metadata={"a": "b"}, traceparent="00-1-2-01", timeout=3)
    (call,) = seen
    assert (call.function_id, call.idempotency_key, dict(call.metadata)) == ("f", "k", {"a": "b"})
    assert (call.traceparent, call.game_id, call.env) == ("00-1-2-01", "demo", "dev")
    assert 0 <= call.remaining() <= 3
    with pytest.raises(LookupError):
        current_call()


async def test_every_failure_has_its_reason(agent, caplog):
    game = provider(agent)

    @game.function("reject")
    def reject() -> None:
        raise Rejected("player is already banned", details={"since": 3})

    @game.function("break")
    async def break_() -> None:
        raise KeyError("lost")

    @game.function("exit")
    async def exit_() -> None:
        raise SystemExit(3)

    @game.function("odd")
    def odd():
        return object()

    @game.function("huge")
    def huge():
        return "x" * 11_000_000

    @game.function("typed")
    def typed(count: int) -> None: ...

    @game.job("job")
    async def job() -> None: ...

    async with serving(game):
        await agent.wait_registered("job")
        error = await fails(agent.invoke("reject"))
        assert (error.code, error.reason, error.message) == (10, "function_rejected", "player is already banned")
        assert error.details == {"since": "3"}
        for function_id, payload, code, reason, words in (
            ("break", {}, 13, "handler_failed", "KeyError: 'lost'"),
            ("exit", {}, 13, "handler_failed", "SystemExit: 3"),
            ("odd", {}, 13, "handler_failed", "object is not JSON"),
            ("huge", {}, 13, "handler_failed", "at most 10000000"),
            ("typed", {"count": "3"}, 3, "invalid_argument", "argument 'count' must be an integer, not a string"),
            ("job", {}, 9, "failed_precondition", "start it with StartJob"),
        ):
            error = await fails(agent.invoke(function_id, payload))
            assert (error.code, error.reason) == (code, reason)
            assert words in error.message
            assert "Traceback" not in error.message
        assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [(Unavailable, 14, "unavailable"), (OutcomeUnknown, 2, "outcome_unknown"), (BadArgument, 3, "invalid_argument")],
)
async def test_a_handler_can_say_what_its_failure_means(agent, caplog, error, code, reason):
    game = provider(agent)

    @game.function("f")
    async def f() -> None:
        raise error("the match database was lost")

    async with serving(game):
        await agent.wait_registered("f")
        told = await fails(agent.invoke("f"))
    assert (told.code, told.reason, told.message) == (code, reason, "the match database was lost")
    assert "Traceback" not in caplog.text


async def test_a_call_that_was_unavailable_runs_again_under_its_key_and_one_that_is_unknown_does_not(agent):
    game, ran = provider(agent), []

    @game.function("f")
    async def f(unknown: bool) -> int:
        ran.append(unknown)
        if len(ran) == 1:
            raise Unavailable("not now")
        if unknown:
            raise OutcomeUnknown("perhaps")
        return len(ran)

    async with serving(game):
        await agent.wait_registered("f")
        assert (await fails(agent.invoke("f", {"unknown": False}, idempotency_key="k"))).reason == "unavailable"
        assert await agent.invoke("f", {"unknown": False}, idempotency_key="k") == 2
        for _ in range(2):
            told = await fails(agent.invoke("f", {"unknown": True}, idempotency_key="other"))
            assert told.reason == "outcome_unknown"
    assert ran == [False, False, True]


async def test_an_unknown_function_is_not_found(agent):
    game = provider(agent)

    @game.function("f")
    def f() -> None: ...

    async with serving(game):
        await agent.wait_registered("f")
        server = agent._require("f", "")
        server.functions = {**server.functions, "g": {}}
        error = await fails(agent.invoke("g"))
        assert (error.code, error.message) == (5, "no local handler for g")


async def test_a_call_beyond_its_deadline_is_answered_and_its_handler_cancelled(agent):
    game = provider(agent, workers=1)
    ended = asyncio.Event()
    release = threading.Event()
    contexts = []

    @game.function("hang")
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @game.function("block")
    def block() -> None:
        contexts.append(current_call())
        release.wait()

    async with serving(game):
        await agent.wait_registered("block")
        error = await fails(agent.invoke("hang", timeout=0.05))
        assert error.reason == "deadline_exceeded"
        await ended.wait()
        error = await fails(agent.invoke("block", timeout=0.05))
        assert (error.reason, contexts[0].cancelled) == ("deadline_exceeded", True)
        error = await fails(agent.invoke("block", timeout=0.05))
        assert "the handler never ran" in error.message
        release.set()
    assert len(contexts) == 1


async def test_the_functions_own_timeout_holds_where_the_call_has_none(agent):
    game = provider(agent)

    @game.function("hang", timeout=0.05)
    async def hang() -> None:
        await asyncio.Event().wait()

    async with serving(game):
        await agent.wait_registered("hang")
        assert (await fails(agent.invoke("hang", timeout=None))).reason == "deadline_exceeded"


async def test_a_caller_that_gives_up_cancels_the_handler(agent):
    game = provider(agent)
    started, ended = asyncio.Event(), asyncio.Event()

    @game.function("hang")
    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(game):
        await agent.wait_registered("hang")
        call = asyncio.create_task(agent.invoke("hang", timeout=None))
        await started.wait()
        call.cancel()
        await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_calls_beyond_the_limit_are_refused_at_once(agent):
    game = provider(agent, max_calls=2)
    release, both = asyncio.Event(), asyncio.Barrier(3)

    @game.function("wait")
    async def wait() -> str:
        await both.wait()
        await release.wait()
        return "done"

    async with serving(game):
        await agent.wait_registered("wait")
        waiting = [asyncio.create_task(agent.invoke("wait")) for _ in range(2)]
        await both.wait()
        error = await fails(agent.invoke("wait"))
        assert (error.code, error.reason) == (8, "rate_limited")
        release.set()
        assert await asyncio.gather(*waiting) == ["done", "done"]


async def test_ten_thousand_calls_at_once_are_all_answered(agent):
    game = provider(agent)

    @game.function("echo")
    async def echo(n: int) -> int:
        return n

    async with serving(game):
        await agent.wait_registered("echo")
        answers = await asyncio.gather(*(agent.invoke("echo", {"n": n}, timeout=60) for n in range(10_000)))
    assert answers == list(range(10_000))


async def test_sync_handlers_run_beside_each_other_up_to_the_number_of_workers(agent):
    game = provider(agent, workers=3)
    meeting = threading.Barrier(3)

    @game.function("meet")
    def meet() -> int:
        return meeting.wait(10)

    async with serving(game):
        await agent.wait_registered("meet")
        assert sorted(await asyncio.gather(*(agent.invoke("meet") for _ in range(3)))) == [0, 1, 2]


async def test_a_job_tells_its_story_and_its_result(agent):
    game = provider(agent)

    @game.job("mail")
    async def mail(job: JobContext, text: str) -> dict:
        await job.progress(10, "begun")
        await job.log(f"sending {text}")
        assert job.remaining() is None
        assert not job.cancelled
        return {"job_id": job.job_id}

    async with serving(game):
        await agent.wait_registered("mail")
        job = await agent.start_job("mail", {"text": "hi"}, job_id="j1")
        assert await job.result() == {"job_id": "j1"}
        story = [(event.seq, event.type, event.message, event.progress) async for event in job.events()]
    assert story == [(1, "progress", "begun", 10), (2, "log", "sending hi", 0), (3, "done", "", 100)]


async def test_a_sync_job_blocks_in_its_thread(agent):
    game = provider(agent)

    @game.job("count")
    def count(job: BlockingJobContext, to: int) -> int:
        for n in range(to):
            job.log(str(n))
        job.progress(99)
        return to

    async with serving(game):
        await agent.wait_registered("count")
        job = await agent.start_job("count", {"to": 50})
        assert await job.result() == 50
        assert [event.message for event in job.seen[:50]] == [str(n) for n in range(50)]


async def test_a_plain_function_can_be_started_as_a_job(agent):
    game = provider(agent)

    @game.function("add")
    def add(a: int, b: int) -> int:
        return a + b

    async with serving(game):
        await agent.wait_registered("add")
        assert await (await agent.start_job("add", {"a": 1, "b": 2})).result() == 3


async def test_a_job_that_fails_says_why(agent):
    game = provider(agent)

    @game.job("fail")
    async def fail(reject: bool) -> None:
        if reject:
            raise Rejected("not today")
        raise ValueError("broken")

    @game.job("slow", timeout=0.05)
    async def slow() -> None:
        await asyncio.Event().wait()

    async with serving(game):
        await agent.wait_registered("slow")
        error = await fails((await agent.start_job("fail", {"reject": True})).result())
        assert (error.reason, error.message) == ("function_rejected", "not today")
        error = await fails((await agent.start_job("fail", {"reject": False})).result())
        assert (error.reason, error.message) == ("handler_failed", "ValueError: broken")
        assert (await fails((await agent.start_job("fail", {})).result())).reason == "invalid_argument"
        assert (await fails((await agent.start_job("slow")).result())).reason == "deadline_exceeded"


async def test_a_cancelled_job_ends_canceled_after_its_clean_up(agent):
    game = provider(agent)
    started = asyncio.Event()

    @game.job("hang")
    async def hang(job: JobContext) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await job.log("cleaned up")

    async with serving(game):
        await agent.wait_registered("hang")
        job = await agent.start_job("hang")
        await started.wait()
        await job.cancel("wrong text")
        error = await fails(job.result())
        assert (error.code, error.reason, error.message) == (1, "canceled", "wrong text")
        assert job.seen[0].message == "cleaned up"


async def test_a_cancelled_job_that_finishes_anyway_is_done(agent):
    game = provider(agent)
    started = asyncio.Event()

    @game.job("stubborn")
    async def stubborn() -> str:
        started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "sent"

    async with serving(game):
        await agent.wait_registered("stubborn")
        job = await agent.start_job("stubborn")
        await started.wait()
        await job.cancel()
        assert await job.result() == "sent"


async def test_a_cancelled_sync_job_is_told_by_its_context(agent):
    game = provider(agent)
    started, cancelled = threading.Event(), threading.Event()

    @game.job("loop")
    def loop(job: BlockingJobContext) -> None:
        started.set()
        try:
            while True:
                job.progress(1)
        except JobCancelled:
            cancelled.set()
            raise

    async with serving(game):
        await agent.wait_registered("loop")
        job = await agent.start_job("loop")
        await asyncio.to_thread(started.wait)
        await job.cancel()
        assert (await fails(job.result())).reason == "canceled"
        assert cancelled.is_set()


async def test_a_job_is_started_only_once_under_one_id(agent):
    game = provider(agent)
    runs = []

    @game.job("once")
    async def once(job: JobContext) -> int:
        runs.append(job.job_id)
        return len(runs)

    async with serving(game):
        await agent.wait_registered("once")
        agent.acknowledge_jobs = False
        first = await agent.start_job("once", job_id="j1")
        assert await first.result() == 1
        again = await agent.start_job("once", job_id="j1")
        assert again is first
        assert runs == ["j1"]
        agent.acknowledge_jobs = True


async def test_a_producer_of_events_waits_while_the_window_is_full(agent):
    game = provider(agent)
    made = 0

    @game.job("chatter")
    async def chatter(job: JobContext) -> int:
        nonlocal made
        for made in range(1, 101):  # noqa: B007 — seen from outside
            await job.log("x")
        return made

    async with serving(game):
        await agent.wait_registered("chatter")
        agent.acknowledge_jobs = False
        job = await agent.start_job("chatter")
        async for event in job.events():
            if event.seq == 8:
                break
        assert len(job.seen) == 8
        assert made == 9
        agent.acknowledge_jobs = True
        assert await job.result() == 100
        assert [event.seq for event in job.seen] == list(range(1, 102))


async def test_a_noisy_job_does_not_keep_calls_waiting(agent):
    game = provider(agent)

    @game.job("noise")
    async def noise(job: JobContext) -> None:
        while True:
            await job.log("x" * 1000)

    @game.function("echo")
    async def echo(n: int) -> int:
        return n

    async with serving(game):
        await agent.wait_registered("echo")
        job = await agent.start_job("noise")
        assert await asyncio.gather(*(agent.invoke("echo", {"n": n}) for n in range(200))) == list(range(200))
        await job.cancel()
        await fails(job.result())


async def test_a_job_the_platform_forgot_is_stopped(agent):
    game = provider(agent)
    ended = asyncio.Event()

    @game.job("hang")
    async def hang(job: JobContext) -> None:
        await job.log("here")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(game):
        await agent.wait_registered("hang")
        job = await agent.start_job("hang")
        async for _ in job.events():
            break
        agent.forget_job(job.id)
        await ended.wait()


async def test_the_platform_can_ask_for_a_jobs_result_and_for_what_is_offered(agent):
    game = provider(agent)
    release = asyncio.Event()

    @game.job("work")
    async def work(fail: bool) -> str:
        await release.wait()
        if fail:
            raise Rejected("no")
        return "done"

    async with serving(game):
        await agent.wait_registered("work")
        agent.acknowledge_jobs = False
        good = await agent.start_job("work", {"fail": False}, job_id="good")
        bad = await agent.start_job("work", {"fail": True}, job_id="bad")
        assert await agent.job_result("good") == ("running", b"", "")
        release.set()
        await good.result()
        assert (await fails(bad.result())).reason == "function_rejected"
        assert await agent.job_result("good") == ("succeeded", b'"done"', "")
        assert await agent.job_result("bad") == ("failed", b"", "no")
        agent.acknowledge_jobs = True
        assert await agent.job_result("good") == ("", b"", "unknown job good")
        assert await agent.offers("game-1", "work")
        assert not await agent.offers("game-1", "none")


async def test_a_session_the_ends_disagree_on_is_given_up_for_a_new_one(agent):
    game = provider(agent)

    @game.function("f")
    def f() -> int:
        return 1

    async with serving(game):
        await agent.wait_registered("f")
        server = agent._attached["game-1"]
        session = server._session_id
        server._flow.pack([])  # a message that is lost for good: the next one leaves a gap, and again after each resume
        server._flow.acknowledge(1)
        call = asyncio.create_task(agent.invoke("f", timeout=20))
        assert (await fails(call)).reason == "outcome_unknown"
        assert server._session_id != session
        await agent.wait_registered("f")
        assert await agent.invoke("f") == 1


async def test_a_session_goes_on_after_the_connection_broke(agent):
    game = provider(agent)
    release, runs = asyncio.Event(), []

    @game.function("wait")
    async def wait() -> str:
        runs.append(1)
        await release.wait()
        return "answered"

    @game.job("count")
    async def count(job: JobContext) -> int:
        for n in range(500):
            await job.log(str(n))
        return 500

    async with serving(game):
        await agent.wait_registered("count")
        call = asyncio.create_task(agent.invoke("wait"))
        job = await agent.start_job("count")
        drops = 0
        async for event in job.events():
            if event.seq in {50, 200}:
                agent.drop_connections()
                drops += 1
        release.set()
        assert await call == "answered"
        assert drops == 2
    assert (len(runs), [event.seq for event in job.seen]) == (1, list(range(1, 502)))


async def test_an_agent_that_restarts_gets_the_functions_and_the_events_again(agent):
    game = provider(agent)
    started, ended = asyncio.Event(), asyncio.Event()

    @game.function("hang")
    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @game.job("count")
    async def count(job: JobContext) -> int:
        for n in range(20):
            await job.log(str(n))
        return 20

    async with serving(game):
        await agent.wait_registered("count")
        agent.acknowledge_jobs = False
        job = await agent.start_job("count")
        call = asyncio.create_task(agent.invoke("hang"))
        async for event in job.events():
            if event.seq == 8:
                break
        await started.wait()
        await agent.restart()
        assert (await fails(call)).reason == "outcome_unknown"
        await agent.wait_registered("count")
        await ended.wait()
        agent.acknowledge_jobs = True
        assert await job.result() == 20
    assert [event.seq for event in job.seen] == list(range(1, 22))


async def test_a_game_that_starts_before_its_agent_finds_it(agent):
    address = agent.address
    await agent._stop()
    game = Provider(agent=address, service_id="game-1", game_id="demo", env="dev")

    @game.function("f")
    def f() -> int:
        return 1

    async with game:
        await agent._start()
        await agent.wait_registered("f")
        assert await agent.invoke("f") == 1


async def test_a_game_of_another_scope_says_why_it_is_not_attached(agent, logged):
    game = Provider(agent=agent.address, service_id="game-1", game_id="other", env="dev")
    async with game:
        await logged("PERMISSION_DENIED: this agent is of demo|dev, the game server of other|dev")


async def test_stopping_lets_calls_end_and_takes_no_new_ones(agent):
    game = provider(agent)
    release, started = asyncio.Event(), asyncio.Event()

    @game.function("wait")
    async def wait() -> str:
        started.set()
        await release.wait()
        return "answered"

    async with serving(game):
        await agent.wait_registered("wait")
        call = asyncio.create_task(agent.invoke("wait"))
        await started.wait()
        stop = asyncio.create_task(game.stop())
        await agent.wait_draining("game-1")
        assert (await fails(agent.invoke("wait"))).reason == "unavailable"
        release.set()
        assert await call == "answered"
        await stop


async def test_stopping_cancels_what_does_not_end_in_time(agent):
    game = provider(agent, grace=0.05)

    @game.function("hang")
    async def hang() -> None:
        await asyncio.Event().wait()

    @game.job("work")
    async def work() -> None:
        await asyncio.Event().wait()

    async with serving(game):
        await agent.wait_registered("work")
        call = asyncio.create_task(agent.invoke("hang"))
        job = await agent.start_job("work")
        await game.stop()
        assert (await fails(call)).reason == "outcome_unknown"
        assert (await fails(job.result())).message == "the game server stopped before the function ended"


async def test_a_provider_serves_once_at_a_time_and_again_after_a_stop(agent):
    game = provider(agent)

    @game.function("f")
    def f() -> int:
        return 1

    for _ in range(2):
        async with serving(game):
            await agent.wait_registered("f")
            assert await agent.invoke("f") == 1
            with pytest.raises(RuntimeError, match="serves already"):
                await game.serve()
    await game.stop()
    with pytest.raises(RuntimeError, match="does not serve"):
        await game.ready()


async def test_serve_ends_by_stop_and_by_cancellation(agent):
    game = provider(agent)

    @game.function("f")
    def f() -> None: ...

    serve = asyncio.create_task(game.serve())
    await agent.wait_registered("f")
    await game.stop()
    await serve
    serve = asyncio.create_task(game.serve())
    await asyncio.sleep(0)
    await game.ready()
    serve.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serve
    with pytest.raises(RuntimeError):
        await game.ready()

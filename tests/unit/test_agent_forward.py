import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.agent_parts import RecordingSink, ScriptedGameServer, instance

from croupier.agent.forward import Forward
from croupier.agent.instances import Instances
from croupier.agent.jobs import Jobs
from croupier.agent.metrics import Calls
from croupier.agent.resend import Resend
from croupier.domain.call import Route
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.domain.scope import Scope
from croupier.errors import (
    CroupierError,
    DeadlineExceeded,
    FailedPrecondition,
    HandlerFailed,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    Unavailable,
)
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.frames import CallResult, Invoke, JobStarted, StartJob


class Bed:
    def __init__(self):
        self.server = ScriptedGameServer()
        self.instances = Instances(lambda: None)
        self.instances.put(instance(server=self.server))
        self.jobs = Jobs()
        self.counts = Calls()
        self.resend = Resend(self.instances)
        self.forward = Forward(Scope("demo", "dev"), self.instances, self.jobs, self.counts, self.resend)
        self.outcomes = []
        self.loop = asyncio.get_running_loop()

    def done(self, outcome, raw):
        self.outcomes.append((outcome, raw))

    def invoke(self, *, deadline=None, raw=b"raw request", **values):
        frame = Invoke(**{"request_id": "r1", "function_id": "player.ban", "payload": b"{}"} | values)
        return self.forward.invoke(frame, raw, deadline, self.done)

    def start(self, job_id="j1", **values):
        frame = StartJob(request_id="r1", function_id="player.ban", payload=b"{}", job_id=job_id, **values)
        self.sink = RecordingSink()
        return self.forward.start(frame, b"raw", None, self.done, self.sink)

    def answer(self, outcome, raw=b"", *, call=-1):
        self.server.calls[call][3](outcome, raw)


@pytest.fixture
async def bed():
    return Bed()


async def test_a_frame_goes_on_as_the_bytes_it_came_in(bed):
    bed.invoke()
    _, raw, timeout, _ = bed.server.calls[0]
    assert raw == b"raw request"
    assert timeout == 5.0


async def test_an_answer_goes_back_as_its_bytes_with_the_name_of_who_gave_it(bed):
    bed.invoke()
    raw = encode(CallResult(request_id="r1", payload=b"payload"))
    bed.answer(CallResult(request_id="r1", payload=b"payload"), raw)
    _, sent = bed.outcomes[0]
    assert sent.startswith(raw)
    assert decode(parse(sent)) == CallResult(request_id="r1", payload=b"payload", service_id="game-1")


async def test_an_answer_that_names_its_giver_is_not_touched(bed):
    bed.invoke()
    bed.answer(CallResult(request_id="r1", service_id="game-1"), b"raw answer")
    assert bed.outcomes[0][1] == b"raw answer"


async def test_the_time_that_is_left_goes_on(bed):
    bed.invoke(deadline=bed.loop.time() + 2.5)
    assert 2.0 < bed.server.calls[0][2] <= 2.5


async def test_a_call_whose_time_is_over_is_not_sent(bed):
    with pytest.raises(DeadlineExceeded, match="tunnel invoke timeout"):
        bed.invoke(deadline=bed.loop.time() - 1)
    assert bed.server.calls == []


@pytest.mark.parametrize(
    "values",
    [
        {"game_id": "other"},
        {"env": "prod"},
        {"metadata": {"game_id": "other"}},
        {"metadata": {"env": "prod"}},
        {"game_id": "demo", "metadata": {"game_id": "other"}},
    ],
)
async def test_a_call_for_another_game_or_env_never_reaches_a_game_server(bed, values):
    with pytest.raises(PermissionDenied, match="this agent serves"):
        bed.invoke(**values)
    assert bed.server.calls == []
    assert bed.counts.outcomes == {"permission_denied": 1}


names = st.sampled_from(["", "demo", "dev", "prod", "other"])


@given(
    game_id=names,
    env=names,
    named=st.dictionaries(st.sampled_from(["game_id", "env"]), names),
    route=st.sampled_from(["", *Route]),
)
def test_no_frame_that_names_another_scope_reaches_a_game_server(game_id, env, named, route):
    async def attempt():
        bed = Bed()
        metadata = {**named, "route": route, "hash_key": "k", "target_service_id": "game-1"}
        for send in (bed.invoke, bed.start):
            fields = {"metadata": metadata, "game_id": game_id, "env": env}
            with contextlib.suppress(CroupierError):
                send(**fields)
        return [frame for frame, *_ in bed.server.calls]

    for frame in asyncio.run(attempt()):
        assert {frame.game_id, frame.metadata.get("game_id", "")} <= {"", "demo"}
        assert {frame.env, frame.metadata.get("env", "")} <= {"", "dev"}


async def test_the_scope_of_the_agent_or_none_is_let_through(bed):
    bed.invoke(game_id="demo", env="dev", metadata={"game_id": "demo", "env": ""})
    assert len(bed.server.calls) == 1


async def test_outstanding_goes_up_and_down_with_the_call_and_outcomes_are_counted(bed):
    flight = bed.invoke()
    assert (bed.server.outstanding, bed.counts.in_flight) == (1, 1)
    bed.answer(CallResult(request_id="r1", error=HandlerFailed("broke")))
    assert (bed.server.outstanding, bed.counts.in_flight) == (0, 0)
    flight.cancel("late")
    assert (bed.server.outstanding, bed.counts.outcomes) == (0, {"handler_failed": 1})
    assert bed.server.canceled == []


async def test_a_canceled_call_is_canceled_at_the_game_server_and_its_answer_dropped(bed):
    flight = bed.invoke()
    flight.cancel("the caller gave up")
    assert bed.server.canceled == [("r1", "the caller gave up")]
    bed.answer(CallResult(request_id="r1"))
    assert bed.outcomes == []
    assert bed.server.outstanding == 0


async def test_a_refusal_of_the_game_servers_link_is_the_callers_and_nothing_counts_as_under_way(bed):
    bed.server.refuses = Unavailable("full")
    with pytest.raises(Unavailable):
        bed.invoke()
    assert (bed.server.outstanding, bed.counts.in_flight) == (0, 0)


async def test_answers_and_payloads_have_a_limit(bed):
    with pytest.raises(PayloadTooLarge, match="at most 10000000"):
        bed.invoke(payload=b"x" * (PAYLOAD_BYTES + 1))
    bed.invoke()
    bed.answer(CallResult(request_id="r1", payload=b"x" * (PAYLOAD_BYTES + 1)), b"raw")
    outcome, raw = bed.outcomes[0]
    assert isinstance(outcome, HandlerFailed)
    assert outcome.message == "game-1 answered 10000001 bytes; at most 10000000 are allowed"
    assert raw == b""


async def test_an_answer_of_the_wrong_kind_or_with_endless_text_is_the_game_servers_failure(bed):
    bed.invoke()
    bed.answer(CallResult(request_id="r1", error=HandlerFailed("x")), b"x" * (PAYLOAD_BYTES + 500_000))
    assert "too large" in bed.outcomes[0][0].message


async def test_a_started_job_is_remembered_and_a_second_start_of_it_only_confirmed(bed):
    bed.start()
    with pytest.raises(FailedPrecondition, match="being started already"):
        bed.start()
    bed.answer(JobStarted(request_id="r1", job_id="j1"))
    assert bed.start() is None
    assert bed.outcomes[1][0] == JobStarted(request_id="r1", job_id="j1", service_id="game-1")
    assert len(bed.server.calls) == 1


async def test_a_job_that_was_not_accepted_is_forgotten(bed):
    bed.start()
    bed.answer(JobStarted(request_id="r1", error=NotFound("no such function")))
    assert bed.jobs.get("j1") is None
    bed.server.refuses = Unavailable("full")
    with pytest.raises(Unavailable):
        bed.start()
    assert len(bed.jobs) == 0


async def test_a_start_whose_caller_left_is_left_to_its_story(bed):
    flight = bed.start()
    flight.cancel("the session ended")
    assert bed.server.canceled == []
    bed.answer(JobStarted(request_id="r1", job_id="j1"))
    assert bed.outcomes == []
    assert bed.jobs.get("j1").started
    assert bed.server.outstanding == 0


async def test_draining_refuses_new_calls_waits_for_those_under_way_and_then_cancels(bed):
    bed.invoke()
    draining = asyncio.create_task(bed.forward.drain(1000.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="stopping"):
        bed.invoke(request_id="r2")
    assert not draining.done()
    bed.answer(CallResult(request_id="r1"))
    await draining
    bed.forward.draining = False
    bed.invoke()
    await bed.forward.drain(0.0)
    assert bed.server.canceled == [("r1", "the agent stops")]

"""Nobody is starved and nothing grows without bound."""

import pytest

from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, DeadlineExceeded, InvalidArgument, OutcomeUnknown, RateLimited, Unavailable
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig, Closed, Completed
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.connector import RUNNING, Abort, Connector, Execute
from croupier.tunnel.deadlines import Deadlines
from croupier.tunnel.frames import (
    SESSION,
    Answer,
    CallResult,
    CancelCall,
    Frame,
    Heartbeat,
    Hello,
    Invoke,
    JobAck,
    JobEvents,
    JobStarted,
    StartJob,
    Welcome,
)
from croupier.tunnel.link import BATCH_BYTES, BATCH_FRAMES, WAITING_BYTES, Link

HELLO = Hello(agent_id="a", game_id="g", env="e", capabilities=(SESSION,), incarnation="i")


def frames_in(message: bytes) -> list[Frame]:
    return [decode(parse(raw)) for raw in parse(message).batch]


def invoke(request_id: str, payload: bytes = b"", deadline_ms: int = 0) -> bytes:
    return encode(Invoke(request_id=request_id, function_id="f", payload=payload, deadline_ms=deadline_ms))


class Outcomes:
    """Collects what becomes of calls."""

    def __init__(self) -> None:
        self.ended: list[Answer | CroupierError] = []

    def __call__(self, outcome: Answer | CroupierError, _: bytes) -> None:
        self.ended.append(outcome)


def connected(config: AcceptorConfig | None = None) -> Acceptor:
    acceptor = Acceptor(HELLO, session_id="s", incarnation="x", config=config or AcceptorConfig())
    assert acceptor.connect(HELLO, 0.0) is not None
    return acceptor


def opened() -> Connector:
    connector = Connector(HELLO)
    connector.greet()
    welcome = Welcome(session_id="s", resumed=False, received=0, incarnation="x", heartbeat_ms=15_000, job_window=256)
    connector.receive(encode(welcome), 0.0)
    return connector


def resume(acceptor: Acceptor, received: int) -> None:
    hello = Hello(
        agent_id="a", game_id="g", env="e", capabilities=(SESSION,), incarnation="i", session_id="s", received=received
    )
    assert acceptor.resumes(hello)
    acceptor.connect(hello, 0.0)


# ------------------------------------------------------------------------------------------------ fairness


def flooded(events: int) -> Connector:
    connector = opened()
    for seq in range(1, events + 1):
        connector.emit(JobEvent(job_id="noisy", seq=seq, type="log", message="x" * 200))
    return connector


def test_a_call_answered_behind_ten_thousand_job_events_leaves_in_the_next_message() -> None:
    connector = flooded(10_000)
    connector.take(0.0)
    (execute,) = connector._report(decode(parse(invoke("r"))), b"", 0.0)
    assert isinstance(execute, Execute)

    connector.answer(CallResult(request_id="r"))

    message = connector.take(0.0)
    assert message is not None
    assert frames_in(message)[0] == CallResult(request_id="r")


def test_a_second_jobs_event_leaves_within_two_batches() -> None:
    connector = flooded(10_000)
    connector.take(0.0)

    connector.emit(JobEvent(job_id="quiet", seq=1, type="log"))

    batches = [connector.take(0.0), connector.take(0.0)]
    sent = [
        frame.event.job_id for batch in batches if batch for frame in frames_in(batch) if isinstance(frame, JobEvents)
    ]
    assert "quiet" in sent


def test_jobs_take_turns_event_by_event() -> None:
    link = Link()
    for job in ("one", "two", "three"):
        for seq in range(1, 4):
            link.send_job(job, encode(JobEvents(JobEvent(job_id=job, seq=seq, type="log"))))

    message = link.take()

    assert message is not None
    order = [(frame.event.job_id, frame.event.seq) for frame in frames_in(message) if isinstance(frame, JobEvents)]
    assert order == [(job, seq) for seq in (1, 2, 3) for job in ("one", "two", "three")]


# ------------------------------------------------------------------------------------------------ sizes


@pytest.mark.parametrize("size", [0, 1, 100, 1000, 100_000, BATCH_BYTES // 2, BATCH_BYTES - 40, BATCH_BYTES])
def test_a_message_of_many_frames_is_at_most_a_batch_large(size: int) -> None:
    link = Link()
    count = max(3, min(BATCH_FRAMES + 5, 3 * BATCH_BYTES // (size + 20)))
    for _ in range(count):
        link.send(invoke("r", bytes(size)))

    sent = 0
    while (message := link.take()) is not None:
        frames = parse(message).batch
        sent += len(frames)
        assert len(message) <= BATCH_BYTES or len(frames) == 1
        assert len(frames) <= BATCH_FRAMES
    assert sent == count


def test_a_frame_larger_than_a_batch_travels_alone() -> None:
    link = Link()
    link.send(invoke("small"))
    link.send(invoke("large", bytes(1_000_000)))
    link.send(invoke("small too"))

    messages = [link.take(), link.take(), link.take()]

    assert [len(parse(message).batch) for message in messages if message] == [1, 1, 1]
    assert link.take() is None


def test_frames_that_fit_travel_together() -> None:
    link = Link()
    for _ in range(1000):
        link.send(invoke("r", bytes(100)))

    message = link.take()

    assert message is not None
    assert len(parse(message).batch) == 1000
    assert not link.ready


# ------------------------------------------------------------------------------------------------ a full link


def test_a_full_link_refuses_calls_and_takes_them_again_once_it_is_acknowledged() -> None:
    acceptor = connected()
    outcomes = Outcomes()
    sent = 0
    with pytest.raises(RateLimited, match="rate limited"):
        while True:
            acceptor.call(f"r{sent}", invoke(f"r{sent}", bytes(1_000_000)), outcomes, None)
            sent += 1
    assert WAITING_BYTES < sent * 1_000_000 < WAITING_BYTES + 2_000_000
    messages = []
    while (message := acceptor.take()) is not None:
        messages.append(message)
    assert acceptor.link.full
    assert acceptor.in_flight == sent

    connector = opened()
    for message in messages:
        for event in connector.receive(message, 0.0):
            assert isinstance(event, Execute)
            connector.answer(CallResult(request_id=event.frame.request_id))
    answer = connector.take(0.0)
    assert answer is not None
    for event in acceptor.receive(answer, 0.0):
        assert isinstance(event, Completed)
        event.token(event.outcome, event.raw)

    assert len(outcomes.ended) == sent
    assert not acceptor.link.full
    acceptor.call("again", invoke("again"), outcomes, None)
    assert acceptor.take() is not None


def test_a_link_held_back_by_its_peer_is_ready_again_when_the_acknowledgement_comes() -> None:
    link = Link()
    while not link._held_back:
        link.send(invoke("r", bytes(1_000_000)))
        assert link.take() is not None
    link.send(invoke("waits"))
    assert not link.ready
    assert link.take() is None

    link.receive(encode_heartbeat(ack=link.sent))

    assert link.ready
    message = link.take()
    assert message is not None
    assert [frame.request_id for frame in frames_in(message) if isinstance(frame, Invoke)] == ["waits"]


def encode_heartbeat(ack: int) -> bytes:
    message = parse(b"")
    message.type, message.ack = "heartbeat", ack
    return message.SerializeToString()


def test_a_held_back_link_still_acknowledges() -> None:
    link = Link()
    while not link._held_back:
        link.send(invoke("r", bytes(1_000_000)))
        link.take()
    other = Link()
    for _ in range(32):
        other.send(invoke("r"))
        message = other.take()
        assert message is not None
        link.receive(message)

    acknowledgement = link.take()

    assert acknowledgement is not None
    assert parse(acknowledgement).ack == 32
    other.receive(acknowledgement)
    assert other.idle


def test_calls_in_flight_are_bounded() -> None:
    acceptor = connected(AcceptorConfig(calls=3))
    outcomes = Outcomes()
    for number in range(3):
        acceptor.call(f"r{number}", invoke(f"r{number}"), outcomes, None)

    with pytest.raises(RateLimited):
        acceptor.call("r3", invoke("r3"), outcomes, None)

    acceptor.cancel("r0", "for a test")
    acceptor.call("r3", invoke("r3"), outcomes, None)


def test_an_agent_is_lively_while_its_stream_is_there_and_a_heartbeat_is_not_overdue() -> None:
    acceptor = connected(AcceptorConfig(heartbeat=10.0))
    assert acceptor.lively(14.9)
    assert not acceptor.lively(15.1)
    acceptor.receive(encode(Heartbeat()), 15.2)
    assert acceptor.lively(30.1)
    acceptor.disconnect(acceptor.generation, 30.2)
    assert not acceptor.lively(30.2)


def test_a_request_id_in_flight_is_refused_and_the_first_call_goes_on() -> None:
    acceptor = connected()
    first = Outcomes()
    acceptor.call("r", invoke("r"), first, None)

    with pytest.raises(InvalidArgument, match="in flight"):
        acceptor.call("r", invoke("r"), Outcomes(), None)

    assert acceptor.in_flight == 1
    assert not first.ended


def test_the_connector_answers_rate_limited_when_too_many_requests_run() -> None:
    connector = opened()
    for number in range(RUNNING):
        connector._running.add(f"r{number}")
    request = StartJob(request_id="one more", function_id="f", payload=b"", job_id="j")
    link = Link()
    link.send(encode(request))
    message = link.take()
    assert message is not None

    assert connector.receive(message, 0.0) == []

    reply = connector.take(0.0)
    assert reply is not None
    (answer,) = frames_in(reply)
    assert isinstance(answer, JobStarted)
    assert isinstance(answer.error, RateLimited)


# ------------------------------------------------------------------------------------------------ what a caller is told


def test_a_call_that_timed_out_unsent_never_runs_after_the_resume() -> None:
    acceptor = connected()
    acceptor.disconnect(acceptor.generation, 0.0)
    outcomes = Outcomes()
    acceptor.call("r", invoke("r"), outcomes, 1.0)

    (event,) = acceptor.tick(1.0)
    assert isinstance(event, Completed)
    assert isinstance(event.outcome, Unavailable)

    resume(acceptor, received=0)
    acceptor.take()
    assert acceptor.link.idle


def test_a_call_that_timed_out_after_it_was_sent_is_cancelled_at_the_agent() -> None:
    acceptor = connected()
    acceptor.call("r", invoke("r"), Outcomes(), 1.0)
    acceptor.take()

    (event,) = acceptor.tick(1.0)

    assert isinstance(event, Completed)
    assert isinstance(event.outcome, DeadlineExceeded)
    assert "tunnel invoke timeout" in event.outcome.message
    message = acceptor.take()
    assert message is not None
    assert frames_in(message) == [CancelCall("r", "deadline exceeded")]


def test_a_lost_session_tells_sent_calls_from_unsent_ones() -> None:
    acceptor = connected()
    acceptor.call("sent", invoke("sent"), Outcomes(), None)
    acceptor.take()
    acceptor.disconnect(acceptor.generation, 5.0)
    acceptor.call("unsent", invoke("unsent"), Outcomes(), None)
    assert acceptor.tick(14.9) == []

    sent, unsent, closed = acceptor.tick(15.0)

    assert isinstance(sent, Completed)
    assert isinstance(sent.outcome, OutcomeUnknown)
    assert isinstance(unsent, Completed)
    assert isinstance(unsent.outcome, Unavailable)
    assert "agent not connected" in unsent.outcome.message
    assert closed == Closed()
    with pytest.raises(Unavailable, match="agent not connected"):
        acceptor.call("late", invoke("late"), Outcomes(), None)


def test_the_agent_answers_deadline_exceeded_and_stops_the_handler_when_time_is_up() -> None:
    connector = opened()
    link = Link()
    link.send(invoke("r", deadline_ms=500))
    message = link.take()
    assert message is not None
    connector.receive(message, 10.0)
    assert connector.next_wake() == 10.5

    assert connector.tick(10.5) == [Abort("r", "deadline exceeded")]

    reply = connector.take(10.5)
    assert reply is not None
    (answer,) = frames_in(reply)
    assert isinstance(answer, CallResult)
    assert isinstance(answer.error, DeadlineExceeded)
    assert not connector.answer(CallResult(request_id="r"))


def test_a_stopped_jobs_events_are_dropped_from_every_queue() -> None:
    connector = flooded(1000)
    link = Link()
    link.send(encode(JobAck("noisy", 0, stop=True)))
    message = link.take()
    assert message is not None

    connector.receive(message, 0.0)

    assert connector.unacknowledged == 0
    assert connector.take(0.0) is None


# ------------------------------------------------------------------------------------------------ deadlines


def test_deadlines_of_ended_calls_do_not_pile_up() -> None:
    deadlines = Deadlines()
    for number in range(100_000):
        deadlines.set(f"r{number}", 3600.0)
        deadlines.forget(f"r{number}")

    assert deadlines.entries <= 1025
    assert len(deadlines) == 0
    assert deadlines.next() is None


def test_a_request_id_used_again_keeps_its_new_deadline() -> None:
    deadlines = Deadlines()
    deadlines.set("r", 1.0)
    deadlines.forget("r")
    deadlines.set("r", 2.0)

    assert deadlines.expired(1.5) == []
    assert deadlines.next() == 2.0
    assert deadlines.expired(2.0) == ["r"]
    assert deadlines.expired(3.0) == []


def test_deadlines_come_earliest_first_and_once() -> None:
    deadlines = Deadlines()
    for request_id, at in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
        deadlines.set(request_id, at)

    assert deadlines.expired(2.0) == ["early", "middle"]
    assert deadlines.expired(9.0) == ["late"]

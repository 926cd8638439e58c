"""Peers that speak the contract and nothing else: one frame a message, no numbers, and the stream's end ends everything."""

import pytest

from croupier.domain.function import Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, InvalidArgument, NotFound, OutcomeUnknown, Unavailable
from croupier.tunnel import acceptor as acceptor_module
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig, Closed, Completed, JobEventArrived
from croupier.tunnel.codec import encode, parse
from croupier.tunnel.connector import PLAIN_JOB_WINDOW, Abort, Connector, Execute, JobAcknowledged, Opened
from croupier.tunnel.frames import (
    Answer,
    CallResult,
    CancelJob,
    Drain,
    Hello,
    Invoke,
    JobAck,
    Register,
    Welcome,
)
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

PLAIN = Hello(agent_id="a", game_id="g", env="e")


def dropped(outcome: Answer | CroupierError, raw: bytes) -> None:
    """A caller that does not listen."""


def plain_acceptor() -> Acceptor:
    acceptor = Acceptor(PLAIN, session_id="s", incarnation="x", config=AcceptorConfig())
    assert acceptor.connect(PLAIN, 0.0) is None, "a plain peer gets no welcome"
    return acceptor


def invoke(request_id: str) -> bytes:
    return encode(Invoke(request_id=request_id, function_id="f", payload=b"{}"))


def call(acceptor: Acceptor, request_id: str, deadline: float | None = None) -> None:
    acceptor.call(request_id, invoke(request_id), dropped, deadline)


def plain_connector() -> Connector:
    connector = Connector(Hello(agent_id="a", game_id="g", env="e", incarnation="i"))
    connector.greet()
    assert connector.open_plain(0.0)[-1] == Opened(resumed=False, plain=True, job_window=PLAIN_JOB_WINDOW)
    return connector


def log(job_id: str, seq: int) -> JobEvent:
    return JobEvent(job_id=job_id, seq=seq, type="log", message=f"line {seq}")


# ------------------------------------------------------------------------------------------------ a plain agent


def test_each_frame_for_a_plain_agent_is_a_message_of_its_own_without_numbers() -> None:
    acceptor = plain_acceptor()
    for request_id in ("one", "two"):
        call(acceptor, request_id)

    messages = [parse(acceptor.take() or b""), parse(acceptor.take() or b"")]

    assert acceptor.take() is None
    assert [message.invoke.request_id for message in messages] == ["one", "two"]
    for message in messages:
        assert message.type == "invoke"
        assert (message.seq, message.ack, len(message.batch)) == (0, 0, 0)


def test_a_plain_agent_is_told_only_what_the_contract_knows() -> None:
    acceptor = plain_acceptor()
    call(acceptor, "r")
    acceptor.take()

    acceptor.cancel("r", "the caller gave up")
    acceptor.tell(JobAck("j", 1))
    acceptor.tell(Drain("going"))
    acceptor.tell(CancelJob("j", "for a test"))

    assert parse(acceptor.take() or b"").cancel.job_id == "j"
    assert acceptor.take() is None


def test_a_plain_agents_answer_completes_the_call_and_its_error_text_keeps_its_meaning() -> None:
    acceptor = plain_acceptor()
    for request_id in ("good", "bad"):
        call(acceptor, request_id)
    good = wire.TunnelMessage(type="result", result=wire.ResultFrame(request_id="good", payload=b"1"))
    bad = wire.TunnelMessage(type="result", result=wire.ResultFrame(request_id="bad", error="no local handler for f"))

    (first,) = acceptor.receive(good.SerializeToString(), 1.0)
    (second,) = acceptor.receive(bad.SerializeToString(), 1.0)

    assert isinstance(first, Completed)
    assert first.outcome == CallResult(request_id="good", payload=b"1")
    assert isinstance(second, Completed)
    assert isinstance(second.outcome, CallResult)
    assert isinstance(second.outcome.error, NotFound)
    assert acceptor.receive(good.SerializeToString(), 1.0) == [], "nobody waits for a second answer"


def test_a_plain_agents_job_events_are_numbered_by_arrival_for_each_job() -> None:
    acceptor = plain_acceptor()
    arrived = []
    for job_id, kind in (("a", "progress"), ("b", "log"), ("a", "log"), ("a", "done"), ("b", "error"), ("a", "log")):
        frame = wire.TunnelMessage(type="job_evt", job_evt=wire.JobEventFrame(job_id=job_id, type=kind))
        (event,) = acceptor.receive(frame.SerializeToString(), 1.0)
        assert isinstance(event, JobEventArrived)
        arrived.append((event.event.job_id, event.event.seq))

    assert arrived == [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("b", 2), ("a", 1)]


def test_jobs_of_a_plain_agent_that_never_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor_module, "PLAIN_JOBS", 2)
    acceptor = plain_acceptor()

    def event(job_id: str) -> bytes:
        return wire.TunnelMessage(job_evt=wire.JobEventFrame(job_id=job_id, type="log")).SerializeToString()

    acceptor.receive(event("a"), 1.0)
    acceptor.receive(event("b"), 1.0)
    with pytest.raises(InvalidArgument, match="jobs have not ended"):
        acceptor.receive(event("c"), 1.0)


def test_the_end_of_a_plain_stream_ends_its_calls_at_once() -> None:
    acceptor = plain_acceptor()
    call(acceptor, "sent")
    acceptor.take()
    call(acceptor, "unsent")

    sent, unsent, closed = acceptor.disconnect(acceptor.generation, 1.0)

    assert isinstance(sent, Completed)
    assert isinstance(sent.outcome, OutcomeUnknown)
    assert isinstance(unsent, Completed)
    assert isinstance(unsent.outcome, Unavailable)
    assert closed == Closed()
    assert not acceptor.resumes(PLAIN)


def test_a_plain_agent_may_be_silent_and_its_heartbeat_is_heard() -> None:
    acceptor = plain_acceptor()

    assert acceptor.receive(wire.TunnelMessage(type="heartbeat").SerializeToString(), 1.0) == []
    assert acceptor.next_wake() is None
    assert acceptor.tick(10_000.0) == []


def test_a_call_of_a_plain_agent_ends_at_its_deadline_and_unsent_ones_are_withdrawn() -> None:
    acceptor = plain_acceptor()
    call(acceptor, "r", deadline=1.0)

    (event,) = acceptor.tick(1.0)

    assert isinstance(event, Completed)
    assert isinstance(event.outcome, Unavailable)
    assert acceptor.take() is None


# ------------------------------------------------------------------------------------------------ a plain server


def test_a_first_message_that_is_no_welcome_means_a_plain_server() -> None:
    connector = Connector(PLAIN)
    connector.greet()

    opened, execute = connector.receive(invoke("r"), 1.0)

    assert opened == Opened(resumed=False, plain=True, job_window=PLAIN_JOB_WINDOW)
    assert isinstance(execute, Execute)
    assert execute.frame.request_id == "r"


def test_a_rubbish_first_message_opens_nothing() -> None:
    connector = Connector(PLAIN)
    connector.greet()
    with pytest.raises(InvalidArgument):
        connector.receive(encode(CallResult(request_id="r")), 1.0)
    assert not connector.open


def test_a_late_welcome_ends_the_stream_of_a_connector_that_went_plain() -> None:
    connector = plain_connector()
    welcome = Welcome(session_id="s", resumed=False, received=0, incarnation="x", heartbeat_ms=15_000, job_window=9)
    with pytest.raises(InvalidArgument, match="Welcome"):
        connector.receive(encode(welcome), 6.0)


def test_a_plain_server_gets_one_frame_a_message_and_nothing_that_is_ours() -> None:
    connector = plain_connector()
    connector.register(Register((Service(service_id="s"),)))
    connector.drain("going")
    connector.receive(invoke("r"), 1.0)
    connector.answer(CallResult(request_id="r", payload=b"1"))
    connector.emit(log("j", 1))

    result, event = parse(connector.take(1.0) or b""), parse(connector.take(1.0) or b"")

    assert connector.take(1.0) is None
    assert (result.type, result.result.payload, result.seq) == ("result", b"1", 0)
    assert (event.type, event.job_evt.message, event.seq) == ("job_event", "line 1", 0)


def test_an_event_counts_as_stored_once_a_plain_stream_took_it() -> None:
    connector = plain_connector()
    connector.emit(log("j", 1))
    connector.emit(log("j", 2))
    assert connector.handed() == []

    connector.take(1.0)

    assert connector.handed() == [JobAcknowledged("j", 1, stop=False)]
    assert connector.handed() == []
    assert connector.unacknowledged == 1


def test_events_that_a_plain_stream_did_not_take_go_out_on_the_next_stream() -> None:
    connector = plain_connector()
    for seq in (1, 2):
        connector.emit(log("j", seq))
    connector.take(1.0)
    connector.handed()
    connector.disconnect()
    connector.emit(log("j", 3))

    connector.greet()
    connector.open_plain(2.0)

    again = [parse(connector.take(2.0) or b"").job_evt.seq for _ in range(2)]
    assert again == [2, 3]
    assert connector.take(2.0) is None


def test_the_end_of_a_plain_stream_stops_the_calls_that_came_over_it() -> None:
    connector = plain_connector()
    connector.receive(invoke("r"), 1.0)

    assert connector.disconnect() == [Abort("r", "the stream ended")]
    assert connector.disconnect() == []
    assert not connector.answer(CallResult(request_id="r"))
    assert connector.running == 0


def test_a_plain_server_that_learns_sessions_gets_the_unsent_events() -> None:
    connector = plain_connector()
    connector.emit(log("j", 1))
    connector.disconnect()
    connector.greet()
    welcome = Welcome(session_id="s", resumed=False, received=0, incarnation="x", heartbeat_ms=15_000, job_window=9)

    assert connector.receive(encode(welcome), 2.0) == [Opened(resumed=False, plain=False, job_window=9)]

    message = parse(connector.take(2.0) or b"")
    assert message.seq == 1
    assert [parse(raw).job_evt.seq for raw in message.batch] == [1]


def test_a_plain_server_hears_heartbeats() -> None:
    connector = plain_connector()
    assert connector.next_wake() == 15.0
    assert connector.tick(15.0) == []
    assert parse(connector.take(15.0) or b"").type == "heartbeat"
    assert connector.next_wake() == 30.0

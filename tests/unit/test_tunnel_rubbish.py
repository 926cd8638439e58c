"""Whatever bytes come, a machine ends the stream with a clear error, or goes on: nothing else, and no call is forgotten."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croupier.domain.function import Service
from croupier.domain.job import JobEvent
from croupier.errors import CroupierError, InvalidArgument, OutcomeUnknown
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig, Completed
from croupier.tunnel.codec import encode, parse
from croupier.tunnel.connector import Connector, Execute
from croupier.tunnel.frames import (
    SESSION,
    Answer,
    CallResult,
    CancelCall,
    Drain,
    Frame,
    Heartbeat,
    Hello,
    Invoke,
    JobAck,
    JobEvents,
    Register,
    Welcome,
)
from croupier.tunnel.link import BATCH_FRAMES, BrokenLink
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

HELLO = Hello(agent_id="a", game_id="g", env="e", capabilities=(SESSION,), incarnation="i")
WELCOME = Welcome(session_id="s", resumed=False, received=0, incarnation="x", heartbeat_ms=15_000, job_window=256)
INVOKE = Invoke(request_id="r", function_id="f", payload=b"")

FRAMES: list[Frame] = [
    HELLO,
    WELCOME,
    INVOKE,
    Register((Service(service_id="s"),)),
    CallResult(request_id="r"),
    CancelCall("r"),
    JobEvents(JobEvent(job_id="j", seq=1, type="log")),
    JobAck("j", 1),
    Drain(),
    Heartbeat(),
]


def batch(seq: int, *frames: Frame, ack: int = 0) -> bytes:
    return wire.TunnelMessage(
        type="batch", seq=seq, ack=ack, batch=[encode(frame) for frame in frames]
    ).SerializeToString()


class Calls:
    def __init__(self) -> None:
        self.ended: list[Answer | CroupierError] = []

    def __call__(self, outcome: Answer | CroupierError, _: bytes) -> None:
        self.ended.append(outcome)


def acceptor_with_a_call() -> tuple[Acceptor, Calls]:
    acceptor = Acceptor(HELLO, session_id="s", incarnation="x", config=AcceptorConfig())
    acceptor.connect(HELLO, 0.0)
    calls = Calls()
    acceptor.call("r", encode(INVOKE), calls, None)
    acceptor.take()
    return acceptor, calls


def connector() -> Connector:
    end = Connector(HELLO)
    end.greet()
    end.receive(encode(WELCOME), 0.0)
    return end


ENDS = {
    "acceptor": lambda: acceptor_with_a_call()[0],
    "connector": connector,
    "connector before its welcome": lambda: Connector(HELLO),
}


# ------------------------------------------------------------------------------------------------ random bytes

MESSAGES = st.builds(
    lambda frame, seq, ack, frames, extra: (
        wire.TunnelMessage(seq=seq, ack=ack, batch=[*(encode(one) for one in frames), *extra]).SerializeToString()
        + encode(frame)
    ),
    st.sampled_from(FRAMES),
    st.integers(0, 3),
    st.integers(0, 2**64 - 1),
    st.lists(st.sampled_from(FRAMES), max_size=3),
    st.lists(st.binary(max_size=8), max_size=2),
)


@pytest.mark.parametrize("end", ENDS)
@given(data=st.lists(st.one_of(st.binary(max_size=64), MESSAGES), max_size=5))
def test_random_messages_end_the_stream_or_are_taken(end: str, data: list[bytes]) -> None:
    machine = ENDS[end]()
    for message in data:
        try:
            machine.receive(message, 1.0)
        except InvalidArgument:
            return


@pytest.mark.parametrize("end", ENDS)
@given(frame=st.sampled_from(FRAMES), cut=st.integers(0, 200))
def test_a_truncated_message_ends_the_stream_or_is_a_shorter_message(end: str, frame: Frame, cut: int) -> None:
    machine = ENDS[end]()
    message = batch(1, frame, Heartbeat())
    with suppress(InvalidArgument):
        machine.receive(message[: min(cut, len(message) - 1)], 1.0)


@given(data=st.lists(st.one_of(st.binary(max_size=64), MESSAGES), max_size=5))
def test_whatever_came_the_open_call_ends_once(data: list[bytes]) -> None:
    acceptor, calls = acceptor_with_a_call()
    events = []
    for message in data:
        try:
            events += acceptor.receive(message, 1.0)
        except InvalidArgument:
            break
    events += acceptor.close("the stream ended")
    for event in events:
        if isinstance(event, Completed):
            event.token(event.outcome, event.raw)

    assert len(calls.ended) == 1


# ------------------------------------------------------------------------------------------------ wrong frames


@pytest.mark.parametrize(
    "frame", [HELLO, WELCOME, INVOKE, CancelCall("r"), JobAck("j", 1)], ids=lambda f: type(f).__name__
)
def test_a_frame_for_the_other_end_ends_an_acceptors_stream(frame: Frame) -> None:
    acceptor, _ = acceptor_with_a_call()
    with pytest.raises(InvalidArgument, match="not for this end"):
        acceptor.receive(batch(1, frame), 1.0)


@pytest.mark.parametrize(
    "frame",
    [HELLO, WELCOME, CallResult(request_id="r"), Register(()), JobEvents(JobEvent(job_id="j", seq=1, type="log"))],
    ids=lambda f: type(f).__name__,
)
def test_a_frame_for_the_other_end_ends_a_connectors_stream(frame: Frame) -> None:
    with pytest.raises(InvalidArgument, match="not for this end"):
        connector().receive(batch(1, frame), 1.0)


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame != Heartbeat()], ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("end", ["acceptor", "connector"])
def test_a_frame_without_a_number_ends_the_stream_instead_of_getting_lost(end: str, frame: Frame) -> None:
    with pytest.raises(InvalidArgument, match="seq"):
        ENDS[end]().receive(encode(frame), 1.0)
    with pytest.raises(InvalidArgument, match="seq"):
        ENDS[end]().receive(batch(0, frame), 1.0)


def test_an_answer_before_a_bad_frame_is_not_half_taken() -> None:
    acceptor, calls = acceptor_with_a_call()
    with pytest.raises(InvalidArgument):
        acceptor.receive(batch(1, CallResult(request_id="r"), INVOKE), 1.0)

    assert acceptor.in_flight == 1
    (event, _) = acceptor.close("the peer broke the protocol")
    assert isinstance(event, Completed)
    assert isinstance(event.outcome, OutcomeUnknown)
    assert not calls.ended


def test_a_request_before_a_bad_frame_is_not_half_started() -> None:
    end = connector()
    with pytest.raises(InvalidArgument):
        end.receive(batch(1, INVOKE, HELLO), 1.0)
    assert end.running == 0


def test_a_session_whose_connector_broke_the_protocol_is_not_resumed() -> None:
    acceptor, _ = acceptor_with_a_call()
    again = Hello(
        agent_id="a", game_id="g", env="e", capabilities=(SESSION,), incarnation="i", session_id="s", received=1
    )
    assert acceptor.resumes(again)
    with pytest.raises(InvalidArgument):
        acceptor.receive(batch(1, INVOKE), 1.0)
    assert not acceptor.resumes(again)


def test_a_connector_whose_acceptor_broke_the_protocol_asks_for_a_new_session() -> None:
    end = connector()
    assert parse(end.greet()).hello.session_id == "s"
    end.receive(encode(WELCOME), 1.0)
    with pytest.raises(InvalidArgument):
        end.receive(batch(1, HELLO), 1.0)
    end.disconnect()
    assert parse(end.greet()).hello.session_id == ""


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize("end", ["acceptor", "connector"])
def test_a_gap_breaks_the_link_and_leaves_the_session_to_be_resumed(end: str) -> None:
    machine = ENDS[end]()
    with pytest.raises(BrokenLink, match="resume"):
        machine.receive(batch(2, Drain()), 1.0)
    assert machine.link.received == 0
    assert machine.receive(batch(1, Drain()), 1.0)


@pytest.mark.parametrize("end", ["acceptor", "connector"])
def test_a_message_that_came_before_is_dropped(end: str) -> None:
    machine = ENDS[end]()
    assert len(machine.receive(batch(1, Drain()), 1.0)) == 1
    assert machine.receive(batch(1, Drain()), 1.0) == []
    assert machine.link.received == 1


@pytest.mark.parametrize("end", ["acceptor", "connector"])
def test_an_empty_message_is_a_heartbeat(end: str) -> None:
    machine = ENDS[end]()
    assert machine.receive(b"", 1.0) == []
    assert machine.receive(batch(0, ack=0), 1.0) == []


def test_a_batch_of_too_many_frames_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="at most"):
        connector().receive(batch(1, *[Heartbeat()] * (BATCH_FRAMES + 1)), 1.0)


def test_a_batch_inside_a_batch_is_no_frame_at_all() -> None:
    inner = batch(1, INVOKE)
    outer = wire.TunnelMessage(seq=1, batch=[inner]).SerializeToString()
    assert connector().receive(outer, 1.0) == []


def test_a_frame_alone_under_a_number_is_taken_like_a_batch() -> None:
    message = wire.TunnelMessage.FromString(encode(INVOKE))
    message.seq = 1
    (event,) = connector().receive(message.SerializeToString(), 1.0)
    assert isinstance(event, Execute)


def test_an_acknowledgement_of_what_was_never_sent_changes_nothing_but_the_liars_resume() -> None:
    acceptor, _ = acceptor_with_a_call()
    assert acceptor.receive(batch(0, ack=2**64 - 1), 1.0) == []
    lie = Hello(
        agent_id="a", game_id="g", env="e", capabilities=(SESSION,), incarnation="i", session_id="s", received=9
    )
    assert not acceptor.resumes(lie)


@pytest.mark.parametrize(
    ("field", "value"), [("agent_id", "b"), ("incarnation", "j"), ("session_id", "t"), ("received", 2)]
)
def test_only_the_same_process_resumes_its_own_session(field: str, value: str | int) -> None:
    acceptor, _ = acceptor_with_a_call()
    fields: dict[str, str | int] = {"agent_id": "a", "incarnation": "i", "session_id": "s", "received": 1}
    fields[field] = value
    hello = Hello(game_id="g", env="e", capabilities=(SESSION,), **fields)  # type: ignore[arg-type]
    assert not acceptor.resumes(hello)


def test_a_welcome_that_resumes_what_cannot_be_resumed_ends_the_stream_and_the_session() -> None:
    end = connector()
    end.disconnect()
    end.greet()
    lie = Welcome(session_id="s", resumed=True, received=5, incarnation="x", heartbeat_ms=15_000, job_window=256)
    with pytest.raises(BrokenLink, match="new one"):
        end.receive(encode(lie), 1.0)
    assert parse(end.greet()).hello.session_id == ""


def test_a_request_that_runs_already_is_not_started_again() -> None:
    end = connector()
    assert len(end.receive(batch(1, INVOKE, INVOKE), 1.0)) == 1
    assert end.receive(batch(2, INVOKE), 1.0) == []
    assert end.running == 1

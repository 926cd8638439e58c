"""Frames become bytes and the same frames again; foreign spellings are understood, and ours is the contract's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from croupier.domain.function import FunctionRef, Service
from croupier.domain.job import JobEvent
from croupier.errors import (
    BY_REASON,
    CroupierError,
    DeadlineExceeded,
    FunctionRejected,
    HandlerFailed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from croupier.tunnel.codec import agent_time, decode, encode, parse
from croupier.tunnel.frames import (
    SESSION,
    CallResult,
    CancelCall,
    CancelJob,
    Drain,
    Frame,
    Heartbeat,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobEvents,
    JobQuery,
    JobStarted,
    ListLocal,
    LocalList,
    Register,
    StartJob,
    Welcome,
)
from croupier.tunnel.status import CODES, MESSAGE_LIMIT, error_from, from_text
from croupier_wire.tunnel.v1 import tunnel_pb2 as wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
BYTES = st.binary(max_size=50)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
PAIRS = st.dictionaries(TEXT, TEXT, max_size=4)
ANSWERED = [reason for reason in BY_REASON if reason not in {"unauthenticated", "internal"}]
"""What an answer may say: whoever answers does not judge a caller's token, and its faults are not ours."""
ERRORS = st.builds(
    lambda kind, message, details: BY_REASON[kind](message, details), st.sampled_from(ANSWERED), WORD, PAIRS
)
MAYBE_ERROR = st.one_of(st.none(), ERRORS)

HELLO = st.builds(
    Hello,
    agent_id=TEXT,
    game_id=TEXT,
    env=TEXT,
    capabilities=st.sampled_from([(), (SESSION,), ("other", SESSION)]),
    session_id=TEXT,
    received=UINT64,
    incarnation=TEXT,
    version=TEXT,
    region=TEXT,
    zone=TEXT,
    labels=PAIRS,
)
WELCOME = st.builds(
    Welcome,
    session_id=TEXT,
    resumed=st.booleans(),
    received=UINT64,
    incarnation=TEXT,
    heartbeat_ms=UINT32,
    job_window=UINT32,
)
SERVICE = st.builds(
    Service,
    service_id=TEXT,
    version=TEXT,
    addr=TEXT,
    healthy=st.booleans(),
    functions=st.lists(st.builds(FunctionRef, TEXT, TEXT), max_size=3).map(tuple),
    manifest_json=BYTES,
)
REQUEST: dict[str, st.SearchStrategy[Any]] = {
    "request_id": TEXT,
    "function_id": TEXT,
    "payload": BYTES,
    "idempotency_key": TEXT,
    "metadata": PAIRS,
    "deadline_ms": UINT32,
    "traceparent": TEXT,
    "game_id": TEXT,
    "env": TEXT,
}
STORY: dict[str, st.SearchStrategy[Any]] = {
    "job_id": TEXT,
    "seq": UINT64,
    "message": WORD,
    "progress": st.integers(-(2**31), 2**31 - 1),
    "payload": BYTES,
    "time_ms": st.integers(-(2**63), 2**63 - 1),
}
EVENT = st.one_of(
    st.builds(JobEvent, type=st.sampled_from(["progress", "log", "done"]), **STORY),
    st.builds(JobEvent, type=st.just("error"), reason=st.sampled_from([*ANSWERED, "lost"]), **STORY),
)
TELLABLE_ERROR = st.sampled_from(
    [
        None,
        NotFound("no local handler for f"),
        FunctionRejected("rate limited"),
        HandlerFailed("broke"),
        OutcomeUnknown("no agent available"),
    ]
)

FRAMES: dict[str, st.SearchStrategy[Frame]] = {
    "hello": HELLO,
    "welcome": WELCOME,
    "register": st.builds(Register, st.lists(SERVICE, max_size=3).map(tuple)),
    "invoke": st.builds(Invoke, **REQUEST),
    "start_job": st.builds(StartJob, job_id=TEXT, **REQUEST),
    "result": st.builds(CallResult, request_id=TEXT, payload=BYTES, error=MAYBE_ERROR, service_id=TEXT),
    "start_job_result": st.builds(JobStarted, request_id=TEXT, job_id=TEXT, error=MAYBE_ERROR, service_id=TEXT),
    "cancel_call": st.builds(CancelCall, TEXT, TEXT),
    "cancel_job": st.builds(CancelJob, TEXT, TEXT),
    "job_event": st.builds(JobEvents, EVENT),
    "job_ack": st.builds(JobAck, TEXT, UINT64, st.booleans()),
    "drain": st.builds(Drain, TEXT),
    "list_local_req": st.builds(ListLocal, TEXT, TEXT),
    "list_local_res": st.builds(
        LocalList,
        request_id=TEXT,
        function_id=TEXT,
        service_ids=st.lists(TEXT, max_size=3).map(tuple),
        error=TELLABLE_ERROR,
    ),
    "get_job_result_req": st.builds(JobQuery, TEXT, TEXT),
    "get_job_result_res": st.builds(JobAnswer, request_id=TEXT, state=TEXT, payload=BYTES, error=TEXT),
    "heartbeat": st.just(Heartbeat()),
}

CONTRACT_TYPES = {
    "hello": "hello",
    "result": "result",
    "start_job_result": "start_r",
    "job_event": "job_evt",
    "list_local_res": "list_res",
    "get_job_result_res": "job_res_res",
    "invoke": "invoke",
    "start_job": "start",
    "cancel_job": "cancel",
    "list_local_req": "list_req",
    "get_job_result_req": "job_res_req",
}
"""The contract's table: the type string we send, and the field that is populated."""


def comparable(frame: Frame) -> object:
    """Errors are compared by what they say, since exceptions equal only themselves."""
    error = getattr(frame, "error", None)
    if not isinstance(error, CroupierError):
        return frame
    said = (type(error), error.message, dict(error.details))
    return [type(frame), said, *(getattr(frame, name) for name in type(frame).__slots__ if name != "error")]


@pytest.mark.parametrize("kind", FRAMES)
@given(data=st.data())
def test_a_frame_survives_the_wire(kind: str, data: st.DataObject) -> None:
    frame = data.draw(FRAMES[kind])

    message = parse(encode(frame))

    assert message.type == kind
    read = decode(message)
    if isinstance(frame, Welcome):
        assert tuple(message.welcome.capabilities) == (SESSION,)
    assert comparable(read) == comparable(frame)


@pytest.mark.parametrize(("kind", "field"), CONTRACT_TYPES.items())
def test_a_foreign_frame_is_understood_by_its_field_whatever_its_type_says(kind: str, field: str) -> None:
    for spelling in (kind, field, "", "something else"):
        message = wire.TunnelMessage(type=spelling)
        getattr(message, field).SetInParent()
        assert encode(decode(message)) == encode(decode(parse(encode(decode(message)))))
        assert parse(encode(decode(message))).type == kind


def test_every_type_of_the_contract_is_written() -> None:
    assert set(CONTRACT_TYPES) <= set(FRAMES)


def test_a_frame_that_only_a_newer_peer_knows_counts_as_a_heartbeat() -> None:
    unknown = b"\xfa\x3f\x03abc"  # field 1023, three bytes
    assert decode(parse(unknown)) == Heartbeat()


def test_an_error_without_text_still_is_an_error_for_older_peers() -> None:
    for frame in (
        CallResult(request_id="r", error=NotFound("")),
        JobStarted(request_id="r", error=NotFound("")),
        LocalList(request_id="r", function_id="f", error=NotFound("")),
    ):
        message = parse(encode(frame))
        texts = [message.result.error, message.start_r.error, message.list_res.error]
        assert any(text == "not_found" for text in texts)


def test_a_strangers_words_never_promise_that_nothing_ran() -> None:
    for text in (
        "ban written; then the mail service said: rate limited",
        "no agent available",
        "agent not connected: x",
    ):
        assert not isinstance(from_text(text), Unavailable | RateLimited)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no local handler for player.ban", NotFound),
        ("target service not found: s", NotFound),
        ("unknown job", NotFound),
        ("no agent available", OutcomeUnknown),
        ("agent not connected", OutcomeUnknown),
        ("rate limited", FunctionRejected),
        ("tunnel invoke timeout", DeadlineExceeded),
        ("anything else", HandlerFailed),
    ],
)
def test_a_plain_peers_error_text_keeps_the_meaning_that_the_contract_fixes(
    text: str, kind: type[CroupierError]
) -> None:
    error = from_text(f"upstream: {text}")
    assert type(error) is kind
    assert text in error.message


def test_an_unknown_reason_goes_by_its_code_and_an_unknown_code_is_the_peers_failure() -> None:
    assert type(error_from(8, "m", "something new")) is RateLimited
    for code in (99, 0, 17, -1):
        error = error_from(code, "m", "something new")
        assert (type(error), error.message) == (HandlerFailed, "m")


@pytest.mark.parametrize(
    ("status", "text", "says"),
    [
        (wire.Status(code=99, message="the shard burnt down"), "", "the shard burnt down"),
        (wire.Status(code=0, message="odd"), "as text", "odd"),
        (wire.Status(code=99), "as text", "as text"),
        (wire.Status(code=99), "", "it failed with the status code 99 and no message"),
    ],
)
def test_a_status_with_a_code_that_is_none_keeps_the_peers_words(status: wire.Status, text: str, says: str) -> None:
    for message in (
        wire.TunnelMessage(result=wire.ResultFrame(request_id="r", status=status, error=text)),
        wire.TunnelMessage(start_r=wire.StartJobResult(request_id="r", status=status, error=text)),
    ):
        frame = decode(message)
        assert isinstance(frame, CallResult | JobStarted)
        assert (type(frame.error), str(frame.error)) == (HandlerFailed, says)


def test_a_fault_inside_a_peer_is_not_one_of_this_program() -> None:
    status = wire.Status(code=13, reason="internal", message="the call failed inside the agent")
    frame = decode(wire.TunnelMessage(result=wire.ResultFrame(request_id="r", status=status)))
    assert isinstance(frame, CallResult)
    assert type(frame.error) is OutcomeUnknown


def test_a_foreign_message_is_cut() -> None:
    error = from_text("x" * 100_000)
    assert len(error.message) < MESSAGE_LIMIT + 20
    assert error.message.endswith("(cut)")


def test_every_reason_has_the_code_of_the_tunnels_table() -> None:
    table = (
        "invalid_argument 3, payload_too_large 3, unauthenticated 16, permission_denied 7, not_found 5, conflict 6, "
        "failed_precondition 9, rate_limited 8, unavailable 14, deadline_exceeded 4, canceled 1, outcome_unknown 2, "
        "function_rejected 10, handler_failed 13, unimplemented 12, internal 13"
    )
    written = dict(entry.split(" ") for entry in table.split(", "))

    assert {reason: str(CODES[reason].value[0]) for reason in BY_REASON} == written


@pytest.mark.parametrize("answer", [CallResult(request_id="r", payload=b"p"), CallResult(request_id="r", agent_us=7)])
def test_the_agents_time_is_added_to_an_answer_without_opening_it(answer: CallResult) -> None:
    raw = encode(answer) + agent_time(0.001234)

    assert decode(wire.TunnelMessage.FromString(raw)) == structs.replace(answer, agent_us=1234)


def test_a_time_too_long_to_be_told_is_the_longest() -> None:
    raw = encode(CallResult(request_id="r")) + agent_time(1e9)

    assert wire.TunnelMessage.FromString(raw).result.agent_us == 2**32 - 1

import asyncio
import logging

import orjson
import pytest
from tests.planes.http_testbed import SCOPED, Testbed

from croupier.domain.call import Call, Result, Route
from croupier.domain.function import Function
from croupier.domain.limits import PAYLOAD_BYTES
from croupier.domain.scope import Scope
from croupier.errors import BY_REASON, CroupierError, FunctionRejected, InternalError
from croupier.server.http.bodies import Room
from croupier.server.http.flights import Flights
from croupier.server.http.problems import STATUS


@pytest.fixture
def bed():
    return Testbed()


def problem(reply, status, reason):
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json
    assert document["status"] == status
    assert document["reason"] == reason
    assert document["type"] == f"urn:croupier:error:{reason}"
    assert document["title"]
    assert document["detail"]
    assert document["trace_id"] == reply.headers["x-trace-id"]
    return document


async def test_the_answer_is_the_functions_payload_as_it_is(bed):
    async def spaced(call):
        return Result(payload=b' {"big": 123456789012345678901234567890} ', service_id="g", agent_id="a")

    bed.calls.script = spaced
    reply = await bed.invoke()
    assert reply.status == 200
    assert reply.body == b' {"big": 123456789012345678901234567890} '
    assert reply.headers["content-type"] == "application/json"


async def test_the_answer_says_who_answered_and_under_which_ids(bed):
    reply = await bed.invoke()
    call = bed.calls.asked[0]
    assert reply.headers["x-call-id"] == call.id
    assert call.id.startswith("c")
    assert reply.headers["x-service-id"] == "game-1"
    assert reply.headers["x-agent-id"] == "agent-1"
    assert float(reply.headers["x-duration-ms"]) >= 0
    assert "x-replayed" not in reply.headers


async def test_a_replayed_answer_says_so(bed):
    async def replay(call):
        return Result(payload=b"1", replayed=True)

    bed.calls.script = replay
    assert (await bed.invoke()).headers["x-replayed"] == "true"


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"", b"hello", b'{"a":', b'"\xff"', b"[" * 100_000])
async def test_an_answer_that_is_not_json_is_labelled_as_bytes(bed, payload):
    async def raw(call):
        return Result(payload=payload)

    bed.calls.script = raw
    reply = await bed.invoke()
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.body == payload


async def test_a_service_name_cannot_break_the_answers_headers(bed):
    async def hostile(call):
        return Result(payload=b"1", service_id="a\r\nX-Evil: 1", agent_id="spieler-ß")

    bed.calls.script = hostile
    reply = await bed.invoke()
    assert reply.headers["x-service-id"] == "a%0D%0AX-Evil: 1"
    assert reply.headers["x-agent-id"] == "spieler-%C3%9F"


async def test_payload_bytes_reach_the_spine_untouched(bed):
    body = b'{"function_id": "f", "payload": {"a" :  1.50, "b":"\\u00e9"}, "game_id": "demo", "env": "dev"}'
    await bed.request("POST", "/api/invoke", body=body)
    assert bed.calls.asked[0].payload == b'{"a" :  1.50, "b":"\\u00e9"}'


async def test_a_missing_payload_is_an_empty_object(bed):
    await bed.request("POST", "/api/invoke", json={"function_id": "f"}, headers=SCOPED)
    assert bed.calls.asked[0].payload == b"{}"


async def test_every_option_of_a_call_arrives(bed):
    await bed.invoke(
        idempotency_key="k",
        route="targeted",
        target_service_id="game-2",
        hash_key="h",
        version="2.0",
        metadata={"ticket": "42"},
        timeout="1500ms",
        unknown_field={"ignored": [1]},
    )
    call = bed.calls.asked[0]
    assert call.scope == Scope("demo", "dev")
    assert (call.idempotency_key, call.route, call.target_service_id) == ("k", Route.TARGETED, "game-2")
    assert (call.hash_key, call.version, call.metadata, call.timeout) == ("h", "2.0", {"ticket": "42"}, 1.5)
    assert call.caller == "developer"


async def test_routing_in_the_metadata_counts_like_the_fields(bed):
    await bed.invoke(metadata={"route": "hash", "hash_key": "p1", "target_service_id": "x", "version": "3"})
    call = bed.calls.asked[0]
    assert (call.route, call.hash_key, call.target_service_id, call.version) == (Route.HASH, "p1", "x", "3")


async def test_the_idempotency_key_may_come_as_a_header(bed):
    headers = SCOPED | {"Idempotency-Key": "k-1"}
    await bed.request("POST", "/api/invoke", json={"function_id": "f"}, headers=headers)
    assert bed.calls.asked[0].idempotency_key == "k-1"
    reply = await bed.request("POST", "/api/invoke", json={"function_id": "f", "idempotency_key": "o"}, headers=headers)
    problem(reply, 400, "invalid_argument")


async def test_the_callers_trace_goes_on(bed):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = await bed.request("POST", "/invoke", json={"function_id": "f"}, headers=SCOPED | {"traceparent": parent})
    assert bed.calls.asked[0].traceparent == parent
    assert reply.headers["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_callers_tracestate_goes_with_its_trace_only(bed):
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    for more in (parent | {"tracestate": "a=1"}, parent | {"tracestate": "x" * 513}, {"tracestate": "a=1"}):
        await bed.request("POST", "/invoke", json={"function_id": "f"}, headers=SCOPED | more)
    assert [call.metadata for call in bed.calls.asked] == [{"tracestate": "a=1"}, {}, {}]


async def test_a_trace_named_in_the_metadata_goes_on_and_is_answered(bed):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = {"function_id": "f", "metadata": {"traceparent": parent}}
    reply = await bed.request("POST", "/invoke", json=body, headers=SCOPED)
    assert bed.calls.asked[0].traceparent == parent
    assert reply.headers["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c"
    reply = await bed.request(
        "POST", "/invoke", json={"function_id": "f", "metadata": {"trace_id": "a" * 32}}, headers=SCOPED
    )
    assert reply.headers["x-trace-id"] == "a" * 32
    assert bed.calls.asked[1].traceparent[3:35] == "a" * 32


async def test_a_refusal_names_the_trace_of_the_metadata(bed):
    body = {"function_id": "", "metadata": {"trace_id": "a" * 32}}
    reply = await bed.request("POST", "/invoke", json=body, headers=SCOPED)
    assert reply.json["trace_id"] == reply.headers["x-trace-id"] == "a" * 32


@pytest.mark.parametrize("path", ["/api/start_job", "/start-job"])
async def test_starting_a_job_answers_its_id(bed, path):
    reply = await bed.request("POST", path, json={"function_id": "mail.send_all"}, headers=SCOPED)
    assert reply.status == 200
    assert reply.json == {"job_id": bed.jobs.asked[0].id}
    assert reply.json["job_id"].startswith("j")
    assert reply.headers["location"] == f"/jobs/{reply.json['job_id']}"


async def test_a_job_may_be_given_longer_than_a_call(bed):
    sent = {"json": {"function_id": "f", "timeout": "5h"}, "headers": SCOPED}
    assert (await bed.request("POST", "/api/start_job", **sent)).status == 200
    problem(await bed.request("POST", "/api/invoke", **sent), 400, "invalid_argument")


async def test_a_function_has_an_address_of_its_own(bed):
    path = "/games/demo/functions/player.ban?env=dev&timeout=2s&idempotency_key=k&route=broadcast"
    reply = await bed.request("POST", path, body=b'{"player_id": "p1"}')
    call = bed.calls.asked[0]
    assert reply.body == b'{"ok": true}'
    assert (call.function_id, call.scope, call.payload) == ("player.ban", Scope("demo", "dev"), b'{"player_id": "p1"}')
    assert (call.timeout, call.idempotency_key, call.route) == (2.0, "k", Route.BROADCAST)


async def test_a_function_that_is_a_job_is_accepted_at_its_address(bed):
    bed.directory.functions["mail.send_all"] = Function(id="mail.send_all", returns="job")
    reply = await bed.request("POST", "/games/demo/functions/mail.send_all", headers={"X-Env": "dev"})
    assert reply.status == 202
    job_id = reply.json["job_id"]
    assert reply.headers["location"] == f"/jobs/{job_id}"
    assert bed.jobs.asked[0].payload == b"{}"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"not json", "not JSON"),
        (b'{"function_id": "f"', "not JSON"),
        (b"[1]", "Expected `object`"),
        (b'{"payload": {}}', "function_id"),
        (b'{"function_id": ""}', "function_id"),
        (b'{"function_id": 7}', "$.function_id"),
        (b'{"function_id": "f", "metadata": {"a": 1}}', "$.metadata"),
        (b'{"function_id": "f", "payload": NaN}', "not JSON"),
        (b'{"function_id": "f", "payload": "\xff"}', "UTF-8"),
        (b'{"function_id": "\xff"}', "UTF-8"),
        (b'{"function_id": "f", "route": "sideways"}', "route must be one of"),
        (b'{"function_id": "f", "timeout": 0}', "timeout"),
        (b'{"function_id": "f", "timeout": -1}', "timeout"),
        (b'{"function_id": "f", "timeout": "soon"}', "timeout"),
        (b'{"function_id": "f", "timeout": "2h"}', "timeout"),
        (b'{"function_id": "f", "timeout": 1e999}', "timeout"),
        (b'{"function_id": "a\\nb"}', "printable"),
        (orjson.dumps({"function_id": "f" * 257}), "256 bytes"),
        (orjson.dumps({"function_id": "f", "idempotency_key": "ß" * 129}), "256 bytes"),
        (orjson.dumps({"function_id": "f", "metadata": {str(n): "" for n in range(65)}}), "metadata"),
        (orjson.dumps({"function_id": "f", "metadata": {"a": "b" * 20_000}}), "metadata"),
        (b'{"function_id": "f", "payload": ' + b"[" * 65 + b"]" * 65 + b"}", "nested"),
        (b'{"function_id": "f", "payload": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}", "nested"),
    ],
)
async def test_a_body_that_is_wrong_is_refused_with_what_is_wrong(bed, body, says):
    document = problem(await bed.request("POST", "/api/invoke", body=body, headers=SCOPED), 400, "invalid_argument")
    assert says in document["detail"]
    assert document["call_id"].startswith("c")
    assert not bed.calls.asked


async def test_nesting_up_to_the_limit_and_brackets_in_strings_are_fine(bed):
    deep = b"[" * 64 + b"]" * 64
    body = b'{"function_id":"f","payload":{"a":"' + b"[{" * 500 + b'\\\\\\"["}}'
    for payload in (b'{"function_id":"f","payload":' + deep + b"}", body):
        assert (await bed.request("POST", "/api/invoke", body=payload, headers=SCOPED)).status == 200


async def test_a_body_declared_too_large_is_refused_before_it_is_read(bed):
    sent = [("content-length", "999999999"), *SCOPED.items()]
    connection = bed.connect("POST", "/api/invoke", headers=sent, chunks=[b"{", b"}"])
    reply = await connection.reply()
    problem(reply, 413, "payload_too_large")
    assert reply.headers["connection"] == "close"


async def test_an_eleven_megabyte_body_is_refused_and_the_connection_kept(bed):
    reply = await bed.request("POST", "/api/invoke", body=b" " * 11_000_000, headers=SCOPED)
    problem(reply, 413, "payload_too_large")
    assert "connection" not in reply.headers


async def test_a_body_without_a_length_is_bounded_too(bed):
    chunks = [b'{"function_id":"f","payload":"', *[b"x" * 1_000_000] * 11, b'"}']
    problem(await bed.request("POST", "/api/invoke", chunks=chunks, headers=SCOPED), 413, "payload_too_large")


async def test_a_payload_may_be_ten_megabytes_but_not_a_byte_more(bed):
    largest = b'"' + b"x" * (PAYLOAD_BYTES - 2) + b'"'
    path = "/games/demo/functions/f"
    assert (await bed.request("POST", path, body=largest, headers={"X-Env": "dev"})).status == 200
    over = largest[:-1] + b'x"'
    problem(await bed.request("POST", path, body=over, headers={"X-Env": "dev"}), 413, "payload_too_large")


@pytest.mark.parametrize("body", [b"nope", b'{"a": NaN}', b"\xff", b"[" * 65 + b"]" * 65])
async def test_a_bare_payload_is_checked_like_any_other(bed, body):
    reply = await bed.request("POST", "/games/demo/functions/f", body=body, headers={"X-Env": "dev"})
    problem(reply, 400, "invalid_argument")


async def test_a_compressed_body_is_refused_in_words(bed):
    reply = await bed.request("POST", "/api/invoke", body=b"\x1f\x8b", headers=SCOPED | {"Content-Encoding": "gzip"})
    assert "Content-Encoding" in problem(reply, 400, "invalid_argument")["detail"]


@pytest.mark.parametrize(
    ("path", "headers", "fields"),
    [
        ("/api/invoke", {"X-Game-ID": "demo", "X-Env": "dev"}, {"game_id": "other"}),
        ("/api/invoke", {"X-Game-ID": "demo", "X-Env": "dev"}, {"env": "prod"}),
        ("/api/invoke?env=prod", {"X-Game-ID": "demo", "X-Env": "dev"}, {}),
        ("/api/invoke?env=prod&env=dev", {"X-Game-ID": "demo"}, {}),
        ("/api/invoke", {"X-Game-ID": "demo", "X-Env": "dev"}, {"metadata": {"game_id": "other"}}),
        ("/api/invoke", [("X-Game-ID", "demo"), ("X-Game-ID", "other"), ("X-Env", "dev")], {}),
        ("/games/other/functions/f", {"X-Game-ID": "demo", "X-Env": "dev"}, {}),
    ],
)
async def test_two_scopes_that_disagree_are_refused(bed, path, headers, fields):
    reply = await bed.request("POST", path, headers=headers, json={"function_id": "f", **fields})
    assert "twice" in problem(reply, 400, "invalid_argument")["detail"]
    assert not bed.calls.asked


@pytest.mark.parametrize("path", ["/api/invoke", "/api/invoke?game_id=demo", "/api/invoke?game_id=../x&env=dev"])
async def test_a_scope_that_is_missing_or_malformed_is_refused(bed, path):
    problem(await bed.request("POST", path, json={"function_id": "f"}), 400, "invalid_argument")


async def test_scope_by_query_is_enough_and_saying_it_twice_alike_is_fine(bed):
    reply = await bed.request(
        "POST", "/api/invoke?game_id=demo&env=dev", json={"function_id": "f", "env": "dev"}, headers=SCOPED
    )
    assert reply.status == 200


@pytest.mark.parametrize("reason", sorted(BY_REASON))
async def test_every_error_has_its_status_and_document(bed, reason):
    async def fail(call: Call):
        raise BY_REASON[reason]("what happened and what to do", {"hint": "x"})

    bed.calls.script = fail
    reply = await bed.invoke()
    document = problem(reply, STATUS[reason], reason)
    assert document["call_id"] == bed.calls.asked[0].id == reply.headers["x-call-id"]
    if reason != "internal":
        assert document["detail"] == "what happened and what to do"
        assert document["details"] == {"hint": "x"}


async def test_a_rate_limited_caller_is_told_when_to_come_back(bed):
    async def fail(call):
        raise BY_REASON["rate_limited"]("rate limited")

    bed.calls.script = fail
    assert (await bed.invoke()).headers["retry-after"] == "1"


@pytest.mark.parametrize("failure", [ZeroDivisionError("secret-in-a-message"), InternalError("secret-in-a-message")])
async def test_a_fault_of_the_server_is_logged_with_the_call_and_told_without_its_text(bed, caplog, failure):
    async def break_down(call):
        raise failure

    bed.calls.script = break_down
    with caplog.at_level(logging.ERROR):
        reply = await bed.invoke()
    document = problem(reply, 500, "internal")
    assert b"secret-in-a-message" not in reply.body
    assert document["call_id"] in caplog.text
    assert document["call_id"] in document["detail"]


async def test_a_message_that_is_not_unicode_still_makes_a_document(bed):
    async def fail(call):
        raise FunctionRejected("lone \ud800 surrogate")

    bed.calls.script = fail
    assert problem(await bed.invoke(), 422, "function_rejected")["detail"] == "lone ? surrogate"


async def test_a_caller_that_hangs_up_cancels_its_call():
    bed = Testbed(flights=Flights(watch_after=0.001))

    async def hang(call):
        await asyncio.Event().wait()
        return Result(payload=b"")

    bed.calls.script = hang
    connection = bed.connect("POST", "/api/invoke", json={"function_id": "f"}, headers=SCOPED)
    await bed.calls.began.wait()
    connection.hang_up()
    await bed.calls.cancelled.wait()
    assert await connection.message() is None
    await connection.task


async def test_a_caller_that_waits_gets_its_answer_although_it_is_watched():
    flights = Flights(watch_after=0.001)
    bed = Testbed(flights=flights)
    go = asyncio.Event()

    async def wait(call):
        await go.wait()
        return Result(payload=b'"late"')

    bed.calls.script = wait
    connection = bed.connect("POST", "/api/invoke", json={"function_id": "f"}, headers=SCOPED)
    await connection.listening.wait()
    go.set()
    assert (await connection.reply()).body == b'"late"'
    assert len(flights) == 0


async def test_stopping_the_server_is_not_taken_for_a_hang_up(bed):
    async def hang(call):
        await asyncio.Event().wait()
        return Result(payload=b"")

    bed.calls.script = hang
    connection = bed.connect("POST", "/api/invoke", json={"function_id": "f"}, headers=SCOPED)
    await bed.calls.began.wait()
    connection.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connection.task


async def test_a_caller_that_leaves_while_sending_is_forgotten():
    flights = Flights()
    bed = Testbed(flights=flights)
    connection = bed.connect("POST", "/api/invoke", headers=[("content-length", "9")], chunks=[])
    connection.hang_up()
    assert await connection.message() is None
    assert not bed.calls.asked
    assert len(flights) == 0


async def test_a_body_that_never_ends_is_given_up():
    bed = Testbed(flights=Flights(watch_after=0.001, body_seconds=0.002))
    connection = bed.connect("POST", "/api/invoke", headers=[("content-length", "9")], chunks=[])
    problem(await connection.reply(), 400, "invalid_argument")


async def test_a_full_server_says_so_and_serves_again_afterwards():
    bed = Testbed(flights=Flights(limit=1))
    go = asyncio.Event()

    async def wait(call):
        await go.wait()
        return Result(payload=b"1")

    bed.calls.script = wait
    first = bed.connect("POST", "/api/invoke", json={"function_id": "f"}, headers=SCOPED)
    await bed.calls.began.wait()
    refused = await bed.invoke()
    problem(refused, 503, "rate_limited")
    assert refused.headers["retry-after"] == "1"
    go.set()
    assert (await first.reply()).status == 200
    assert (await bed.invoke()).status == 200


async def test_large_bodies_share_a_bounded_room_and_leave_it():
    bed = Testbed(room=Room(1000))
    body = orjson.dumps({"function_id": "f", "payload": "x" * 900})
    for _ in range(3):
        assert (await bed.request("POST", "/api/invoke", body=body, headers=SCOPED)).status == 200
    too_much = orjson.dumps({"function_id": "f", "payload": "x" * 1000})
    problem(await bed.request("POST", "/api/invoke", body=too_much, headers=SCOPED), 503, "rate_limited")


async def test_ten_thousand_calls_at_once_are_all_answered(bed):
    replies = await asyncio.gather(*(bed.invoke() for _ in range(10_000)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.headers["x-call-id"] for reply in replies}) == 10_000


def test_every_reason_has_a_status():
    # A game server may not say of a call that somebody has to approve it.
    assert set(STATUS) == {*BY_REASON, "method_not_allowed", "awaiting_approval"}
    assert all(issubclass(kind, CroupierError) for kind in BY_REASON.values())

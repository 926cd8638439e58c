"""Recorded calls over HTTP."""

from dataclasses import replace

import pytest
from tests.planes.http_testbed import SCOPED, Testbed

from croupier.domain.call import Call, CallState, Outcome, Result, Route, Trail
from croupier.domain.listing import CallFilter, Cursor
from croupier.domain.scope import Scope
from croupier.errors import DeadlineExceeded, HandlerFailed, OutcomeUnknown
from croupier.store import CallRecord

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def recorded(call_id: str = "c1", outcome: Outcome | None = None, **fields) -> CallRecord:
    call = Call(
        id=call_id,
        function_id="player.ban",
        scope=Scope("demo", "dev"),
        payload=fields.pop("payload", b'{"player_id": "p1"}'),
        caller="developer",
        idempotency_key=fields.pop("key", ""),
        route=Route.HASH,
        hash_key="p1",
        metadata={"order": "T-7"},
        traceparent=f"00-{TRACE}-00f067aa0ba902b7-01",
        replay_of="c0",
    )
    state = fields.pop("state", CallState.SUCCEEDED)
    given = {"call": call, "kind": "invoke", "state": state, "outcome": outcome, "started_ms": 1_000}
    return CallRecord(**given | {"finished_ms": 1_040} | fields)


@pytest.fixture
def bed() -> Testbed:
    return Testbed()


async def test_a_recorded_call_is_told_whole(bed):
    trail = Trail(
        decision="hash of p1",
        agent_id="agent-1",
        service_id="game-1",
        server_us=40_000,
        recorded_us=900,
        agent_us=800,
        handler_us=700,
    )
    bed.history.records = [recorded(outcome=Result(payload=b'{"ok": 1}'), trail=trail, replays=2)]

    reply = await bed.request("GET", "/api/calls/c1")

    assert reply.json == {
        "call_id": "c1",
        "kind": "invoke",
        "function_id": "player.ban",
        "game_id": "demo",
        "env": "dev",
        "caller": "developer",
        "state": "succeeded",
        "error": "",
        "reason": "",
        "next": "",
        "agent_id": "agent-1",
        "service_id": "game-1",
        "failed": 0,
        "trace_id": TRACE,
        "idempotency_key": "",
        "replay_of": "c0",
        "replays": 2,
        "started_ms": 1_000,
        "finished_ms": 1_040,
        "timings": {"server_us": 40_000, "recorded_us": 900, "agent_us": 800, "handler_us": 700},
        "payload": {"player_id": "p1"},
        "metadata": {"order": "T-7"},
        "timeout": None,
        "route": {
            "route": "hash",
            "target_service_id": "",
            "hash_key": "p1",
            "version": "",
            "decision": "hash of p1",
            "choice": {"code": None, "parameters": {}, "detail": "hash of p1"},
        },
        "result": {"payload": {"ok": 1}},
        "code": None,
        "details": {},
    }


async def test_bytes_that_are_no_json_come_as_base64(bed):
    bed.history.records = [recorded(outcome=Result(payload=b"\xff"), payload=b"\xfe")]

    found = (await bed.request("GET", "/api/calls/c1")).json

    assert (found["payload_base64"], found["result"]) == ("/g==", {"payload_base64": "/w=="})


@pytest.mark.parametrize(
    ("error", "key", "told"),
    [
        (OutcomeUnknown("lost"), "", "; if it did not, call again"),
        (OutcomeUnknown("lost"), "k", "; if it did not, call again with a new idempotency key"),
        (DeadlineExceeded("late"), "", "; if it did not, call again"),
    ],
)
async def test_a_call_that_may_have_taken_effect_says_what_to_do(bed, error, key, told):
    bed.history.records = [recorded(outcome=error, key=key, state=CallState.OUTCOME_UNKNOWN)]

    found = (await bed.request("GET", "/api/calls/c1")).json

    assert (found["state"], found["reason"], found["error"]) == ("outcome_unknown", error.reason, error.message)
    assert found["next"] == f"look in the game whether it took effect{told}"


async def test_a_failure_that_is_certain_asks_for_nothing(bed):
    bed.history.records = [recorded(outcome=HandlerFailed("ValueError", {"line": "7"}), state=CallState.FAILED)]

    found = (await bed.request("GET", "/api/calls/c1")).json

    assert (found["next"], found["details"], found["result"]) == ("", {"line": "7"}, None)


async def test_a_started_job_has_its_result_elsewhere(bed):
    bed.history.records = [recorded("j1", Result(payload=b"j1"), kind="job")]

    found = (await bed.request("GET", "/api/calls/j1")).json

    assert (found["kind"], found["result"]) == ("job", None)


async def test_an_unknown_call_is_not_found(bed):
    reply = await bed.request("GET", "/api/calls/nope")

    assert (reply.status, reply.json["reason"]) == (404, "not_found")


async def test_a_list_is_asked_for_by_everything_that_the_query_names(bed):
    query = (
        "function_id=player.ban&state=failed&state=canceled&caller=ann&since=2023-11-14T22:13:20Z&until=1700000001000"
        f"&trace_id={TRACE}&idempotency_key=k&replay_of=c0&limit=7&after=1700000000500-c9"
    )

    await bed.request("GET", f"/api/calls?{query}", headers=SCOPED)
    await bed.request("GET", "/api/calls")

    assert bed.history.asked == [
        (
            CallFilter(
                scope=Scope("demo", "dev"),
                function_id="player.ban",
                states=frozenset({CallState.FAILED, CallState.CANCELED}),
                caller="ann",
                since_ms=1_700_000_000_000,
                until_ms=1_700_000_001_000,
                trace_id=TRACE,
                idempotency_key="k",
                replay_of="c0",
            ),
            7,
            Cursor(1_700_000_000_500, "c9"),
        ),
        (CallFilter(), 100, None),
    ]


async def test_a_page_says_where_the_next_one_begins(bed):
    bed.history.records = [recorded("c2"), recorded("c1")]

    first = (await bed.request("GET", "/api/calls?limit=1")).json
    whole = (await bed.request("GET", "/api/calls")).json

    assert ([call["call_id"] for call in first["calls"]], first["next"]) == (["c2"], "7-c2")
    assert ([call["call_id"] for call in whole["calls"]], whole["next"]) == (["c2", "c1"], "")
    assert "payload" not in whole["calls"][0]


@pytest.mark.parametrize(
    "query",
    [
        "state=sleeping",
        "limit=0",
        "limit=1001",
        "after=x",
        "after=-c1",
        f"after=1-{'c' * 257}",
        "since=yesterday",
        "until=-1",
        "until=9999999999999999999",
        "game_id=demo",
        f"caller={'x' * 257}",
        "function_id=a&function_id=b",
    ],
)
async def test_a_wrong_query_is_refused(bed, query):
    reply = await bed.request("GET", f"/api/calls?{query}")

    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert not bed.history.asked


# ------------------------------------------------------------------------------------------------ call again


async def test_calling_again_is_a_new_call_with_the_same_arguments(bed):
    bed.history.records = [recorded(key="k")]

    reply = await bed.request("POST", "/api/calls/c1/replay")

    assert (reply.status, reply.json) == (200, {"ok": True})
    (call,) = bed.calls.asked
    first = bed.history.records[0].call
    assert call.id == reply.headers["x-call-id"]
    assert call.id not in {"c1", ""}
    assert call.replay_of == "c1"
    assert call.idempotency_key == ""
    assert reply.headers["x-trace-id"] in call.traceparent
    assert replace(call, id="c1", replay_of="c0", idempotency_key="k", traceparent=first.traceparent) == first


async def test_calling_again_takes_a_new_key_and_another_timeout(bed):
    bed.history.records = [recorded(key="k")]

    await bed.request("POST", "/api/calls/c1/replay", json={"idempotency_key": "k2", "timeout": "2m"})
    await bed.request("POST", "/api/calls/c1/replay", headers={"Idempotency-Key": "k3"})

    assert [(call.idempotency_key, call.timeout) for call in bed.calls.asked] == [("k2", 120.0), ("k3", None)]


async def test_a_job_is_started_again_as_a_job(bed):
    bed.history.records = [recorded("j1", kind="job")]

    reply = await bed.request("POST", "/api/calls/j1/replay")

    (call,) = bed.jobs.asked
    assert reply.json == {"job_id": call.id}
    assert (call.id[0], call.replay_of, reply.headers["location"]) == ("j", "j1", f"/jobs/{call.id}")


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/api/calls/nope/replay", {}, 404),
        ("/api/calls/c1/replay", {"json": {"timeout": 0}}, 400),
        ("/api/calls/c1/replay", {"json": {"idempotency_key": "x" * 257}}, 400),
        ("/api/calls/c1/replay", {"json": []}, 400),
        ("/api/calls/c1/replay", {"body": b"{"}, 400),
        ("/api/calls/c1/replay", {"headers": {"X-Game-ID": "another", "X-Env": "dev"}}, 400),
    ],
)
async def test_a_wrong_wish_to_call_again_runs_nothing(bed, path, sent, status):
    bed.history.records = [recorded()]

    assert (await bed.request("POST", path, **sent)).status == status
    assert not bed.calls.asked


async def test_calling_again_is_a_post(bed):
    reply = await bed.request("GET", "/api/calls/c1/replay")

    assert (reply.status, reply.headers["allow"]) == (405, "POST")

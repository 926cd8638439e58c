"""Limits and maintenance windows hold for real calls and jobs, whichever way they come, and survive a restart."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import orjson
import pytest
from tests.planes.scripted_agent import (
    HERE,
    Reply,
    ScriptedAgent,
    Server,
    attached,
    eventually,
    keep_silent,
    running,
    service,
    stub_of,
)

from croupier.domain.scope import Scope
from croupier.errors import HandlerFailed
from croupier.tunnel.frames import CallResult, Invoke
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def put_limit(server: Server, name: str = "l", **said: Any) -> Any:
    reply = await server.request("PUT", f"/api/limits/{name}", data=orjson.dumps({"functions": "*", **said}))
    assert reply.status == 200, reply.body
    return reply.json


async def open_window(server: Server, **said: Any) -> Any:
    reply = await server.request("POST", "/api/maintenance", data=orjson.dumps({"reason": "new hardware", **said}))
    assert reply.status == 200, reply.body
    return reply.json


def refused(reply: Reply, status: int = 429) -> Any:
    assert reply.status == status, reply.body
    return reply.json


# ------------------------------------------------------------------------------------------------ rates


async def test_a_call_beyond_the_rate_is_told_when_to_come_again(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, rate="2/m")
        assert [(await server.invoke()).status for _ in range(2)] == [200, 200]
        reply = await server.invoke()
        problem = refused(reply)
        assert problem["reason"] == "rate_limited"
        assert problem["details"]["limit"] == "l"
        assert "rate limited" in problem["detail"]
        assert "nothing ran, try again in" in problem["detail"]
        assert 1 <= int(reply.headers["Retry-After"]) <= 30
        assert len(agent.executed) == 2


async def test_a_key_that_was_refused_for_the_rate_is_free(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, rate="1/h")
        await server.invoke()
        refused(await server.invoke(idempotency_key="k"))
        await server.request("DELETE", "/api/limits/l")
        assert (await server.invoke(idempotency_key="k", payload={"other": 1})).status == 200
        assert len(agent.executed) == 2


async def test_the_rate_of_a_description_holds_until_a_limit_replaces_it(server: Server) -> None:
    said = orjson.dumps([{"id": "f", "semantics": {"rate_limit": "1/h"}}])
    async with attached(server, services=(service("f", manifest_json=said),)):
        assert (await server.invoke()).status == 200
        assert "its description" in refused(await server.invoke())["detail"]
        await put_limit(server, rate="2/h", replaces=True)
        assert [(await server.invoke()).status for _ in range(3)] == [200, 200, 429]


async def test_a_limit_beside_a_description_only_tightens_it(server: Server) -> None:
    said = orjson.dumps([{"id": "f", "semantics": {"rate_limit": "1/h"}}])
    async with attached(server, services=(service("f", manifest_json=said),)):
        await put_limit(server, rate="5/h")
        assert [(await server.invoke()).status for _ in range(2)] == [200, 429]


async def test_who_has_a_share_of_their_own_is_as_the_limit_says(server: Server) -> None:
    async with attached(server, services=(service("f", "g"),)):
        await put_limit(server, rate="1/h", per="function")
        assert [(await server.invoke(function_id=name)).status for name in "fgf"] == [200, 200, 429]
        await put_limit(server, rate="1/h", per="function", functions="x")
        await put_limit(server, "together", rate="1/h", per="game")
        assert [(await server.invoke(function_id=name)).status for name in "fg"] == [200, 429]


async def test_jobs_and_grpc_calls_count_too(server: Server) -> None:
    async with attached(server), grpc.aio.insecure_channel(server.grpc) as channel:
        await put_limit(server, rate="2/h", per="game")
        await server.started()
        stub = stub_of(function_pb2_grpc.FunctionServiceStub, channel)
        asked = function_pb2.InvokeRequest(function_id="f", payload=b"{}", metadata=HERE)
        await stub.Invoke(asked, metadata=server.credentials)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.Invoke(asked, metadata=server.credentials)
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "rate limited" in str(refusal.value.details())
        refused(await server.start())


# ------------------------------------------------------------------------------------------------ concurrency


async def test_so_many_run_at_once_and_no_more(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        await put_limit(server, concurrency=2)
        first, second = (asyncio.ensure_future(server.invoke()) for _ in range(2))
        frames = [await agent.request() for _ in range(2)]
        assert "takes 2 at once in demo|dev" in refused(await server.invoke())["detail"]
        agent.send(CallResult(request_id=frames[0].request_id, payload=b"{}"))
        await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        third = asyncio.ensure_future(server.invoke())
        frames.append(await agent.request())
        for frame in frames[1:]:
            agent.send(CallResult(request_id=frame.request_id, payload=b"{}"))
        assert [(await each).status for each in (first, second, third)] == [200, 200, 200]
        assert (await put_limit(server, concurrency=2))["running"] == 0


async def test_a_caller_that_goes_away_leaves_its_place(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        await put_limit(server, concurrency=1)
        leaving = asyncio.ensure_future(server.invoke())
        frame = await agent.request()
        leaving.cancel()
        await agent.aborted(frame.request_id)

        async def is_free() -> bool:
            return (await server.request("GET", "/api/limits/l")).json["running"] == 0

        assert await eventually(is_free)


async def test_a_call_that_does_not_fit_leaves_its_place(server: Server) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    said = orjson.dumps([{"id": "f", "params": schema, "semantics": {"concurrency": 1}}])
    async with attached(server, services=(service("f", manifest_json=said),)):
        refused(await server.invoke(), 400)
        assert (await server.invoke(payload={"n": 1})).status == 200


async def test_a_job_holds_its_place_until_it_ends(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, concurrency=1)
        job_id = await server.started()
        refused(await server.start())
        refused(await server.invoke())
        agent.tell(job_id, 1, "done", payload=b"{}")
        await server.ended(job_id)
        assert (await server.invoke()).status == 200


async def test_a_job_that_could_not_begin_leaves_its_place(server: Server) -> None:
    await put_limit(server, concurrency=1)
    for _ in range(2):
        assert (await server.start()).status != 429


# ------------------------------------------------------------------------------------------------ budgets

COINS = {"path": "$.amount", "most": 100, "period": "day", "zone": "Asia/Shanghai"}


async def spent(server: Server, name: str = "l") -> list[float]:
    budget = (await server.request("GET", f"/api/limits/{name}")).json["budget"]
    return [each["amount"] for each in budget["spent"]]


async def test_a_budget_is_used_up_and_says_what_is_left(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, budget=COINS, per="user")
        assert (await server.invoke(payload={"amount": 60.5})).status == 200
        problem = refused(await server.invoke(payload={"amount": 40}), 403)
        assert "would take 40, and of 100 for each caller" in problem["detail"]
        assert "39.5 is left" in problem["detail"]
        assert problem["details"]["limit"] == "l"
        assert (await server.invoke(payload={"amount": 39.5})).status == 200
        refused(await server.invoke(payload={"amount": 0.000001}), 403)
        assert (await server.invoke(payload={"amount": 0})).status == 200
        assert await spent(server) == [100.0]
        assert len(agent.executed) == 3


@pytest.mark.parametrize("payload", [{}, {"amount": "5"}, {"amount": -5}, {"amount": None}, {"amount": 1, "Amount": 9}])
async def test_an_amount_that_cannot_be_counted_is_not_let_through(server: Server, payload: Any) -> None:
    async with attached(server) as agent:
        await put_limit(server, budget=COINS)
        assert "$.amount" in refused(await server.invoke(payload=payload), 400)["detail"]
        assert agent.executed == []


async def test_an_amount_that_is_named_twice_is_not_let_through(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, budget=COINS)
        body = b'{"function_id": "f", "game_id": "demo", "env": "dev", "payload": {"amount": 1000, "amount": 1}}'
        refused(await server.request("POST", "/api/invoke", data=body), 400)
        assert agent.executed == []


async def test_what_did_not_run_is_given_back(server: Server) -> None:
    await put_limit(server, budget=COINS)
    refused(await server.invoke(payload={"amount": 100}), 404)
    refused(await server.start(payload={"amount": 100}), 404)
    async with attached(server, services=(service("f"),)):
        assert (await server.invoke(payload={"amount": 100}, idempotency_key="k")).status == 200
        assert await spent(server) == [100.0]


async def test_a_repeated_key_gets_the_first_answer_though_the_budget_is_used_up(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, budget=COINS)
        replies = [await server.invoke(payload={"amount": 100}, idempotency_key="k") for _ in range(2)]
        assert [(reply.status, reply.headers.get("X-Replayed")) for reply in replies] == [(200, None), (200, "true")]
        refused(await server.invoke(payload={"amount": 100}, idempotency_key="another"), 403)
        assert await spent(server) == [100.0]
        assert len(agent.executed) == 1


async def test_what_may_have_run_stays_spent(server: Server) -> None:
    def fail(agent: ScriptedAgent, frame: Invoke) -> None:
        agent.send(CallResult(request_id=frame.request_id, error=HandlerFailed("it broke")))

    async with attached(server, script=fail):
        await put_limit(server, budget=COINS)
        refused(await server.invoke(payload={"amount": 70}), 502)
        assert await spent(server) == [70.0]


async def test_calls_at_the_same_moment_do_not_go_over_a_budget_together(server: Server) -> None:
    async with attached(server) as agent:
        await put_limit(server, budget=COINS)
        replies = await asyncio.gather(*(server.invoke(payload={"amount": 30}) for _ in range(10)))
        assert sorted(reply.status for reply in replies) == [200] * 3 + [403] * 7
        assert len(agent.executed) == 3


async def test_a_budget_of_single_calls_adds_nothing_up(server: Server) -> None:
    async with attached(server):
        await put_limit(server, budget={**COINS, "period": "call"})
        assert [(await server.invoke(payload={"amount": amount})).status for amount in (100, 100, 101)] == [
            200,
            200,
            403,
        ]


# ------------------------------------------------------------------------------------------------ maintenance


async def test_a_window_holds_commands_back_and_lets_queries_through(server: Server) -> None:
    said = orjson.dumps([{"id": "q", "semantics": {"mode": "query"}}, {"id": "f"}])
    async with attached(server, services=(service("f", "q", manifest_json=said),)) as agent:
        window = await open_window(server, lasts="2h", game_id="demo")
        assert window["state"] == "open"
        reply = await server.invoke()
        problem = refused(reply, 503)
        assert "under maintenance until" in problem["detail"]
        assert "new hardware" in problem["detail"]
        assert problem["details"]["maintenance"] == window["id"]
        assert 7000 < int(reply.headers["Retry-After"]) <= 7200
        refused(await server.start(), 503)
        assert (await server.invoke(function_id="q")).status == 200
        ended = await server.request("POST", f"/api/maintenance/{window['id']}/end")
        assert ended.json["state"] == "over"
        assert ended.json["ended_by"]
        assert (await server.invoke()).status == 200
        assert [frame.function_id for frame in agent.executed] == ["q", "f"]


async def test_a_window_of_another_game_or_of_tomorrow_holds_nothing_back(server: Server) -> None:
    async with attached(server):
        await open_window(server, game_id="other")
        await open_window(server, env="prod")
        planned = await open_window(server, starts=str(time.time_ns() // 1_000_000 + 86_400_000))
        assert planned["state"] == "planned"
        assert (await server.invoke()).status == 200


async def test_who_may_can_work_on_it_all_the_same_when_they_say_so(server: Server) -> None:
    async with attached(server):
        await open_window(server)
        refused(await server.invoke(), 503)
        assert (await server.invoke(metadata={"override_maintenance": "true"})).status == 200


async def test_a_job_that_runs_goes_on_under_maintenance(server: Server) -> None:
    async with attached(server) as agent:
        job_id = await server.started()
        await open_window(server)
        agent.tell(job_id, 1, "done", payload=b"{}")
        assert (await server.ended(job_id))["state"] == "succeeded"


async def test_limits_windows_and_what_was_spent_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server):
        await put_limit(server, budget=COINS)
        await server.invoke(payload={"amount": 60})
        window = await open_window(server, game_id="other")
    async with running(tmp_path) as server, attached(server):
        assert [each["id"] for each in (await server.request("GET", "/api/maintenance")).json["windows"]] == [
            window["id"]
        ]
        refused(await server.invoke(payload={"amount": 41}), 403)
        assert (await server.invoke(payload={"amount": 40})).status == 200
        assert refused(await server.invoke(scope=Scope("other", "x")), 503)["details"]["maintenance"] == window["id"]


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "functions"),
        ({"functions": "*"}, "give one of them"),
        ({"functions": "*", "rate": "often"}, "5rps"),
        ({"functions": "*", "rate": 0}, "rate"),
        ({"functions": "*", "rate": {"value": 1, "window": "2 weeks"}}, "rate"),
        ({"functions": "*", "concurrency": -1}, "concurrency"),
        ({"functions": "*", "concurency": 1}, "concurency"),
        ({"functions": "*", "per": "planet", "rate": 1}, "planet"),
        ({"functions": "*", "budget": {"path": "$..a", "most": 1}}, "several values"),
        ({"functions": "*", "budget": {"path": "amount", "most": 1}}, "JSONPath"),
        ({"functions": "*", "budget": {"path": "$.a", "most": -1}}, "most"),
        ({"functions": "*", "budget": {"path": "$.a", "most": 1, "zone": "Mars"}}, "time zone"),
    ],
)
async def test_a_limit_that_makes_no_sense_is_refused_with_the_reason(server: Server, said: Any, says: str) -> None:
    reply = await server.request("PUT", "/api/limits/l", data=orjson.dumps(said))
    assert says in refused(reply, 400)["detail"]
    assert (await server.request("GET", "/api/limits")).json == {"limits": []}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x", "lasts": "long"}, "lasts"),
        ({"reason": "x", "lasts": "2h", "ends": "2099-01-01T00:00:00Z"}, "not both"),
        ({"reason": "x", "ends": "2001-01-01T00:00:00Z"}, "past"),
        ({"reason": "x", "starts": "2999-01-01T00:00:00Z"}, "year"),
        ({"reason": "x", "starts": "soon"}, "starts"),
        ({"reason": "x", "game_id": "a b"}, "game_id"),
    ],
)
async def test_a_window_that_makes_no_sense_is_refused_with_the_reason(server: Server, said: Any, says: str) -> None:
    reply = await server.request("POST", "/api/maintenance", data=orjson.dumps(said))
    assert says in refused(reply, 400)["detail"]
    assert (await server.request("GET", "/api/maintenance")).json == {"windows": []}


async def test_what_is_not_there_is_said_so(server: Server) -> None:
    for method, path in (("GET", "/api/limits/x"), ("DELETE", "/api/limits/x"), ("POST", "/api/maintenance/x/end")):
        refused(await server.request(method, path), 404)

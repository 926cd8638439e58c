"""The second answer for an idempotency key: that it is one, and which call has the record."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.planes.scripted_agent import (
    HERE,
    Reply,
    ScriptedAgent,
    Server,
    attached,
    keep_silent,
    running,
    stub_of,
    within,
)

from croupier.errors import CroupierError, HandlerFailed, OutcomeUnknown
from croupier.tunnel.frames import CallResult, Invoke, JobStarted, StartJob
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


def crash(agent: ScriptedAgent, frame: Invoke) -> None:
    kind = JobStarted if isinstance(frame, StartJob) else CallResult
    agent.send(kind(request_id=frame.request_id, error=HandlerFailed("it crashed"), service_id="game-1"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


def marks(reply: Reply) -> tuple[int, str | None, str | None]:
    return reply.status, reply.headers.get("X-Replayed"), reply.headers.get("X-Service-ID")


async def on_record(server: Server, call_id: str) -> bool:
    return (await server.request("GET", f"/api/calls/{call_id}")).status == 200


@pytest.mark.parametrize("path", ["invoke", "start"])
async def test_a_failure_that_is_told_again_says_so_and_names_the_first_call(server: Server, path: str) -> None:
    async with attached(server, script=crash) as agent:
        first = await getattr(server, path)(idempotency_key="k")
        again = await getattr(server, path)(idempotency_key="k")
    assert (marks(first), marks(again)) == ((502, None, "game-1"), (502, "true", "game-1"))
    assert again.json["detail"] == first.json["detail"] == "it crashed"
    assert again.headers["X-Call-ID"] == again.json["call_id"] == first.headers["X-Call-ID"]
    assert await on_record(server, again.json["call_id"])
    assert len(agent.executed) == 1


@pytest.mark.parametrize("path", ["invoke", "start"])
async def test_an_answer_that_is_told_again_names_the_first_call(server: Server, path: str) -> None:
    async with attached(server):
        first = await getattr(server, path)(idempotency_key="k")
        again = await getattr(server, path)(idempotency_key="k")
    assert (first.headers.get("X-Replayed"), again.headers.get("X-Replayed")) == (None, "true")
    assert again.headers["X-Call-ID"] == first.headers["X-Call-ID"]


@pytest.mark.parametrize("path", ["invoke", "start"])
async def test_who_waits_for_the_first_failure_is_told_that_it_is_a_replay_and_the_first_caller_is_not(
    server: Server, path: str
) -> None:
    async with attached(server, script=keep_silent) as agent:
        asking = [asyncio.ensure_future(getattr(server, path)(idempotency_key="k")) for _ in range(5)]
        crash(agent, await agent.request())
        replies = await within(asyncio.gather(*asking))
    assert sorted(str(reply.headers.get("X-Replayed")) for reply in replies) == ["None", *["true"] * 4]
    assert len({reply.headers["X-Call-ID"] for reply in replies}) == 1
    assert await on_record(server, replies[0].headers["X-Call-ID"])


async def test_a_key_whose_call_still_runs_names_that_call_and_is_no_replay(server: Server) -> None:
    async with attached(server, script=keep_silent) as agent:
        first = asyncio.ensure_future(server.invoke(idempotency_key="k"))
        frame = await agent.request()
        again = await server.invoke(idempotency_key="k", timeout=0.05)
        crash(agent, frame)
        await within(first)
    assert (again.status, again.json["code"], again.headers.get("X-Replayed")) == (504, "key_pending", None)
    assert again.json["call_id"] == frame.request_id


@pytest.mark.parametrize("method", ["Invoke", "StartJob"])
@pytest.mark.parametrize("fails", [False, True])
async def test_over_grpc_the_metadata_tell_the_same(server: Server, method: str, fails: bool) -> None:
    request = function_pb2.InvokeRequest(function_id="f", payload=b"{}", idempotency_key="k", metadata=HERE)
    script: dict[str, Any] = {"script": crash} if fails else {}
    async with attached(server, **script), grpc.aio.insecure_channel(server.grpc) as channel:
        told = []
        for _ in range(2):
            call = getattr(stub_of(function_pb2_grpc.FunctionServiceStub, channel), method)(
                request, metadata=server.credentials
            )
            assert (await call.code() is grpc.StatusCode.INTERNAL) is fails
            told.append(dict(await call.trailing_metadata()))
    assert told[0]["croupier-call-id"] == told[1]["croupier-call-id"]
    assert [each.get("croupier-replayed") for each in told] == [None, "true"]
    assert [each.get("croupier-reason") for each in told] == ["handler_failed" if fails else None] * 2


async def test_a_failure_is_told_again_after_a_restart_too(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server, script=crash):
        first = await server.invoke(idempotency_key="k")
    async with running(tmp_path) as server:
        again = await server.invoke(idempotency_key="k")
    assert marks(again) == (502, "true", "game-1")
    assert again.headers["X-Call-ID"] == first.headers["X-Call-ID"]


def test_a_failure_that_is_told_again_is_another_object() -> None:
    class OfTwo(CroupierError):
        def __init__(self, one: str, two: str) -> None:
            super().__init__(one + two, {"one": one})

    first = OfTwo("a", "b")
    told = first.of_call("c1")
    assert isinstance(told, OfTwo)
    assert (str(told), told.message, told.details) == ("ab", "ab", {"one": "a"})
    assert (told.call_id, told.replayed, first.call_id, first.replayed) == ("c1", True, "", False)
    assert not OutcomeUnknown("x").replayed

"""What is wrong gets a clear error, through the whole path, and harms nobody else."""

import asyncio
from typing import Any

import aiohttp
import pytest
from tests.system.stage import Stage, until


@pytest.mark.parametrize(
    ("function_id", "payload", "status", "reason", "words"),
    [
        ("act", {"key": 5}, 400, "invalid_argument", "key"),
        ("act", {}, 400, "invalid_argument", "key"),
        ("act", {"key": "k", "colour": "red"}, 400, "invalid_argument", "colour"),
        ("nothing.like.it", {}, 404, "not_found", "nothing.like.it"),
        ("no", {}, 422, "function_rejected", "the player is in a match"),
        ("broken", {}, 502, "handler_failed", "RuntimeError: the database is on fire"),
        ("hang", {}, 504, "deadline_exceeded", "tunnel invoke timeout"),
        ("large", {"size": 11_000_000}, 502, "handler_failed", "10000000"),
    ],
)
async def test_the_answer_says_what_is_wrong(
    shared: Stage, function_id: str, payload: Any, status: int, reason: str, words: str
) -> None:
    got, problem = await shared.invoke(function_id, payload)
    assert (got, problem["reason"]) == (status, reason)
    assert words in problem["detail"]
    assert problem["trace_id"]
    assert (await shared.invoke("echo", {"still": "fine"}))[1] == {"still": "fine"}


async def test_nine_megabytes_travel_there_and_back(shared: Stage) -> None:
    text = "x" * 9_000_000
    assert await shared.invoke("echo", {"text": text}, timeout=30) == (200, {"text": text})


async def test_eleven_megabytes_are_refused_at_the_door(shared: Stage) -> None:
    status, problem = await shared.invoke("echo", {"text": "x" * 11_000_000})
    assert (status, problem["reason"]) == (413, "payload_too_large")


async def test_without_an_agent_the_call_is_refused_as_unavailable(stage: Stage) -> None:
    await stage.server.start()

    async def up() -> bool:
        try:
            return (await stage.get("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    await until(up, "the server is ready")
    status, problem = await stage.invoke("echo")
    assert status == 404
    assert "no agent available" in problem["detail"]


async def test_a_caller_that_hangs_up_cancels_the_handler_in_the_game_server(shared: Stage) -> None:
    call = asyncio.ensure_future(shared.invoke("act", {"key": "left", "seconds": 60}, timeout=60))

    async def noted(line: str) -> bool:
        return line in shared.noted()

    await until(lambda: noted("begin left"), "the handler runs")
    call.cancel()
    await until(lambda: noted("cancelled left"), "the handler was cancelled")


async def test_ten_thousand_calls_at_once_are_all_answered(shared: Stage) -> None:
    async def call(number: int) -> tuple[int, Any]:
        return await shared.invoke("echo", {"number": number}, timeout=60)

    answers = await asyncio.gather(*(call(number) for number in range(10_000)))
    wrong = [
        (status, body)
        for number, (status, body) in enumerate(answers)
        if not (status == 200 and body == {"number": number}) and status not in {429, 503}
    ]
    assert not wrong
    assert sum(status == 200 for status, _ in answers) >= 5_000
    assert (await shared.invoke("echo", {"still": "fine"}))[1] == {"still": "fine"}


async def test_rubbish_on_the_grpc_ports_ends_that_connection_only(shared: Stage) -> None:
    for address in (shared.grpc, shared.local):
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x00\xff" * 5_000)
        await writer.drain()
        async with asyncio.timeout(90):
            await reader.read()
        writer.close()
    assert (await shared.invoke("echo", {"still": "fine"}))[1] == {"still": "fine"}

"""A deadline, and a caller who leaves, are felt by the handler in the game server, through every process on the way."""

import asyncio

import grpc
import grpc.aio
import pytest
from tests.system.stage import TOKEN, Stage, until

from croupier_wire.function.v1 import function_pb2, function_pb2_grpc


async def noted(stage: Stage, line: str) -> None:
    async def there() -> bool:
        return line in stage.noted()

    await until(there, f"{line!r} in the ledger")


@pytest.mark.parametrize(("function_id", "options", "most"), [
    ("left", {}, 5.0),
    ("left_of_two", {}, 2.0),
    ("left", {"timeout": "3s"}, 3.0),
    ("left_of_two", {"timeout": 1}, 1.0),
])  # fmt: skip
async def test_the_handler_knows_how_long_it_has(
    shared: Stage, function_id: str, options: dict[str, object], most: float
) -> None:
    status, left = await shared.invoke(function_id, **options)
    assert status == 200
    assert 0 < left <= most


async def test_a_handler_in_a_thread_learns_that_its_deadline_has_passed(shared: Stage) -> None:
    status, problem = await shared.invoke("blocking", {"key": "k1"}, timeout=2.0)
    assert (status, problem["reason"]) == (504, "deadline_exceeded")
    await noted(shared, "cancelled k1")


@pytest.mark.parametrize("function_id", ["act", "blocking"])
async def test_a_caller_over_http_that_hangs_up_cancels_the_handler(shared: Stage, function_id: str) -> None:
    payload = {"key": "k1", "seconds": 60} if function_id == "act" else {"key": "k1"}
    calling = asyncio.ensure_future(shared.invoke(function_id, payload, timeout=60))
    await noted(shared, "begin k1")
    calling.cancel()
    await noted(shared, "cancelled k1")


async def test_the_deadline_of_a_grpc_caller_goes_all_the_way_down(shared: Stage) -> None:
    metadata = (("authorization", f"Bearer {TOKEN}"),)
    request = function_pb2.InvokeRequest(
        function_id="act", payload=b'{"key": "k1", "seconds": 60}', metadata={"game_id": "demo", "env": "dev"}
    )
    async with grpc.aio.insecure_channel(shared.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await function_pb2_grpc.FunctionServiceStub(channel).Invoke(request, timeout=2.0, metadata=metadata)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await noted(shared, "cancelled k1")


async def test_a_job_past_its_deadline_is_stopped_and_says_so(shared: Stage) -> None:
    job_id = await shared.start_job("count", {"to": 10_000, "pause": 0.02}, timeout="500ms")
    story = await shared.follow(job_id)
    assert story[-1]["reason"] == "deadline_exceeded"  # whoever of agent and game server noticed first
    _, result = await shared.get(f"/api/job_result?id={job_id}")
    assert result["state"] == "failed"

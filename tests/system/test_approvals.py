"""Whenever the server is killed, what was approved runs once or is known to be unknown, and nothing else runs."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.system.stage import Stage, until

ENDED = {"executed", "failed", "outcome_unknown", "void", "rejected", "withdrawn", "expired"}


@dataclass
class Approver:
    """Bob, who may approve, by a token of his own."""

    stage: Stage
    headers: dict[str, str]

    async def approve(self, approval_id: str) -> int:
        status, _ = await self.stage.post(f"/api/approvals/{approval_id}/approve", {}, headers=self.headers)
        return status


@pytest.fixture
async def bob(running: Stage) -> Approver:
    async def sent(method: str, path: str, body: Any) -> Any:
        assert running.session is not None
        async with running.session.request(method, f"http://{running.http}{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    user = (await sent("POST", "/api/users", {"name": "bob"}))["user"]["user_id"]
    await sent("PUT", "/api/roles/lead", {"permissions": ["approvals:*"]})
    await sent("POST", "/api/bindings", {"subject": f"user:{user}", "role": "lead", "game_id": "demo"})
    made = await sent("POST", "/api/tokens", {"name": "t", "expires_in": "1h", "user_id": user})
    return Approver(running, {"Authorization": f"Bearer {made['token']}"})


async def ask(stage: Stage, key: str, seconds: float = 0.0) -> Any:
    await stage.reachable("guarded")
    status, body = await stage.invoke("guarded", {"key": key, "seconds": seconds}, idempotency_key=key, timeout=30)
    assert status == 202, body
    return body


async def state(stage: Stage, approval_id: str) -> str:
    try:
        status, body = await stage.get(f"/api/approvals/{approval_id}")
    except aiohttp.ClientError:  # it is not listening yet
        return ""
    return str(body["state"]) if status == 200 else ""


async def reaches(stage: Stage, approval_id: str, *states: str) -> str:
    async def reached() -> str:
        found = await state(stage, approval_id)
        assert found not in ENDED - set(states), await stage.get(f"/api/approvals/{approval_id}")
        return found if found in states else ""

    return str(await until(reached, f"{approval_id} {states}"))


async def again(stage: Stage) -> None:
    await stage.server.kill()
    await stage.server.start()


async def test_a_request_survives_a_kill_and_is_executed_when_it_is_approved(running: Stage, bob: Approver) -> None:
    waits = await ask(running, "pending")
    await again(running)
    await reaches(running, waits["approval_id"], "pending")
    assert await bob.approve(waits["approval_id"]) == 200
    await reaches(running, waits["approval_id"], "executed")
    _, call = await running.get(f"/api/calls/{waits['call_id']}")
    assert (call["state"], call["result"]["payload"]["by"]) == ("succeeded", "game-1")
    assert running.noted() == ["begin pending", "end pending"]


async def test_what_was_approved_before_the_kill_is_executed_after_it(running: Stage, bob: Approver) -> None:
    waits = await ask(running, "approved")
    await running.agent.kill()  # so that it cannot be executed yet
    assert await bob.approve(waits["approval_id"]) == 200
    assert await state(running, waits["approval_id"]) == "approved"
    await again(running)
    await running.agent.start()
    await reaches(running, waits["approval_id"], "executed")
    assert running.noted() == ["begin approved", "end approved"]


async def test_what_ran_at_the_kill_is_unknown_and_never_runs_again(running: Stage, bob: Approver) -> None:
    waits = await ask(running, "running", seconds=2.0)
    assert await bob.approve(waits["approval_id"]) == 200

    async def begun() -> bool:
        return "begin running" in running.noted()

    await until(begun, "the call begun")
    await again(running)
    await reaches(running, waits["approval_id"], "outcome_unknown")
    await running.reachable("guarded")
    status, body = await running.invoke("guarded", {"key": "running", "seconds": 2.0}, idempotency_key="running")
    assert (status, body["reason"]) == (502, "outcome_unknown")
    assert running.noted().count("begin running") == 1


async def test_killed_right_after_it_was_approved_it_runs_at_most_once(running: Stage, bob: Approver) -> None:
    for number in range(3):
        waits = await ask(running, f"k{number}")
        assert await bob.approve(waits["approval_id"]) == 200
        await again(running)
        ended = await reaches(running, waits["approval_id"], *ENDED)
        begun = running.noted().count(f"begin k{number}")
        story = (ended, begun, await running.get(f"/api/approvals/{waits['approval_id']}"))
        assert (ended, begun) in {("executed", 1), ("outcome_unknown", 0), ("outcome_unknown", 1)}, story

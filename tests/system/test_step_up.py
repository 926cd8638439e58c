"""Two people in two browsers: a call of high risk, and an approver who has to prove anew who they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pyotp
import pytest
from tests.system.stage import SCOPE, TOKEN, Stage, until

PASSWORD = "correct horse battery staple"
ROOT = {"Authorization": f"Bearer {TOKEN}"}


class Page:
    """A browser: it keeps the cookie, and sends the CSRF token with what changes something."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._csrf: dict[str, str] = {}

    async def sign_in(self, name: str) -> None:
        status, me = await self.post("/api/login", {"name": name, "password": PASSWORD})
        assert status == 200, me
        self._csrf = {"X-CSRF-Token": me["csrf_token"]}

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self._session.post(path, json=body, headers=self._csrf) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, Any]:
        async with self._session.get(path) as answer:
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def page_of(stage: Stage, name: str) -> AsyncIterator[Page]:
    jar = aiohttp.CookieJar(unsafe=True)  # for an address in place of a name
    async with aiohttp.ClientSession(f"http://{stage.http}", headers=SCOPE, cookie_jar=jar) as session:
        page = Page(session)
        await page.sign_in(name)
        yield page


@pytest.fixture
async def careful(stage: Stage) -> Stage:
    """What is of high risk needs somebody else; ann operates, bob approves."""
    stage.server.variables = {"CROUPIER_SERVER_APPROVALS": '{"risks": ["high"]}'}
    for program in (stage.server, stage.agent, stage.game()):
        await program.start()
    await stage.reachable("player.ban")
    for name, role in (("ann", "operator"), ("bob", "approver")):
        assert (await stage.post("/api/users", {"name": name, "password": PASSWORD}))[0] == 200
        bound = {"subject": f"user:{name}", "role": role, "game_id": "demo"}
        assert (await stage.post("/api/bindings", bound))[0] == 200
    return stage


async def enrolled(page: Page) -> list[str]:
    """Recovery codes, each good once like a code of the app, and at any time."""
    _, enrolment = await page.post("/api/me/second_factor", {"password": PASSWORD})
    code = pyotp.TOTP(enrolment["secret"]).now()
    status, confirmed = await page.post("/api/me/second_factor/confirm", {"code": code})
    assert status == 200, confirmed
    codes: list[str] = confirmed["recovery_codes"]
    return codes


async def test_a_call_of_high_risk_runs_once_when_an_approver_has_proved_who_they_are(careful: Stage) -> None:
    async with page_of(careful, "ann") as ann, page_of(careful, "bob") as bob, page_of(careful, "bob") as elsewhere:
        codes = await enrolled(elsewhere)  # in another browser: this one has proved nothing

        status, foreseen = await ann.post("/api/access/explain", _ban("p1"))
        assert (status, foreseen["allowed"], foreseen["approval"]["needed"]) == (200, True, True)
        assert foreseen["approval"]["proof"] is True
        status, waits = await ann.post("/api/invoke", _ban("p1"))
        assert (status, waits["state"]) == (202, "pending"), waits
        approve = f"/api/approvals/{waits['approval_id']}/approve"

        status, refused = await ann.post(approve, {})
        assert status == 403
        status, refused = await bob.post(approve, {"comment": "he did"})
        assert (status, refused["details"]["step_up"]) == (403, "totp")
        assert "POST /api/me/prove" in refused["detail"]
        assert careful.noted() == []

        assert (await bob.post("/api/me/prove", {"code": "000000"}))[0] == 401
        assert (await bob.post("/api/me/prove", {"code": codes[0]}))[0] == 200
        status, approved = await bob.post(approve, {"comment": "he did"})
        assert status == 200, approved
        await until(lambda: _ended(ann, waits["approval_id"]), "the approved call has ended")
        assert (await bob.post(approve, {}))[0] == 409

        status, call = await ann.get(f"/api/calls/{waits['call_id']}")
        assert (status, call["state"], call["result"]["payload"]["by"]) == (200, "succeeded", "game-1")
    assert careful.noted() == ["begin p1", "end p1"]
    await _is_on_record(careful, waits)


def _ban(player_id: str) -> dict[str, Any]:
    return {"function_id": "player.ban", "payload": {"player_id": player_id}}


async def _ended(page: Page, approval_id: str) -> bool:
    return (await page.get(f"/api/approvals/{approval_id}"))[1]["state"] == "executed"


async def _is_on_record(stage: Stage, waits: dict[str, str]) -> None:
    """Who asked, who was refused, who proved it, who approved, and what came of it, each with where it came from."""

    async def told(**wanted: str) -> list[tuple[str, str, str, str]]:
        address = f"http://{stage.http}/api/audit"  # of every scope, and of the platform as a whole
        async with aiohttp.request("GET", address, params=wanted, headers=ROOT) as answer:
            rows = (await answer.json())["rows"][::-1]
        assert {row["address"] for row in rows} <= {"127.0.0.1", ""}
        return [(row["actor"]["name"], row["phase"], row["result"], row["reason"]) for row in rows]

    assert await told(call_id=waits["call_id"]) == [
        ("ann", "event", "waiting", ""),
        ("ann", "intent", "", ""),
        ("ann", "outcome", "ok", ""),
    ]
    approvals = await told(action="approvals.approve", target=waits["approval_id"])
    refused = ("outcome", "failed", "permission_denied")
    assert approvals == [
        ("ann", "intent", "", ""),
        ("ann", *refused),
        ("bob", "intent", "", ""),
        ("bob", *refused),
        ("bob", "intent", "", ""),
        ("bob", "outcome", "ok", ""),
        ("bob", "intent", "", ""),
        ("bob", "outcome", "failed", "failed_precondition"),
    ]
    proofs = await told(action="second_factor.prove")
    assert proofs == [("bob", "event", "denied", "unauthenticated"), ("bob", "event", "ok", "")]

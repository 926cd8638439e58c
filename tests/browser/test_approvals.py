"""Requests for approval, decided on the page."""

from typing import Any

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, Visitor, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def ask(ann: Visitor, player_id: str) -> dict[str, Any]:
    payload = {"player_id": player_id, "reason": "rude"}
    call = {"function_id": "player.ban", "payload": payload, "reason": "rude in chat", "ticket": "T-7"}
    waits: dict[str, Any] = await ann.post("/api/invoke", call)
    assert waits["state"] == "pending"
    return waits


async def test_an_approver_proves_who_they_are_and_the_call_runs(visit: Visit, common_studio: Studio) -> None:
    await common_studio.add("bea", "approver")
    ann, bea = await visit("ann"), await visit("bea")
    phone = await common_studio.second_factor("bea")
    waits = await ask(ann, "p0001")
    page = await bea.open("/approvals")
    await page.get_by_text("rude in chat").first.click()
    await expect(page.get_by_text("0 of 1")).to_be_visible()
    await expect(page.get_by_text("p0001").first).to_be_visible()
    assert await faults_of(page) == []
    await page.get_by_label("Code of your authenticator app").fill(phone.code())
    await page.get_by_role("button", name="Approve", exact=True).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("player.ban runs in demo / dev at once, in the name of ann")
    await dialog.get_by_role("button", name="Approve").click()
    await expect(page.get_by_text("executed", exact=True)).to_be_visible()
    call = await common_studio.send("GET", f"/api/calls/{waits['call_id']}")
    assert (call["state"], call["result"]["payload"]["banned"]) == ("succeeded", True)


async def test_who_asked_is_offered_to_withdraw_and_nothing_else(visit: Visit) -> None:
    ann = await visit("ann", language="zh")
    waits = await ask(ann, "p0002")
    page = await ann.open(f"/approvals/{waits['approval_id']}")
    await expect(page.get_by_text("这是你发起的请求，必须由其他人决定。")).to_be_visible()
    await expect(page.get_by_role("button", name="批准", exact=True)).to_have_count(0)
    await page.get_by_role("button", name="撤回").click()
    await page.get_by_role("dialog").get_by_role("button", name="撤回").click()
    await expect(page.get_by_text("已撤回", exact=True)).to_be_visible()


async def test_a_rejection_needs_a_reason_and_reaches_who_asked(visit: Visit) -> None:
    ann, bob = await visit("ann"), await visit("bob")
    waits = await ask(ann, "p0003")
    asked = await ann.open(f"/approvals/{waits['approval_id']}")
    page = await bob.open(f"/approvals/{waits['approval_id']}")
    reject = page.get_by_role("button", name="Reject")
    await expect(reject).to_be_disabled()
    await page.get_by_role("textbox", name="Comment").fill("the wrong player")
    await reject.click()
    await expect(page.get_by_text("rejected", exact=True)).to_be_visible()
    await expect(asked.get_by_text("rejected", exact=True)).to_be_visible()
    await expect(asked.get_by_text("the wrong player").first).to_be_visible()

"""What happens on the server shows in the page while it happens, whatever dies."""

import re
from typing import Any

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_job_is_followed_to_its_end_while_the_server_is_killed_and_started_again(
    visit: Visit, own_studio: Studio
) -> None:
    ann = await visit("ann", studio=own_studio)
    # While the server is down the browser notes what it cannot reach.
    ann.restarts = True
    call = {"function_id": "mail.send_all", "payload": {"text": "hello", "seconds": 20}}
    job = await ann.post("/api/start_job", call)
    page = await ann.open(f"/jobs/{job['job_id']}")
    log = page.get_by_role("region", name=f"{job['job_id']} Log")
    await expect(log.get_by_text("players will get the mail")).to_be_visible()
    await own_studio.restart_server()
    await expect(page.get_by_text("succeeded", exact=True).first).to_be_visible(timeout=90_000)
    lines = [event["message"] for event in await own_studio.stage.follow(job["job_id"]) if event["type"] == "log"]
    await expect(log).to_contain_text(lines[-1])
    shown = await log.inner_text()
    assert [shown.count(line) for line in lines] == [1] * len(lines)


async def test_a_session_that_is_ended_elsewhere_is_asked_to_sign_in_where_it_was(visit: Visit) -> None:
    here, there = await visit("ann"), await visit("ann")
    there.allowed.add(401)
    lost = await there.open("/calls")
    await expect(lost.get_by_text("live", exact=True)).to_be_visible()
    page = await here.open("/me")
    await page.get_by_role("button", name="End", exact=True).first.click()
    await page.get_by_role("dialog").get_by_role("button", name="End").click()
    await expect(lost.get_by_role("dialog")).to_contain_text("Your session has ended")
    assert "/calls" in lost.url


async def test_ten_tabs_share_one_stream(visit: Visit, own_studio: Studio) -> None:
    ann = await visit("ann", studio=own_studio)
    tabs = [await ann.open("/calls") for _ in range(10)]
    for tab in tabs:
        await expect(tab.get_by_text("live", exact=True)).to_be_visible()
    assert await streams(own_studio) == 1
    await ann.post("/api/invoke", {"function_id": "player.get", "payload": {"player_id": "p0009"}})
    for tab in tabs:
        await expect(tab.get_by_text("player.get").first).to_be_visible()


async def streams(studio: Studio) -> int:
    """How many live streams the server serves."""
    session: Any = studio.stage.session
    async with session.get(f"{studio.url}/metrics") as answer:
        found = re.search(r"^croupier_event_streams(?:\{[^}]*\})? (\S+)$", await answer.text(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))

"""Where one was, one is again: after a session has ended, a network that was gone, and an upgrade of the page."""

import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.studio import PASSWORD, WEB, Studio

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def half_filled(page: Page) -> None:
    """A form into which somebody has begun to type."""
    await expect(page.get_by_role("button", name="Invoke")).to_be_visible()
    await expect(page.locator(".live-mark")).to_have_attribute("data-state", "live")
    await page.get_by_role("textbox", name="Player ID").fill("p0042")
    await page.get_by_role("textbox", name="Reason").first.fill("half a sen")


async def still_half_filled(page: Page) -> None:
    await expect(page).to_have_url(re.compile("/f/player.ban"))
    await expect(page.get_by_role("textbox", name="Player ID")).to_have_value("p0042")
    await expect(page.get_by_role("textbox", name="Reason").first).to_have_value("half a sen")


async def test_an_expired_session_returns_to_the_form_as_it_was(visit: Visit, common_studio: Studio) -> None:
    await common_studio.add("eve", "operator")
    eve = await visit("eve")
    eve.allowed |= {401}
    page = await eve.open("/f/player.ban")
    await half_filled(page)
    users = (await common_studio.send("GET", "/api/users"))["users"]
    [user_id] = [each["user_id"] for each in users if each["name"] == "eve"]
    await common_studio.send("POST", f"/api/users/{user_id}/revoke", {})
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Your session has ended")
    await dialog.get_by_role("textbox", name="Name").fill("eve")
    await dialog.locator("input[type=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await still_half_filled(page)
    await expect(page.locator(".live-mark")).to_have_attribute("data-state", "live")
    await expect(page.locator(".gate-line")).to_contain_text("affects p0042")


async def test_offline_and_back_nothing_is_lost(visit: Visit, common_studio: Studio) -> None:
    ann = await visit("ann")
    ann.restarts = True
    ann.allowed.add(422)  # nobody has banned them
    page = await ann.open("/f/player.unban")
    await expect(page.get_by_role("button", name="Invoke")).to_be_visible()
    await page.get_by_role("textbox", name="Player ID").fill("p0043")
    await expect(page.locator(".gate-line")).to_contain_text("affects p0043")
    await ann.context.set_offline(True)
    await page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name="Result")
    await expect(result.get_by_role("alert").first).to_be_visible()
    await expect(page.get_by_role("textbox", name="Player ID")).to_have_value("p0043")
    # A page whose code was never loaded says so in its place, and the form is one step back.
    await page.get_by_role("link", name="Jobs").click()
    await expect(result).to_have_count(0)
    await expect(page.locator("#page").get_by_role("alert")).to_contain_text("cannot be reached")
    await page.go_back()
    await expect(page.get_by_role("textbox", name="Player ID")).to_have_value("p0043")
    await ann.context.set_offline(False)
    await expect(page.locator(".live-mark")).to_have_attribute("data-state", "live")
    await result.get_by_role("button", name=re.compile("again|Send", re.IGNORECASE)).first.click()
    await expect(result.get_by_text("p0043").first).to_be_visible()
    await page.get_by_role("link", name="Jobs").click()
    await expect(page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
    ann.said = [said for said in ann.said if "the code of this page could not be loaded" not in said]


async def upgraded(page: Page, folder: Path) -> None:
    """Another build is served from now on."""
    index = folder / "index.html"
    index.write_text(index.read_text().replace("</body>", "<!-- another build --></body>"))


async def test_a_tab_that_is_out_of_date_loads_itself_again_with_all_that_was_typed(
    visit: Visit, new_studio: Studio, tmp_path: Path
) -> None:
    folder = tmp_path / "page"
    shutil.copytree(WEB / "dist", folder)
    new_studio.stage.server.variables |= {"CROUPIER_SERVER_WEB": json.dumps({"directory": str(folder)})}
    await new_studio.start()
    page = await (await visit("ann", studio=new_studio)).open("/f/player.ban")
    await half_filled(page)
    before = await page.locator("meta[name=build]").get_attribute("content")
    await upgraded(page, folder)
    # Somebody looks at it: it only says so.
    await expect(page.locator(".stale")).to_be_visible()
    await still_half_filled(page)
    async with page.expect_event("load"):
        await page.evaluate(
            """() => {
                Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
    assert await page.locator("meta[name=build]").get_attribute("content") != before
    await still_half_filled(page)
    await expect(page.locator(".stale")).to_have_count(0)

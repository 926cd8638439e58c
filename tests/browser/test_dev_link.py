"""The link that `croupier dev` prints, opened."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, expect
from tests.system.dev import playing

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_link_that_dev_prints_opens_the_page_signed_in_and_only_once(
    chromium: Browser, tmp_path: Path
) -> None:
    async with playing(tmp_path) as dev:
        first, second = await chromium.new_context(), await chromium.new_context()
        said: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            # The page asks first whether somebody is signed in already.
            if message.type in {"error", "warning"} and "401" not in message.text:
                said.append(message.text)

        try:
            page = await first.new_page()
            page.on("console", hear)
            await page.goto(dev.ready["page"])
            await page.wait_for_url(lambda url: "/login" not in url and "ticket" not in url)
            assert (await (await first.request.get(f"{dev.ready['url']}/api/me")).json())["name"] == "dev"
            assert said == []
            again = await second.new_page()
            await again.goto(dev.ready["page"])
            await expect(again.get_by_role("alert")).to_be_visible()
            assert (await second.request.get(f"{dev.ready['url']}/api/me")).status == 401
        finally:
            await first.close()
            await second.close()

"""A pack on its way: looked at, installed, upgraded, its form used, and rolled back."""

import json

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, faults_of
from tests.browser.test_catalog import archive
from tests.system.stage import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def install(page: Page, content: bytes) -> None:
    await page.locator("input[type=file]").set_input_files(
        {"name": "shop.tgz", "mimeType": "application/gzip", "buffer": content}
    )
    await expect(page.get_by_text("Nothing has changed yet")).to_be_visible()
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Install", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Install").click()
    await expect(dialog).to_be_hidden()


async def version(studio: Studio) -> str:
    (pack,) = (await studio.send("GET", "/api/packs/list"))["packs"]
    return str(pack["version"])


async def test_a_pack_is_installed_upgraded_used_and_rolled_back(visit: Visit, new_studio: Studio) -> None:
    new_studio.stage.server.variables["CROUPIER_SERVER_PACKS"] = json.dumps({"allow_unsigned": True})
    await new_studio.start()
    ada = await visit("ada", studio=new_studio)
    page = await ada.open("/packs?tab=install")
    await install(page, archive("1.0.0", []))
    await expect(page.get_by_text("Installed", exact=True).first).to_be_visible()
    assert await version(new_studio) == "1.0.0"
    page = await ada.open("/packs?tab=install")
    await install(page, archive("2.0.0", ["hours"]))
    await expect(page.get_by_text("Installed", exact=True).first).to_be_visible()
    form = await ada.open("/f/shop.open")
    await expect(form.get_by_text("shop.open · v2.0.0", exact=False)).to_be_visible()
    await expect(form.get_by_role("textbox", name="Hours")).to_be_visible()
    page = await ada.open("/packs/shop")
    await page.get_by_role("button", name="Roll back to it").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Version 1.0.0 replaces version 2.0.0 at once")
    await dialog.get_by_role("button", name="Roll back to it").click()
    await expect(dialog).to_be_hidden()

    async def rolled_back() -> bool:
        return await version(new_studio) == "1.0.0"

    await until(rolled_back, "the first version counts again")
    form = await ada.open("/f/shop.open")
    await expect(form.get_by_text("shop.open · v1.0.0", exact=False)).to_be_visible()

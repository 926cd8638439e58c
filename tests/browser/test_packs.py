"""A pack on its way: looked at, installed, upgraded, its form used, and rolled back."""

import json
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, faults_of
from tests.browser.test_catalog import archive
from tests.system.stage import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, kw_only=True)
class Words:
    unchanged: str
    install: str
    installed: str
    hours: str
    roll_back: str
    consequence: str


WORDS = {
    "en": Words(
        unchanged="Nothing has changed yet",
        install="Install",
        installed="Installed",
        hours="Hours",
        roll_back="Roll back to it",
        consequence="Version 1.0.0 replaces version 2.0.0 at once",
    ),
    "zh": Words(
        unchanged="目前还没有任何变更",
        install="安装",
        installed="已安装",
        hours="Hours",
        roll_back="回滚到此版本",
        consequence="版本 1.0.0 会立即替换版本 2.0.0",
    ),
}


async def install(page: Page, content: bytes, words: Words) -> None:
    await page.locator("input[type=file]").set_input_files(
        {"name": "shop.tgz", "mimeType": "application/gzip", "buffer": content}
    )
    await expect(page.get_by_text(words.unchanged)).to_be_visible()
    assert await faults_of(page) == []
    await page.get_by_role("button", name=words.install, exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=words.install).click()
    await expect(dialog).to_be_hidden()


async def version(studio: Studio) -> str:
    (pack,) = (await studio.send("GET", "/api/packs/list"))["packs"]
    return str(pack["version"])


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
async def test_a_pack_is_installed_upgraded_used_and_rolled_back(
    new_studio: Studio, visit: Visit, language: str, theme: str
) -> None:
    words = WORDS[language]
    new_studio.stage.server.variables["CROUPIER_SERVER_PACKS"] = json.dumps({"allow_unsigned": True})
    await new_studio.start()
    ada = await visit("ada", studio=new_studio, language=language, theme=theme)
    page = await ada.open("/packs?tab=install")
    await install(page, archive("1.0.0", []), words)
    await expect(page.get_by_text(words.installed, exact=True).first).to_be_visible()
    assert await version(new_studio) == "1.0.0"
    page = await ada.open("/packs?tab=install")
    await install(page, archive("2.0.0", ["hours"]), words)
    await expect(page.get_by_text(words.installed, exact=True).first).to_be_visible()
    form = await ada.open("/f/shop.open")
    await expect(form.get_by_text("shop.open · v2.0.0", exact=False)).to_be_visible()
    await expect(form.get_by_role("textbox", name=words.hours)).to_be_visible()
    page = await ada.open("/packs/shop")
    await page.get_by_role("button", name=words.roll_back).first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(words.consequence)
    await dialog.get_by_role("button", name=words.roll_back).click()
    await expect(dialog).to_be_hidden()

    async def rolled_back() -> bool:
        return await version(new_studio) == "1.0.0"

    await until(rolled_back, "the first version counts again")
    form = await ada.open("/f/shop.open")
    await expect(form.get_by_text("shop.open · v1.0.0", exact=False)).to_be_visible()

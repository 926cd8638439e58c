"""Agents, coverage, packs, entities and games on the page."""

import io
import json
import tarfile
from typing import Any

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


def archive(version: str, required: list[str]) -> bytes:
    """A pack of one function, as it travels."""
    params = {"type": "object", "properties": {"hours": {"type": "integer"}}, "required": required}
    described = {"id": "shop.open", "version": version, "category": "shop", "params": params}
    manifest = {"id": "shop", "version": version, "functions": [{"id": "shop.open", "version": version}]}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as packed:
        files: dict[str, Any] = {"manifest.json": manifest, "descriptors/open.json": described}
        for name, value in files.items():
            content = json.dumps(value).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return made.getvalue()


async def test_coverage_leads_to_a_function_and_who_offers_it(visit: Visit) -> None:
    page = await (await visit("vera")).open("/registry")
    await expect(page.get_by_text("1 agent ·")).to_be_visible()
    await page.get_by_text("player.ban", exact=True).click()
    await expect(page.get_by_role("heading", name="Ban a player")).to_be_visible()
    await expect(page.get_by_text("game-1", exact=True).first).to_be_visible()
    assert await faults_of(page) == []


async def test_a_pack_that_is_refused_says_why_before_anything_changes(visit: Visit, common_studio: Studio) -> None:
    page = await (await visit("ada")).open("/packs?tab=install")
    content = archive("1.0.0", [])
    await page.locator("input[type=file]").set_input_files(
        {"name": "shop.tgz", "mimeType": "application/gzip", "buffer": content}
    )
    await expect(page.get_by_text("no trusted signature")).to_be_visible()
    await expect(page.get_by_role("button", name="Install", exact=True)).to_be_disabled()
    assert await faults_of(page) == []
    assert (await common_studio.send("GET", "/api/packs/list"))["packs"] == []


async def test_a_player_is_found_opened_and_acted_on(visit: Visit) -> None:
    page = await (await visit("ann")).open("/entities/player")
    await expect(page.get_by_role("columnheader", name="Last login")).to_be_visible()
    await page.get_by_text("p0005", exact=True).click()
    await expect(page.get_by_role("heading", name="Player p0005")).to_be_visible()
    await expect(page.get_by_text("Last login", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Grant an item").click()
    panel = page.get_by_role("complementary")
    await expect(panel.get_by_role("textbox", name="Player ID")).to_have_value("p0005")
    assert await faults_of(page) == []


async def test_an_assignment_is_told_before_it_is_made_and_refuses_from_then_on(
    visit: Visit, common_studio: Studio
) -> None:
    page = await (await visit("ada", language="zh")).open("/games/demo/envs")
    await common_studio.send("PUT", "/api/assignments", {"demo|dev": ["*"]})
    try:
        await page.reload()
        section = page.get_by_role("region", name="dev", exact=True)
        patterns = section.get_by_placeholder("函数或前缀")
        await patterns.press("Backspace")
        await patterns.fill("player.*")
        await page.keyboard.press("Enter")
        await expect(section.get_by_text("个函数将被拒绝")).to_be_visible()
        await section.get_by_role("button", name="保存").click()
        await page.get_by_role("dialog").get_by_role("button", name="保存").click()
        await expect(section.get_by_role("button", name="保存")).to_have_count(0)
        assert await common_studio.send("GET", "/api/assignments") == {"demo|dev": ["player.*"]}
    finally:
        await common_studio.send("PUT", "/api/assignments", {})

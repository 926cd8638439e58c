"""Who may not is told why, in words that say what to do."""

from typing import Any

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Visit
from tests.browser.studio import Visitor, faults_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("language", "result"), [("en", "Result"), ("zh", "结果")])
async def test_a_viewer_who_calls_reads_what_is_missing(visit: Visit, language: str, result: str) -> None:
    vera = await visit("vera", language=language)
    vera.allowed.add(403)
    page = await vera.open("/f/player.unban")
    await page.get_by_placeholder("p0001").fill("p0001")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("region", name=result)).to_contain_text("function:player.unban")
    assert await faults_of(page) == []


async def test_what_is_not_there_says_where_to_begin(visit: Visit) -> None:
    ann = await visit("ann")
    page = await ann.open("/nowhere")
    await expect(page.get_by_text("There is no such page")).to_be_visible()
    await page.get_by_role("link", name="To the workbench").click()
    await expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "right to left": "\u202e\u2066gnp.exe \u05d0\u05d1",
    "zalgo": "Z\u0351\u036b\u0343\u0363\u0350a\u0351\u036b\u0343lgo" * 50,
    "long": "x" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_text_renders_as_text(visit: Visit, name: str) -> None:
    ann = await visit("ann")
    text = HOSTILE[name]
    call = {"function_id": "demo.echo", "payload": {"text": text}}
    call_id = await call_of(ann, call)
    page = await ann.open(f"/calls/{call_id}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_text(text[:10]).first).to_be_attached()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the layout holds"


async def call_of(person: Visitor, call: dict[str, Any]) -> str:
    answer = await person.ask("/api/invoke", call)
    return answer.headers["x-call-id"]

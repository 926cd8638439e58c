"""A pack that draws answers itself, called from the workbench: its script draws in the result, and reaches nothing else."""

import json

import pytest
from playwright.async_api import FrameLocator, Page, expect
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, Visitor, faults_of

from croupier.packs.tar import write_archive

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT = """
import { said } from "./said.mjs";

async function outcome(work) {
  try {
    return `reached ${await work()}`;
  } catch (error) {
    return `refused: ${error.name}`;
  }
}

addEventListener("message", async ({ data, source }) => {
  if (source !== parent || data.type !== "data") return;
  const told = {
    drawn: `${said} ${data.value} ${data.theme} ${data.lang} ${data.view.title}`,
    cookie: await outcome(() => document.cookie),
    storage: await outcome(() => localStorage.length),
    page: await outcome(() => parent.document.title),
    network: await outcome(() => fetch("/api/me")),
    top: await outcome(() => { top.location.href = "/elsewhere"; }),
  };
  document.body.textContent = "";
  for (const [name, text] of Object.entries(told)) {
    const line = document.createElement("p");
    line.textContent = `${name}: ${text}`;
    document.body.append(line);
  }
  parent.postMessage({ croupier: 1, type: "height", height: document.body.scrollHeight }, "*");
});
parent.postMessage({ croupier: 1, type: "ready" }, "*");
"""
DESCRIBED = {
    "id": "demo.echo",
    "params": {"type": "object", "properties": {"word": {"type": "string"}}},
    "semantics": {"mode": "query"},
    "outputs": {
        "views": [
            {
                "id": "word",
                "renderer": "probe.word",
                "title": {"en": "Word", "zh": "词"},
                "transform": {"expr": "$.word"},
            }
        ]
    },
}
MANIFEST = {
    "id": "probe",
    "version": "1.0.0",
    "functions": [{"id": "demo.echo"}],
    "web_plugins": [{"path": "web-plugin/probe.js", "renderers": ["probe.word"]}],
}
PACK = {
    "manifest.json": json.dumps(MANIFEST).encode(),
    "descriptors/demo.echo.json": json.dumps(DESCRIBED).encode(),
    "web-plugin/probe.js": SCRIPT.encode(),
    "web-plugin/said.mjs": b'export const said = "drawn of";',
}


async def call(person: Visitor, name: str) -> tuple[Page, FrameLocator]:
    page = await person.open('/f/demo.echo?args={"word":"seven"}')
    await expect(page.locator(".gate-line")).to_contain_text("game-1")
    await page.keyboard.press("Control+Enter")
    return page, page.frame_locator(f"iframe[title='{name}']")


def only_the_frame_was_refused(person: Visitor) -> None:
    """What it tried stands in the console; nothing else does."""
    tried = [said for said in person.said if "/plugins/" in said or "'connect-src" in said or "frame-ancestors" in said]
    assert tried
    assert [said for said in person.said if said not in tried] == []
    person.said.clear()


async def test_a_packs_script_draws_in_the_result_and_reaches_nothing_else(new_studio: Studio, visit: Visit) -> None:
    new_studio.stage.server.variables["CROUPIER_SERVER_PACKS"] = json.dumps({"allow_unsigned": True})
    await new_studio.start()
    ada = await visit("ada", studio=new_studio)
    await ada.ask("/api/packs/import", write_archive(PACK), "application/gzip")
    for language, theme, name, locale in (("en", "light", "Word", "en"), ("zh", "dark", "词", "zh-CN")):
        ann = await visit("ann", studio=new_studio, language=language, theme=theme)
        page, frame = await call(ann, name)
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        await expect(frame.get_by_text(f"drawn: drawn of seven {theme} {locale} {name}")).to_be_visible()
        for wish, answer in (
            ("cookie", "SecurityError"),
            ("storage", "SecurityError"),
            ("page", "SecurityError"),
            ("network", "TypeError"),
            ("top", "SecurityError"),
        ):
            await expect(frame.get_by_text(f"{wish}: refused: {answer}")).to_be_visible()
        assert "/f/demo.echo" in page.url
        assert not [url for url in asked if "/elsewhere" in url]
        assert await faults_of(page) == []
        only_the_frame_was_refused(ann)

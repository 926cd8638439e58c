"""The page in Chromium: how much is loaded, when it can be used, and how long it keeps an operator waiting."""

import gzip
import json
import re
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from playwright.async_api import Browser, Page, Response, async_playwright
from playwright.async_api import Error as PlaywrightError

from deployment import ENV, GAME_ID, Deployment, start_agent, start_server
from figures import Figure, figure
from processes import HERE, PYTHON, Broken, Stage

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PASSWORD = "correct horse battery staple"  # noqa: S105 — of an account that lives for this run
METER = HERE / "meter.js"
BUILT = HERE.parent / "web" / "dist" / "index.html"
SIZE = (1440, 900)
PATIENCE = 120_000
"""Milliseconds."""

VISITS, QUICK_VISITS = 7, 3
LINES, QUICK_LINES = 100_000, 20_000
LIVE_SECONDS, QUICK_LIVE_SECONDS = 6, 3
LIVE_RATE = 2_000
FRAMES = 180
WORDS = "the quick brown fox jumps over the lazy dog and goes on"
KEY_PAUSE = 40
"""Milliseconds between two letters: as fast as people type."""


TRACED = ["disabled-by-default-devtools.timeline"]
SETTLE, PAUSE = 2_500, 1_500
"""Milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Load:
    usable: float
    """Milliseconds since the page was asked for."""
    shell: float
    """KB of JavaScript that every page needs, as gzip has it."""
    form: float
    """The same, of all that came until the form could be used."""


@dataclass(kw_only=True)
class Watched:
    """What the page did for a while; all in milliseconds."""

    blocks: list[float] = field(default_factory=list)
    """How long the main thread could do nothing else, piece by piece."""
    work: list[float] = field(default_factory=list)
    """The same, without the time in which others had the processor."""
    shown: float = 0.0
    """The longest from a key to the picture; 0 where none was pressed."""
    scrolled: dict[str, Any] = field(default_factory=dict)

    def figures(self, what: str) -> list[Figure]:
        found = [
            figure(f"page, {what}: longest block", [max(self.blocks)], unit="ms", at_most=50.0),
            figure(f"page, {what}: its own work", [max(self.work)], unit="ms", at_most=50.0),
        ]
        if self.shown:
            found.append(figure(f"page, {what}: key to picture", [self.shown], unit="ms"))
        if self.scrolled:
            took = self.scrolled["took"]
            found.append(figure(f"page, {what}: frames", [1000 / statistics.mean(took)], unit="/s", rising=True))
            found.append(figure(f"page, {what}: longest frame", [max(took)], unit="ms"))
        if "most" in self.scrolled:
            found.append(figure(f"page, {what}: elements", [self.scrolled["most"]], unit="", at_most=2000))
        return found


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Somebody who is signed in, at a browser."""

    product: Deployment
    browser: Browser

    @asynccontextmanager
    async def page(self, path: str) -> AsyncIterator[Page]:
        """A browser that has never been here, with the page of `path` being loaded."""
        width, height = SIZE
        context = await self.browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        try:
            given = {"name": "bench", "password": PASSWORD, "code": ""}
            answer = await context.request.post(f"{self.product.url}/api/login", data=given)
            if not answer.ok:
                raise Broken(f"the account cannot sign in: {await answer.text()}")
            await context.add_init_script(path=METER)
            page = await context.new_page()
            await page.goto(f"{self.product.url}{path}?game={GAME_ID}&env={ENV}&lang=en", wait_until="commit")
            yield page
        finally:
            await context.close()


@asynccontextmanager
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    if not BUILT.is_file():
        raise Broken("the page is not built: make web")
    alone = await start_server(stage)
    _, address = await start_agent(stage, alone.grpc)
    await stage.program("page_game", address)
    await stage.start(
        "demo",
        *(PYTHON, "-m", "croupier.demo", "--agent", address, "--game", GAME_ID, "--service-id", "game-2"),
        *("--data", str(stage.scratch / "demo")),
        ready="attached",
    )
    for path, body in (
        ("/api/users", {"name": "bench", "password": PASSWORD}),
        ("/api/bindings", {"subject": "user:bench", "role": "admin"}),
    ):
        status, answer = await alone.ask("POST", path, body)
        if status >= 300:
            raise Broken(f"{path}: {answer}")
    async with async_playwright() as playwright:
        try:
            async with await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
                yield Desk(product=alone, browser=browser)
        except PlaywrightError as error:
            raise Broken(f"the page: {error}") from error


async def first_form(desk: Desk) -> Load:
    """From nothing to a form of player.ban that takes a letter."""
    scripts: list[Response] = []
    async with desk.page("/f/player.ban") as page:
        page.on("response", lambda response: scripts.append(response) if response.url.endswith(".js") else None)
        await page.evaluate("""meter.awaitUsable([".desk-form input", ".act-bar button"])""")
        await page.get_by_role("textbox", name="Player ID").fill("p0001")
        ended = await page.evaluate("meter.loadedBy()")
        sizes = {script.url.rpartition("/")[2]: len(gzip.compress(await script.body())) / 1024 for script in scripts}
        usable = await page.evaluate("meter.usable")
    return Load(
        usable=usable,
        shell=sum(size for name, size in sizes.items() if name.startswith("index-")),
        form=sum(size for name, size in sizes.items() if name in ended),
    )


@asynccontextmanager
async def watched(desk: Desk, page: Page) -> AsyncIterator[Watched]:
    """What the page does meanwhile. The processor's own time is told beside the clock's: that one others spend too."""
    # What is loaded behind the scenes is not what is measured.
    await page.wait_for_timeout(SETTLE)
    await page.evaluate("meter.forget()")
    told = Watched()
    await desk.browser.start_tracing(page=page, categories=TRACED)
    yield told
    events = json.loads(await desk.browser.stop_tracing())["traceEvents"]
    told.blocks, told.work = tasks_of(events)
    told.shown = await page.evaluate("meter.shown()")


def tasks_of(events: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """How long each piece of work of the page's main thread took, and how much of the processor, in ms."""
    mains = {(e["pid"], e["tid"]) for e in events if e["args"].get("name") == "CrRendererMain"}
    tasks = [e for e in events if e["name"] == "RunTask" and e["ph"] == "X" and (e["pid"], e["tid"]) in mains]
    if not tasks:
        raise Broken("Chromium's trace has no tasks: its names may have changed")
    return [e["dur"] / 1000 for e in tasks], [e.get("tdur", e["dur"]) / 1000 for e in tasks]


async def typing(desk: Desk) -> Watched:
    """Letters into a form of 200 fields, one of which others depend on."""
    async with desk.page("/f/page.form") as page:
        await page.get_by_role("button", name="Invoke").wait_for()
        async with watched(desk, page) as told:
            for label in ("Field 5", "Field 55", "Field 184"):
                await page.get_by_role("textbox", name=label, exact=True).click()
                await page.keyboard.type(WORDS, delay=KEY_PAUSE)
            # The address and the gate line follow when somebody pauses.
            await page.wait_for_timeout(PAUSE)
    return told


async def table(desk: Desk) -> Watched:
    """A result of 10 000 rows, scrolled."""
    async with desk.page("/f/page.rows") as page:
        await page.get_by_role("button", name="Invoke").click()
        await page.get_by_text("10000 rows").wait_for()
        async with watched(desk, page) as told:
            told.scrolled = await page.evaluate(f"""meter.scroll(".table-scroll", 480, {FRAMES})""")
    return told


async def log(desk: Desk, lines: int) -> Watched:
    """The log of a job that has ended, scrolled from its first line on."""
    body = {"function_id": "page.log", "game_id": GAME_ID, "env": ENV, "payload": {"lines": lines}}
    status, answer = await desk.product.ask("POST", "/api/start_job", body)
    if status != HTTPStatus.OK:
        raise Broken(f"the job did not start: {answer}")
    async with desk.page(f"/jobs/{answer['job_id']}") as page:
        await page.get_by_text(f"{lines} lines").wait_for()
        async with watched(desk, page) as told:
            await page.locator(".log-frame").evaluate("(frame) => { frame.scrollTop = 0; }")
            told.scrolled = await page.evaluate(f"""meter.scroll(".log-frame", 700, {FRAMES})""")
    return told


async def live(desk: Desk, seconds: int) -> Watched:
    """A job that says a lot, followed in the workbench, while somebody types beside it."""
    lines = seconds * LIVE_RATE
    async with desk.page("/f/page.log") as page:
        # The first one brings what shows a job.
        await start_log(page, 1, 0)
        await page.get_by_text("1 line", exact=True).wait_for()
        async with watched(desk, page) as told:
            await start_log(page, lines, LIVE_RATE)
            await page.get_by_text(re.compile("[0-9]{3} lines")).wait_for()
            await page.evaluate("meter.watch()")
            field = page.get_by_role("textbox", name="lines")
            await field.click()
            for _ in range(seconds):
                await page.keyboard.type("12345", delay=100)
                for _ in range(5):
                    await page.keyboard.press("Backspace", delay=50)
            told.scrolled = await page.evaluate("meter.watched()")
            # Whatever was said is there in the end.
            await page.get_by_text(f"{lines} lines").wait_for()
    return told


async def start_log(page: Page, lines: int, per_second: int) -> None:
    await page.get_by_role("textbox", name="lines").fill(str(lines))
    await page.get_by_role("textbox", name="per_second").fill(str(per_second))
    await page.keyboard.press("Control+Enter")


async def run(stage: Stage) -> list[Figure]:
    visits, lines, seconds = (
        (QUICK_VISITS, QUICK_LINES, QUICK_LIVE_SECONDS) if stage.quick else (VISITS, LINES, LIVE_SECONDS)
    )
    async with desk(stage) as place:
        loads = [await first_form(place) for _ in range(visits)]
        typed, rows, lined, lived = (
            await typing(place),
            await table(place),
            await log(place, lines),
            await live(place, seconds),
        )
    return [
        figure("page: JavaScript of the shell", [load.shell for load in loads], unit="KB", at_most=280.0),
        figure("page: JavaScript until the first form", [load.form for load in loads], unit="KB"),
        figure("page: first form usable", [load.usable for load in loads], unit="ms", at_most=1000.0),
        *typed.figures("typing in 200 fields"),
        *rows.figures("table of 10000 rows"),
        *lined.figures(f"log of {lines} lines"),
        *lived.figures(f"{LIVE_RATE} lines a second"),
    ]

"""One Chromium and one studio for each worker; a visitor for each test."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from tests.browser.studio import WEB, Studio, Visitor, visitor

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/lib/chromium/chromium-headless-shell"
"""Debian's build of the same engine without a desktop's windows, whose drawing costs each tab half a second of a processor."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A machine that runs several of these at a time is slow; what waits is over as soon as it is there.
expect.set_options(timeout=30_000)

Visit = Callable[..., Awaitable[Visitor]]


def _engine() -> str:
    return next((path for path in (SHELL, CHROMIUM) if Path(path).exists()), "")


def _missing() -> str:
    if not _engine():
        return "there is no Chromium here: make components"
    return "" if (WEB / "dist" / "index.html").exists() else "the page is not built: make web"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if missing := _missing():
        pytest.skip(missing)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_engine(), args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def common_studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """For tests that leave its processes as they found them."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    try:
        yield await studio.start()
    finally:
        await studio.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asking_studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """One with a second game server, whose functions ask much of the page: tests/browser/game.py."""
    studio = Studio(tmp_path_factory.mktemp("asking"))
    game = studio.stage.program("asking", sys.executable, "-m", "tests.browser.game", studio.stage.local)
    game.variables = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    try:
        await studio.start()
        await game.start()
        await studio.stage.reachable("wrong.views")
        yield studio
    finally:
        await studio.end()


@pytest_asyncio.fixture(loop_scope="session")
async def own_studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """For tests that kill."""
    studio = Studio(tmp_path)
    try:
        yield await studio.start()
    finally:
        await studio.end()


@pytest_asyncio.fixture(loop_scope="session")
async def new_studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """Nothing of it started yet."""
    studio = Studio(tmp_path)
    try:
        yield studio
    finally:
        await studio.end()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, common_studio: Studio) -> AsyncIterator[Visit]:
    """`await visit("ann", language="zh", theme="dark")`: ann at a browser of her own; "" is somebody who is not signed in.

    No console may have had anything to say when the test is over.
    """
    there: list[Visitor] = []

    async def come(name: str = "", *, studio: Studio = common_studio, **looks: str) -> Visitor:
        person = await visitor(chromium, studio, **looks)
        there.append(person)
        return await person.sign_in(name) if name else person

    yield come
    for person in there:
        await person.context.close()
    for person in there:
        person.calm()

"""A studio on loopback for browsers: server, agent and the demo game as processes of their own, and the people who work there."""

import json
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
from playwright.async_api import APIResponse, Browser, BrowserContext, ConsoleMessage, Page, expect
from pyotp import TOTP
from tests.system.stage import SCOPE, TOKEN, Program, Stage, until

WEB = Path(__file__).parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
COLORS = ["color-contrast", "link-in-text-block"]
"""Rules of axe that look at colours."""
PASSWORD = "correct horse battery staple"
PEOPLE = {"ann": "operator", "bob": "approver", "vera": "viewer", "ada": "admin"}
"""Who has an account, and the role each has in the demo game."""
SIZE = (1440, 900)
PATIENCE = 60_000
"""Milliseconds until a wait counts as failed: far more than a page takes, even on a machine that is busy with other tests."""
expect.set_options(timeout=PATIENCE)
LINK = re.compile(r"http://\S+/setup#\S+")


class Phone:
    """An authenticator app that never shows a code twice: the server takes the step before and after now too."""

    def __init__(self, secret: str) -> None:
        self._app = TOTP(secret)
        self._last = 0

    def code(self) -> str:
        now = int(time.time()) // self._app.interval
        self._last = max(self._last + 1, now - 1)
        assert self._last <= now + 1, "three codes within half a minute are all there are"
        return self._app.generate_otp(self._last)


class Studio:
    """As tests/system's Stage, with the demo game and accounts."""

    def __init__(self, root: Path) -> None:
        self.stage = Stage(root)
        self.game = self.stage.program(
            "demo", sys.executable, "-m", "croupier.demo", "--agent", self.stage.local, "--data", str(root / "demo")
        )
        self.url = f"http://{self.stage.http}"
        self.stage.server.variables = {"CROUPIER_SERVER_APPROVALS": json.dumps({"risks": ["high"]})}
        self.visitors: list[BrowserContext] = []

    async def first_start(self) -> str:
        """Everything as it is before anybody has an account; the setup link that the server prints."""
        self.stage.server.variables["CROUPIER_SERVER_TOKEN"] = ""
        self.stage.session = aiohttp.ClientSession()
        for program in (self.stage.server, self.stage.agent, self.game):
            await program.start()
        await self.up()

        async def printed() -> str:
            found = LINK.search(self.stage.server.text())
            return found[0] if found else ""

        link: str = await until(printed, "the setup link is printed")
        return link

    async def start(self) -> Self:
        headers = {**SCOPE, "Authorization": f"Bearer {TOKEN}"}
        self.stage.session = aiohttp.ClientSession(headers=headers)
        for program in (self.stage.server, self.stage.agent, self.game):
            await program.start()
        await self.stage.reachable("player.ban")
        for name, role in PEOPLE.items():
            await self.add(name, role)
        return self

    async def add(self, name: str, role: str) -> None:
        """An account that may what `role` may: an admin everywhere, others in the demo game."""
        await self.send("POST", "/api/users", {"name": name, "password": PASSWORD})
        scope = {} if role == "admin" else {"game_id": "demo"}
        await self.send("POST", "/api/bindings", {"subject": f"user:{name}", "role": role, **scope})

    async def second_factor(self, name: str) -> Phone:
        """What `name` carries on a phone from now on."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:

            async def ask(path: str, **body: str) -> Any:
                async with session.post(self.url + path, json=body, headers=headers) as answer:
                    assert answer.status < 300, await answer.text()
                    return await answer.json()

            headers: dict[str, str] = {}
            headers["X-CSRF-Token"] = (await ask("/api/login", name=name, password=PASSWORD))["csrf_token"]
            phone = Phone((await ask("/api/me/second_factor", password=PASSWORD))["secret"])
            await ask("/api/me/second_factor/confirm", code=phone.code())
        return phone

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the server as its root, past every page."""
        assert self.stage.session is not None
        async with self.stage.session.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, text
            return json.loads(text) if text else None

    async def restart_server(self) -> None:
        """kill -9, and up again with the same data."""
        await self.stage.server.kill()
        await self.stage.server.start()
        await self.up()

    async def up(self) -> None:
        await until(self._is_up, "the server answers")

    async def _is_up(self) -> bool:
        assert self.stage.session is not None
        try:
            async with self.stage.session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    @property
    def programs(self) -> list[Program]:
        return self.stage.programs

    async def end(self) -> None:
        """Browsers close first, or they would complain of a server that is gone."""
        for context in self.visitors:
            await context.close()
        if self.stage.session is not None:
            await self.stage.session.close()
        await self.stage.end()


@dataclass
class Visitor:
    """A person at a browser of their own: cookies, storage, pages, and what the console said."""

    studio: Studio
    context: BrowserContext
    language: str
    allowed: set[int] = field(default_factory=set)
    """HTTP statuses that the test provokes; the browser writes each refused request into its console."""
    restarts: bool = False
    """Whether the server goes away meanwhile: the browser notes every request that finds nobody."""
    said: list[str] = field(default_factory=list)

    async def sign_in(self, name: str, code: str = "") -> Self:
        """Past the page of signing in, which has tests of its own."""
        given = {"name": name, "password": PASSWORD, "code": code}
        answer = await self.context.request.post(f"{self.studio.url}/api/login", data=given)
        assert answer.ok, await answer.text()
        return self

    async def post(self, path: str, body: Any) -> Any:
        """Ask the server as a page of theirs would."""
        return await (await self.ask(path, body)).json()

    async def ask(self, path: str, body: Any, kind: str = "application/json") -> APIResponse:
        """As `post`, with the whole answer; `kind` is what a body of bytes is."""
        answer = await self.try_to(path, body, kind)
        assert answer.ok, await answer.text()
        return answer

    async def try_to(self, path: str, body: Any, kind: str = "application/json") -> APIResponse:
        """As `ask`, where it may be refused."""
        me = await (await self.context.request.get(f"{self.studio.url}/api/me")).json()
        headers = {"X-CSRF-Token": me["csrf_token"], "Content-Type": kind, **SCOPE}
        return await self.context.request.post(self.studio.url + path, data=body, headers=headers)

    async def open(self, path: str = "/", *, scope: bool = True) -> Page:
        """A new tab."""
        page = await self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        await page.goto(self.address(path, scope=scope))
        return page

    def address(self, path: str, *, scope: bool = True) -> str:
        if not scope:
            return self.studio.url + path
        path, mark, fragment = path.partition("#")
        joint = "&" if "?" in path else "?"
        return f"{self.studio.url}{path}{joint}game=demo&env=dev&lang={self.language}{mark}{fragment}"

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if message.text.startswith("Failed to load resource") and any(
            f"status of {status}" in message.text for status in self.allowed
        ):
            return
        if self.restarts and "net::ERR_" in message.text:
            return
        self.said.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def calm(self) -> None:
        """Raises AssertionError if a console had an error, a warning or a message of the content security policy."""
        assert not self.said, "\n".join(self.said)


async def visitor(browser: Browser, studio: Studio, language: str = "en", theme: str = "light") -> Visitor:
    width, height = SIZE
    context = await browser.new_context(
        locale={"en": "en-GB", "zh": "zh-CN"}[language],
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    studio.visitors.append(context)
    return Visitor(studio, context, language)


async def faults_of(page: Page, *, colors: bool = False) -> list[str]:
    """What axe finds: WCAG 2.2 A and AA and its best practices; of them those of colours alone, where nothing else changed.

    Frames are sealed: it could only knock there, which the console notes.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    options = {"iframes": False, **({"runOnly": COLORS} if colors else {})}
    found: list[dict[str, Any]] = await page.evaluate(
        "(options) => axe.run(document, options).then((found) => found.violations)", options
    )
    return [f"{rule['id']}: {rule['help']}: {[node['html'][:160] for node in rule['nodes'][:4]]}" for rule in found]

"""A server that nobody has an account at, from its first start to a restart, as its administrator sees it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.system.stage import PROGRAM, SCOPE, Program, free_port, until

PASSWORD = "correct horse battery"
LINK = re.compile(r"http://(\S+)/setup#(\S+)")


class Door:
    """A server without a token in its settings."""

    def __init__(self, root: Path) -> None:
        self.http = f"127.0.0.1:{free_port()}"
        self.program = Program(
            (PROGRAM, "server", "--http", self.http, "--grpc", f"127.0.0.1:{free_port()}", "--data", str(root)),
            root / "server.log",
            {"CROUPIER_SERVER_TOKEN": ""},
        )

    async def start(self) -> None:
        await self.program.start()
        await until(self._is_up, "the server is up")

    async def restart(self) -> None:
        await self.program.kill()
        await self.start()

    async def _is_up(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://{self.http}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def links(self) -> list[str]:
        return [secret for _, secret in LINK.findall(self.program.text())]


def browser(door: Door) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://{door.http}", cookie_jar=aiohttp.CookieJar(unsafe=True), headers=SCOPE)


async def sent(session: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with session.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


def kept(root: Path) -> bytes:
    """What the database holds, as it lies on the disk."""
    return b"".join(file.read_bytes() for file in root.rglob("croupier.db*"))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path)
    yield door
    await door.program.end()


async def test_the_first_administrator_comes_by_a_link_that_works_once(door: Door, tmp_path: Path) -> None:
    await door.start()
    await until(lambda: asyncio.sleep(0, bool(door.links())), "the link is printed")
    await door.restart()
    await until(lambda: asyncio.sleep(0, len(door.links()) == 2), "another link is printed")
    old, new = door.links()
    async with browser(door) as page:
        body = {"token": old, "name": "root", "password": PASSWORD}
        assert (await sent(page, "/api/setup", body))[0] == 401
        status, me = await sent(page, "/api/setup", {**body, "token": new})
        assert (status, me["name"]) == (200, "root")
        csrf = me["csrf_token"]
        status, made = await sent(page, "/api/tokens", {"name": "ci", "expires_in": "1h"}, **{"X-CSRF-Token": csrf})
        assert status == 200
        await door.restart()
        async with page.get("/api/me") as answer:
            assert (await answer.json())["name"] == "root", "the session outlives the server"
    bearer = {"Authorization": f"Bearer {made['token']}"}
    async with aiohttp.ClientSession(f"http://{door.http}", headers=bearer) as program:
        async with program.get("/api/users") as answer:
            assert [each["name"] for each in (await answer.json())["users"]] == ["root"]
        status, _ = await sent(program, "/api/setup", {**body, "token": new, "name": "eve"})
        assert status == 401
    assert len(door.links()) == 2, "where somebody has an account no link is printed"
    secrets = [PASSWORD, made["token"].split("_", 2)[2], new]
    assert [secret for secret in secrets if secret.encode() in kept(tmp_path)] == []
    assert await door.program.stop() == 0

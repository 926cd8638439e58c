"""`croupier user`, `session` and `token` against the real server."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.planes.cli_testbed import Terminal
from tests.planes.scripted_agent import Server, running

from croupier.server.app import serving
from croupier.settings import ServerSettings

PASSWORD = "correct horse battery"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
def croupier(server: Server, capsys: Any, monkeypatch: Any) -> Terminal:
    return Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch)


async def login(url: str, name: str, password: str = PASSWORD) -> int:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{url}/api/login", json={"name": name, "password": password})
        return answer.status


async def test_an_account_goes_all_its_way(server: Server, croupier: Terminal):
    url = f"http://{server.info.http}"
    code, out, err = await croupier("user", "add", "bob", "--display-name", "Bob", "--group", "ops")
    assert (code, "Shown once" in err) == (0, True)
    invitation = out.strip()
    assert "invited until" in (await croupier("user", "list"))[1]
    code, out, _ = await croupier("user", "accept", given=f"{invitation}\n{PASSWORD}\n")
    assert (code, out) == (0, "bob has a password now\n")
    assert await login(url, "bob") == 200
    assert "bob" in (await croupier("session", "list", "--all"))[1]
    code, out, _ = await croupier("user", "change", "BOB", "--no-groups", "--json")
    assert (code, json.loads(out)["groups"]) == (0, [])
    assert (await croupier("user", "disable", "bob", "--yes"))[:2] == (0, "bob is disabled\n")
    assert await login(url, "bob") == 401
    assert "disabled" in (await croupier("user", "show", "bob"))[1]
    assert (await croupier("user", "enable", "bob"))[0] == 0
    assert (await croupier("user", "password", "bob", given="another good one\n"))[0] == 0
    assert await login(url, "bob", "another good one") == 200
    assert (await croupier("user", "revoke", "bob", "--yes"))[1] == "1 sessions and 0 tokens ended\n"


async def test_an_invitation_is_a_link_where_the_server_knows_its_address(
    tmp_path: Path, capsys: Any, monkeypatch: Any
):
    async with running(tmp_path, public_url="https://croupier.example") as server:
        croupier = Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch)
        code, out, _ = await croupier("user", "add", "bob")
        assert (code, out.startswith("https://croupier.example/invitation#cri_")) == (0, True)
        code, out, _ = await croupier("user", "invite", "bob")
        assert (code, out.startswith("https://croupier.example/invitation#cri_")) == (0, True)
        assert (await croupier("user", "accept", given=f"{out.strip()}\n{PASSWORD}\n"))[0] == 0


async def test_a_token_goes_all_its_way(server: Server, croupier: Terminal, capsys: Any, monkeypatch: Any):
    assert (await croupier("user", "add", "ci", "--password", given=PASSWORD + "\n"))[0] == 0
    code, out, err = await croupier(
        "token", "create", "build", "--user", "ci", "--expires-in", "90d", "--permission", "packs.read",
        "--scope", "demo|*",
    )  # fmt: skip
    assert (code, "expires" in err) == (0, True)
    token = out.strip()
    listed = (await croupier("token", "list", "--all"))[1]
    assert "packs:read" in listed
    assert token not in listed
    own = Terminal(f"http://{server.info.http}", token, capsys, monkeypatch)
    code, out, _ = await own("token", "list", "--json")
    (entry,) = json.loads(out)["tokens"]
    assert (code, entry["user_name"], entry["scopes"]) == (0, "ci", ["demo|*"])
    code, _, err = await own("token", "create", "more", "--expires-in", "1h")
    assert (code, "a token cannot make tokens" in err) == (5, True)
    assert (await croupier("token", "revoke", entry["token_id"], "--yes"))[0] == 0
    assert (await own("token", "list"))[0] == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["user", "show", "nobody"], 4, "there is no account nobody"),
        (["user", "add", "a b"], 1, "a name has 1 to 64"),
        (["user", "change", "bob"], 2, "nothing is to be changed"),
        (["user", "disable", "bob", "--json"], 2, "say --yes"),
        (["token", "create", "x", "--expires-in", "30d"], 1, "whose token"),
        (["token", "revoke", "never", "--yes"], 4, "unknown"),
        (["session", "revoke", "../users", "--yes"], 4, ""),
        (["user", "password", "bob"], 2, "no new password of bob"),
    ],
)
async def test_what_is_not_possible_is_said(croupier: Terminal, arguments: list[str], code: int, words: str):
    found, out, err = await croupier(*arguments)
    assert (found, words in (out + err).lower() or words in out + err) == (code, True), (out, err)


async def test_the_first_start_ends_with_an_administrator(tmp_path: Path, capsys: Any, monkeypatch: Any):
    settings = ServerSettings(http="127.0.0.1:0", grpc="127.0.0.1:0", data=tmp_path)
    async with serving(settings) as info:
        url = f"http://{info.http}"
        assert info.setup_link.startswith(url + "/setup#")
        nobody = Terminal(url, "", capsys, monkeypatch)
        code, out, err = await nobody("user", "setup", "root", given=f"{info.setup_link}\n{PASSWORD}\n")
        assert (code, "administrator" in out) == (0, True), err
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            answer = await session.post(f"{url}/api/login", json={"name": "root", "password": PASSWORD})
            headers = {"X-CSRF-Token": (await answer.json())["csrf_token"]}
            made = await session.post(f"{url}/api/users", json={"name": "bob"}, headers=headers)
            assert made.status == 200, await made.text()
    async with serving(settings) as info:
        assert info.setup_link == ""
        assert await login(f"http://{info.http}", "root") == 200

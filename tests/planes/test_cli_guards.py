"""`croupier limit`, `maintenance` and `secret` against the real server."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.cli_testbed import Terminal
from tests.planes.scripted_agent import Server, running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


@pytest.fixture
def croupier(server: Server, capsys: Any, monkeypatch: Any) -> Terminal:
    return Terminal(f"http://{server.info.http}", server.info.token, capsys, monkeypatch)


async def test_a_limit_is_set_shown_listed_and_removed(croupier: Terminal) -> None:
    code, out, _ = await croupier(
        "limit", "set", "coins", "--function", "player.*", "--rate", "10/m", "--concurrency", "3", "--budget", "$.amount",
        "--most", "10000", "--per", "user", "--zone", "Asia/Shanghai", "--game", "demo", "--note", "see T-7",
    )  # fmt: skip
    assert (code, out) == (0, "limit coins holds from now on\n")
    _, out, _ = await croupier("limit", "list")
    assert "demo|*" in out
    assert "10/60s" in out
    assert "$.amount 10000 per day" in out
    code, out, _ = await croupier("limit", "show", "coins", "--json")
    assert json.loads(out)["budget"]["zone"] == "Asia/Shanghai"
    assert (await croupier("limit", "remove", "coins", given=b"n\n"))[0] != 0
    code, out, _ = await croupier("limit", "remove", "coins", "--yes")
    assert (code, out) == (0, "limit coins is removed\n")
    code, _, err = await croupier("limit", "show", "coins")
    assert (code, "unknown limit" in err) == (4, True)


async def test_a_budget_without_its_amount_is_a_usage_error(croupier: Terminal) -> None:
    code, _, err = await croupier("limit", "set", "coins", "--function", "*", "--budget", "$.amount")
    assert (code, "--most" in err) == (2, True)


async def test_maintenance_is_started_listed_and_ended(croupier: Terminal) -> None:
    code, out, _ = await croupier(
        "maintenance", "start", "new disks", "--lasts", "2h", "--game", "demo", "--yes", "--json"
    )
    window = json.loads(out)
    assert (code, window["state"], window["game_id"], window["env"]) == (0, "open", "demo", "*")
    _, out, _ = await croupier("maintenance", "list")
    assert "new disks" in out
    assert (await croupier("maintenance", "end", window["id"]))[0] == 0
    code, _, err = await croupier("maintenance", "end", window["id"])
    assert (code, "over already" in err) == (1, True)
    assert (await croupier("maintenance", "start", "again", "--json"))[0] == 2


async def test_a_secret_comes_from_a_pipe_or_a_file_and_is_never_printed(croupier: Terminal, tmp_path: Path) -> None:
    said = [await croupier("secret", "set", "token", "--note", "for x", given=b"hunter22\n")]
    assert said[-1][1] == "version 1 of secret token is used from now on\n"
    path = tmp_path / "value.bin"
    path.write_bytes(b"\x00\xff" * 100)
    said.append(await croupier("secret", "set", "token", "--file", str(path)))
    said.append(await croupier("secret", "set", "own", "--game", "demo", "--env", "dev", given=b"hunter23"))
    said.append(await croupier("secret", "list"))
    assert "demo|dev" in said[-1][1]
    said.append(await croupier("secret", "rotate", "token", "--json"))
    said.append(await croupier("secret", "disable", "token", "--version", "2", "--json"))
    assert json.loads(said[-1][1])["current"] == 1
    said.append(await croupier("secret", "enable", "token", "--version", "2", "--json"))
    assert json.loads(said[-1][1])["current"] == 2
    said.append(await croupier("secret", "destroy", "token", "--version", "2", "--yes", "--json"))
    assert json.loads(said[-1][1])["versions"][0]["state"] == "destroyed"
    said.append(await croupier("secret", "show", "own", "--game", "demo", "--env", "dev"))
    said.append(await croupier("secret", "delete", "own", "--game", "demo", "--env", "dev", "--yes"))
    assert [code for code, _, _ in said] == [0] * len(said)
    assert not any("hunter2" in out + err for _, out, err in said)
    assert (await croupier("secret", "show", "own", "--game", "demo", "--env", "dev"))[0] == 4


async def test_a_secret_that_is_empty_or_too_large_is_refused(croupier: Terminal) -> None:
    assert (await croupier("secret", "set", "token", given=b""))[0] == 1
    assert (await croupier("secret", "set", "token", given=b"x" * 65_537))[0] == 2
    assert (await croupier("secret", "set", "token", given=b"x" * 65_536))[0] == 0

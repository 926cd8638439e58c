"""Processes begin and end in order: exit codes, no traceback, no leftovers."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.system.dev import Dev, playing
from tests.system.stage import PROGRAM, Stage, croupier, until


@pytest.fixture
async def dev(tmp_path: Path) -> AsyncIterator[Dev]:
    async with playing(tmp_path) as dev:
        yield dev


async def test_dev_says_how_to_reach_it_bans_by_command_line_and_http_and_ends_with_0(dev: Dev) -> None:
    program, ready, env = dev.program, dev.ready, dev.variables
    assert set(ready) == {"url", "token", "grpc", "agent", "page", "game_id", "env"}

    code, out, err = await croupier("invoke", "player.list", "--json", **env)
    assert code == 0, err
    first, second = (player["player_id"] for player in json.loads(out)["players"][:2])

    code, _, err = await croupier("invoke", "player.ban", f"player_id={first}", "reason=cheating", **env)
    assert code == 0, err
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ready['token']}"}) as session,
        session.post(
            f"{ready['url']}/games/demo/functions/player.ban?env=dev", json={"player_id": second, "reason": "spam"}
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()
    for player in (first, second):
        code, out, err = await croupier("invoke", "player.get", f"player_id={player}", "--json", **env)
        assert code == 0, err
        assert json.loads(out)["banned"]

    code, out, err = await croupier("invoke", "--job", "mail.send_all", "text=hello", **env)
    assert code == 0, err

    assert await program.stop() == 0
    assert "Traceback" not in program.text()


async def test_the_link_that_dev_prints_signs_a_browser_in_once(dev: Dev) -> None:
    program, ready = dev.program, dev.ready
    address, _, ticket = ready["page"].partition("/login#ticket=")
    assert (address, len(ticket)) == (ready["url"], 43)
    async with aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post("/api/login/ticket", json={"ticket": ticket}) as answer:
            assert answer.status == 200, await answer.text()
        async with browser.get("/api/me") as answer:
            assert [role["role"] for role in (await answer.json())["roles"]] == ["admin"]
    async with aiohttp.ClientSession(address) as another:
        async with another.post("/api/login/ticket", json={"ticket": ticket}) as answer:
            assert answer.status == 401
        async with another.get("/", headers={"Accept": "text/html"}) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
    assert program.text().count(ticket) == 1


async def test_dev_describes_its_game_by_the_shipped_pack_and_installs_others_by_their_names(dev: Dev) -> None:
    ready, env = dev.ready, dev.variables
    code, _, err = await croupier("pack", "install", "prom", "--yes", "--json", **env)
    assert code == 0, err
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ready['token']}"}) as session,
        session.get(f"{ready['url']}/api/descriptors") as answer,
    ):
        described = {each["id"]: each for each in await answer.json()}
    assert described["prom.query"]["outputs"]["views"][0]["renderer"] == "table.view"
    assert described["player.list"]["outputs"]["views"][0]["transform"] == {"expr": "$.players"}
    assert described["player.ban"]["inverse"]["function"] == "player.unban"


async def test_commands_fail_with_their_exit_code_and_plain_words(dev: Dev) -> None:
    env = dev.variables
    for arguments, code, words in [
        (["invoke", "player.gett"], 4, "player.gett"),
        (["invoke", "demo.fail"], 1, ""),
        (["invoke", "player.get"], 1, "player_id"),
        (["invoke", "player.get", "player_id=nobody"], 1, "nobody"),
        (["invoke", "player.get", "{not json"], 2, ""),
        (["job", "follow", "j0"], 4, "unknown job"),
    ]:
        got, _, err = await croupier(*arguments, **env)
        assert got == code, (arguments, err)
        assert words in err
        assert "Traceback" not in err
    got, _, err = await croupier("registry", **{**env, "CROUPIER_TOKEN": "wrong-token-wrong-token-wrong"})
    assert got == 5, err
    got, _, err = await croupier("registry", **{**env, "CROUPIER_URL": "http://127.0.0.1:1"})
    assert got == 3, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_every_process_ends_with_0_and_without_a_traceback(stage: Stage, number: signal.Signals) -> None:
    game = stage.game()
    programs = [stage.server, stage.agent, game]
    for program in programs:
        await program.start()
    await stage.reachable("echo")
    calls = [asyncio.ensure_future(stage.invoke("act", {"key": f"k{n}", "seconds": 0.2})) for n in range(8)]
    await until(lambda: _begun(stage), "calls are running")
    codes = [await program.stop(number) for program in (game, stage.agent, stage.server)]
    assert codes == [0, 0, 0], "\n".join(program.text() for program in programs)
    await asyncio.gather(*calls, return_exceptions=True)
    for program in programs:
        assert "Traceback" not in program.text(), program.text()
        assert "never awaited" not in program.text()


async def _begun(stage: Stage) -> bool:
    return bool(stage.noted())


async def test_a_drained_game_server_finishes_what_runs(running: Stage) -> None:
    (game,) = [program for program in running.programs if program.output.name == "game-1.log"]
    call = asyncio.ensure_future(running.invoke("act", {"key": "last", "seconds": 0.5}))
    await until(lambda: _begun(running), "the call runs")
    assert await game.stop() == 0
    assert await call == (200, {"key": "last", "by": "game-1"})


async def test_server_and_agent_refuse_to_leave_loopback_and_say_why(tmp_path: Path) -> None:
    code, _, err = await croupier("server", "--http", "0.0.0.0:0", "--data", str(tmp_path))
    assert code == 1
    assert "without a certificate" in err
    code, _, err = await croupier(
        "agent", "--game", "demo", "--env", "dev", "--servers", "192.0.2.1:8443", "--data", str(tmp_path)
    )
    assert code != 0
    assert "loopback" in err or "127.0.0.1" in err
    assert "Traceback" not in err


async def test_a_taken_port_is_an_error_in_plain_words(shared: Stage, tmp_path: Path) -> None:
    code, _, err = await croupier(
        "server", "--http", shared.http, "--grpc", "127.0.0.1:0", "--data", str(tmp_path / "other")
    )
    assert code == 1
    assert shared.http in err
    assert "Traceback" not in err


def test_the_programs_under_test_are_the_installed_ones() -> None:
    assert Path(PROGRAM).exists()
    assert Path(sys.executable).exists()

"""Processes begin and end in order: exit codes, no traceback, no leftovers."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.system.stage import PROGRAM, Program, Stage, until


async def output(*arguments: str, env: dict[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *arguments, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def dev(tmp_path: Path) -> Any:
    """`croupier dev`, its ready line, and the environment for the command line."""
    program = Program(
        [PROGRAM, "dev", "--json", "--http", "127.0.0.1:0", "--data", str(tmp_path / "data")], tmp_path / "dev.log"
    )
    await program.start()

    async def ready_line() -> Any:
        lines = [line for line in program.text().splitlines() if line.startswith("{")]
        assert program.process.returncode is None, program.text()
        return json.loads(lines[0]) if lines else None

    ready = await until(ready_line, "croupier dev is ready")
    env = {
        "CROUPIER_URL": ready["url"],
        "CROUPIER_TOKEN": ready["token"],
        "CROUPIER_GAME_ID": ready["game_id"],
        "CROUPIER_ENV": ready["env"],
        "PATH": "/usr/bin:/bin",
    }
    yield program, ready, env, tmp_path / "data"
    if program.process.returncode is None:
        await program.kill()


async def test_dev_says_how_to_reach_it_bans_by_command_line_and_http_and_ends_with_0(dev: Any) -> None:
    program, ready, env, _ = dev
    assert set(ready) == {"url", "token", "grpc", "agent", "page", "game_id", "env"}

    code, out, err = await output(PROGRAM, "invoke", "player.list", "--json", env=env)
    assert code == 0, err
    first, second = (player["player_id"] for player in json.loads(out)["players"][:2])

    code, _, err = await output(PROGRAM, "invoke", "player.ban", f"player_id={first}", "reason=cheating", env=env)
    assert code == 0, err
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ready['token']}"}) as session,
        session.post(
            f"{ready['url']}/games/demo/functions/player.ban?env=dev", json={"player_id": second, "reason": "spam"}
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()
    for player in (first, second):
        code, out, err = await output(PROGRAM, "invoke", "player.get", f"player_id={player}", "--json", env=env)
        assert code == 0, err
        assert json.loads(out)["banned"]

    code, out, err = await output(PROGRAM, "invoke", "--job", "mail.send_all", "text=hello", env=env)
    assert code == 0, err

    assert await program.stop() == 0
    assert "Traceback" not in program.text()


async def test_the_link_that_dev_prints_signs_a_browser_in_once(dev: Any) -> None:
    program, ready, _, _ = dev
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


async def test_dev_describes_its_game_by_the_shipped_pack_and_installs_others_by_their_names(dev: Any) -> None:
    _, ready, env, _ = dev
    code, _, err = await output(PROGRAM, "pack", "install", "prom", "--yes", "--json", env=env)
    assert code == 0, err
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {ready['token']}"}) as session,
        session.get(f"{ready['url']}/api/descriptors") as answer,
    ):
        described = {each["id"]: each for each in await answer.json()}
    assert described["prom.query"]["outputs"]["views"][0]["renderer"] == "table.view"
    assert described["player.list"]["outputs"]["views"][0]["transform"] == {"expr": "$.players"}
    assert described["player.ban"]["inverse"]["function"] == "player.unban"


async def test_commands_fail_with_their_exit_code_and_plain_words(dev: Any) -> None:
    _, _, env, _ = dev
    for arguments, code, words in [
        (["invoke", "player.gett"], 4, "player.gett"),
        (["invoke", "demo.fail"], 1, ""),
        (["invoke", "player.get"], 1, "player_id"),
        (["invoke", "player.get", "player_id=nobody"], 1, "nobody"),
        (["invoke", "player.get", "{not json"], 2, ""),
        (["job", "follow", "j0"], 4, "unknown job"),
    ]:
        got, _, err = await output(PROGRAM, *arguments, env=env)
        assert got == code, (arguments, err)
        assert words in err
        assert "Traceback" not in err
    got, _, err = await output(PROGRAM, "registry", env={**env, "CROUPIER_TOKEN": "wrong-token-wrong-token-wrong"})
    assert got == 5, err
    got, _, err = await output(PROGRAM, "registry", env={**env, "CROUPIER_URL": "http://127.0.0.1:1"})
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
    env = {"PATH": "/usr/bin:/bin"}
    code, _, err = await output(PROGRAM, "server", "--http", "0.0.0.0:0", "--data", str(tmp_path), env=env)
    assert code == 1
    assert "without a certificate" in err
    code, _, err = await output(
        PROGRAM,
        "agent",
        "--game",
        "demo",
        "--env",
        "dev",
        "--servers",
        "192.0.2.1:8443",
        "--data",
        str(tmp_path),
        env=env,
    )
    assert code != 0
    assert "loopback" in err or "127.0.0.1" in err
    assert "Traceback" not in err


async def test_a_taken_port_is_an_error_in_plain_words(shared: Stage, tmp_path: Path) -> None:
    code, _, err = await output(
        PROGRAM, "server", "--http", shared.http, "--grpc", "127.0.0.1:0", "--data", str(tmp_path / "other"),
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert code == 1
    assert shared.http in err
    assert "Traceback" not in err


def test_the_programs_under_test_are_the_installed_ones() -> None:
    assert Path(PROGRAM).exists()
    assert Path(sys.executable).exists()

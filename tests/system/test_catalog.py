"""Descriptions of a real server: changed while calls run, and kept when it is killed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.system.stage import Stage, until

DEMO = {"demo|dev": ["echo", "act"]}
MANIFEST = {"provider": {"id": "p"}, "functions": [{"id": "echo", "request": {"json_schema": {"required": ["n"]}}}]}


def _wanted(function: str, version: int) -> str:
    return "key" if (function, version) == ("act", 1) else f"v{version}"


def describe(folder: Path, version: int) -> None:
    """As careful writers do. Each version wants another field, so whoever mixes two versions is seen."""
    for name in ("echo", "act"):
        place = folder / "descriptors" / f"{name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{name}")
        params = {"type": "object", "required": [_wanted(name, version)]}
        fresh.write_text(json.dumps({"id": name, "version": str(version), "params": params, "summary": "x" * 10_000}))
        fresh.replace(place)


@pytest.fixture
async def described(stage: Stage) -> Stage:
    """Server, agent and game server, and a pack in a folder that describes two of its functions."""
    folder = stage.root / "packs" / "game"
    describe(folder, 1)
    (folder / "manifest.json").write_text('{"functions": []}')
    stage.server.variables = {"CROUPIER_SERVER_PACKS": json.dumps({"directories": [str(stage.root / "packs")]})}
    for program in (stage.server, stage.agent, stage.game()):
        await program.start()
    await stage.reachable("echo")
    return stage


async def version_of(stage: Stage, function_id: str = "echo") -> str:
    _, body = await stage.get(f"/api/descriptors/{function_id}")
    version: str = body["descriptor"]["version"]
    return version


async def test_descriptions_change_while_calls_run_and_no_call_sees_half_of_one(described: Stage) -> None:
    stage = described
    done = asyncio.Event()
    seen: set[str] = set()

    async def call(number: int) -> None:
        while not done.is_set():
            payload = {"v1": number} if number % 2 else {"v2": number}
            status, body = await stage.invoke("echo", payload)
            if status == 200:
                assert body == payload
            else:
                assert (status, list(body["details"])) == (400, ["/v2" if number % 2 else "/v1"]), body

    async def look() -> None:
        while not done.is_set():
            _, found = await stage.get("/api/descriptors?game_id=demo&env=dev&id=echo")
            (echo,) = found
            assert echo["params"]["required"] == [f"v{echo['version']}"]
            seen.add(echo["version"])

    callers = [asyncio.ensure_future(work) for work in (*map(call, range(8)), look())]
    for version in (2, 1, 2, 1):
        describe(stage.root / "packs" / "game", version)
        await until(lambda wanted=str(version): _is(stage, wanted), f"version {version} counts")
    done.set()
    await asyncio.gather(*callers)
    assert seen == {"1", "2"}


async def _is(stage: Stage, version: str, function_id: str = "echo") -> bool:
    return await version_of(stage, function_id) == version


async def test_a_call_in_flight_ends_as_it_began(described: Stage) -> None:
    stage = described
    call = asyncio.ensure_future(stage.invoke("act", {"key": "k", "seconds": 3}, timeout=60))
    await until(lambda: _noted(stage, "begin k"), "the function runs")
    describe(stage.root / "packs" / "game", 2)
    await until(lambda: _is(stage, "2", "act"), "version 2 counts")
    assert await call == (200, {"key": "k", "by": "game-1"})
    assert stage.noted() == ["begin k", "end k"]


async def _noted(stage: Stage, line: str) -> bool:
    return line in stage.noted()


async def test_a_broken_description_is_shown_and_changes_nothing(described: Stage) -> None:
    stage = described
    (stage.root / "packs" / "game" / "descriptors" / "echo.json").write_text('{"id": "echo", "risk": "?"}')

    async def faults() -> Any:
        return (await stage.get("/api/catalog/faults"))[1]["faults"]

    (fault,) = await until(faults, "the fault is shown")
    assert (fault["file"], fault["path"]) == ("game/descriptors/echo.json", "$.risk")
    assert await version_of(stage) == "1"
    assert (await stage.invoke("echo", {"v1": 1}))[0] == 200


async def test_a_killed_server_keeps_providers_and_assignments(running: Stage) -> None:
    stage = running
    assert (await stage.post("/api/providers/capabilities", MANIFEST))[0] == 200
    assert stage.session is not None
    async with stage.session.put(f"http://{stage.http}/api/assignments", data=json.dumps(DEMO)) as answer:
        assert answer.status == 200
    await stage.server.kill()
    await stage.server.start()
    assert await stage.answers("echo", {"n": 1}) == {"n": 1}
    assert (await stage.invoke("echo", {}))[0] == 400
    assert (await stage.invoke("pid", {}))[0] == 403
    _, registry = await stage.get("/api/registry")
    assert registry["assignments"] == {"demo|dev": ["act", "echo"]}
    _, body = await stage.get("/api/providers/descriptors")
    assert [provider["owner"] for provider in body["providers"]] == ["token:developer"]

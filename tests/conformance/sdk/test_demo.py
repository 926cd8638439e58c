"""The sample game, used as an operator would, behind the SDK's fake agent."""

import asyncio
import csv
import signal
import sqlite3
import sys

import pytest
from tests import programs

from croupier import demo
from croupier_sdk import CallError
from croupier_sdk.testing import FakeAgent

FUNCTIONS = {
    "player.list",
    "player.get",
    "player.ban",
    "player.unban",
    "item.grant",
    "mail.send_all",
    "player.export",
    "demo.fail",
    "demo.hang",
    "demo.echo",
}


@pytest.fixture
async def agent():
    async with FakeAgent() as agent:
        yield agent


@pytest.fixture(params=["attach", "listen"])
async def game(agent, tmp_path, request):
    async with demo.build(tmp_path, agent=agent.address, players=60, mode=request.param):
        await agent.wait_registered("player.list")
        yield agent


async def rejection(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


async def test_every_function_is_named_in_both_languages(game):
    functions = game.registered["game-1"]
    assert set(functions) == FUNCTIONS
    for entry in functions.values():
        assert set(entry["display_name"]) == set(entry["summary"]) == {"en", "zh"}
    assert functions["player.ban"]["risk"] == "high"
    assert functions["player.list"]["semantics"]["mode"] == "query"
    assert functions["mail.send_all"]["semantics"]["returns"] == "job"
    assert functions["player.unban"]["request"]["json_schema"]["required"] == ["player_id"]


async def test_players_are_things_with_operations(game):
    player = game.entities["game-1"]["player"]
    operations = {each["op"]: each for each in player["operations"]}
    assert set(operations) == {"list", "read", "ban", "unban", "grant"}
    assert operations["ban"]["target"] == {"field": "player_id"} == operations["grant"]["target"]
    assert "target" not in operations["list"]
    assert set(player["title"]) == {"en", "zh"}


async def test_players_are_listed_by_page_search_and_ban(game):
    page = await game.invoke("player.list", {"page": 2, "page_size": 25})
    assert (page["total"], page["page"]) == (60, 2)
    assert [player["player_id"] for player in page["players"]] == [f"p{n:04}" for n in range(26, 51)]
    banned = await game.invoke("player.list", {"banned": True})
    assert [player["player_id"] for player in banned["players"]] == ["p0025", "p0050"]
    assert (await game.invoke("player.list", {"search": "p0007"}))["total"] == 1
    assert (await game.invoke("player.list", {"search": "%"}))["total"] == 0
    assert (await rejection(game.invoke("player.list", {"page": 0})))[0] == "invalid_argument"


async def test_a_ban_is_kept_and_lifted(game):
    player = await game.invoke("player.ban", {"player_id": "p0001", "reason": "使用外挂", "days": 7})
    assert (player["banned"], player["ban_reason"]) == (True, "使用外挂")
    assert (await game.invoke("player.get", {"player_id": "p0001"}))["banned_until"] == player["banned_until"] != ""
    assert await rejection(game.invoke("player.ban", {"player_id": "p0001"})) == (
        "function_rejected",
        "player p0001 is already banned",
    )
    assert (await game.invoke("player.unban", {"player_id": "p0001"}))["banned"] is False
    assert await rejection(game.invoke("player.unban", {"player_id": "p0001"})) == (
        "function_rejected",
        "player p0001 is not banned",
    )


@pytest.mark.parametrize("function_id", ["player.get", "player.ban", "player.unban", "item.grant"])
async def test_a_player_nobody_knows_is_rejected(game, function_id):
    arguments = {"player_id": "nobody"} | ({"item": "coins"} if function_id == "item.grant" else {})
    assert await rejection(game.invoke(function_id, arguments)) == ("function_rejected", "there is no player nobody")


async def test_grants_fill_the_wallet_within_bounds(game):
    before = await game.invoke("player.get", {"player_id": "p0002"})
    coins = await game.invoke("item.grant", {"player_id": "p0002", "item": "coins", "quantity": 500})
    assert coins["quantity"] == before["coins"] + 500
    await game.invoke("item.grant", {"player_id": "p0002", "item": "sword"})
    assert (await game.invoke("item.grant", {"player_id": "p0002", "item": "sword", "quantity": 2}))["quantity"] == 3
    assert (await game.invoke("player.get", {"player_id": "p0002"}))["items"]["sword"] == 3
    for wrong in ({"quantity": 0}, {"quantity": 100_001}, {"item": "crown"}):
        arguments = {"player_id": "p0002", "item": "coins", **wrong}
        assert (await rejection(game.invoke("item.grant", arguments)))[0] == "invalid_argument"


async def test_grants_at_once_are_all_counted(game):
    grant = {"player_id": "p0003", "item": "ticket"}
    await asyncio.gather(*(game.invoke("item.grant", grant, timeout=30) for _ in range(40)))
    assert (await game.invoke("player.get", {"player_id": "p0003"}))["items"]["ticket"] == 40


async def test_a_mail_reaches_everyone_who_is_not_banned(game, tmp_path):
    job = await game.start_job("mail.send_all", {"text": "maintenance at noon", "seconds": 0})
    assert await job.result() == {"sent": 58}
    assert [event.progress for event in job.seen if event.type == "progress"][-1] == 100
    assert any("58 players" in event.message for event in job.seen)
    with sqlite3.connect(tmp_path / "game.db") as connection:
        assert connection.execute("SELECT count(DISTINCT player_id) FROM mails").fetchone() == (58,)
    connection.close()


async def test_a_mail_can_be_cancelled_half_way(game):
    job = await game.start_job("mail.send_all", {"text": "oops", "seconds": 60})
    async for event in job.events():
        if event.type == "log":
            break
    await job.cancel()
    with pytest.raises(CallError):
        await job.result()


async def test_an_export_is_a_csv_file(game, tmp_path):
    job = await game.start_job("player.export", {})
    result = await job.result()
    assert result["rows"] == 60
    with (tmp_path / "exports" / result["file"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["player_id"] for row in rows] == [f"p{n:04}" for n in range(1, 61)]
    assert [event.type for event in job.seen] == ["progress", "log", "done"]


async def test_trouble_is_what_it_says(game):
    assert await rejection(game.invoke("demo.fail")) == ("handler_failed", "RuntimeError: this function always fails")
    assert (await rejection(game.invoke("demo.hang", timeout=0.1)))[0] == "deadline_exceeded"
    assert await game.invoke("demo.echo", {"any": ["thing"]}) == {"any": ["thing"]}


async def test_players_outlive_the_game(agent, tmp_path):
    for expected in (False, True):
        ready = asyncio.Event()
        serve = asyncio.create_task(demo.serve(tmp_path, ready=ready, agent=agent.address))
        await ready.wait()
        await agent.wait_registered("player.get")
        assert (await agent.invoke("player.get", {"player_id": "p0200"}))["banned"] is True
        assert (await agent.invoke("player.get", {"player_id": "p0001"}))["banned"] is expected
        if not expected:
            await agent.invoke("player.ban", {"player_id": "p0001"})
        serve.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serve


async def test_the_game_runs_as_a_program_and_ends_cleanly(agent, tmp_path):
    command = (
        sys.executable,
        "-m",
        "croupier.demo",
        "--agent",
        agent.address,
        "--data",
        str(tmp_path),
        "--players",
        "3",
    )
    async with programs.running(*command) as process:
        await agent.wait_registered("player.list")
        assert (await agent.invoke("player.list"))["total"] == 3
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err

"""A bulk run over real processes: whatever dies, every row ends, and none runs twice."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
from tests.system.stage import Stage, until

ROWS = 2_000


async def upload(stage: Stage, rows: int) -> str:
    assert stage.session is not None
    content = "key\n" + "".join(f"row-{number}\n" for number in range(1, rows + 1))
    address = f"http://{stage.http}/api/bulk?function_id=act"
    async with stage.session.post(
        address, data=io.BytesIO(content.encode()), headers={"Content-Type": "text/csv"}
    ) as answer:
        body = await answer.json()
    assert (answer.status, body["valid"]) == (200, rows), body
    bulk_id: str = body["bulk_id"]
    return bulk_id


async def ended(stage: Stage, bulk_id: str) -> dict[str, Any]:
    async def is_done() -> Any:
        try:
            _, body = await stage.get(f"/api/bulk/{bulk_id}")
        except aiohttp.ClientError:
            return None
        return body if body.get("state") == "done" else None

    found: dict[str, Any] = await until(is_done, f"bulk {bulk_id} is done")
    return found


async def noted(stage: Stage, rows: int) -> None:
    async def enough() -> bool:
        return len(stage.noted()) >= 2 * rows

    await until(enough, f"{rows} rows have run")


def begun(stage: Stage) -> Counter[str]:
    return Counter(line.removeprefix("begin ") for line in stage.noted() if line.startswith("begin "))


async def all_rows(stage: Stage, bulk_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        _, page = await stage.get(f"/api/bulk/{bulk_id}/rows?reveal=true&limit=200&after={after}")
        found += page["rows"]
        after = page["next"]
    return found


async def test_no_row_runs_twice_and_all_end_although_the_server_is_killed_in_the_middle(running: Stage) -> None:
    bulk_id = await upload(running, ROWS)
    status, _ = await running.post(f"/api/bulk/{bulk_id}/start", {"rate": 1000, "concurrency": 16})
    assert status == 200
    for share in (0.2, 0.5):
        await noted(running, int(ROWS * share))
        await running.server.kill()
        await running.server.start()
    done = await ended(running, bulk_id)

    ran = begun(running)
    assert set(ran.values()) == {1}
    rows = await all_rows(running, bulk_id)
    states = Counter(row["state"] for row in rows)
    assert states == {state: count for state, count in done["counts"].items() if count}
    assert states["succeeded"] + states["unknown"] == ROWS
    assert states["unknown"] <= 2 * 16
    for row in rows:
        if row["state"] == "succeeded":
            assert ran[row["arguments"]["key"]] == 1


async def test_a_bulk_outlives_its_agent_and_its_game_server(stage: Stage) -> None:
    game = stage.game()
    for program in (stage.server, stage.agent, game):
        await program.start()
    await stage.reachable("act")
    bulk_id = await upload(stage, 400)
    await stage.post(f"/api/bulk/{bulk_id}/start", {"rate": 100, "concurrency": 4})
    await noted(stage, 50)
    await stage.agent.kill()
    await stage.agent.start()
    await noted(stage, 150)
    await game.kill()
    await game.start()
    done = await ended(stage, bulk_id)
    assert set(begun(stage).values()) == {1}
    assert sum(done["counts"][state] for state in ("succeeded", "failed", "unknown")) == 400
    assert done["counts"]["unknown"] <= 2 * 4


async def test_a_bulk_is_run_from_the_command_line(shared: Stage, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("key,seconds\na,0\nb,soon\nc,0\n")
    code, out, err = await shared.croupier("bulk", "upload", str(file), "--function", "act")
    assert (code, "3 rows, 2 valid, 1 invalid" in out, "row 2 (line 3) /seconds" in err) == (1, True, True)

    file.write_text("key\na\nb\nc\n")
    code, out, _ = await shared.croupier("bulk", "upload", str(file), "--function", "act", "--json")
    bulk_id = json.loads(out)["bulk_id"]
    code, _, err = await shared.croupier("bulk", "start", bulk_id)
    assert (code, "Call act in demo|dev for 3 rows of rows.csv?" in err, "--yes" in err) == (2, True, True)
    code, out, err = await shared.croupier("bulk", "start", bulk_id, "--canary", "1", "--yes", "--follow")
    assert (code, "canary_done: 2 pending, 1 succeeded" in out, "bulk confirm" in err) == (0, True, True)
    assert (await shared.croupier("bulk", "confirm", bulk_id, "--yes"))[0] == 0
    code, out, _ = await shared.croupier("bulk", "follow", bulk_id)
    assert (code, out) == (0, f"{bulk_id} done: 3 succeeded\n")
    code, out, _ = await shared.croupier("bulk", "rows", bulk_id, "--state", "succeeded", "--limit", "2")
    shown = [line for line in out.splitlines() if '{"key": "masked:' in line]
    assert (code, len(shown)) == (0, 2), "a field of this name is masked"
    assert "3 succeeded" in (await shared.croupier("bulk", "status", bulk_id))[1]
    assert bulk_id in (await shared.croupier("bulk", "list", "--state", "done"))[1]
    code, _, err = await shared.croupier("bulk", "rerun", bulk_id)
    assert (code, "nothing to run again" in err) == (1, True)
    assert (await shared.croupier("bulk", "status", "b0"))[0] == 4
    assert sorted(begun(shared)) == ["a", "b", "c"]

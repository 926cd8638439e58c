import re
import sqlite3
from pathlib import Path

from croupier_sdk import Invoker, Provider
from croupier_sdk.testing import FakeAgent

README = Path(__file__).parents[2] / "README.md"
GAME, KEYS, JOB, THINGS, CALL, TEST = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def build_game(**options):
    """What the README shows, with the agent of the test in the place of its own."""
    code = GAME.replace('agent="127.0.0.1:19090"', "**options").replace("game.run()", "") + JOB + THINGS
    names = {"options": options}
    exec(compile(code, str(README), "exec"), names)
    game: Provider = names["game"]
    return game


def indented(code):
    return "".join(f"    {line}\n" for line in code.splitlines())


async def run(code, **names):
    lines = code.splitlines(keepends=True)
    imports = "".join(line for line in lines if line.startswith("from "))
    body = "".join(line for line in lines if not line.startswith("from "))
    exec(compile(f"{imports}\nasync def example():\n{indented(body)}", str(README), "exec"), names)
    await names["example"]()


async def test_the_function_of_the_readme_has_at_most_ten_lines():
    assert len(GAME.replace("\n\n", "\n").splitlines()) <= 10


async def test_the_keys_of_the_readme_outlive_the_process(tmp_path):
    db = sqlite3.connect(tmp_path / "game.db", isolation_level=None)
    db.execute("create table keys (key text primary key, digest blob, answer blob)")
    bans = []
    async with FakeAgent() as agent:
        for _ in range(2):
            names = {"db": db, "options": {"agent": agent.address}}
            exec(compile(KEYS.replace('agent="127.0.0.1:19090"', "**options"), str(README), "exec"), names)
            game: Provider = names["game"]

            @game.function("player.ban")
            async def ban(player_id: str) -> str:
                bans.append(player_id)
                return "banned"

            async with game:
                await game.ready()
                await agent.wait_registered("player.ban")
                assert await agent.invoke("player.ban", {"player_id": "p1"}, idempotency_key="k1") == "banned"
    assert bans == ["p1"]


async def test_the_test_of_the_readme_passes():
    await run(TEST, build_game=build_game)


async def test_the_things_of_the_readme_are_registered_with_their_functions():
    async with FakeAgent() as agent, build_game(agent=agent.address):
        await agent.wait_registered("wallet.delete")
        operations = agent.entities["game-1"]["wallet"]["operations"]
        assert [each["function"] for each in operations] == ["wallet.get", "wallet.delete"]
        assert await agent.invoke("wallet.get", {"player_id": "p1"}) == {"coins": 7}


async def test_the_calls_of_the_readme_succeed(capsys):
    async with FakeAgent() as agent, build_game(agent=agent.address, mode="listen"):
        await agent.wait_registered("mail.send_all")
        address = agent._listening["game-1"].address

        def invoker(_, **options):
            return Invoker(address, **options)

        await run(CALL.replace("import InvokeOptions, Invoker", "import InvokeOptions"), token="t", Invoker=invoker)
    assert "100 of 100 sent" in capsys.readouterr().out

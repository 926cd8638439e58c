"""From a .proto to a call: protoc makes the pack and the messages, a game server that knows nothing else answers over HTTP."""

import asyncio
import importlib.resources
import json
import shutil
import stat
import sys
from pathlib import Path

import pytest
from tests.programs import completed
from tests.system.stage import Program, Stage, until

from croupier.protogen.main import include_folder

EXAMPLE = Path(__file__).parents[2] / "examples" / "protobuf"


async def protoc(folder: Path, *arguments: str) -> None:
    """protoc, which starts our plugin as it starts any other."""
    plugin = folder / "protoc-gen-croupier"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m croupier.protogen "$@"\n')
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    said = await completed(
        sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-croupier={plugin}",
        f"-I{folder}", f"-I{include_folder()}", f"-I{well_known}", *arguments,
    )  # fmt: skip
    assert said.code == 0, said.err


class Arena:
    """The example, with its game server."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.game: Program = stage.program(
            "arena-1", sys.executable, str(folder / "server.py"), "--agent", stage.local, "--service-id", "arena-1"
        )

    async def generate(self, version: str) -> None:
        """The game server's messages, and the pack."""
        options = f"name=arena,version={version},archive=arena.tgz"
        await protoc(
            self.folder, f"--python_out={self.folder}", f"--croupier_out={options}:{self.folder}", "arena.proto"
        )

    def add_a_field(self) -> None:
        """To the .proto; the game server goes on without it."""
        source = self.folder / "arena.proto"
        source.write_text(source.read_text().replace("int64 coins = 2;", "int64 coins = 2; string title = 90;"))

    async def generate_files(self, packs: Path) -> None:
        """The pack as files in a folder of their own."""
        (packs / "arena").mkdir(parents=True, exist_ok=True)
        await protoc(self.folder, f"--croupier_out=name=arena:{packs / 'arena'}", "arena.proto")

    async def install(self) -> None:
        assert self.stage.session is not None
        address = f"http://{self.stage.http}/api/packs/import"
        with (self.folder / "arena.tgz").open("rb") as archive:
            async with self.stage.session.post(address, data=archive) as answer:
                assert answer.status == 200, await answer.text()


@pytest.fixture
async def generated(stage: Stage, tmp_path: Path) -> Arena:
    """Nothing started yet."""
    folder = tmp_path / "arena"
    shutil.copytree(EXAMPLE, folder)
    arena = Arena(stage, folder)
    await arena.generate("1.0.0")
    return arena


@pytest.fixture
async def arena(generated: Arena) -> Arena:
    arena, stage = generated, generated.stage
    stage.server.variables = {"CROUPIER_SERVER_PACKS": json.dumps({"allow_unsigned": True})}
    for program in (stage.server, stage.agent, arena.game):
        await program.start()
    await stage.reachable("arena.find")
    await arena.install()
    return arena


async def test_a_protobuf_game_server_answers_over_http(arena: Arena) -> None:
    stage = arena.stage
    status, player = await stage.invoke("arena.find", {"account": "9007199254740993"})
    assert status == 200
    assert player["player_id"] == "account-9007199254740993"
    assert player["coins"] == "9007199254740993"
    assert player["bag"] == [{"item_id": "sword", "count": 1, "signature": ""}]
    assert player["friends"][0]["coins"] == "7"

    status, answer = await stage.invoke(
        "arena.ban", {"player_id": "p", "kind": "BAN_KIND_TEMPORARY", "lasts": "60s"}, idempotency_key="k"
    )
    assert status == 200, answer
    assert answer["banned"] is True
    assert answer["until"].endswith("Z")
    again = await stage.invoke(
        "arena.ban", {"player_id": "p", "kind": "BAN_KIND_TEMPORARY", "lasts": "60s"}, idempotency_key="k"
    )
    assert again == (200, answer)


async def test_what_is_recorded_is_json_and_can_be_called_again(arena: Arena) -> None:
    stage = arena.stage
    await stage.invoke("arena.find", {"player_id": "p-1"}, idempotency_key="k")
    _, calls = await stage.get("/api/calls?function_id=arena.find")
    _, call = await stage.get(f"/api/calls/{calls['calls'][0]['call_id']}")
    assert call["payload"] == {"player_id": "p-1"}
    assert call["result"]["payload"]["player_id"] == "p-1"
    status, again = await stage.post(f"/api/calls/{call['call_id']}/replay", {})
    assert (status, again["player_id"]) == (200, "p-1")


async def test_a_job_and_a_broadcast_answer_json_too(arena: Arena) -> None:
    stage = arena.stage
    story = await stage.follow(await stage.start_job("player.send_gift", {"player_ids": ["a", "b"]}))
    assert [event["message"] for event in story[:-1]] == ["sent to a", "sent to b"]
    assert story[-1]["payload"] == {"sent": 2}
    status, answer = await stage.invoke("arena.find", {"player_id": "p"}, route="broadcast")
    assert status == 200
    assert answer["results"][0]["payload"]["player_id"] == "p"


async def test_what_does_not_fit_never_reaches_the_game_server(arena: Arena) -> None:
    stage = arena.stage
    for payload in ({"player": "p"}, {"player_id": 5}, {"player_id": "p", "account": "1"}, {"account": "many"}):
        status, problem = await stage.invoke("arena.find", payload)
        assert (status, problem["reason"]) == (400, "invalid_argument"), payload
    status, problem = await stage.invoke("arena.ban", {})
    assert (status, problem["reason"]) == (422, "function_rejected")


async def test_new_types_are_used_while_calls_run(arena: Arena) -> None:
    """Calls never see half of one pack and half of the next: each is answered by the types that it began with."""
    stage = arena.stage
    stopping = asyncio.Event()

    async def keep_calling() -> int:
        count = 0
        while not stopping.is_set():
            status, player = await stage.invoke("arena.find", {"player_id": "p-1"})
            assert (status, player["player_id"]) == (200, "p-1")
            count += 1
        return count

    calling = [asyncio.ensure_future(keep_calling()) for _ in range(4)]
    arena.add_a_field()
    await arena.generate("1.1.0")
    await arena.install()
    _, player = await stage.invoke("arena.find", {"player_id": "p-1"})
    assert player["title"] == ""
    stopping.set()
    assert all(await asyncio.gather(*calling))


async def test_what_the_generator_writes_into_a_folder_of_packs_is_used_as_it_lies(
    generated: Arena, tmp_path: Path
) -> None:
    arena, stage, packs = generated, generated.stage, tmp_path / "packs"
    await arena.generate_files(packs)
    stage.server.variables = {"CROUPIER_SERVER_PACKS": json.dumps({"directories": [str(packs)]})}
    for program in (stage.server, stage.agent, arena.game):
        await program.start()
    await stage.reachable("arena.find")
    assert "title" not in await stage.answers("arena.find", {"player_id": "p-1"})
    arena.add_a_field()
    await arena.generate_files(packs)

    async def knows_titles() -> bool:
        _, player = await stage.invoke("arena.find", {"player_id": "p-1"})
        return "title" in player

    await until(knows_titles, "the new types are used")

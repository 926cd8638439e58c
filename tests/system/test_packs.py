"""A server that is killed while packs are imported has the old packs or the new ones, whole."""

import asyncio
import random
from pathlib import Path

import aiohttp
from tests.planes.packs_testbed import pack_files
from tests.system.stage import Stage, until

from croupier.packs.reading import read_pack
from croupier.packs.tar import read_archive, write_archive

CUT_OFF, ROUNDS = 3, 20
"""Kills in the middle of an import that are wanted, and how often it is tried at most."""


def release(number: int) -> bytes:
    """Two packs that only go together, and enough files that writing them takes a while."""
    version = f"{number}.0.0"
    functions = [f"top.f{each}" for each in range(100)]
    base = pack_files("base", [f"base.v{number}"], version=version)
    top = pack_files("top", functions, version=version, dependencies=[f"base@{version}"])
    files = {f"base/{name}": content for name, content in base.items()}
    return write_archive(files | {f"top/{name}": content for name, content in top.items()})


async def send(stage: Stage, archive: bytes) -> int:
    assert stage.session is not None
    address = f"http://{stage.http}/api/packs/import"
    async with stage.session.post(address, data=archive, headers={"Content-Type": "application/gzip"}) as answer:
        return answer.status


async def up(stage: Stage) -> None:
    async def asked() -> bool:
        try:
            return (await stage.get("/readyz"))[0] == 200
        except aiohttp.ClientError:
            return False

    await until(asked, "the server is ready")


class Importing:
    """Sends one release after the other until the server dies."""

    def __init__(self, stage: Stage, first: int) -> None:
        self._stage = stage
        self.sent = self.acknowledged = first

    async def run(self) -> None:
        try:
            while True:
                archive = release(self.acknowledged + 1)
                self.sent = self.acknowledged + 1
                assert await send(self._stage, archive) == 200
                self.acknowledged = self.sent
        except aiohttp.ClientError:
            return


async def versions(stage: Stage) -> dict[str, str]:
    _, found = await stage.get("/api/packs/list")
    assert [pack["problem"] for pack in found["packs"]] == ["", ""]
    return {pack["name"]: pack["version"] for pack in found["packs"]}


def kept(root: Path) -> set[str]:
    return {each.name for each in (root / "objects" / "packs").iterdir()}


async def test_a_kill_in_the_middle_of_imports_leaves_old_or_new_packs_whole(stage: Stage):
    chance = random.Random(7)
    stage.server.arguments = (*stage.server.arguments, "--allow-unsigned")
    await stage.server.start()
    await up(stage)
    assert await send(stage, release(1)) == 200
    number, cut_off, rounds = 1, 0, 0
    while cut_off < CUT_OFF:
        rounds += 1
        assert rounds <= ROUNDS, "kills hardly ever come in the middle of an import: let them take longer"
        importing = Importing(stage, number)
        task = asyncio.create_task(importing.run())
        await asyncio.sleep(chance.uniform(0.05, 0.6))  # the kill may come at any moment
        await stage.server.kill()
        await task
        await stage.server.start()
        await up(stage)
        found = await versions(stage)
        number = int(found["top"].partition(".")[0])
        cut_off += importing.sent > importing.acknowledged
        assert importing.acknowledged <= number <= importing.sent
        assert found == {"base": f"{number}.0.0", "top": f"{number}.0.0"}
        status, functions = await stage.get("/api/packs/base")
        assert (status, functions["functions"]) == (200, [f"base.v{number}"])
        named = {
            f"{each['digest']}.tgz" for name in found for each in (await stage.get(f"/api/packs/{name}"))[1]["versions"]
        }
        assert kept(stage.root) == named
    assert await send(stage, release(number + 1)) == 200


async def test_what_is_on_the_disk_can_be_read_by_anybody(stage: Stage):
    stage.server.arguments = (*stage.server.arguments, "--allow-unsigned")
    await stage.server.start()
    await up(stage)
    assert await send(stage, release(1)) == 200
    packs = {
        name: read_pack(read_archive((stage.root / "objects" / "packs" / name).read_bytes()))
        for name in kept(stage.root)
    }
    assert {pack.digest + ".tgz" for pack in packs.values()} == packs.keys()

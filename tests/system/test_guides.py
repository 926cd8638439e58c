"""docs/guides/write-a-pack.md, run as it is written: files are saved, the game is started, commands are typed."""

import asyncio
import os
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.programs import completed, environment
from tests.system.dev import playing
from tests.system.stage import PROGRAM, Program, until

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "write-a-pack.md"
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>[a-z]+)(?: fails with (?P<why>[a-z_]+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
AGENT = "127.0.0.1:19090"


async def typed(text: str, folder: Path, env: dict[str, str]) -> tuple[int, str]:
    code, told, _ = await completed("bash", "-ec", text, cwd=folder, env=env, stderr=asyncio.subprocess.STDOUT)
    return code, told


@pytest.mark.timeout(600)
async def test_the_guide_to_writing_a_pack_holds_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    game = Program([sys.executable, str(folder / "game.py")], tmp_path / "game.log")
    async with playing(tmp_path) as dev, AsyncExitStack() as ending:
        env = environment(PATH=f"{Path(PROGRAM).parent}:{os.environ['PATH']}", **dev.variables)
        for block in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
            text = block["text"]
            if block["file"]:
                (folder / block["file"]).parent.mkdir(parents=True, exist_ok=True)
                (folder / block["file"]).write_text(text.replace(AGENT, dev.ready["agent"]), encoding="utf-8")
            else:
                code, told = await typed(text, folder, env)
                assert block["kind"] == "sh"
                assert (code != 0) == (block["why"] is not None), f"{text}\n{told}"
                assert (block["why"] or "") in told
                assert "Traceback" not in told
            if block["file"] == "game.py":
                await ending.enter_async_context(game)
                await until(lambda: _offered(folder, env), "the game offers its functions")
        for program in (game, dev.program):
            assert await program.stop() == 0
    assert "Traceback" not in game.text() + dev.program.text()


async def _offered(folder: Path, env: dict[str, str]) -> bool:
    code, _ = await typed("croupier invoke shop.orders player_id=p0001", folder, env)
    return code == 0

"""docs/guides/write-a-pack.md, run as it is written: files are saved, the game is started, commands are typed."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest
from tests.system.stage import PROGRAM, Program, until

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "write-a-pack.md"
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>[a-z]+)(?: fails with (?P<why>[a-z_]+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
AGENT = "127.0.0.1:19090"


async def typed(text: str, folder: Path, env: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-ec", text, cwd=folder, env=env, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.mark.timeout(600)
async def test_the_guide_to_writing_a_pack_holds_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_")}
    dev = Program(
        [PROGRAM, "dev", "--json", "--http", "127.0.0.1:0", "--data", str(tmp_path / "data")], tmp_path / "dev.log"
    )
    game = Program([sys.executable, str(folder / "game.py")], tmp_path / "game.log")
    await dev.start()
    try:
        ready = await until(lambda: _ready(dev), "croupier dev is ready")
        env = {
            **inherited,
            "PATH": f"{Path(PROGRAM).parent}:{inherited['PATH']}",
            "CROUPIER_URL": ready["url"],
            "CROUPIER_TOKEN": ready["token"],
            "CROUPIER_GAME_ID": ready["game_id"],
            "CROUPIER_ENV": ready["env"],
        }
        for block in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
            text = block["text"]
            if block["file"]:
                (folder / block["file"]).parent.mkdir(parents=True, exist_ok=True)
                (folder / block["file"]).write_text(text.replace(AGENT, ready["agent"]), encoding="utf-8")
            else:
                code, told = await typed(text, folder, env)
                assert block["kind"] == "sh"
                assert (code != 0) == (block["why"] is not None), f"{text}\n{told}"
                assert (block["why"] or "") in told
                assert "Traceback" not in told
            if block["file"] == "game.py":
                await game.start()
                await until(lambda: _offered(folder, env), "the game offers its functions")
    finally:
        for program in (game, dev):
            await program.stop()
    assert "Traceback" not in game.text() + dev.text()


async def _ready(dev: Program) -> object:
    assert dev.process.returncode is None, dev.text()
    lines = [line for line in dev.text().splitlines() if line.startswith("{")]
    return json.loads(lines[0]) if lines else None


async def _offered(folder: Path, env: dict[str, str]) -> bool:
    code, _ = await typed("croupier invoke shop.orders player_id=p0001", folder, env)
    return code == 0

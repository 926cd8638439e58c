"""docs/guides/tls.md, typed as it is written: files are saved, programs run in terminals of their own, commands end as it says."""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.programs import completed, environment
from tests.system.stage import PROGRAM, Program, free_port, until

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "tls.md"
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>[a-z]+)"
    r"(?:(?P<terminal> in a terminal of its own)| fails with (?P<why>[^\n]+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


def _of_this_test(text: str) -> str:
    """The guide, with ports that nobody else has."""
    ports = {address: f"127.0.0.1:{free_port()}" for address in dict.fromkeys(_ADDRESS.findall(text))}
    return _ADDRESS.sub(lambda found: ports[found[0]], text)


@pytest.mark.timeout(600)
async def test_the_guide_to_mtls_holds_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "typed"
    folder.mkdir()
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    terminals: list[Program] = []
    async with AsyncExitStack() as ending:
        for block in _BLOCK.finditer(_of_this_test(GUIDE.read_text(encoding="utf-8"))):
            if block["file"]:
                (folder / block["file"]).write_text(block["text"], encoding="utf-8")
            elif block["terminal"]:
                command = ["bash", "-ec", f"cd {folder}\n{_last_replaces(block['text'])}"]
                terminal = Program(command, tmp_path / f"terminal-{len(terminals)}.log", {"PATH": path})
                terminals.append(await ending.enter_async_context(terminal))
            else:
                await _typed(block["text"], block["why"], folder, environment(PATH=path))
        for terminal in terminals[:-1]:
            assert await terminal.stop() == 0, terminal.text()
    said = "".join(terminal.text() for terminal in terminals)
    assert "Traceback" not in said
    assert "PLAIN TEXT" not in said
    assert len(terminals) == 4


def _last_replaces(text: str) -> str:
    """As in a terminal, a signal reaches the program."""
    *before, last = text.strip().splitlines()
    assignments, program = re.fullmatch(r"((?:\w+=(?:\$\([^)]*\)|\S*) )*)(.*)", last).groups()  # type: ignore[union-attr]
    return "\n".join([*before, f"export {assignments}" if assignments else ":", f"exec {program}"])


async def _typed(text: str, why: str | None, folder: Path, env: dict[str, str]) -> None:
    """Until it ends as the guide says: what was started before takes a moment, as it does for a reader."""
    said = ""

    async def as_written() -> bool:
        nonlocal said
        code, said, _ = await completed("bash", "-ec", text, cwd=folder, env=env, stderr=asyncio.subprocess.STDOUT)
        assert "Traceback" not in said, said
        return code == 0 if why is None else code != 0 and why in said

    try:
        await until(as_written, text)
    except AssertionError as error:
        raise AssertionError(f"{text}\nsaid: {said}") from error

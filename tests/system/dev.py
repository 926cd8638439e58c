"""`croupier dev`, for tests of what somebody does who has nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.stage import PROGRAM, Program, until


@dataclass(frozen=True, kw_only=True, slots=True)
class Dev:
    program: Program
    ready: dict[str, str]
    """What it said when it was ready."""

    @property
    def variables(self) -> dict[str, str]:
        """With these the command line finds it."""
        said = self.ready
        return {
            "CROUPIER_URL": said["url"],
            "CROUPIER_TOKEN": said["token"],
            "CROUPIER_GAME_ID": said["game_id"],
            "CROUPIER_ENV": said["env"],
        }


@asynccontextmanager
async def playing(root: Path) -> AsyncIterator[Dev]:
    """One with its data under `root`, from when it is ready until the context ends."""
    command = [PROGRAM, "dev", "--json", "--http", "127.0.0.1:0", "--data", str(root / "data")]
    async with Program(command, root / "dev.log") as program:

        async def said() -> dict[str, str] | None:
            assert program.process.returncode is None, program.text()
            found: dict[str, str] | None = next(map(json.loads, _objects(program)), None)
            return found

        yield Dev(program=program, ready=await until(said, "croupier dev is ready"))


def _objects(program: Program) -> list[str]:
    return [line for line in program.text().splitlines() if line.startswith("{")]

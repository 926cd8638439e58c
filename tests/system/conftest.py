from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.system.stage import SCOPE, TOKEN, Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Nothing started yet."""
    stage = Stage(tmp_path)
    connector = aiohttp.TCPConnector(limit=0)
    headers = {**SCOPE, "Authorization": f"Bearer {TOKEN}"}
    # Ten thousand connections at once take this client longer than its own limit; what hangs is ended by pytest's.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=None)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        stage.session = session
        yield stage
    await stage.end()


@pytest.fixture
async def running(stage: Stage) -> Stage:
    """Server, agent and one game server of ours, ready for calls."""
    for program in (stage.server, stage.agent, stage.game()):
        await program.start()
    await stage.reachable("echo")
    return stage

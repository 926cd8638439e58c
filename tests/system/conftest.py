from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.system.stage import SCOPE, TOKEN, Stage


@asynccontextmanager
async def _client() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=0)
    headers = {**SCOPE, "Authorization": f"Bearer {TOKEN}"}
    # Ten thousand connections at once take this client longer than its own limit; what hangs is ended by pytest's.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=None)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        yield session


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Nothing started yet."""
    async with _client() as session, Stage(tmp_path) as stage:
        stage.session = session
        yield stage


@pytest.fixture
async def running(stage: Stage) -> Stage:
    """Server, agent and one game server of ours, ready for calls."""
    for program in (stage.server, stage.agent, stage.game()):
        await program.start()
    await stage.reachable("echo")
    return stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """What `shared` shows: as `running`, with foreign game servers in both codecs."""
    async with _client() as session, Stage(tmp_path_factory.mktemp("installation")) as stage:
        stage.session = session
        for program in (stage.server, stage.agent, stage.game()):
            await program.start()
        await stage.reachable("echo")
        # Only now: unlike the SDK, gRPC waits ever longer between attempts to reach an agent that is not there yet.
        for codec in ("protobuf", "json"):
            await stage.foreign_game(codec, "--codec", codec, "--prefix", f"{codec}.", "--heartbeat").start()
            await stage.reachable(f"{codec}.echo")
        yield stage


@pytest.fixture
async def shared(installation: Stage) -> AsyncIterator[Stage]:
    """A running installation for tests that leave every process of it as they found it: one serves them all."""
    async with _client() as session:
        stage = installation.seen_by(session)
        await stage.reachable("echo")
        yield stage

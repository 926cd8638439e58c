"""The HTTP API as its own description says, asked by a program that makes up requests: whoever asks, nothing breaks, every status is
described, and so is every answer.

Short here; `make fuzz` asks for as long as one likes (`FUZZ=50` made-up requests for each operation, and every edge of each field).
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.system.stage import SCOPE, TOKEN, Stage, until

pytestmark = [pytest.mark.fuzz, pytest.mark.asyncio(loop_scope="module")]

FUZZ = os.environ.get("FUZZ", "")
PHASES = "examples,coverage,fuzzing" if FUZZ else "examples,fuzzing"
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"
STREAMS = "stream|^/api/events"
"""They do not end; `tests/policy` asks for each of them."""
TESTER = str(Path(sys.executable).with_name("st"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("fuzz"))
    stage.server.variables = {
        "CROUPIER_SERVER_THROTTLE_ADDRESS": "0",  # nobody asks more often than people do
        "CROUPIER_SERVER_THROTTLE_CREDENTIAL": "0",
    }
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}", **SCOPE}) as stage.session:
        await stage.server.start()

        async def is_ready() -> bool:
            try:
                return (await stage.get("/readyz"))[0] == 200
            except aiohttp.ClientError:
                return False

        await until(is_ready, "the server is ready")
        _, described = await stage.get("/api/openapi.json")
        (stage.root / "openapi.json").write_text(json.dumps(described))
        yield stage
    await stage.end()


async def token_of(stage: Stage, role: str) -> str:
    """Of an account with that role everywhere."""
    status, made = await stage.post("/api/users", {"name": role})
    assert status < 300, made
    user = made["user"]["user_id"]
    status, made = await stage.post("/api/bindings", {"subject": f"user:{user}", "role": role})
    assert status < 300, made
    status, made = await stage.post("/api/tokens", {"name": "fuzz", "expires_in": "1d", "user_id": user})
    assert status < 300, made
    return str(made["token"])


async def asked(stage: Stage, token: str | None) -> tuple[int | None, str]:
    """How the tester ended, and what it printed."""
    headers = {**SCOPE, **({"Authorization": f"Bearer {token}"} if token is not None else {})}
    given = [part for header in headers.items() for part in ("-H", ": ".join(header))]
    tester = await asyncio.create_subprocess_exec(
        TESTER, "run", "openapi.json", "--url", f"http://{stage.http}", *given,
        "--checks", CHECKS, "--phases", PHASES, "-n", FUZZ or "1", "--exclude-path-regex", STREAMS,
        "--seed", os.environ.get("SEED", "1"), "--generation-database", "none", "--warnings", "off", "--no-color",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=stage.root,  # it keeps a folder of its own where it runs
    )  # fmt: skip
    try:
        said, _ = await tester.communicate()
    except asyncio.CancelledError:
        tester.kill()
        await tester.communicate()
        raise
    return tester.returncode, said.decode(errors="replace")


@pytest.mark.parametrize("role", ["nobody", "viewer", "operator", "root"])
async def test_whoever_asks_whatever_is_answered_as_described(stage: Stage, role: str) -> None:
    known = {"nobody": None, "root": TOKEN}
    token = known[role] if role in known else await token_of(stage, role)
    code, said = await asked(stage, token)
    print(f"\n{role}:{said[-1_500:]}")  # noqa: T201 — the figures, for who asks with -s
    assert code == 0, said[-20_000:]

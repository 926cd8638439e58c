"""Load by wrk: one thread, so that it leaves the machine to what is measured."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from processes import HERE, Broken, clean_environ

_REQUEST_SECONDS = 20
"""wrk gives a request up after so long; the platform answers every call sooner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What one run of wrk saw. Latencies are in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    worst: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


async def load(url: str, *, connections: int, seconds: float, body: bytes, token: str = "") -> Load:
    """Post `body` over and over. Raises Broken when wrk is missing or any request failed."""
    program = shutil.which("wrk")
    if program is None:
        raise Broken("wrk is not installed: `make components` does it")
    child = await asyncio.create_subprocess_exec(
        program,
        "--threads=1",
        f"--connections={connections}",
        f"--duration={max(1, round(seconds))}s",
        f"--timeout={_REQUEST_SECONDS}s",
        f"--script={HERE / 'post.lua'}",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environ(BENCH_BODY=body.decode(), BENCH_TOKEN=token),
    )
    try:
        async with asyncio.timeout(seconds + _REQUEST_SECONDS + 10):
            output, _ = await child.communicate()
    except TimeoutError as error:
        raise Broken("wrk did not end") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _parsed(output.decode(errors="replace"))


def _parsed(output: str) -> Load:
    _, found, rest = output.partition("SUMMARY ")
    if not found:
        raise Broken(f"wrk said no summary: {output[-500:]}")
    said: Mapping[str, float] = json.loads(rest.partition("\n")[0])
    failed = {name: said[name] for name in ("status", "broken", "timeout") if said[name]}
    if failed or not said["requests"]:
        raise Broken(f"of {said['requests']} requests some failed: {failed or 'all'}")
    return Load(
        requests=int(said["requests"]),
        seconds=said["microseconds"] / 1e6,
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
        worst=said["max"] / 1000,
    )

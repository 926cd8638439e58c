"""Followers of jobs over server-sent events, who count what they are told."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import uvloop

from programs import driven

EVENT = b"\nid: "
END = b"\nevent: done\n"


class Followers:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._tasks: list[asyncio.Task[tuple[int, float]]] = []
        self._connected = 0
        self._all_connected = asyncio.Event()

    async def ask(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """`follow` connects so many followers to each of the jobs; `wait` waits for the end of the story and what each saw."""
        if command["do"] == "follow":
            return await self._follow([job for job in command["jobs"] for _ in range(command["each"])])
        ended = await asyncio.gather(*self._tasks)
        counts = [count for count, _ in ended]
        return {"least": min(counts), "most": max(counts), "end": max(end for _, end in ended)}

    async def _follow(self, jobs: list[str]) -> Mapping[str, Any]:
        self._connected = 0
        self._all_connected.clear()
        self._tasks = [asyncio.create_task(self._one(job, len(jobs))) for job in jobs]
        connected = asyncio.ensure_future(self._all_connected.wait())
        either: set[asyncio.Future[Any]] = {connected, *self._tasks}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return {"connected": self._connected}

    async def _one(self, job: str, everyone: int) -> tuple[int, float]:
        """How many events came, and when (in seconds since 1970) the last did."""
        count, tail = 0, b"\n"
        async with self._session.get(self._url, params={"id": job}) as response:
            response.raise_for_status()
            self._connected += 1
            if self._connected == everyone:
                self._all_connected.set()
            async for chunk in response.content.iter_any():
                seen = tail + chunk
                count += seen.count(EVENT) - tail.count(EVENT)
                tail = seen[-64 * 1024 :] if END in seen else seen[-len(END) :]
                if END in seen:
                    return count, time.time()
        raise ValueError(f"the story of {job} broke off after {count} events")


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['BENCH_TOKEN']}"}
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
        # They stand for people elsewhere, and take what processor is left.
        os.nice(10)
        driven.ready()
        await driven.answer(Followers(session, f"{sys.argv[1]}/api/stream_job").ask)


if __name__ == "__main__":
    uvloop.run(main())

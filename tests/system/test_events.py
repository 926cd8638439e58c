"""The live stream of a page, while processes die and jobs are noisy."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
from tests.system.stage import PATIENCE, SCOPE, Stage

QUERY = {"game_id": SCOPE["X-Game-ID"], "env": SCOPE["X-Env"]}


class Browser:
    """Dials again whenever it is cut off, as an EventSource does, and remembers what it was told."""

    def __init__(self, stage: Stage, *topics: str) -> None:
        self._stage = stage
        self._topics = ",".join(topics)
        self.cursor = ""
        self.told: list[dict[str, Any]] = []
        self.about: list[tuple[str, dict[str, Any]]] = []
        """Messages about the stream itself."""
        self.dialled = 0

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Those of topics, for ever."""
        async with asyncio.timeout(2 * PATIENCE):
            while True:
                try:
                    async for message in self._connection():
                        yield message
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)  # its `retry`; nobody tells when the server is back

    async def _connection(self) -> AsyncIterator[dict[str, Any]]:
        assert self._stage.session is not None
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        address = f"http://{self._stage.http}/api/events"
        async with self._stage.session.get(
            address, params={"topics": self._topics, **QUERY}, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            self.dialled += 1
            fields: dict[str, str] = {}
            async for line in response.content:
                text = line.decode().rstrip("\n")
                if text:
                    name, _, value = text.partition(": ")
                    fields[name] = value
                    continue
                if "data" in fields:
                    for message in self._taken(fields):
                        yield message
                fields = {}

    def _taken(self, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
        self.cursor = fields.get("id", self.cursor)
        data = json.loads(fields["data"])
        if "event" in fields:
            self.about.append((fields["event"], data))
        else:
            self.told.append(data)
            yield data


def events(browser: Browser, topic: str) -> list[dict[str, Any]]:
    """Those of a job, as they were told."""
    return [each["data"] for each in browser.told if each["topic"] == topic and "seq" in each["data"]]


async def test_a_page_follows_a_job_to_its_end_although_the_server_is_killed_twice(running: Stage) -> None:
    job_id = await running.start_job("count", {"to": 120, "pause": 0.03})
    topic = f"job:{job_id}"
    browser = Browser(running, topic, "jobs", "health")
    killed = 0
    async for message in browser.messages():
        seen = len(events(browser, topic))
        if killed < 2 and seen >= 20 * (killed + 1):
            killed += 1
            await running.server.kill()
            await running.server.start()
        if message["topic"] == topic and message["type"] in {"done", "error"}:
            break
    story = events(browser, topic)
    assert [each["seq"] for each in story] == list(range(1, len(story) + 1))
    assert [each["message"] for each in story if each["type"] == "log"] == [f"line {n}" for n in range(1, 121)]
    assert (story[-1]["type"], story[-1]["state"]) == ("done", "succeeded")
    assert browser.dialled == 3
    resets = [data for name, data in browser.about if name == "reset"]
    assert resets == [{"topic": "jobs", "reason": "restarted"}] * 2


async def test_a_page_is_told_that_the_server_restarts_and_goes_on(running: Stage) -> None:
    browser = Browser(running, "health")

    async def restart() -> None:
        await running.server.stop()
        await running.server.start()

    restarting: asyncio.Task[None] | None = None
    async for _ in browser.messages():
        restarting = restarting or asyncio.ensure_future(restart())
        if browser.dialled == 2:
            break
    assert restarting is not None
    await restarting
    assert ("end", {"reason": "restarting"}) in browser.about


async def test_fifty_pages_at_a_noisy_job_do_not_starve_calls(shared: Stage) -> None:
    # Logged in a second or two; telling it to fifty pages, half a million messages, takes much longer than that.
    job_id = await shared.start_job("count", {"to": 10_000})
    topic = f"job:{job_id}"
    pages = [Browser(shared, topic, "jobs", "calls", "health") for _ in range(50)]

    async def look(page: Browser) -> None:
        async for message in page.messages():
            if message["topic"] == topic and message["type"] == "done":
                return

    looking = [asyncio.ensure_future(look(page)) for page in pages]
    for number in range(20):
        assert await shared.invoke("echo", {"number": number}, timeout=30) == (200, {"number": number})
    await asyncio.gather(*looking)
    for page in pages:
        story = events(page, topic)
        assert [each["seq"] for each in story] == list(range(1, len(story) + 1))
        assert [each["message"] for each in story if each["type"] == "log"] == [f"line {n}" for n in range(1, 10_001)]
        assert story[-1]["state"] == "succeeded"

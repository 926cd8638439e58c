"""Edges come and go under load; no call fails, and none runs twice."""

import asyncio
import itertools
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from tests.system.stage import PATIENCE, PROGRAM, Program, Stage, free_port, until

LINK_TOKEN = "link-token-of-the-system-test"


class Load:
    """Keyed and unkeyed calls, a few at any time, until it is ended."""

    def __init__(self, stage: Stage, *, callers: int = 8, seconds: float = 0.05) -> None:
        """So many at a time, each call as long as `seconds`."""
        self._stage = stage
        self._callers = callers
        self._seconds = seconds
        self._number = itertools.count()
        self._ending = False
        self.calls = 0
        self.failed: list[object] = []

    async def _worker(self) -> None:
        while not self._ending:
            key = f"call-{next(self._number)}"
            keyed = {"idempotency_key": key} if self.calls % 2 else {}
            status, body = await self._stage.invoke("act", {"key": key, "seconds": self._seconds}, timeout=30, **keyed)
            self.calls += 1
            if (status, body) != (200, {"key": key, "by": "game-1"}):
                self.failed.append((key, status, body))

    async def more(self, calls: int) -> None:
        """Until so many more calls have ended."""
        goal = self.calls + calls

        async def reached() -> bool:
            return self.calls >= goal

        await until(reached, f"{calls} more calls")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        workers = [asyncio.ensure_future(self._worker()) for _ in range(self._callers)]
        try:
            yield self
        finally:
            self._ending = True
            await asyncio.gather(*workers)

    def check(self) -> None:
        """Every call succeeded, and ran exactly once."""
        assert self.failed == []
        begun = Counter(line for line in self._stage.noted() if line.startswith("begin "))
        assert len(begun) == self.calls
        assert set(begun.values()) == {1}
        assert not [line for line in self._stage.noted() if line.startswith("cancelled")]


class Edged:
    """A stage whose agent hangs on edges."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.config = stage.root / "croupier.yaml"
        self.servers: Sequence[str] = (stage.grpc,)
        self.write_config()

    def write_config(self, edges: Sequence[str] = ()) -> None:
        listed = ", ".join(edges)
        self.config.write_text(
            f"server:\n  link_token: {LINK_TOKEN}\n  edges: [{listed}]\nedge:\n  link_token: {LINK_TOKEN}\n"
        )

    def edge(self, name: str, *, dials: bool = True) -> tuple[Program, str, str]:
        """The program, its gRPC address, its HTTP address."""
        grpc, http = (f"127.0.0.1:{free_port()}" for _ in range(2))
        dialling = ("--servers", self.stage.grpc) if dials else ()
        program = self.stage.program(
            name, PROGRAM, "edge", "--edge-id", name, "--grpc", grpc, "--http", http, *dialling,
            "--config", str(self.config),
        )  # fmt: skip
        return program, grpc, http

    async def start(self, *edges: tuple[Program, str, str]) -> None:
        stage = self.stage
        stage.server.arguments = [*stage.server.arguments, "--config", str(self.config)]
        agent = list(stage.agent.arguments)
        agent[agent.index("--servers") + 1] = ",".join(grpc for _, grpc, _ in edges)
        stage.agent.arguments = agent
        for program in (stage.server, *(program for program, _, _ in edges), stage.agent, stage.game()):
            await program.start()
        await stage.reachable("act")

    async def start_two(self) -> tuple[tuple[Program, str, str], tuple[Program, str, str]]:
        """Everything with edge-1 and edge-2, once both are linked."""
        one, other = self.edge("edge-1"), self.edge("edge-2")
        await self.start(one, other)
        await self.ready(one[2])
        await self.ready(other[2])
        return one, other

    async def hangs_on(self) -> str:
        _, registry = await self.stage.get("/api/registry")
        found: str = registry["agents"][0]["edge"]
        return found

    async def moved_to(self, name: str, patience: float = PATIENCE) -> None:
        async def there() -> bool:
            return await self.hangs_on() == name

        await until(there, f"the agent hangs on {name}", patience)

    async def ready(self, http: str) -> None:
        """Until an edge has a link."""

        async def is_ready() -> bool:
            assert self.stage.session is not None
            try:
                async with self.stage.session.get(f"http://{http}/readyz") as answer:
                    return answer.status == 200
            except OSError:
                return False

        await until(is_ready, "the edge is linked")


@pytest.fixture
def edged(stage: Stage) -> Edged:
    return Edged(stage)


async def test_no_call_fails_when_edges_are_drained_killed_and_started_again(edged: Edged) -> None:
    one, other = await edged.start_two()
    load = Load(edged.stage)
    async with load.running():
        await load.more(50)
        here, there = (one, other) if await edged.hangs_on() == "edge-1" else (other, one)
        assert await here[0].stop(signal.SIGTERM) == 0
        await load.more(50)
        await here[0].start()
        await edged.ready(here[2])
        await there[0].kill()
        await load.more(50)
        await there[0].start()
        await edged.ready(there[2])
        await here[0].kill()
        await load.more(50)
    load.check()
    assert "Traceback" not in here[0].text() + there[0].text() + edged.stage.server.text() + edged.stage.agent.text()


async def test_no_call_fails_when_an_edge_hangs(edged: Edged) -> None:
    """Its kernel takes all that is sent to it, and nothing comes back."""
    one, other = await edged.start_two()
    load = Load(edged.stage)
    async with load.running():
        await load.more(50)
        here, there = ("edge-1", "edge-2") if await edged.hangs_on() == "edge-1" else ("edge-2", "edge-1")
        frozen = (one if here == "edge-1" else other)[0]
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            await edged.moved_to(there, patience=120)
            await load.more(50)
        finally:
            frozen.process.send_signal(signal.SIGCONT)
        await load.more(50)
    load.check()


async def test_no_call_fails_when_the_only_edge_is_killed_and_started_again(edged: Edged) -> None:
    only = edged.edge("edge-1")
    await edged.start(only)
    load = Load(edged.stage)
    async with load.running():
        await load.more(50)
        await only[0].kill()
        await only[0].start()
        await load.more(50)
    load.check()


async def test_a_job_is_complete_although_its_edges_are_killed_in_its_middle(edged: Edged) -> None:
    one, other = edged.edge("edge-1"), edged.edge("edge-2")
    await edged.start(one, other)
    job_id = await edged.stage.start_job("count", {"to": 60, "pause": 0.05})
    following = asyncio.ensure_future(edged.stage.follow(job_id))
    await edged.stage.follow(job_id, most=10)
    await (one if await edged.hangs_on() == "edge-1" else other)[0].kill()
    story = await following
    assert [event["seq"] for event in story] == list(range(1, len(story) + 1))
    assert [event["message"] for event in story if event["type"] == "log"] == [f"line {n}" for n in range(1, 61)]
    assert story[-1]["type"] == "done"


async def test_a_server_dials_an_edge_that_only_listens_and_finds_it_again(edged: Edged) -> None:
    only = edged.edge("edge-1", dials=False)
    edged.write_config(edges=[only[1]])
    await edged.start(only)
    await edged.moved_to("edge-1")

    await edged.stage.server.kill()
    await edged.stage.server.start()

    assert await edged.stage.answers("act", {"key": "after"}) == {"key": "after", "by": "game-1"}
    await edged.moved_to("edge-1")

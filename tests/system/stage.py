"""Real processes of one installation, started, killed and started again by tests."""

import asyncio
import atexit
import contextlib
import copy
import io
import json
import random
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
from tests import programs
from tests.programs import Said, environment

HERE = Path(__file__).parent
PROGRAM = str(Path(sys.executable).with_name("croupier"))
TOKEN = "system-test-token-0123456789abcdef"
SCOPE = {"X-Game-ID": "demo", "X-Env": "dev"}
PATIENCE = 90.0
"""Seconds after which a wait counts as failed; far more than anything here takes, even on a machine that is busy with other work."""


_kept: deque[socket.socket] = deque(maxlen=400)


@atexit.register
def _let_go() -> None:
    while _kept:
        _kept.pop().close()


def free_port() -> int:
    """A port for a program that is started, killed and started again.

    Below the range from which the kernel takes ports for outgoing connections: one of those may be taken in between. It
    stays bound at another address of loopback, so that the tests beside this one, which look there too, do not choose it.
    """
    for port in random.sample(range(15_000, 32_000), 1_000):
        kept = socket.socket()
        with socket.socket() as probe, contextlib.suppress(OSError):
            kept.bind(("127.7.7.7", port))
            probe.bind(("127.0.0.1", port))
            if len(_kept) == _kept.maxlen:
                _kept.popleft().close()
            _kept.append(kept)
            return port
        kept.close()
    raise OSError("no free port was found")


async def until(condition: Callable[[], Awaitable[Any]], what: str, patience: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it; other processes tell nobody when they are ready."""
    try:
        async with asyncio.timeout(patience):
            while not (answer := await condition()):  # noqa: ASYNC110 — see above
                await asyncio.sleep(0.02)
            return answer
    except TimeoutError:
        raise AssertionError(f"after {patience:.0f} s still not so: {what}") from None


class Program:
    """One process; its output goes to a file that a failing test can show."""

    def __init__(self, arguments: Sequence[str], output: Path, variables: Mapping[str, str] | None = None) -> None:
        self.arguments = arguments
        self.output = output
        self.variables = variables or {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        with self.output.open("ab") as file:
            self._process = await programs.start(
                *self.arguments,
                stdout=file,
                stderr=file,
                env=environment(**{"CROUPIER_SERVER_TOKEN": TOKEN, **self.variables}),
            )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def kill(self) -> None:
        """kill -9"""
        await programs.end(self.process)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        programs.tell(self.process, number)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    async def end(self) -> None:
        """As `kill`, if it was started at all."""
        if self._process is not None:
            await self.kill()

    def text(self) -> str:
        return self.output.read_text(errors="replace")


async def croupier(*arguments: str, lines: str = "", **variables: str) -> Said:
    """Run our command line to its end, with `lines` on its standard input and `variables` in its environment."""
    return await programs.completed(PROGRAM, *arguments, lines=lines, env=environment(**variables))


class Stage:
    """A server, an agent and any number of game servers, on loopback, with their data under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.http, self.grpc = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.local, self.health = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.ledger = root / "ledger.txt"
        self.ledger.touch()
        self.programs: list[Program] = []
        self.session: aiohttp.ClientSession | None = None
        self._noted_before = 0
        data = ["--data", str(root)]
        self.server = self.program("server", PROGRAM, "server", "--http", self.http, "--grpc", self.grpc, *data)
        self.agent = self.program(
            "agent", PROGRAM, "agent", "--agent-id", "agent-1", "--game", "demo", "--env", "dev",
            "--servers", self.grpc, "--grpc", self.local, "--http", self.health, *data,
        )  # fmt: skip

    def seen_by(self, session: aiohttp.ClientSession) -> "Stage":
        """The same processes, asked through `session`, with a ledger that begins now."""
        seen = copy.copy(self)
        seen.session = session
        seen._noted_before = len(self.ledger.read_text().splitlines())
        return seen

    def program(self, name: str, *arguments: str) -> Program:
        program = Program(arguments, self.root / f"{name}.log")
        self.programs.append(program)
        return program

    def game(self, service_id: str = "game-1", *options: str) -> Program:
        return self.program(
            service_id, sys.executable, str(HERE / "game.py"), "--agent", self.local, "--service-id", service_id,
            "--ledger", str(self.ledger), *options,
        )  # fmt: skip

    def foreign_game(self, service_id: str = "foreign-1", *options: str) -> Program:
        return self.program(
            service_id, sys.executable, str(HERE / "foreign_game.py"), "--agent", self.local,
            "--service-id", service_id, *options,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------ asking

    async def croupier(self, *arguments: str, lines: str = "", **variables: str) -> Said:
        """Run our command line, as its administrator if `variables` say nothing else."""
        return await croupier(*arguments, lines=lines, **(self.variables() | variables))

    def variables(self, token: str = TOKEN) -> dict[str, str]:
        """With these the command line finds the server; without a token it uses the session that it keeps."""
        found = {"CROUPIER_URL": f"http://{self.http}", "CROUPIER_GAME_ID": "demo", "CROUPIER_ENV": "dev"}
        return found | ({"CROUPIER_TOKEN": token} if token else {})

    async def post(self, path: str, body: Any, **options: Any) -> tuple[int, Any]:
        assert self.session is not None
        data = io.BytesIO(json.dumps(body).encode())
        async with self.session.post(f"http://{self.http}{path}", data=data, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, Any]:
        assert self.session is not None
        async with self.session.get(f"http://{self.http}{path}") as answer:
            return answer.status, await answer.json(content_type=None)

    async def invoke(self, function_id: str, payload: Any = None, **options: Any) -> tuple[int, Any]:
        return await self.post("/api/invoke", {"function_id": function_id, "payload": payload or {}, **options})

    async def start_job(self, function_id: str, payload: Any = None, **options: Any) -> str:
        status, body = await self.post(
            "/api/start_job", {"function_id": function_id, "payload": payload or {}, **options}
        )
        assert status == 200, body
        job_id: str = body["job_id"]
        return job_id

    async def follow(self, job_id: str, after: int = 0, most: int | None = None) -> list[dict[str, Any]]:
        """The job's events until its end, or the first `most` of them: {"seq", "type", "message", "payload", …}."""
        assert self.session is not None
        events: list[dict[str, Any]] = []
        address = f"http://{self.http}/api/stream_job?id={job_id}"
        async with self.session.get(address, headers={"Last-Event-ID": str(after)} if after else {}) as stream:
            assert stream.status == 200, await stream.text()
            async for event in _sse(stream.content):
                events.append(event)
                if most is not None and len(events) == most:
                    break
        return events

    async def reachable(self, function_id: str, services: int = 1) -> None:
        async def asked() -> bool:
            try:
                _, body = await self.get(f"/api/function_instances?function_id={function_id}")
            except aiohttp.ClientError:
                return False
            return sum(instance["healthy"] for instance in body.get("instances", [])) >= services

        await until(asked, f"{services} healthy instances of {function_id}")

    async def answers(self, function_id: str, payload: Any = None, status: int = 200) -> Any:
        """Call until the call ends with `status`, and return the body: what was restarted takes a moment to be found."""

        async def called() -> Any:
            try:
                got, body = await self.invoke(function_id, payload, timeout=2.0)
            except aiohttp.ClientError:  # the server is not listening yet
                return None
            return (body,) if got == status else None

        (body,) = await until(called, f"{function_id} answers {status}")
        return body

    def noted(self) -> list[str]:
        return self.ledger.read_text().splitlines()[self._noted_before :]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self) -> None:
        for program in reversed(self.programs):
            await program.end()


async def _sse(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    fields: dict[str, str] = {}
    async for line in content:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield {"seq": int(fields["id"]), **json.loads(fields["data"])}
            fields = {}

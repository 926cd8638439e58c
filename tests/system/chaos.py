"""Everything at once: an installation under load, and somebody who kills, stops and cuts what is in it.

    load ─ HTTP ─► server ◄─ wire ─ edge ◄─ wire ─ agent-1 ◄─ wire ─ game-1 (ours)      agent-1 ─ wire ─► foreign-1
                      ▲               ▲─── wire ─ agent-2 ◄─ wire ─ game-2 (ours)
                      └───── wire ─ agent-3 ─ wire ─► foreign-2

Every game server writes what it begins into one ledger. What callers were told, what followers saw and what the ledger
says must fit together in the end.
"""

import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from tests.system.ledger import Ledger
from tests.system.stage import HERE, PROGRAM, SCOPE, TOKEN, Program, free_port, until
from tests.wires import Wire

CALL_TIMEOUT = 4.0
CLIENT_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=2)
FOLLOW_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=20)
TRIES = 4
NEVER_RAN = frozenset({"unavailable", "rate_limited", "not_found"})
"""What a caller is told of a call that no game server began."""
LINKED = {"CROUPIER_SERVER_LINK_TOKEN": TOKEN, "CROUPIER_EDGE_LINK_TOKEN": TOKEN}
HEALING = 90.0
"""Seconds in which everything must have come back by itself; far more than it takes."""


def address() -> str:
    return f"127.0.0.1:{free_port()}"


class Arena:
    """The processes and the wires between them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = Ledger(root / "ledger.txt")
        self.http = address()
        self.programs: dict[str, Program] = {}
        self.wires: dict[str, Wire] = {}
        self.peaks: dict[str, int] = {}
        """The most memory that a process of that name ever had, in MB."""
        server = address()
        self._add(
            "server", PROGRAM, "server", "--http", self.http, "--grpc", server, "--data", str(root),
            "--job-lost-after", "8s",
        )  # fmt: skip
        edge = address()
        self._add(
            "edge", PROGRAM, "edge", "--edge-id", "edge", "--grpc", edge, "--http", address(),
            "--servers", self._wire("edge→server", server),
        )  # fmt: skip
        self._game("game-1", first := self._agent("agent-1", edge))
        self._game("game-2", self._agent("agent-2", edge))
        self._foreign("foreign-1", first)
        self._foreign("foreign-2", self._agent("agent-3", server))

    def _add(self, name: str, *arguments: str) -> None:
        self.programs[name] = Program(arguments, self.root / f"{name}.log", LINKED)

    def _wire(self, name: str, target: str) -> str:
        wire = self.wires[name] = Wire(target, address())
        return wire.address

    def _agent(self, name: str, upstream: str) -> str:
        """`upstream` is a server or an edge. Returns where game servers find the agent."""
        local = address()
        data = self.root / name
        data.mkdir()
        self._add(
            name, PROGRAM, "agent", "--agent-id", name, "--game", "demo", "--env", "dev",
            "--servers", self._wire(f"{name}→", upstream), "--grpc", local, "--http", address(), "--data", str(data),
        )  # fmt: skip
        return local

    def _game(self, name: str, agent: str) -> None:
        self._add(
            name, sys.executable, "-m", "tests.system.chaos_game", "--service-id", name,
            "--agent", self._wire(f"{name}→agent", agent), "--ledger", str(self.ledger.path),
        )  # fmt: skip

    def _foreign(self, name: str, agent: str) -> None:
        listen = address()
        self._add(
            name, sys.executable, "-m", "tests.system.chaos_foreign", "--service-id", name, "--agent", agent,
            "--listen", listen, "--advertise", self._wire(f"agent→{name}", listen), "--ledger", str(self.ledger.path),
        )  # fmt: skip

    async def start(self) -> None:
        for wire in self.wires.values():
            await wire.start()
        for program in self.programs.values():
            await program.start()

    def last_words(self) -> str:
        """The end of every process's log."""
        logs = {name: (self.root / f"{name}.log") for name in self.programs}
        ends = {name: log.read_text(errors="replace")[-600:] for name, log in logs.items() if log.exists()}
        return "\n".join(f"--- {name}\n{end}" for name, end in ends.items())

    def weigh(self, name: str) -> None:
        """Note how much memory the process has had at most."""
        with contextlib.suppress(OSError, StopIteration):
            status = Path(f"/proc/{self.programs[name].process.pid}/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            self.peaks[name] = max(self.peaks.get(name, 0), int(line.split()[1]) // 1024)

    async def end(self) -> None:
        for program in self.programs.values():
            await program.end()
        for wire in self.wires.values():
            await wire.close()


class Monkey:
    """Breaks one thing after the other, as its seed says; never two things of one process at a time."""

    def __init__(self, arena: Arena, seed: str, busy: set[str]) -> None:
        self._arena = arena
        self._random = random.Random(seed)
        self._busy = busy
        self.done: list[str] = []
        self.wrong: list[str] = []

    async def rage(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(self._random.uniform(0.2, 1.5))
            act = self._random.choices((self._kill, self._terminate, self._freeze, self._cut), (4, 2, 2, 4))[0]
            names = sorted(self._arena.wires if act == self._cut else self._arena.programs)
            name = self._random.choice(names)
            if name in self._busy:
                continue
            self._busy.add(name)
            try:
                self.done.append(f"{act.__name__.strip('_')} {name}")
                await act(name)
            finally:
                self._busy.discard(name)

    async def _kill(self, name: str) -> None:
        program = self._arena.programs[name]
        self._arena.weigh(name)
        await program.kill()
        await asyncio.sleep(self._random.uniform(0, 2))
        await program.start()

    async def _terminate(self, name: str) -> None:
        program = self._arena.programs[name]
        self._arena.weigh(name)
        code = await program.stop()
        if code not in {0, -signal.SIGTERM}:  # the latter where it was not yet able to listen
            self.wrong.append(f"{name} ended with {code} at SIGTERM")
        await program.start()

    async def _freeze(self, name: str) -> None:
        process = self._arena.programs[name].process
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._random.uniform(0.2, 3))
        finally:
            process.send_signal(signal.SIGCONT)

    async def _cut(self, name: str) -> None:
        self._arena.wires[name].cut()


@dataclass
class Told:
    """What the caller of one call was told last: `ok`, a reason, or nothing for certain."""

    keyed: bool
    body: dict[str, Any] = field(default_factory=dict)
    answer: str = "unknown"
    tries: int = 0


@dataclass
class Job:
    job_id: str
    to: int
    story: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False


class Load:
    """Callers and followers; it remembers what each was told."""

    def __init__(self, arena: Arena, session: aiohttp.ClientSession, seed: str) -> None:
        self._arena = arena
        self._session = session
        self._seed = seed
        self._stopping = asyncio.Event()
        self._followers: list[asyncio.Task[None]] = []
        self.told: dict[str, Told] = {}
        self.jobs: dict[str, Job] = {}
        self.starts: dict[str, str] = {}
        """What the starter of each job was told."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for function in ("act", "foreign.act"):
                for number in range(3):
                    group.create_task(self._call(f"k-{function}-{number}", function, keyed=True))
                    group.create_task(self._call(f"u-{function}-{number}", function, keyed=False))
            for function in ("work", "foreign.work"):
                group.create_task(self._start(f"j-{function}", function))
        await asyncio.gather(*self._followers)

    def stop(self) -> None:
        self._stopping.set()

    async def _call(self, name: str, function: str, *, keyed: bool) -> None:
        chance = random.Random(f"{self._seed} {name}")
        number = 0
        while not self._stopping.is_set():
            number += 1
            key = f"{name}-{number}"
            told = self.told[key] = Told(keyed)
            body = told.body = {
                "function_id": function,
                "payload": {"key": key, "seconds": chance.choice((0.0, 0.0, 0.05, 0.5))},
                "timeout": CALL_TIMEOUT,
                **({"idempotency_key": key} if keyed else {}),
            }
            for _ in range(TRIES if keyed else 1):
                told.tries += 1
                told.answer = await self._ask(body)
                if told.answer == "ok":
                    break
                await asyncio.sleep(chance.uniform(0, 0.5))
            await asyncio.sleep(chance.uniform(0, 0.1))

    async def ask_again(self) -> None:
        """Repeat every key whose call did not succeed: now that all is well it has an answer for good."""
        for told in self.told.values():
            if told.keyed and told.answer != "ok":
                told.tries += 1
                told.answer = await self._ask(told.body)

    async def _ask(self, body: dict[str, Any]) -> str:
        status, answer = await self.post("/api/invoke", body)
        if status == 200:
            return "ok" if answer == {"key": body["payload"]["key"]} else f"answered {answer}"
        return str(answer["reason"])

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The answer; (0, reason "unknown") where the connection broke."""
        try:
            async with self._session.post(
                f"http://{self._arena.http}{path}", data=json.dumps(body), timeout=CLIENT_TIMEOUT
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0, {"reason": "unknown"}

    async def get(self, path: str) -> Any:
        try:
            async with self._session.get(f"http://{self._arena.http}{path}", timeout=CLIENT_TIMEOUT) as answer:
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}

    async def _start(self, name: str, function: str) -> None:
        chance = random.Random(f"{self._seed} {name}")
        number = 0
        while not self._stopping.is_set():
            number += 1
            key = f"{name}-{number}"
            to = chance.randint(5, 40)
            payload = {"key": key, "to": to, "pause": 0.1}
            status, answer = await self.post("/api/start_job", {"function_id": function, "payload": payload})
            self.starts[key] = "ok" if status == 200 else str(answer["reason"])
            if status == 200:
                job = self.jobs[key] = Job(answer["job_id"], to)
                self._followers.append(asyncio.ensure_future(self._follow(job)))
            await asyncio.sleep(chance.uniform(0.2, 1.0))

    async def _follow(self, job: Job) -> None:
        """As an EventSource does: come back, and say what was seen last."""
        while not job.ended:
            try:
                async for event in self.events(job.job_id, job.story[-1]["seq"] if job.story else 0):
                    job.story.append(event)
                    job.ended = job.ended or event["type"] in {"done", "error"}
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.2)

    async def events(self, job_id: str, after: int) -> AsyncIterator[dict[str, Any]]:
        headers = {"Last-Event-ID": str(after)} if after else {}
        path = f"http://{self._arena.http}/api/stream_job?id={job_id}"
        async with self._session.get(path, headers=headers, timeout=FOLLOW_TIMEOUT) as stream:
            stream.raise_for_status()
            fields: dict[str, str] = {}
            async for line in stream.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "data" in fields:
                    yield {"seq": int(fields["id"]), **json.loads(fields["data"])}
                    fields = {}


def call_faults(load: Load, ledger: Ledger) -> list[str]:
    """Where what callers were told and what happened do not fit together."""
    counts = ledger.counts()
    faults = []
    for key, told in load.told.items():
        begun = counts[key]
        wrong = (
            begun > 1
            or (told.answer == "ok" and begun != 1)
            or (told.answer in NEVER_RAN and begun and told.tries == 1)
            or told.answer.startswith("answered")
            or (told.keyed and told.answer == "unknown")
        )
        if wrong:
            faults.append(f"{key}: told {told.answer!r} in try {told.tries}, begun {begun} times: {ledger.lines(key)}")
    for key, answer in load.starts.items():
        begun = counts[key]
        if begun > 1 or (answer in NEVER_RAN and begun):
            faults.append(f"{key}: start told {answer!r}, begun {begun} times: {ledger.lines(key)}")
    return faults


def story_faults(load: Load, ledger: Ledger) -> list[str]:
    """Where a follower missed something, saw it twice, or was told of an end that was none."""
    counts = ledger.counts()
    faults = []
    for key, job in load.jobs.items():
        seqs = [event["seq"] for event in job.story]
        lines = [event["message"] for event in job.story if event["type"] == "log"]
        if seqs != list(range(1, len(seqs) + 1)):
            faults.append(f"{key} {job.job_id}: the follower saw {seqs}")
        if not job.ended:
            faults.append(f"{key} {job.job_id}: no end was seen after {seqs[-1:]}")
        elif job.story[-1]["type"] == "done" and (counts[key] != 1 or not _whole(lines, job.to)):
            faults.append(f"{key} {job.job_id}: done, begun {counts[key]} times, lines {lines}")
    return faults


def _whole(lines: list[str], to: int) -> bool:
    return lines == [f"line {number}" for number in range(1, to + 1)]


async def healed(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    return await until(condition, what, patience=HEALING)


HEADERS = {**SCOPE, "Authorization": f"Bearer {TOKEN}"}
__all__ = ["HEADERS", "HERE", "Arena", "Load", "Monkey", "call_faults", "healed", "story_faults"]

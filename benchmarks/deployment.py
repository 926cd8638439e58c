"""The product as an operator runs it: server, agent and game server, each a process of its own."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

import wrk
from figures import Sample
from processes import CROUPIER, Broken, Process, Stage, cpu_of

GAME_ID = "bench"
ENV = "dev"
ECHO = "bench.echo"
LINK_TOKEN = secrets.token_urlsafe(24)
Kind = Literal["attached", "foreign", "tunnel"]

_READY_SECONDS = 30.0
_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    url: str
    grpc: str
    token: str
    processes: Mapping[str, Process]

    @property
    def server(self) -> Process:
        return self.processes["server"]

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request to the HTTP API: the status and the JSON that came back. Raises Broken when none came."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Game-ID": GAME_ID, "X-Env": ENV}
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session,
                session.request(method, self.url + path, json=body) as response,
            ):
                return response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Broken(f"{method} {path}: {error!r}") from error

    async def load(self, *, in_flight: int, seconds: float, payload: bytes) -> Sample:
        """Calls by wrk. Raises Broken when any of them fails."""
        before = cpu_of(self.processes)
        load = await wrk.load(
            self.url + "/api/invoke",
            connections=in_flight,
            seconds=seconds,
            body=call_body(payload),
            token=self.token,
        )
        spent = cpu_of(self.processes)
        cpu = {name: (spent[name] - before[name]) / load.requests * 1000 for name in spent}
        return Sample(rate=load.rate, p50=load.p50, p99=load.p99, worst=load.worst, cpu=cpu)

    async def until_callable(self, payload: bytes) -> None:
        """Wait until a call comes back as it should. Raises Broken when none does in time."""
        answer: object = None
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while answer != (200, json.loads(payload)):
                    await asyncio.sleep(0.05)
                    answer = await self.ask("POST", "/api/invoke", json.loads(call_body(payload)))
        except TimeoutError as error:
            raise Broken(f"no call came through within {_READY_SECONDS:g} s; the last answer was {answer}") from error


def payload_of(size: int) -> bytes:
    """An argument object of `size` bytes."""
    frame = len('{"text":""}')
    return b'{"text":"%s"}' % (b"x" * (size - frame))


def call_body(payload: bytes) -> bytes:
    return b'{"function_id":"%s","game_id":"%s","env":"%s","payload":%s}' % (
        ECHO.encode(),
        GAME_ID.encode(),
        ENV.encode(),
        payload,
    )


async def start_server(stage: Stage) -> Deployment:
    """A server alone, with a store of its own on disk."""
    token = secrets.token_urlsafe(24)
    server, found = await stage.start(
        "server",
        *(CROUPIER, "server", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"),
        *("--data", str(stage.scratch / f"server-{token[:8]}")),
        ready=r"ready: HTTP on (\S+), gRPC on (\S+)",
        environ={"CROUPIER_SERVER_TOKEN": token, "CROUPIER_SERVER_LINK_TOKEN": LINK_TOKEN},
    )
    return Deployment(url=f"http://{found[1]}", grpc=found[2], token=token, processes={"server": server})


async def start_all(stage: Stage, kind: Kind = "attached") -> Deployment:
    """A server and what answers behind it: a game server of our SDK or a foreign one at an agent, or the bare tunnel."""
    alone = await start_server(stage)
    if kind == "tunnel":
        agents, _ = await stage.program("agents", alone.grpc, "--function", ECHO)
        behind = {"tunnel": agents}
    else:
        agent, address = await start_agent(stage, alone.grpc)
        game, _ = await stage.program("game" if kind == "attached" else "foreign_game", address)
        behind = {"agent": agent, "game": game}
    whole = Deployment(url=alone.url, grpc=alone.grpc, token=alone.token, processes={**alone.processes, **behind})
    await whole.until_callable(payload_of(100))
    return whole


async def start_edged(stage: Stage) -> Deployment:
    """A server, an edge, an agent behind it, and a game server of our SDK."""
    alone = await start_server(stage)
    edge, found = await stage.start(
        "edge",
        *(CROUPIER, "edge", "--edge-id", "bench", "--servers", alone.grpc),
        *("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"),
        ready=r"ready: gRPC on ([^\s,]+)",
        environ={"CROUPIER_EDGE_LINK_TOKEN": LINK_TOKEN},
    )
    agent, address = await start_agent(stage, found[1], data="edged-agent")
    game, _ = await stage.program("game", address)
    parts = {**alone.processes, "edge": edge, "agent": agent, "game": game}
    whole = Deployment(url=alone.url, grpc=alone.grpc, token=alone.token, processes=parts)
    await whole.until_callable(payload_of(100))
    return whole


async def start_agent(stage: Stage, server: str, data: str = "agent") -> tuple[Process, str]:
    """An agent, and the address at which game servers find it."""
    agent, found = await stage.start(
        "agent",
        *(CROUPIER, "agent", "--agent-id", "bench", "--game", GAME_ID, "--env", ENV, "--servers", server),
        *("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", str(stage.scratch / data)),
        ready=r"ready: game servers on ([^\s,]+)",
    )
    return agent, found[1]

"""A running server and agents that do as a test says: the real server, the real tunnel, no agent process."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import grpc.aio
import orjson

from croupier.domain.function import FunctionRef, Service
from croupier.domain.job import JobEvent
from croupier.domain.scope import Scope
from croupier.pki.identity import MachineFiles
from croupier.pki.names import HUB
from croupier.rpc.secure import open_channel
from croupier.server.app import ReadyInfo, serving
from croupier.settings import ServerSettings
from croupier.tunnel.connector import (
    Abort,
    Asked,
    Connector,
    ConnectorEvent,
    Execute,
    JobAcknowledged,
    JobCancelAsked,
    Opened,
)
from croupier.tunnel.frames import CallResult, Hello, Invoke, JobAnswer, JobStarted, Register, StartJob
from croupier.tunnel.grpc import CHANNEL_OPTIONS, OPEN, ClientStream, open_stream
from croupier.tunnel.peer import ConnectorPeer
from croupier_wire.control.v1 import control_pb2
from croupier_wire.tunnel.v1 import tunnel_pb2, tunnel_pb2_grpc

TOKEN = "token-of-a-test"

SCOPE = Scope("demo", "dev")
OTHER = Scope("other", "prod")
DEADLINE = 90.0
"""Seconds after which something awaited counts as never coming; nothing depends on how much sooner it comes."""

T = TypeVar("T")
E = TypeVar("E")


async def within(waiting: Awaitable[T]) -> T:
    async with asyncio.timeout(DEADLINE):
        return await waiting


async def eventually(reached: Callable[[], Awaitable[T]]) -> T:
    """For what the public API announces by no event: asked again until it is so."""
    async with asyncio.timeout(DEADLINE):
        while not (found := await reached()):  # noqa: ASYNC110 — there is no event to wait for
            await asyncio.sleep(0.005)
        return found


# ------------------------------------------------------------------------------------------------ the server


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Server:
    info: ReadyInfo
    http: aiohttp.ClientSession

    @property
    def grpc(self) -> str:
        return self.info.grpc

    @property
    def credentials(self) -> tuple[tuple[str, str], ...]:
        """gRPC metadata."""
        return (("authorization", f"Bearer {self.info.token}"),)

    async def request(self, method: str, path: str, **sent: Any) -> Reply:
        async with self.http.request(method, path, **sent) as response:
            return Reply(response.status, response.headers, await response.read())

    async def invoke(self, function_id: str = "f", payload: Any = None, **fields: Any) -> Reply:
        return await self._run("/api/invoke", function_id, payload, fields)

    async def start(self, function_id: str = "f", payload: Any = None, **fields: Any) -> Reply:
        return await self._run("/api/start_job", function_id, payload, fields)

    async def started(self, function_id: str = "f", **fields: Any) -> str:
        reply = await self.start(function_id, **fields)
        assert reply.status == 200, reply.body
        job_id: str = reply.json["job_id"]
        return job_id

    async def _run(self, path: str, function_id: str, payload: Any, fields: dict[str, Any]) -> Reply:
        scope = fields.pop("scope", SCOPE)
        body = {"function_id": function_id, "payload": payload or {}, "timeout": 30, **fields}
        headers = {"X-Game-ID": scope.game_id, "X-Env": scope.env, "Content-Type": "application/json"}
        return await self.request("POST", path, data=io.BytesIO(orjson.dumps(body)), headers=headers)

    async def job(self, job_id: str) -> Any:
        return (await self.request("GET", f"/jobs/{job_id}")).json

    async def ended(self, job_id: str) -> Any:
        """The job, once it has ended."""
        await self.follow(job_id)
        return await self.job(job_id)

    async def instances(self) -> Any:
        return (await self.request("GET", "/api/function_instances")).json["instances"]

    async def registry(self) -> Any:
        return (await self.request("GET", "/api/registry")).json

    async def agent(self, agent_id: str) -> Any:
        """The agent as the registry shows it, or None."""
        shown = (await self.registry())["agents"]
        return next((agent for agent in shown if agent["agent_id"] == agent_id), None)

    async def follow(self, job_id: str, after: int | None = None) -> list[tuple[int, str, Any]]:
        """The job's story to its end, by server-sent events: (id, event, data)."""
        async with self.stream(job_id, after) as story:
            return [event async for event in story]

    @asynccontextmanager
    async def stream(self, job_id: str, after: int | None = None) -> AsyncIterator[AsyncIterator[tuple[int, str, Any]]]:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with self.http.get("/api/stream_job", params={"id": job_id}, headers=headers) as response:
            assert response.status in {200, 204}
            yield _events(response)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[int, str, Any]]:
    fields: dict[str, str] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield int(fields["id"]), fields["event"], orjson.loads(fields["data"])
            fields = {}


@asynccontextmanager
async def running(data: Path, **settings: Any) -> AsyncIterator[Server]:
    """The server process's whole inside, and a client with its token."""
    chosen: dict[str, Any] = {"http": "127.0.0.1:0", "grpc": "127.0.0.1:0", "data": data, "token": TOKEN, **settings}
    async with AsyncExitStack() as after, serving(ServerSettings(**chosen)) as info:
        headers = {"Authorization": f"Bearer {info.token}"}
        connector = aiohttp.TCPConnector(limit=0)
        client = aiohttp.ClientSession(f"http://{info.http}", headers=headers, connector=connector)
        yield Server(
            info, await after.enter_async_context(client)
        )  # it outlives the server, to hear what that says last


# ------------------------------------------------------------------------------------------------ the agent

Script = Callable[["ScriptedAgent", Invoke], None]


def answer(agent: "ScriptedAgent", frame: Invoke) -> None:
    """Answers every call with its own payload, and accepts every job."""
    if isinstance(frame, StartJob):
        agent.send(JobStarted(request_id=frame.request_id, job_id=frame.job_id, service_id="game-1"))
    else:
        agent.send(CallResult(request_id=frame.request_id, payload=frame.payload, service_id="game-1"))


def keep_silent(agent: "ScriptedAgent", frame: Invoke) -> None:
    """Never answers."""


def service(*functions: str, service_id: str = "game-1", **fields: Any) -> Service:
    return Service(service_id=service_id, functions=tuple(FunctionRef(name) for name in functions), **fields)


@dataclass
class ScriptedAgent:
    """An agent of ours as its server sees it. `script` says what becomes of calls."""

    address: str
    agent_id: str = "agent-1"
    scope: Scope = SCOPE
    services: Sequence[Service] = (service("f"),)
    script: Script = answer
    incarnation: str = "one"
    files: MachineFiles | None = None
    """Its certificate; without one it dials in plain text."""
    executed: list[Invoke] = field(default_factory=list)
    known_jobs: dict[str, str] = field(default_factory=dict)
    """State by id, for a server that asks."""

    def __post_init__(self) -> None:
        hello = Hello(
            agent_id=self.agent_id,
            game_id=self.scope.game_id,
            env=self.scope.env,
            incarnation=self.incarnation,
            version="1.2",
            region="eu",
            labels={"rack": "7"},
        )
        self.peer = ConnectorPeer(Connector(hello), self)
        self._events: list[ConnectorEvent] = []
        self._taken = 0
        self._news = asyncio.Event()
        self._channel: grpc.aio.Channel | None = None
        self._task: asyncio.Task[str] | None = None

    # what the server wants

    def handle(self, event: ConnectorEvent) -> None:
        self._events.append(event)
        self._news.set()
        match event:
            case Opened(resumed=False):
                self.register()
            case Execute(frame=frame):
                self.executed.append(frame)
                self.script(self, frame)
            case Asked(query=query):
                state = self.known_jobs.get(getattr(query, "job_id", ""), "")
                error = "" if state else "unknown job"
                self.send(JobAnswer(request_id=query.request_id, state=state, error=error))

    async def event(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of this kind not returned before, now or when it comes."""
        seen = 0
        async with asyncio.timeout(DEADLINE):
            while True:
                for index in range(seen, len(self._events)):
                    found = self._events[index]
                    if isinstance(found, kind) and where(found):
                        del self._events[index]
                        return found
                seen = len(self._events)
                self._news.clear()
                await self._news.wait()

    async def request(self, function_id: str = "f") -> Invoke:
        """The next call or start of the function."""
        return (await self.event(Execute, lambda event: event.frame.function_id == function_id)).frame

    async def aborted(self, request_id: str) -> Abort:
        return await self.event(Abort, lambda event: event.request_id == request_id)

    async def acknowledged(self, job_id: str, seq: int = 0) -> JobAcknowledged:
        """An acknowledgement of at least `seq`, or a stop."""
        return await self.event(
            JobAcknowledged, lambda event: event.job_id == job_id and (event.seq >= seq or event.stop)
        )

    async def stop_of(self, job_id: str) -> JobAcknowledged:
        return await self.event(JobAcknowledged, lambda event: event.job_id == job_id and event.stop)

    async def cancel_of(self, job_id: str) -> JobCancelAsked:
        return await self.event(JobCancelAsked, lambda event: event.job_id == job_id)

    # what it says

    def send(self, frame: CallResult | JobStarted | JobAnswer) -> bool:
        sent = self.peer.machine.answer(frame)
        self.peer.wake()
        return sent

    def register(self) -> None:
        self.peer.machine.register(Register(tuple(self.services)))
        self.peer.wake()

    def tell(self, job_id: str, seq: int, kind: str = "log", **fields: Any) -> None:
        fields.setdefault("reason", "handler_failed" if kind == "error" else "")
        self.peer.machine.emit(JobEvent(job_id=job_id, seq=seq, type=kind, time_ms=1_700_000_000_000 + seq, **fields))
        self.peer.wake()

    # its connection

    async def connect(self) -> Opened:
        """Dial, and say hello; a session that was cut is resumed. Fails at once when the connection breaks before that."""
        self._channel = open_channel(self.address, CHANNEL_OPTIONS, self.files, HUB)
        self._task = asyncio.ensure_future(self.peer.run(ClientStream(open_stream(self._channel, OPEN))))
        opened = asyncio.ensure_future(self.event(Opened))
        try:
            await asyncio.wait([opened, self._task], return_when=asyncio.FIRST_COMPLETED)
            assert opened.done(), f"the connection broke before it was open: {self._task.result()}"
            return opened.result()
        finally:
            opened.cancel()

    async def cut(self) -> None:
        """Break the connection without a word."""
        channel, task = self._channel, self._task
        self._channel = self._task = None
        if channel is not None and task is not None:
            await channel.close()
            await asyncio.gather(task, return_exceptions=True)

    async def lost(self) -> None:
        """Until the connection breaks or is ended by the server."""
        assert self._task is not None
        await within(asyncio.wait([self._task]))


@asynccontextmanager
async def attached(server: Server, agent_id: str = "agent-1", **fields: Any) -> AsyncIterator[ScriptedAgent]:
    """An agent that is connected, at `address` if that is not the server's own, and whose functions the server knows."""
    agent = ScriptedAgent(**{"address": server.grpc, "agent_id": agent_id, **fields})
    await agent.connect()
    try:
        await known(server, agent)
        yield agent
    finally:
        await agent.cut()
        agent.peer.machine.disconnect()
        agent.peer._timer.cancel()


async def known(server: Server, agent: ScriptedAgent) -> None:
    """Until the server shows what the agent offers now."""
    offered = {ref.id for offering in agent.services for ref in offering.functions}

    async def is_known() -> bool:
        shown = {
            each["service_id"]
            for each in await server.instances()
            if each["agent_id"] == agent.agent_id and each["healthy"]
        }
        registered = await server.agent(agent.agent_id)
        return (
            registered is not None
            and registered["healthy"]
            and registered["functions"] == len(offered)
            and shown == {each.service_id for each in agent.services if each.healthy and each.functions}
        )

    await eventually(is_known)


async def seen_away(server: Server, agent_id: str = "agent-1") -> None:
    """Until the server has noticed that the agent is not connected."""

    async def is_away() -> bool:
        agent = await server.agent(agent_id)
        return agent is None or not agent["healthy"]

    await eventually(is_away)


# ------------------------------------------------------------------------------------------------ the contract alone


def raw_method(channel: grpc.aio.Channel, method: str, body: Any) -> Any:
    """A unary call in the contract's JSON, as bytes."""
    call = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    return call(orjson.dumps(body, default=lambda value: base64.b64encode(value).decode()))


class RawAgent:
    """An agent written against the contract's generated stubs alone: single messages, exactly as sent and received."""

    def __init__(self, address: str, stub: Any = tunnel_pb2_grpc.TunnelServiceStub) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self._call = stub(self._channel).Open()

    async def say(self, kind: str, **frame: Any) -> None:
        await within(self._call.write(tunnel_pb2.TunnelMessage(type=kind, **frame)))

    async def hello(self, agent_id: str = "plain-1", scope: Scope = SCOPE, **more: Any) -> None:
        hello = tunnel_pb2.Hello(agent_id=agent_id, game_id=scope.game_id, env=scope.env, **more)
        await self.say("hello", hello=hello)

    async def hear(self) -> tunnel_pb2.TunnelMessage:
        message: object = await within(self._call.read())
        assert isinstance(message, tunnel_pb2.TunnelMessage), "the server ended the stream"
        return message

    async def hear_frame(self, name: str) -> Any:
        """The next frame of this name, alone or in a batch."""
        while True:
            message = await self.hear()
            for one in [message, *map(tunnel_pb2.TunnelMessage.FromString, message.batch)]:
                if one.HasField(name):
                    return getattr(one, name)

    async def refusal(self) -> tuple[grpc.StatusCode, str]:
        """How the server ended the stream."""
        code = await within(self._call.code())
        return code, await self._call.details()

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close()


@asynccontextmanager
async def raw_agent(address: str, **more: Any) -> AsyncIterator[RawAgent]:
    agent = RawAgent(address, **more)
    try:
        yield agent
    finally:
        await agent.close()


HERE = {"game_id": SCOPE.game_id, "env": SCOPE.env}
THERE = {"game_id": OTHER.game_id, "env": OTHER.env}


def registration(agent_id: str = "direct-1", *functions: str, **more: Any) -> control_pb2.RegisterRequest:
    offered = [control_pb2.FunctionDescriptor(id=name, version="1.0") for name in functions or ("f",)]
    return control_pb2.RegisterRequest(**{"agent_id": agent_id, "functions": offered, **HERE, **more})


def stub_of(kind: Callable[..., Any], channel: grpc.aio.Channel) -> Any:
    """A generated stub; they come without types."""
    return kind(channel)


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    """How a call that must fail did."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    raise AssertionError("the server accepted it")

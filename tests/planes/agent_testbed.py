"""A real agent on loopback between scripted ends: a server it dials, game servers that attach, game servers that listen."""

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager

import aiohttp
import grpc
import grpc.aio

from croupier.agent.app import run
from croupier.domain.function import FunctionRef, Service
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.rpc.secure import open_channel
from croupier.rpc.service import RpcServer, read_hello
from croupier.settings import AgentSettings
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.codec import decode, parse
from croupier.tunnel.connector import Abort, Connector, Execute, JobAcknowledged, JobCancelAsked, Opened
from croupier.tunnel.frames import (
    CallResult,
    CancelJob,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobStarted,
    Register,
    StartJob,
)
from croupier.tunnel.grpc import ATTACH, CHANNEL_OPTIONS, ClientStream, open_stream
from croupier.tunnel.peer import AcceptorPeer, ConnectorPeer
from croupier.tunnel.stream import StreamBroken
from croupier_wire.agent.local.v1 import local_pb2, local_pb2_grpc
from croupier_wire.function.v1 import function_pb2, function_pb2_grpc
from croupier_wire.tunnel.v1 import tunnel_pb2

assert tunnel_pb2.DESCRIPTOR.package == "croupier.tunnel.v1"


class Watched:
    """Something that tells when it changed, so that tests wait for events and not for time."""

    def __init__(self):
        self._stirred = asyncio.Event()

    def stir(self):
        stirred, self._stirred = self._stirred, asyncio.Event()
        stirred.set()

    async def stirred(self):
        """Returns when it changes the next time."""
        await self._stirred.wait()

    async def until(self, condition: Callable[[], bool], timeout: float = 90.0):
        async with asyncio.timeout(timeout):
            while not condition():
                await self._stirred.wait()


class BreakableStream:
    """A stream that can be made to fail."""

    def __init__(self, stream):
        self._stream = stream
        self.cut = asyncio.Event()

    async def read(self):
        reading = asyncio.ensure_future(self._stream.read())
        cut = asyncio.ensure_future(self.cut.wait())
        try:
            await asyncio.wait([reading, cut], return_when=asyncio.FIRST_COMPLETED)
            if self.cut.is_set():
                raise StreamBroken("cut")
            return reading.result()
        finally:
            reading.cancel()
            cut.cancel()
            await asyncio.wait([reading, cut])

    async def write(self, message):
        await self._stream.write(message)


class ScriptedServer(Watched):
    """The server's end of an agent's uplink."""

    def __init__(self):
        super().__init__()
        self.address = ""
        self.sessions = []
        self.streams = []
        self.registers = []
        self.events = []
        self.drains = []
        self.acknowledges = True
        self._rpc = None

    async def start(self, address="127.0.0.1:0"):
        self._rpc = RpcServer({"croupier.tunnel.v1.TunnelService": {"Open": self._open}})
        await self._rpc.start(address)
        self.address = self._rpc.address

    async def stop(self):
        for peer in self.sessions:
            peer.close("the server stopped")
        if self._rpc is not None:
            await self._rpc.stop(0)

    async def _open(self, stream, context):
        hello = read_hello(decode(parse(await stream.read())))
        peer = next((each for each in self.sessions if each.machine.resumes(hello)), None)
        if peer is None:
            machine = Acceptor(hello, session_id=new_id("t"), incarnation="server", config=AcceptorConfig())
            peer = AcceptorPeer(machine, self)
            self.sessions.append(peer)
        breakable = BreakableStream(stream)
        self.streams.append(breakable)
        self.stir()
        await peer.run(breakable, hello)

    def registered(self, peer, register):
        self.registers.append(register)
        self.stir()

    def job_event(self, peer, event, raw):
        self.events.append(event)
        if self.acknowledges:
            peer.tell(JobAck(event.job_id, event.seq))
        self.stir()

    def draining(self, peer, reason):
        self.drains.append(reason)
        self.stir()

    def closed(self, peer):
        self.stir()

    @property
    def peer(self):
        return self.sessions[-1]

    async def connected(self):
        await self.until(lambda: bool(self.sessions) and self.peer.machine.connected and bool(self.registers))

    def services(self):
        return {service.service_id: service for service in self.registers[-1].services} if self.registers else {}

    async def sees(self, service_id, *, healthy=True):
        def seen():
            service = self.services().get(service_id)
            return service is not None and service.healthy is healthy

        await self.until(seen)

    async def misses(self, service_id):
        await self.until(lambda: bool(self.registers) and service_id not in self.services())

    async def invoke(self, function_id, payload=b"{}", *, timeout=60.0, **values):
        frame = Invoke(
            request_id=values.pop("request_id", None) or new_id("c"),
            function_id=function_id,
            payload=payload,
            deadline_ms=int(timeout * 1000),
            **values,
        )
        answer = await self.peer.request(frame, timeout)
        if answer.error is not None:
            raise answer.error
        return answer

    async def start_job(self, function_id, job_id, payload=b"{}", **values):
        frame = StartJob(request_id=new_id("r"), function_id=function_id, payload=payload, job_id=job_id, **values)
        answer = await self.peer.request(frame, 60.0)
        if answer.error is not None:
            raise answer.error
        return answer

    def cancel_job(self, job_id, reason="enough"):
        self.peer.tell(CancelJob(job_id, reason))

    def story(self, job_id):
        """The job's events once each, as a store would keep them."""
        told = []
        for event in self.events:
            if event.job_id == job_id and event.seq == len(told) + 1:
                told.append(event)
        return told

    async def ended(self, job_id):
        await self.until(lambda: any(each.type in {"done", "error"} for each in self.story(job_id)))
        return self.story(job_id)[-1]

    async def cut(self):
        """Break the newest stream and wait for the next."""
        seen = len(self.streams)
        self.streams[-1].cut.set()
        await self.until(lambda: len(self.streams) > seen)


def echo(frame):
    return CallResult(request_id=frame.request_id, payload=frame.payload)


class AttachedGame(Watched):
    """A game server at the other end of an attachment; `script` answers a request, or returns None to let it hang."""

    def __init__(
        self, agent, service_id="game-1", functions=("echo",), *, game_id="demo", env="dev", script=echo, files=None
    ):
        super().__init__()
        self.agent = agent
        self.files = files
        self.service_id = service_id
        self.functions = functions
        self.script = script
        self.requests = []
        self.aborts = []
        self.job_acks = []
        self.job_cancels = []
        self.opened = []
        self.known_jobs = {}
        self.failure = None
        self.machine = Connector(Hello(agent_id=service_id, game_id=game_id, env=env, incarnation=new_id("i")))
        self.peer = ConnectorPeer(self.machine, self)
        self._channel = None
        self._call = None
        self._running = None

    def handle(self, event):
        match event:
            case Opened():
                self.opened.append(event)
                if not event.resumed:
                    self.register(*self.functions)
            case Execute():
                self.requests.append(event.frame)
                answer = self._answer(event.frame)
                if answer is not None:
                    self.machine.answer(answer)
            case Abort():
                self.aborts.append((event.request_id, event.reason))
            case JobAcknowledged():
                self.job_acks.append((event.job_id, event.seq, event.stop))
            case JobCancelAsked():
                self.job_cancels.append((event.job_id, event.reason))
            case _ if hasattr(event, "query"):
                state = self.known_jobs.get(event.query.job_id, "")
                self.machine.answer(JobAnswer(request_id=event.query.request_id, state=state))
        self.stir()

    def _answer(self, frame):
        if isinstance(frame, StartJob) and self.script is echo:
            return JobStarted(request_id=frame.request_id, job_id=frame.job_id)
        return self.script(frame)

    def register(self, *functions, service_id=None, manifest=b""):
        service = Service(
            service_id=service_id or self.service_id,
            version="1.0",
            functions=tuple(FunctionRef(each, "1.0.0") for each in functions),
            manifest_json=manifest,
        )
        self.machine.register(Register((service,)))
        self.peer.wake()

    def answer(self, frame):
        self.machine.answer(frame)
        self.peer.wake()

    def tell(self, job_id, seq, kind="progress", **values):
        self.machine.emit(JobEvent(job_id=job_id, seq=seq, type=kind, **values))
        self.peer.wake()

    def drain(self):
        self.machine.drain("bye")
        self.peer.wake()

    async def attach(self):
        """Dial; returns once there is a session."""
        seen = len(self.opened)
        self._channel = open_channel(self.agent, CHANNEL_OPTIONS, self.files, "agent")
        self._call = open_stream(self._channel, ATTACH)
        self._running = asyncio.create_task(self._run(self._call))
        await self.until(lambda: len(self.opened) > seen or self._running.done())
        if self._running.done():
            raise self.failure or AssertionError("the attachment ended at once")
        return self

    async def _run(self, call):
        await self.peer.run(ClientStream(call))
        self.failure = grpc.aio.AioRpcError(await call.code(), None, None, await call.details())
        self.stir()

    async def cut(self):
        """Break the stream, as a lost connection does."""
        if self._call is not None:
            self._call.cancel()
            await asyncio.wait([self._running])
            await self._channel.close()
            self._call = None

    async def refused(self):
        """The code and text with which the agent ended the stream."""
        await self.until(lambda: self.failure is not None)
        return self.failure.code(), self.failure.details()


class ForeignGame(function_pb2_grpc.FunctionServiceServicer):
    """A game server that knows the contract and nothing of ours: the generated stubs, unmodified."""

    def __init__(self, service_id="foreign-1"):
        self.service_id = service_id
        self.address = ""
        self.requests = []
        self.canceled = asyncio.Event()
        self.canceled_jobs = []
        self.streams = 0
        self.hanging = asyncio.Event()
        self.release = asyncio.Event()
        self.job_id = "their-job"
        self.break_after = None
        self.refuses_cancel = False
        self._server = None

    async def start(self, address="127.0.0.1:0"):
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)))
        function_pb2_grpc.add_FunctionServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port(address)
        await self._server.start()
        self.address = f"127.0.0.1:{port}"

    async def stop(self):
        await self._server.stop(None)

    async def Invoke(self, request, context):
        self.requests.append(request)
        match request.function_id:
            case "f.echo":
                return function_pb2.InvokeResponse(payload=request.payload)
            case "f.metadata":
                return function_pb2.InvokeResponse(payload=json.dumps(dict(request.metadata)).encode())
            case "f.large":
                return function_pb2.InvokeResponse(payload=b"x" * 11_500_000)
            case "f.slightly_large":
                return function_pb2.InvokeResponse(payload=b"x" * 10_500_000)
            case "f.raise":
                raise RuntimeError("it broke")
            case "f.hang" | "f.slow":
                return await self._hang(request)
            case _:
                return await context.abort(grpc.StatusCode.NOT_FOUND, "no such function there")

    async def _hang(self, request):
        self.hanging.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.canceled.set()
            raise
        return function_pb2.InvokeResponse(payload=request.payload)

    async def StartJob(self, request, context):
        self.requests.append(request)
        if request.function_id == "f.slow":
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "jobs are unknown here")
        return function_pb2.StartJobResponse(job_id="" if request.function_id == "f.echo" else self.job_id)

    async def StreamJob(self, request, context):
        self.streams += 1
        assert request.job_id == self.job_id
        for number in range(1, 6):
            if self.break_after == number and self.streams == 1:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            yield function_pb2.JobEvent(type="progress", progress=number * 20, message=f"step {number}")
        if self.hanging.is_set():
            await self.release.wait()
        if self.canceled_jobs:
            yield function_pb2.JobEvent(type="error", message="stopped on request")
        else:
            yield function_pb2.JobEvent(type="done", payload=b'{"steps": 5}')

    async def CancelJob(self, request, context):
        if self.refuses_cancel:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "jobs cannot be canceled here")
        self.canceled_jobs.append(request.job_id)
        self.release.set()
        return function_pb2.StartJobResponse(job_id=request.job_id)

    def request(self, *functions, rpc_addr=None):
        return local_pb2.RegisterLocalRequest(
            service_id=self.service_id,
            version="1.0",
            rpc_addr=rpc_addr or self.address,
            functions=[local_pb2.LocalFunctionDescriptor(id=each, version="1.0") for each in functions],
        )


class Agent:
    """A running agent and callers on its machine."""

    def __init__(self, data, servers, *, grpc_address="127.0.0.1:0", **settings):
        self.settings = AgentSettings(
            agent_id="agent-1",
            game_id="demo",
            env="dev",
            servers=servers,
            grpc=grpc_address,
            http="127.0.0.1:0",
            data=data,
            **settings,
        )
        self.info = None
        self._task = None

    async def start(self):
        ready = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(run(self.settings, ready=ready.set_result))
        await asyncio.wait([self._task, ready], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._task
        self.info = ready.result()
        return self

    async def stop(self):
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def took(self, *, events):
        """Once game servers have told it so much of their jobs."""
        async with aiohttp.ClientSession(f"http://{self.info.http}") as client, asyncio.timeout(30):
            while True:
                async with client.get("/metrics") as answer:
                    if f"croupier_agent_job_events_total {events}.0" in await answer.text():
                        return
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def channel(self):
        async with grpc.aio.insecure_channel(self.info.grpc, options=CHANNEL_OPTIONS) as channel:
            yield channel

    @asynccontextmanager
    async def functions(self):
        async with self.channel() as channel:
            yield function_pb2_grpc.FunctionServiceStub(channel)

    async def control(self, method, request):
        async with self.channel() as channel:
            return await getattr(local_pb2_grpc.LocalControlServiceStub(channel), method)(request, timeout=10)

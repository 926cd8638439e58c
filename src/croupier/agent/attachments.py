"""Game servers that attach by a stream of their own: one session each, which a broken stream may resume for 3 seconds."""

import asyncio
import logging
import time
from dataclasses import replace

from msgspec import structs

from croupier.agent.game_server import Done
from croupier.agent.instances import INSTANCES, Instance, Instances, InstanceState, check_name
from croupier.agent.jobs import WINDOW, Jobs
from croupier.agent.resend import Resend
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.scope import Scope
from croupier.errors import (
    Conflict,
    CroupierError,
    InvalidArgument,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from croupier.rpc.gate import peer_of
from croupier.rpc.service import read_hello
from croupier.tunnel.acceptor import Acceptor, AcceptorConfig
from croupier.tunnel.codec import decode, encode, parse
from croupier.tunnel.frames import (
    SESSION,
    Answer,
    CallResult,
    CancelJob,
    Hello,
    Invoke,
    JobAck,
    JobAnswer,
    JobQuery,
    JobStarted,
    Register,
)
from croupier.tunnel.grpc import ServerContext
from croupier.tunnel.peer import AcceptorPeer
from croupier.tunnel.stream import Stream

log = logging.getLogger(__name__)

HELLO_TIMEOUT = 10.0
CONFIG = AcceptorConfig(resume_window=3.0, job_window=WINDOW)


class AttachedServer:
    """A game server at the other end of a session; frames reach it as they came."""

    def __init__(self, peer: AcceptorPeer) -> None:
        hello = peer.machine.hello
        self.service_id = hello.agent_id
        self.incarnation = hello.incarnation
        self.listens = False
        self.capabilities = frozenset(hello.capabilities)
        self.outstanding = 0
        self.last_turn = 0
        self.peer = peer
        self.refusal: CroupierError | None = None
        """Why the agent ended the session, if it did."""
        self.serial = ""
        """Of the certificate that it showed last; empty over plain text."""

    @property
    def connected_state(self) -> InstanceState:
        return InstanceState.DRAINING if self.peer.machine.draining else InstanceState.HEALTHY

    def is_another(self, hello: Hello) -> bool:
        """A live process, and not the one of `hello`: two with one id would throw each other out for ever."""
        machine = self.peer.machine
        return hello.incarnation != machine.hello.incarnation and machine.lively(asyncio.get_running_loop().time())

    def call(self, frame: Invoke, raw: bytes, timeout: float | None, done: Done) -> str:
        name = frame.request_id
        if self.peer.machine.has(name):
            name = new_id("r")
            raw = encode(structs.replace(frame, request_id=name))
            done = _renamed(done, frame.request_id, self.service_id)
        self.peer.call(name, raw or encode(frame), done, timeout)
        return name

    def cancel(self, name: str, reason: str) -> None:
        self.peer.cancel(name, reason)

    def cancel_job(self, job_id: str, reason: str) -> None:
        self.peer.tell(CancelJob(job_id, reason))

    def acknowledge(self, job_id: str, seq: int, *, stop: bool) -> None:
        self.peer.tell(JobAck(job_id, seq, stop))

    async def ask(self, job_id: str, timeout: float) -> JobAnswer | None:
        """What it knows of a job; None when it does not say."""
        try:
            answer = await self.peer.request(JobQuery(new_id("r"), job_id), timeout)
        except CroupierError as error:
            log.debug("%s did not say what it knows of job %s: %s", self.service_id, job_id, error.message)
            return None
        return answer if isinstance(answer, JobAnswer) and answer.state not in {"", "unknown"} else None

    def pause(self) -> None:
        self.peer.pause()

    def proceed(self) -> None:
        self.peer.proceed()

    def abandon(self, why: str) -> None:
        self.refuse(InvalidArgument(f"bad frame: {why}"))

    def refuse(self, error: CroupierError) -> None:
        self.refusal = self.refusal or error
        self.peer.close(error.message)


def _renamed(done: Done, request_id: str, service_id: str) -> Done:
    def tell(outcome: Answer | CroupierError, _: bytes) -> None:
        if isinstance(outcome, CallResult | JobStarted):
            outcome = structs.replace(outcome, request_id=request_id, service_id=service_id)
        done(outcome, b"")

    return tell


class Attachments:
    """AttachService.Attach, and what the attached report."""

    def __init__(
        self, scope: Scope, instances: Instances, jobs: Jobs, resend: Resend, *, config: AcceptorConfig = CONFIG
    ) -> None:
        self._scope = scope
        self._instances = instances
        self._jobs = jobs
        self._resend = resend
        self._config = config
        self._incarnation = new_id("a")
        self._servers: dict[str, AttachedServer] = {}
        self.stopping = False

    def servers(self) -> list[AttachedServer]:
        return list(self._servers.values())

    async def attach(self, stream: Stream, context: ServerContext) -> None:
        """Carry a game server's session until the stream ends.

        Raises InvalidArgument "bad hello" for any other first message, PermissionDenied for another game or env
        or a name that its certificate does not have, Conflict for the name of another process that is attached and alive,
        and whatever was wrong with what it registered.
        """
        hello = await self._hello(stream)
        peer = peer_of(context)
        if peer is not None:
            peer.require_id(hello.agent_id, "game server")
        server = self._session(hello)
        server.serial = peer.serial if peer is not None else ""
        self._instances.set_state(server, server.connected_state, time.time())
        try:
            await server.peer.run(stream, hello)
        finally:
            if not server.peer.machine.connected and not server.peer.machine.draining:
                self._instances.set_state(server, InstanceState.WAITING, time.time())
            self._jobs.away(server)
        if server.refusal is not None:
            raise server.refusal

    async def _hello(self, stream: Stream) -> Hello:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT):
                first = await stream.read()
        except TimeoutError as error:
            raise InvalidArgument(f"bad hello: none came within {HELLO_TIMEOUT:.0f} s") from error
        if first is None:
            raise InvalidArgument("bad hello: the stream ended before it")
        hello = read_hello(decode(parse(first)))
        check_name("bad hello: agent_id", hello.agent_id)
        if SESSION not in hello.capabilities:
            raise InvalidArgument(f"bad hello: attaching needs the capability {SESSION}; others register by address")
        for label, ours, theirs in (
            ("game_id", self._scope.game_id, hello.game_id),
            ("env", self._scope.env, hello.env),
        ):
            if theirs and theirs != ours:
                raise PermissionDenied(
                    f"this agent serves {label} {ours}, and {hello.agent_id} is of {theirs[:64]}: attach to the agent of "
                    "that game and env"
                )
        return hello

    def _session(self, hello: Hello) -> AttachedServer:
        """The server whose session `hello` resumes, or a new one that takes the place of any before it."""
        before = self._servers.get(hello.agent_id)
        if before is not None and before.peer.machine.resumes(hello):
            return before
        if self.stopping:
            raise Unavailable("this agent is stopping; attach again when it is back")
        if before is not None and before.is_another(hello):
            raise Conflict(
                f"game server id {hello.agent_id} is in use: another process with it is attached and alive; "
                "give each game server an id of its own, or stop the other one"
            )
        if before is None and len(self._servers) >= INSTANCES:
            raise RateLimited(f"rate limited: {INSTANCES} game servers are attached already; start another agent")
        if before is not None:
            log.info("game server %s attaches anew", hello.agent_id)
            before.peer.close(f"game server {hello.agent_id} attached anew")
        machine = Acceptor(hello, session_id=new_id("s"), incarnation=self._incarnation, config=self._config)
        server = self._servers[hello.agent_id] = AttachedServer(AcceptorPeer(machine, self))
        return server

    def close(self, why: str) -> None:
        for server in self.servers():
            server.peer.close(why)

    def revoked(self, serials: frozenset[str]) -> None:
        """These certificates count no more: the sessions of those that showed one end."""
        for server in self.servers():
            if server.serial in serials:
                server.refuse(Unauthenticated(f"the certificate of {server.service_id} was revoked"))

    # ------------------------------------------------------------------------------------------------ what they report

    def registered(self, peer: AcceptorPeer, register: Register) -> None:
        server = self._server_of(peer)
        if server is None:
            return
        try:
            self._register(server, register)
        except CroupierError as error:
            server.refuse(error)

    def _register(self, server: AttachedServer, register: Register) -> None:
        if len(register.services) != 1 or register.services[0].service_id != server.service_id:
            raise InvalidArgument(
                f"bad frame: an attachment registers exactly one service, the {server.service_id} of its hello"
            )
        service = register.services[0]
        known = self._instances.get(server.service_id)
        first = known is None or known.server is not server
        self._instances.put(
            Instance(
                service=replace(service, addr=""),
                server=server,
                session_id=server.peer.machine.session_id,
                state=server.connected_state,
                last_seen=time.time(),
                expires=None,
            )
        )
        log.info("game server %s offers %d functions", server.service_id, len(service.functions))
        self._jobs.back(server)
        if first:
            self._resend.back(server)

    def job_event(self, peer: AcceptorPeer, event: JobEvent, raw: bytes) -> None:
        server = self._server_of(peer)
        if server is not None:
            self._jobs.arrived(server, event, raw)

    def draining(self, peer: AcceptorPeer, reason: str) -> None:
        server = self._server_of(peer)
        if server is not None:
            log.info("game server %s drains: %s", server.service_id, reason[:256] or "no reason given")
            self._instances.set_state(server, InstanceState.DRAINING, time.time())

    def closed(self, peer: AcceptorPeer) -> None:
        server = self._server_of(peer)
        if server is None:
            return
        del self._servers[server.service_id]
        instance = self._instances.get(server.service_id)
        if instance is not None and instance.server is server:
            self._instances.remove(instance)
        log.info("game server %s is gone", server.service_id)
        self._jobs.gone(server, "its stream ended and it did not come back")

    def _server_of(self, peer: AcceptorPeer) -> AttachedServer | None:
        server = self._servers.get(peer.machine.hello.agent_id)
        return server if server is not None and server.peer is peer else None

import asyncio
import logging
from typing import Protocol

from croupier.domain.addresses import peer_ip
from croupier.domain.identifiers import new_id
from croupier.domain.job import JobEvent
from croupier.domain.limits import METADATA_ENTRIES
from croupier.domain.scope import Scope, parse_scope
from croupier.errors import Conflict, InvalidArgument, PermissionDenied, RateLimited, Unavailable
from croupier.pki.revocations import Revocations
from croupier.relay.context import edge_of, edge_went
from croupier.rpc.gate import peer_of
from croupier.rpc.service import read_hello
from croupier.server.control.claims import check_claim
from croupier.server.dispatch.agents import Agent, Agents
from croupier.server.dispatch.link import JobNames, Link, TunnelLink
from croupier.telemetry import Tracer
from croupier.tunnel.acceptor import PLAIN_JOBS, Acceptor, AcceptorConfig
from croupier.tunnel.codec import decode, parse
from croupier.tunnel.frames import SESSION, Drain, Hello, Register
from croupier.tunnel.grpc import ServerContext
from croupier.tunnel.peer import AcceptorPeer
from croupier.tunnel.stream import Stream

log = logging.getLogger(__name__)

MOST_AGENTS = 20_000
MOST_SERVICES = 1_000
MOST_FUNCTIONS = 10_000
NAME_LIMIT = 256


class Observer(Protocol):
    """What the server's use cases want to know of the tunnels; told on the loop, must return at once."""

    def job_event(self, link: Link, event: JobEvent) -> None: ...

    def registered(self, agent: Agent) -> None: ...

    def connected(self, agent_id: str) -> None: ...

    def session_lost(self, agent_id: str) -> None: ...


class Tunnels:
    """The sessions of all agents that dialled in, one for each agent id."""

    def __init__(
        self,
        agents: Agents,
        observer: Observer,
        config: AcceptorConfig,
        tracer: Tracer | None = None,
        revocations: Revocations | None = None,
    ) -> None:
        """With `revocations`, sessions end whose agents' certificates are revoked."""
        if revocations is not None:
            revocations.listen(self.revoked)
        self._agents = agents
        self._observer = observer
        self._config = config
        self._tracer = tracer
        self._incarnation = new_id("s")
        self._links: dict[str, TunnelLink] = {}
        self._names: dict[tuple[str, Scope], JobNames] = {}
        self._serials: dict[str, str] = {}
        """Of the certificates that agents showed last."""
        self._stopping = False

    @property
    def connected(self) -> int:
        return sum(link.peer.machine.connected for link in self._links.values())

    async def open(self, stream: Stream, context: ServerContext) -> None:
        """TunnelService.Open: carry an agent's session until the stream ends.

        Raises InvalidArgument "bad hello" for any other first message, PermissionDenied for an agent that is connected for
        another scope or whose edge may not speak for it, Conflict for an id that another live process has, RateLimited
        beyond the most agents, Unavailable while the server stops.
        """
        hello, scope = await _greeting(stream)
        check_claim(context, hello.agent_id, scope)
        link = self._session(hello, scope, peer_ip(context.peer()))
        peer = peer_of(context)
        if peer is not None:
            self._serials[hello.agent_id] = peer.serial
        self._came_by(link, peer_ip(context.peer()), edge_of(context))
        # It is connected once `run` has begun, which is before the loop comes to this.
        asyncio.get_running_loop().call_soon(self._agents.announce, hello.agent_id)
        self._observer.connected(hello.agent_id)
        try:
            await link.peer.run(stream, hello)
        finally:
            self._left(link, context)

    def _came_by(self, link: TunnelLink, ip: str, edge: str) -> None:
        """A session may go on over another way than the one it began on."""
        agent = self._agents.get(link.agent_id)
        if agent is not None and agent.link is link:
            agent.ip, agent.edge, agent.expected_until = ip, edge, 0.0

    def _left(self, link: TunnelLink, context: ServerContext) -> None:
        """The stream is over. If its edge went, and not its agent, the session will be resumed over another."""
        agent = self._agents.get(link.agent_id)
        if edge_went(context) and agent is not None and agent.link is link and not link.peer.machine.draining:
            self._agents.expect(agent, self._config.resume_window)

    def _session(self, hello: Hello, scope: Scope, ip: str) -> TunnelLink:
        """The link whose session `hello` resumes, or a new one that takes the place of any before it."""
        if self._stopping:
            raise Unavailable("the server is stopping; connect again when it is back")
        known = self._agents.get(hello.agent_id)
        link = self._links.get(hello.agent_id)
        if link is not None and (served := _scope_of(link)) != scope:
            if link.peer.machine.connected:
                raise PermissionDenied(
                    f"agent {hello.agent_id} is connected for {served}; it cannot serve {scope} at the same time: "
                    "give each agent an id of its own"
                )
        elif link is not None and link.peer.machine.resumes(hello):
            return link
        elif link is not None and self._is_another(link, hello):
            raise Conflict(
                f"agent id {hello.agent_id} is in use: another process with it is connected and alive; "
                "give each agent an id of its own, or stop the other one"
            )
        if known is None and len(self._agents) >= MOST_AGENTS:
            raise RateLimited(f"rate limited: this server knows {MOST_AGENTS} agents already; try again later")
        if link is not None:
            link.peer.close(f"agent {hello.agent_id} began a new session")
        names = self._names_for(hello, scope)
        acceptor = Acceptor(
            hello, session_id=new_id("t"), incarnation=self._incarnation, config=self._config, numbers=names.numbers
        )
        fresh = TunnelLink(hello.agent_id, AcceptorPeer(acceptor, self), self._observer.job_event, self._tracer, names)
        self._links[hello.agent_id] = fresh
        self._admit(hello, scope, ip, fresh)
        return fresh

    def _names_for(self, hello: Hello, scope: Scope) -> JobNames:
        """What a plain agent called its jobs in earlier sessions: it says nothing of that again."""
        if SESSION in hello.capabilities:
            return JobNames()
        key = (hello.agent_id, scope)
        known = self._names.pop(key, None)
        names = self._names[key] = JobNames() if known is None or len(known.numbers) >= PLAIN_JOBS else known
        while len(self._names) > MOST_AGENTS:
            del self._names[next(iter(self._names))]
        return names

    def _is_another(self, link: TunnelLink, hello: Hello) -> bool:
        """Two live processes with one id would throw each other out for ever. One that is silent (its host is gone, its
        stream not yet) makes room within two heartbeats, and the newcomer dials again.
        """
        machine = link.peer.machine
        theirs = machine.hello.incarnation
        return bool(theirs) and hello.incarnation != theirs and machine.lively(asyncio.get_running_loop().time())

    def _admit(self, hello: Hello, scope: Scope, ip: str, link: TunnelLink) -> None:
        """What it offered before holds until it says anew: a call that comes first is for the agent to answer."""
        known = self._agents.get(hello.agent_id)
        if known is not None and known.scope != scope:
            known = None
        registered = known is not None and bool(known.control_session)
        agent = Agent(
            agent_id=hello.agent_id,
            scope=scope,
            version=hello.version or (known.version if known else ""),
            ip=ip,
            region=hello.region,
            zone=hello.zone,
            labels=hello.labels,
            rpc_addr=known.rpc_addr if known and registered else "",
            registered=known.registered if known and registered else (),
            control_session=known.control_session if known and registered else "",
            expires=known.expires if known and registered else 0.0,
            services=known.services if known and SESSION in hello.capabilities else (),
            link=link,
        )
        self._agents.put(agent)
        log.info("agent %s of %s connected from %s", hello.agent_id, scope, ip)

    # ------------------------------------------------------------------------------------ what connectors report

    def registered(self, peer: AcceptorPeer, register: Register) -> None:
        agent = self._agent_of(peer)
        if agent is None:
            return
        _check_register(register)
        agent.services = register.services
        self._agents.put(agent)
        self._observer.registered(agent)

    def job_event(self, peer: AcceptorPeer, event: JobEvent, raw: bytes) -> None:  # noqa: ARG002 — relays need the bytes, the server does not
        if event.seq < 0 or (event.seq == 0 and event.type != "error"):
            raise InvalidArgument("bad frame: a job event without a seq in a session; number the job's events from 1")
        link = self._links.get(peer.machine.hello.agent_id)
        if link is not None and link.peer is peer:
            link.event(event)

    def draining(self, peer: AcceptorPeer, reason: str) -> None:
        log.info("agent %s drains: %s", peer.machine.hello.agent_id, reason or "no reason given")

    def closed(self, peer: AcceptorPeer) -> None:
        agent_id = peer.machine.hello.agent_id
        self._observer.session_lost(agent_id)
        link = self._links.get(agent_id)
        if link is None or link.peer is not peer:
            return  # replaced by a newer session, which is none of this one's business
        del self._links[agent_id]
        self._serials.pop(agent_id, None)
        log.info("agent %s disconnected", agent_id)
        agent = self._agents.get(agent_id)
        if agent is not None and agent.link is link:
            self._agents.disconnected(agent)

    def revoked(self, serials: frozenset[str]) -> None:
        """These certificates count no more: the sessions of agents that showed one end, with their calls."""
        for agent_id in [agent_id for agent_id, serial in self._serials.items() if serial in serials]:
            link = self._links.get(agent_id)
            if link is not None:
                link.peer.close(f"the certificate of agent {agent_id} was revoked")

    def _agent_of(self, peer: AcceptorPeer) -> Agent | None:
        agent = self._agents.get(peer.machine.hello.agent_id)
        return agent if agent is not None and isinstance(agent.link, TunnelLink) and agent.link.peer is peer else None

    # ------------------------------------------------------------------------------------ end

    async def drain(self, grace: float) -> None:
        """Tell every agent that this server goes, wait for calls in flight, `grace` seconds at most, then close."""
        self._stopping = True
        for link in self._links.values():
            link.peer.tell(Drain("the server is stopping"))
        deadline = asyncio.get_running_loop().time() + grace
        while any(link.outstanding for link in self._links.values()):
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(0.02)
        for link in list(self._links.values()):
            link.peer.close("the server stopped")


async def _greeting(stream: Stream) -> tuple[Hello, Scope]:
    """Raises InvalidArgument "bad hello"."""
    try:
        hello = read_hello(decode(parse(await stream.read() or b"")))
        _check_hello(hello)
        return hello, parse_scope(hello.game_id, hello.env)
    except InvalidArgument as error:
        raise InvalidArgument(f"bad hello: {error.message.removeprefix('bad hello: ')}") from error


def _scope_of(link: TunnelLink) -> Scope:
    hello = link.peer.machine.hello
    return Scope(hello.game_id, hello.env)


def _check_hello(hello: Hello) -> None:
    if not 0 < len(hello.agent_id) <= NAME_LIMIT:
        raise InvalidArgument(f"agent_id must have 1 to {NAME_LIMIT} characters")
    for label in ("session_id", "incarnation", "version", "region", "zone"):
        if len(getattr(hello, label)) > NAME_LIMIT:
            raise InvalidArgument(f"{label} must have at most {NAME_LIMIT} characters")
    if len(hello.labels) > METADATA_ENTRIES or any(len(k) + len(v) > 2 * NAME_LIMIT for k, v in hello.labels.items()):
        raise InvalidArgument(f"at most {METADATA_ENTRIES} labels of at most {2 * NAME_LIMIT} characters are allowed")


def _check_register(register: Register) -> None:
    if len(register.services) > MOST_SERVICES:
        raise InvalidArgument(f"bad frame: more than {MOST_SERVICES} services in one registration")
    if sum(len(service.functions) for service in register.services) > MOST_FUNCTIONS:
        raise InvalidArgument(f"bad frame: more than {MOST_FUNCTIONS} functions in one registration")
    for service in register.services:
        if not 0 < len(service.service_id) <= NAME_LIMIT:
            raise InvalidArgument(f"bad frame: service_id must have 1 to {NAME_LIMIT} characters")
        if any(len(text) > NAME_LIMIT for text in (service.version, service.addr)):
            raise InvalidArgument(f"bad frame: a service's version and addr must have at most {NAME_LIMIT} characters")
        if any(not 0 < len(ref.id) <= NAME_LIMIT or len(ref.version) > NAME_LIMIT for ref in service.functions):
            raise InvalidArgument(
                f"bad frame: a function's id must have 1 to {NAME_LIMIT} characters, its version no more"
            )

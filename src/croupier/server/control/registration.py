"""ControlService, the contract's unary way for agents to register: kept for agents that know nothing else."""

import time
from dataclasses import replace

from croupier.descriptors import ProviderMeta
from croupier.domain.addresses import peer_ip
from croupier.domain.function import FunctionRef
from croupier.domain.identifiers import new_id
from croupier.domain.principal import Principal
from croupier.domain.provider import check_provider_id
from croupier.domain.scope import parse_scope
from croupier.errors import InvalidArgument, NotFound, RateLimited
from croupier.pki.revocations import Revocations
from croupier.relay.context import check_admission, edge_of
from croupier.rpc.gate import peer_of
from croupier.rpc.service import Context, metadata_value
from croupier.server.access.guard import Guard
from croupier.server.catalog.providers import Providers
from croupier.server.catalog.unpacking import GZIP
from croupier.server.control.claims import check_claim
from croupier.server.control.direct import DirectLinks
from croupier.server.control.tunnels import MOST_AGENTS, MOST_FUNCTIONS, NAME_LIMIT
from croupier.server.dispatch.agents import TTL, Agent, Agents
from croupier.server.dispatch.link import Link, TunnelLink
from croupier_wire.control.v1 import control_pb2 as wire


class Registration:
    def __init__(
        self,
        *,
        agents: Agents,
        direct: DirectLinks,
        providers: Providers,
        guard: Guard,
        revocations: Revocations | None = None,
    ) -> None:
        """With `revocations`, registrations end whose agents' certificates are revoked."""
        self._serials: dict[str, str] = {}
        """Of the certificates that agents showed last."""
        if revocations is not None:
            revocations.listen(self._revoked)
        self._agents = agents
        self._direct = direct
        self._providers = providers
        self._guard = guard

    async def register(self, request: wire.RegisterRequest, context: Context) -> wire.RegisterResponse:
        """Replaces what the agent registered before. Raises InvalidArgument, naming the field at fault."""
        _check(request)
        scope = parse_scope(request.game_id, request.env)
        check_claim(context, request.agent_id, scope)
        known = self._agents.get(request.agent_id)
        if known is None and len(self._agents) >= MOST_AGENTS:
            raise RateLimited(f"rate limited: this server knows {MOST_AGENTS} agents already; try again later")
        tunnel = known.link if known is not None and isinstance(known.link, TunnelLink) else None
        if known is not None and tunnel is not None and known.scope != scope:
            raise InvalidArgument(
                f"agent {request.agent_id} is connected for {known.scope}; it cannot register for {scope} at the same time"
            )
        link = tunnel or self._direct_link(request, context)
        session_id = new_id("t")
        agent = known if known is not None and known.scope == scope else Agent(agent_id=request.agent_id, scope=scope)
        agent.version = request.version
        agent.rpc_addr = request.rpc_addr
        agent.registered = tuple(FunctionRef(f.id, f.version) for f in request.functions if f.id and _enabled(f))
        agent.control_session = session_id
        agent.expires = self._agents.now() + TTL
        agent.link = link
        agent.edge = edge_of(context)
        self._agents.put(agent)
        peer = peer_of(context)
        if peer is not None:
            self._serials[request.agent_id] = peer.serial
        return wire.RegisterResponse(session_id=session_id, expire_at=int(time.time() + TTL))

    def _revoked(self, serials: frozenset[str]) -> None:
        for agent_id in [agent_id for agent_id, serial in self._serials.items() if serial in serials]:
            del self._serials[agent_id]
            self._direct.forget(agent_id)
            self._agents.drop(agent_id)

    def _direct_link(self, request: wire.RegisterRequest, context: Context) -> Link | None:
        """None for an agent without an address, or behind an edge: that is the way to it.

        Raises InvalidArgument for an address that cannot be called.
        """
        if request.rpc_addr and not edge_of(context):
            shown = peer_of(context)
            machine = shown.identity if shown is not None else None
            return self._direct.link(request.agent_id, request.rpc_addr, context.peer(), machine)
        self._direct.forget(request.agent_id)
        return None

    async def heartbeat(self, request: wire.HeartbeatRequest, context: Context) -> wire.HeartbeatResponse:
        """Raises NotFound for an agent that is not registered: it then registers again."""
        known = self._agents.get(request.agent_id)
        if known is not None:
            check_claim(context, request.agent_id, known.scope)
        if not self._agents.renew(request.agent_id):
            raise NotFound(f"agent {request.agent_id} is not registered; register again")
        return wire.HeartbeatResponse()

    async def register_capabilities(
        self,
        request: wire.RegisterCapabilitiesRequest,
        context: Context,
    ) -> wire.RegisterCapabilitiesResponse:
        """Describe functions of any game, from now on; it goes before what game servers say of their own.

        Raises FaultyDescriptor with everything that is wrong, PermissionDenied for a provider of somebody else, and what else
        `Providers.register` raises.
        """
        check_admission(context, None)
        said = request.provider
        if not said.id:
            raise InvalidArgument("provider.id is empty: name the provider")
        check_provider_id(said.id)
        if any(len(text) > NAME_LIMIT for text in (said.version, said.lang, said.sdk)):
            raise InvalidArgument(f"version, lang and sdk of a provider have at most {NAME_LIMIT} characters")
        if not request.manifest_json_gz.startswith(GZIP):
            raise InvalidArgument("manifest_json_gz is not gzip: compress the manifest")
        meta = ProviderMeta(id=said.id, version=said.version, lang=said.lang, sdk=said.sdk)
        await self._providers.register(self._caller(context), request.manifest_json_gz, meta)
        return wire.RegisterCapabilitiesResponse()

    def _caller(self, context: Context) -> Principal:
        """Whoever has a token is known by it; an agent, which needs none, by the way it came.

        Raises Unauthenticated for a token that nobody issued.
        """
        value, address = metadata_value(context, "authorization"), peer_ip(context.peer())
        if value:
            return replace(self._guard.authenticate({b"authorization": value.encode()}), address=address)
        peer = peer_of(context)
        if peer is not None:
            return Principal(name=str(peer.identity), kind="machine", address=address)
        edge = edge_of(context)
        kind = "edge" if edge else "machine"
        return Principal(name=edge or "local", kind=kind, address=address)


def _check(request: wire.RegisterRequest) -> None:
    if not 0 < len(request.agent_id) <= NAME_LIMIT:
        raise InvalidArgument(f"agent_id must have 1 to {NAME_LIMIT} characters")
    for label, value in (("version", request.version), ("rpc_addr", request.rpc_addr)):
        if len(value) > NAME_LIMIT:
            raise InvalidArgument(f"{label} must have at most {NAME_LIMIT} characters")
    if len(request.functions) > MOST_FUNCTIONS:
        raise InvalidArgument(f"more than {MOST_FUNCTIONS} functions in one registration")
    if any(len(function.id) > NAME_LIMIT or len(function.version) > NAME_LIMIT for function in request.functions):
        raise InvalidArgument(f"a function's id and version must have at most {NAME_LIMIT} characters")


def _enabled(function: wire.FunctionDescriptor) -> bool:
    """proto3 cannot tell `false` from absent, and old agents do not set it: a bare id counts as enabled."""
    bare = not (function.category or function.risk or function.entity or function.operation)
    return function.enabled or bare

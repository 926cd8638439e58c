"""ControlService, the contract's unary way for agents to register: kept for agents that know nothing else."""

import gzip
import io
import time
import zlib

from croupier.domain.function import FunctionRef
from croupier.domain.identifiers import new_id
from croupier.domain.limits import MESSAGE_BYTES
from croupier.domain.scope import parse_scope
from croupier.errors import InvalidArgument, NotFound, PayloadTooLarge, RateLimited
from croupier.relay.context import check_admission, edge_of
from croupier.rpc.service import Context
from croupier.server.catalog import Catalog
from croupier.server.control.direct import DirectLinks
from croupier.server.control.tunnels import MOST_AGENTS, MOST_FUNCTIONS, NAME_LIMIT
from croupier.server.dispatch.agents import TTL, Agent, Agents
from croupier.server.dispatch.link import Link, TunnelLink
from croupier.server.manifest import MANIFEST_BYTES, read_provider
from croupier_wire.control.v1 import control_pb2 as wire


class Registration:
    def __init__(self, agents: Agents, direct: DirectLinks, catalog: Catalog) -> None:
        self._agents = agents
        self._direct = direct
        self._catalog = catalog

    async def register(self, request: wire.RegisterRequest, context: Context) -> wire.RegisterResponse:
        """Replaces what the agent registered before. Raises InvalidArgument, naming the field at fault."""
        _check(request)
        scope = parse_scope(request.game_id, request.env)
        check_admission(context, scope)
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
        return wire.RegisterResponse(session_id=session_id, expire_at=int(time.time() + TTL))

    def _direct_link(self, request: wire.RegisterRequest, context: Context) -> Link | None:
        """None for an agent without an address, or behind an edge: that is the way to it.

        Raises InvalidArgument for an address that cannot be called.
        """
        if request.rpc_addr and not edge_of(context):
            return self._direct.link(request.agent_id, request.rpc_addr, context.peer())
        self._direct.forget(request.agent_id)
        return None

    async def heartbeat(self, request: wire.HeartbeatRequest, context: Context) -> wire.HeartbeatResponse:
        """Raises NotFound for an agent that is not registered: it then registers again."""
        known = self._agents.get(request.agent_id)
        if known is not None:
            check_admission(context, known.scope)
        if not self._agents.renew(request.agent_id):
            raise NotFound(f"agent {request.agent_id} is not registered; register again")
        return wire.HeartbeatResponse()

    async def register_capabilities(
        self,
        request: wire.RegisterCapabilitiesRequest,
        context: Context,
    ) -> wire.RegisterCapabilitiesResponse:
        """Describe functions of any game, until this server restarts; it goes before what game servers say of their own.

        Raises InvalidArgument (not gzip, not JSON, a faulty entry) or PayloadTooLarge.
        """
        check_admission(context, None)
        if not 0 < len(request.provider.id) <= NAME_LIMIT:
            raise InvalidArgument(f"provider.id must have 1 to {NAME_LIMIT} characters")
        self._catalog.learn_provider(request.provider.id, read_provider(unpack(request.manifest_json_gz)))
        return wire.RegisterCapabilitiesResponse()


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


def unpack(packed: bytes) -> bytes:
    """gunzip, without ever holding more than the limit."""
    if len(packed) > MESSAGE_BYTES:
        raise PayloadTooLarge(f"a manifest of {len(packed)} bytes")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            manifest = file.read(MANIFEST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidArgument(f"manifest_json_gz is not gzip: {error}") from error
    if len(manifest) > MANIFEST_BYTES:
        raise PayloadTooLarge(f"the manifest unpacks to more than {MANIFEST_BYTES} bytes")
    return manifest

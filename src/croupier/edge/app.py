"""The edge as a process, put together, started, and ended in order."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from croupier import __version__
from croupier.asgi.server import HttpServer
from croupier.edge.identified import identified
from croupier.edge.links import Links
from croupier.edge.machine_calls import OverLinks
from croupier.edge.metrics import EdgeMetrics
from croupier.edge.passing import Passing
from croupier.health import Health
from croupier.relay.dialing import LINK_SERVER_OPTIONS, SERVICE
from croupier.relay.frames import Identity, Role
from croupier.relay.methods import RELAYED
from croupier.rpc.renewal import Renewal
from croupier.rpc.service import RpcServer
from croupier.settings import EdgeSettings

log = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds that calls under way are given at the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyInfo:
    """The addresses the edge really listens on, host:port."""

    grpc: str
    http: str


class Edge:
    """Made inside a running loop; `start` may be called once."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        identity = Identity(Role.EDGE, settings.edge_id, __version__)
        known = identified(settings)
        self._links = Links(identity, settings.link_token.get_secret_value().encode(), known.files, known.gate)
        self._passing = Passing(self._links)
        self._rpc = RpcServer(
            {SERVICE: {"Link": self._links.link}},
            passing=dict.fromkeys(sorted(RELAYED), self._passing.carry),
            options=LINK_SERVER_OPTIONS,
            files=known.files,
            gate=known.gate,
        )
        self._renewal = (
            Renewal(known.files, known.revocations, OverLinks(self._links, known.files), known.revoked)
            if known.files
            else None
        )
        metrics = EdgeMetrics(self._links, self._passing)
        self._health = HttpServer(Health(problems=self._problems, metrics=metrics.text), grace=1.0)

    def _problems(self) -> list[str]:
        problems = [] if len(self._links) else ["no server is linked"]
        return [*problems, "the edge is draining"] if self._passing.draining else problems

    async def start(self) -> ReadyInfo:
        """Listen, and dial the servers. Raises OSError for an address that cannot be had."""
        await self._rpc.start(self._settings.grpc)
        await self._health.start(self._settings.http)
        self._links.dial(self._settings.servers)
        if self._renewal is not None:
            self._renewal.begin()
        return ReadyInfo(grpc=self._rpc.address, http=self._health.address)

    async def stop(self) -> None:
        """Nothing new, every agent sent on its way, calls under way to their end, then everything closed."""
        await self._rpc.set_serving(serving=False)
        await self._passing.drain(GRACE)
        if self._renewal is not None:
            await self._renewal.stop()
        await self._links.stop()
        await self._rpc.stop(0.5)
        await self._health.stop()


async def run(settings: EdgeSettings, *, ready: Callable[[ReadyInfo], None] | None = None) -> None:
    """Serve until cancelled; then end in order, which takes about 10 s at most, and return by the cancellation.

    `ready` is told the addresses once the edge listens; a server may be linked later.
    Raises OSError for an address that cannot be had.
    """
    edge = Edge(settings)
    try:
        info = await edge.start()
        if ready is not None:
            ready(info)
        await asyncio.Event().wait()
    finally:
        await edge.stop()

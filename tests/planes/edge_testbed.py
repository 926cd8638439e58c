"""A running edge in front of a running server: the real ones, joined by a real link."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import grpc.aio
from tests.planes.scripted_agent import Server, eventually

from croupier import __version__
from croupier.edge.app import Edge, ReadyInfo
from croupier.relay.dialing import LINK, LINK_CHANNEL_OPTIONS
from croupier.relay.frames import Identity, Role
from croupier.relay.handshake import shake_hands
from croupier.relay.link import RelayLink
from croupier.settings import EdgeSettings
from croupier.tunnel.grpc import ClientStream, open_stream

LINK_TOKEN = "link-token-of-the-tests"


class Reachable(Protocol):
    @property
    def grpc(self) -> str: ...


class EdgeUnderTest:
    def __init__(self, edge: Edge, info: ReadyInfo) -> None:
        self.edge = edge
        self.grpc = info.grpc
        self.http = info.http

    @property
    def links(self) -> int:
        return len(self.edge._links)

    async def linked(self, count: int = 1) -> None:
        async def is_linked() -> bool:
            return self.links == count

        await eventually(is_linked)

    async def tunnels(self, count: int) -> None:
        async def has_them() -> bool:
            return self.edge._passing.open_tunnels == count

        await eventually(has_them)

    async def calls(self, count: int) -> None:
        async def has_them() -> bool:
            return self.edge._passing.open_calls == count

        await eventually(has_them)


@asynccontextmanager
async def edge_of(*servers: Reachable, **settings: Any) -> AsyncIterator[EdgeUnderTest]:
    """An edge that dials these servers; linked, if there are any."""
    chosen: dict[str, Any] = {
        "edge_id": "edge-1",
        "grpc": "127.0.0.1:0",
        "http": "127.0.0.1:0",
        "servers": tuple(server.grpc for server in servers),
        "link_token": LINK_TOKEN,
        **settings,
    }
    edge = Edge(EdgeSettings(**chosen))
    under_test = EdgeUnderTest(edge, await edge.start())
    try:
        if servers and "link_token" not in settings:
            await under_test.linked(len(servers))
        yield under_test
    finally:
        await edge.stop()


@asynccontextmanager
async def bare_link(server: Server, edge_id: str = "edge-1") -> AsyncIterator[tuple[RelayLink, ClientStream]]:
    """A link whose edge does as a test says: its handshake is over, and nothing runs it yet."""
    async with grpc.aio.insecure_channel(server.grpc, options=LINK_CHANNEL_OPTIONS) as channel:
        call = open_stream(channel, LINK)
        stream = ClientStream(call)
        own = Identity(Role.EDGE, edge_id, __version__)
        other, _ = await shake_hands(stream, own, LINK_TOKEN.encode(), dialing=True)
        yield RelayLink(Role.EDGE, other), stream
        call.cancel()


@asynccontextmanager
async def carried(link: RelayLink, stream: ClientStream) -> AsyncIterator[RelayLink]:
    carrying = asyncio.ensure_future(link.run(stream))
    try:
        yield link
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)

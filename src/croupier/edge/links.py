import asyncio
import logging
from collections.abc import Iterator, Sequence

from croupier.errors import RateLimited, Unavailable
from croupier.pki.identity import MachineFiles
from croupier.relay.dialing import Dialing, keep_dialing
from croupier.relay.frames import Identity, Role
from croupier.relay.handshake import shake_hands
from croupier.relay.link import RelayLink
from croupier.relay.proof import LinkProof
from croupier.rpc.gate import Gate
from croupier.tunnel.grpc import ServerContext
from croupier.tunnel.stream import Stream

log = logging.getLogger(__name__)

MOST_LINKS = 256


class Links:
    """The links with servers that are up now, dialled from here or from there."""

    def __init__(
        self, identity: Identity, token: bytes, files: MachineFiles | None = None, gate: Gate | None = None
    ) -> None:
        """With `files` and `gate` links are mTLS."""
        self._identity = identity
        self._token = token
        self._files = files
        self._gate = gate
        self._changed = asyncio.Event()
        self._links: set[RelayLink] = set()
        self._dialing: list[asyncio.Task[None]] = []
        self.joined = 0
        """How many there ever were."""

    def __len__(self) -> int:
        return len(self._links)

    def __iter__(self) -> Iterator[RelayLink]:
        return iter(self._links)

    def choose(self) -> RelayLink:
        """The one that carries the fewest streams. Raises Unavailable when there is none."""
        if not self._links:
            raise Unavailable(
                f"edge {self._identity.id} has no link with a server: nothing was sent; try again, or another edge"
            )
        return min(self._links, key=len)

    def dial(self, servers: Sequence[str]) -> None:
        """Keep a link with each of these addresses from now on."""
        for address in servers:
            self._dialing.append(asyncio.ensure_future(self._keep(Dialing(address, Role.SERVER, self._files))))

    async def _keep(self, where: Dialing) -> None:
        await keep_dialing(where, self._carry_dialled)

    async def linked(self) -> RelayLink:
        """One of the links, once there is any."""
        while not self._links:
            self._changed.clear()
            await self._changed.wait()
        return self.choose()

    async def stop(self) -> None:
        for task in self._dialing:
            task.cancel()
        await asyncio.gather(*self._dialing, return_exceptions=True)

    async def link(self, stream: Stream, context: ServerContext) -> None:  # noqa: ARG002 — the handshake says who it is
        """RelayService.Link: carry a link that a server dialled until it ends.

        Raises Unauthenticated without the link token, InvalidArgument for a broken rule.
        """
        await self._carry(stream, dialing=False)

    async def _carry_dialled(self, stream: Stream) -> None:
        await self._carry(stream, dialing=True)

    async def _carry(self, stream: Stream, *, dialing: bool) -> None:
        proof = LinkProof(self._files, self._gate.check) if self._files is not None and self._gate is not None else None
        server, peer = await shake_hands(stream, self._identity, self._token, dialing=dialing, proof=proof)
        if len(self._links) >= MOST_LINKS:
            raise RateLimited(f"rate limited: {MOST_LINKS} links are open already; try again later")
        link = RelayLink(Role.EDGE, server, peer=peer)
        self._links.add(link)
        self._changed.set()
        self.joined += 1
        log.info("server %s is linked, version %s", server.id, server.version)
        end = self._gate.watch(peer, link.close) if self._gate is not None and peer is not None else None
        try:
            await link.run(stream)
        finally:
            if end is not None:
                end()
            self._links.discard(link)
            log.info("the link with server %s ended", server.id)

"""Links with edges. What comes over them is served by the very handlers that serve direct calls."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio

from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InternalError, PermissionDenied, RateLimited
from croupier.pki.identity import MachineFiles
from croupier.relay.context import Admission, RelayedContext, refusal
from croupier.relay.dialing import SERVICE, Dialing, keep_dialing
from croupier.relay.frames import Identity, Role, Status
from croupier.relay.handshake import shake_hands
from croupier.relay.link import LogicalStream, RelayLink
from croupier.relay.methods import RELAYED
from croupier.relay.proof import LinkProof, relayed_peer
from croupier.rpc.gate import Gate
from croupier.rpc.service import Handler, method_handlers
from croupier.tunnel.grpc import ServerContext
from croupier.tunnel.status import grpc_code
from croupier.tunnel.stream import Stream

log = logging.getLogger(__name__)

MOST_LINKS = 256


class Relays:
    def __init__(
        self,
        services: Mapping[str, Mapping[str, Any]],
        *,
        identity: Identity,
        token: bytes,
        scopes: Mapping[str, frozenset[Scope]],
        files: MachineFiles | None = None,
        gate: Gate | None = None,
    ) -> None:
        """`services` are those of the server. An empty `token`: no edge is let in. `scopes` by edge id: for which agents
        it may speak; an edge that is not named there may speak for all, and none beyond its certificate. With `files` and
        `gate` links are mTLS, and calls that come over them are for machines whose certificates the edges pass on.
        """
        self._files = files
        self._gate = gate
        self._handlers: Mapping[str, Handler] = {
            f"/{service}/{name}": handler
            for service, handlers in method_handlers({name: services[name] for name in RELAYED}, gate).items()
            for name, handler in handlers.items()
        }
        self._identity = identity
        self._token = token
        self._scopes = scopes
        self._links: set[RelayLink] = set()
        self._dialing: list[asyncio.Task[None]] = []
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """The service by which an edge that dials joins."""
        return {SERVICE: {"Link": self.link}}

    def dial(self, edges: Sequence[str]) -> None:
        """Keep a link with each of these addresses from now on."""
        for address in edges:
            self._dialing.append(asyncio.ensure_future(self._keep(Dialing(address, Role.EDGE, self._files))))

    async def _keep(self, where: Dialing) -> None:
        await keep_dialing(where, self._carry_dialled)

    async def stop(self) -> None:
        tasks = [*self._dialing, *self._calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------ links

    async def link(self, stream: Stream, context: ServerContext) -> None:  # noqa: ARG002 — the handshake says who it is
        """RelayService.Link: carry a link that an edge dialled until it ends.

        Raises Unauthenticated without the link token, InvalidArgument for a broken rule.
        """
        await self._carry(stream, dialing=False)

    async def _carry_dialled(self, stream: Stream) -> None:
        await self._carry(stream, dialing=True)

    async def _carry(self, stream: Stream, *, dialing: bool) -> None:
        if not self._token:
            raise FailedPrecondition("this server takes no edges: give it the setting link_token")
        edge, peer = await shake_hands(stream, self._identity, self._token, dialing=dialing, proof=self._proof())
        if len(self._links) >= MOST_LINKS:
            raise RateLimited(f"rate limited: {MOST_LINKS} links are open already; try again later")
        link = RelayLink(Role.SERVER, edge, self._opened, peer)
        self._links.add(link)
        log.info("edge %s is linked, version %s", edge.id, edge.version)
        end = self._gate.watch(peer, link.close) if self._gate is not None and peer is not None else None
        try:
            await link.run(stream)
        finally:
            if end is not None:
                end()
            self._links.discard(link)
            log.info("the link with edge %s ended", edge.id)

    def _proof(self) -> LinkProof | None:
        return LinkProof(self._files, self._gate.check) if self._files is not None and self._gate is not None else None

    # ------------------------------------------------------------------------------------------------ their calls

    def _opened(self, link: RelayLink, stream: LogicalStream) -> None:
        handler = self._handlers.get(stream.how.method)
        if handler is None:
            error = PermissionDenied(f"an edge may not call {stream.how.method} of this server")
            stream.end(refusal(error, grpc_code(error).value[0]))
            return
        try:
            self._check_passed_on(stream)
        except CroupierError as error:
            stream.end(refusal(error, grpc_code(error).value[0]))
            return
        context = RelayedContext(stream, Admission(link.other.id, self._scopes.get(link.other.id), link.peer))
        task = asyncio.ensure_future(_serve(handler, stream, context))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

        def cancel() -> None:
            task.cancel()

        stream.on_end = cancel

    def _check_passed_on(self, stream: LogicalStream) -> None:
        """The edge's TLS has checked the certificate that it passes on; it is checked again, since an edge is believed only
        what it must be. Raises Unauthenticated.
        """
        certificate = stream.how.certificate
        if self._files is None:
            stream.how = stream.how._replace(certificate=b"")  # over plain text nobody has proved anything
        elif certificate:
            relayed_peer(self._files.current().ca_pem, certificate)


async def _serve(handler: Handler, stream: LogicalStream, context: RelayedContext) -> None:
    """Serve one call and end its stream, however it goes. Cancelled when the caller or the link is gone."""
    outcome = Status(grpc.StatusCode.UNAVAILABLE.value[0], "the server is stopping")
    try:
        await _handle(handler, context)
        outcome = context.outcome
    except grpc.aio.AbortError:
        outcome = context.outcome
    except Exception:
        log.exception("%s failed", stream.how.method)
        fault = InternalError(f"{stream.how.method} failed inside Croupier; the server's log has the details")
        outcome = refusal(fault, grpc_code(fault).value[0])
    finally:
        stream.end(outcome)


async def _handle(handler: Any, context: RelayedContext) -> None:
    if handler.stream_stream is not None:
        await handler.stream_stream(None, context)
        return
    request = await context.read()
    if request is grpc.aio.EOF:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call ended before its request")
    if handler.unary_unary is not None:
        await context.write(await handler.unary_unary(request, context))
        return
    async for answer in handler.unary_stream(request, context):
        await context.write(answer)

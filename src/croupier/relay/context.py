"""A logical stream as the context of a gRPC method: the same handlers, guards and codecs serve it as serve a direct call."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import grpc
import grpc.aio

from croupier.domain.machine import Peer
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, PermissionDenied
from croupier.relay.frames import Pairs, Status
from croupier.relay.link import LogicalStream
from croupier.tunnel.stream import StreamBroken


class Admission:
    """What a server lets one edge do: speak for agents of `scopes`, or of every game and env, and within its certificate."""

    def __init__(self, edge_id: str, scopes: frozenset[Scope] | None, peer: Peer | None = None) -> None:
        self.edge_id = edge_id
        self._scopes = scopes
        self._peer = peer

    def check(self, scope: Scope | None) -> None:
        """Raises PermissionDenied for an agent of a scope that is not the edge's; None is what concerns every scope."""
        if self._peer is not None:
            self._peer.require_scope(scope)
        if self._scopes is None or scope in self._scopes:
            return
        raise PermissionDenied(
            f"edge {self.edge_id} may not speak for {scope or 'every game and env'}; "
            "the server's setting edge_scopes says what it may"
        )


class RelayedContext(grpc.aio.ServicerContext[Any, Any]):
    """Holds what our methods use. `peer` is the address that the edge says the caller has."""

    def __init__(self, stream: LogicalStream, admission: Admission) -> None:
        self.admission = admission
        self._stream = stream
        self._trailing: Pairs = ()
        self._code: int = 0
        self._details = ""

    @property
    def outcome(self) -> Status:
        """How the call ends when its handler returns."""
        return Status(self._code, self._details, self._trailing)

    @property
    def orphaned(self) -> bool:
        """The edge went away, or said that it will."""
        status = self._stream.status
        return status is not None and status.code == grpc.StatusCode.UNAVAILABLE.value[0]

    async def read(self) -> Any:
        data = await self._stream.read()
        return grpc.aio.EOF if data is None else data

    async def write(self, message: Any) -> None:
        try:
            await self._stream.write(message)
        except StreamBroken as error:
            # Whoever called has gone, and the handler's cancellation is on its way: grpc's own contexts do the same.
            raise asyncio.CancelledError from error

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        self.set_code(code)
        self.set_details(details)
        self.set_trailing_metadata(trailing_metadata)
        raise grpc.aio.AbortError

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """A relayed call has none."""

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing = pairs_of(trailing_metadata)

    def trailing_metadata(self) -> Any:
        return text_pairs(self._trailing)

    def invocation_metadata(self) -> Any:
        return text_pairs(self._stream.how.metadata)

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code.value[0]

    def set_details(self, details: str) -> None:
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """A relayed message is compressed by the edge, or not at all."""

    def disable_next_message_compression(self) -> None:
        """As above."""

    def peer(self) -> str:
        return self._stream.how.peer

    def peer_identities(self) -> Iterable[bytes] | None:
        return None

    def peer_identity_key(self) -> str | None:
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """The certificate that the edge passes on, under grpc's own name for it."""
        certificate = self._stream.how.certificate
        return {"x509_pem_cert": [certificate]} if certificate else {}

    def time_remaining(self) -> Any:
        """Seconds, or None when the caller set no deadline."""
        deadline = self._stream.how.deadline
        return None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())

    def cancelled(self) -> bool:
        return self._stream.status is not None

    def done(self) -> bool:
        return self._stream.status is not None


def pairs_of(metadata: Any) -> Pairs:
    """GRPC metadata as it travels on a link."""
    return tuple((name, value if isinstance(value, bytes) else value.encode()) for name, value in metadata or ())


def text_pairs(pairs: Pairs) -> tuple[tuple[str, str | bytes], ...]:
    """The same as gRPC has it: bytes for names that end in `-bin`, text for the others."""
    return tuple(
        (name, value if name.endswith("-bin") else value.decode("ascii", errors="replace")) for name, value in pairs
    )


def edge_of(context: Any) -> str:
    """The id of the edge that relays this call; empty for a call that came directly."""
    return context.admission.edge_id if isinstance(context, RelayedContext) else ""


def edge_went(context: Any) -> bool:
    """Did the call end because its edge went away, while its caller may well be there?"""
    return isinstance(context, RelayedContext) and context.orphaned


def check_admission(context: Any, scope: Scope | None) -> None:
    """Raises PermissionDenied when the call came over an edge that may not speak for `scope`."""
    if isinstance(context, RelayedContext):
        context.admission.check(scope)


def refusal(error: CroupierError, code: int) -> Status:
    return Status(code, error.message, (("croupier-reason", error.reason.encode()),))

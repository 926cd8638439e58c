"""What an edge asks for itself, over whichever link it has: a link works in both directions, whoever dialled it."""

import asyncio
from collections.abc import AsyncGenerator

from croupier.edge.links import Links
from croupier.errors import CroupierError, DeadlineExceeded, Unavailable
from croupier.pki.identity import MachineFiles
from croupier.relay.frames import Open
from croupier.relay.link import LogicalStream
from croupier.rpc.machine_client import RENEW, TIMEOUT, WATCH, renew_request, renewed, revoked
from croupier.tunnel.status import error_from
from croupier.tunnel.stream import StreamBroken


class OverLinks:
    """`croupier.rpc.renewal.MachineCalls` over links."""

    def __init__(self, links: Links, files: MachineFiles) -> None:
        self._links = links
        self._files = files

    async def renew(self, request: bytes) -> tuple[bytes, bytes]:
        stream = await self._asked(RENEW, renew_request(request))
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await stream.read()
        except TimeoutError as error:
            raise DeadlineExceeded("the server did not answer a renewal in time") from error
        finally:
            stream.cancel()
        if answer is None:
            raise _end(stream)
        return renewed(answer)

    async def revocations(self) -> AsyncGenerator[list[str], None]:
        stream = await self._asked(WATCH, b"")
        try:
            while (answer := await stream.read()) is not None:
                yield revoked(answer)
        finally:
            stream.cancel()
        raise _end(stream)

    async def _asked(self, method: str, request: bytes) -> LogicalStream:
        link = await self._links.linked()
        stream = link.open(Open(method=method, certificate=self._files.current().cert_pem))
        try:
            await stream.write(request)
        except StreamBroken as error:
            raise Unavailable("the link to the server was lost; try again") from error
        stream.half_close()
        return stream


def _end(stream: LogicalStream) -> CroupierError:
    status = stream.status
    if status is None or not status.code:
        return Unavailable("the server ended the stream")
    return error_from(status.code, status.message)

"""MachineService: renewing certificates, and telling which count no more."""

import asyncio
from collections.abc import AsyncIterator

from croupier.domain.addresses import peer_ip
from croupier.errors import PermissionDenied, Unauthenticated
from croupier.pki.authority import read_certificate
from croupier.pki.names import hosts_in, peer_in
from croupier.pki.request import read_request, same_key
from croupier.rpc.gate import certificate_of
from croupier.rpc.service import Context
from croupier.server.access.machines import Machines
from croupier_wire.machine.v1 import machine_pb2 as wire


class MachineService:
    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    async def renew(self, request: wire.RenewRequest, context: Context) -> wire.RenewResponse:
        """Raises PermissionDenied for another key than that of the certificate shown: an edge passes certificates on, and
        must not get one for a key of its own.
        """
        shown = certificate_of(context)
        if not shown:
            raise Unauthenticated("there is no certificate to renew: this connection is plain text")
        certificate = read_certificate(shown)
        if not same_key(read_request(request.request), certificate):
            raise PermissionDenied("a certificate is renewed for its own key; join with a token for a new one")
        address = peer_ip(context.peer())
        issued = await self._machines.renew(peer_in(shown), hosts_in(certificate), request.request, address=address)
        return wire.RenewResponse(certificate=issued.pem, ca=issued.ca_pem)

    async def watch_revocations(
        self,
        request: wire.WatchRevocationsRequest,  # noqa: ARG002 — it says nothing
        context: Context,  # noqa: ARG002 — whoever has a certificate may know
    ) -> AsyncIterator[wire.RevocationList]:
        changed = asyncio.Event()
        changed.set()
        end = self._machines.revocations.listen(lambda _: changed.set())
        try:
            while True:
                await changed.wait()
                changed.clear()
                yield wire.RevocationList(serials=sorted(self._machines.revocations.serials))
        finally:
            end()

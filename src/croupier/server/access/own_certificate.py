"""The certificate of a server that has the authority itself: issued when it starts, renewed while it runs."""

import asyncio
import logging
import time
from typing import NoReturn

from croupier.domain.machine import ANY, MachineRole, check_hosts, make_identity
from croupier.errors import CroupierError, FailedPrecondition
from croupier.pki.authority import LOOPBACK
from croupier.pki.identity import Identity, MachineFiles
from croupier.pki.request import make_request
from croupier.server.access.machines import Machines

log = logging.getLogger(__name__)

LOOK = 3600.0
"""Seconds between looks at the clock, since clocks jump."""
RETRY = 5.0


class OwnCertificate:
    def __init__(self, machines: Machines, files: MachineFiles, *, server_id: str, hosts: tuple[str, ...]) -> None:
        """`hosts` are the names under which others reach this server. Raises InvalidArgument for what is no host."""
        self._machines = machines
        self._files = files
        self._identity = make_identity(
            deployment=machines.authority.deployment, role=MachineRole.SERVER, game_id=ANY, env=ANY, id=server_id
        )
        self._hosts = check_hosts(hosts)

    async def ensure(self) -> None:
        """Have one that counts, is of this authority and names the hosts. Raises FailedPrecondition for the disk."""
        if not self._good():
            await self._issue()

    def _good(self) -> bool:
        if not self._files.present:
            return False
        try:
            now = self._files.current()
        except FailedPrecondition:
            log.warning("the server's own certificate cannot be used, a new one is issued")
            return False
        return (
            now.peer.identity == self._identity
            and now.ca_pem == self._machines.authority.certificate_pem
            and set(now.hosts) == {*self._hosts, *LOOPBACK}
            and now.peer.serial not in self._machines.revocations
            and now.renewal_at() > time.time()
        )

    async def _issue(self) -> Identity:
        key = await asyncio.to_thread(self._files.begin)
        request = make_request(key, self._identity, self._hosts)
        issued = await self._machines.issue_own(self._identity, self._hosts, request)
        return await asyncio.to_thread(self._files.replace, issued.pem, issued.ca_pem)

    async def run(self) -> NoReturn:
        """Renew it when its time comes, until cancelled."""
        while True:
            left = self._files.current().renewal_at() - time.time()
            if left > 0:
                await asyncio.sleep(min(left, LOOK))
                continue
            try:
                await self._issue()
            except CroupierError as error:
                log.warning("the server's own certificate could not be renewed, tried again: %s", error.message)
                await asyncio.sleep(RETRY)

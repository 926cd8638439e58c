"""Game servers that register by address: taken in, kept on disk, probed after a restart, dropped when they fall silent."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from croupier.agent.foreign_server import ForeignServer
from croupier.agent.instances import LIFE, Instance, Instances, InstanceState
from croupier.agent.jobs import Jobs
from croupier.agent.registrations import Keeper, Registration, load
from croupier.agent.spool import KeptJob
from croupier.agent.tracked_job import TrackedJob
from croupier.domain.addresses import dialable, is_loopback
from croupier.domain.function import Service
from croupier.domain.identifiers import new_id
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition
from croupier.pki.identity import MachineFiles

log = logging.getLogger(__name__)

SWEEP = 1.0
KEEP_LAST_SEEN = 30.0
"""Heartbeats alone are written this often."""


def dial_address(rpc_addr: str, peer: str, *, secure: bool = False) -> str:
    """Where to dial a game server that said it listens on `rpc_addr` and called from `peer`; `secure` when that is by mTLS.

    Raises InvalidArgument for what is no address, FailedPrecondition for another machine's that would be plain text.
    """
    address = dialable(rpc_addr, peer)
    if not secure and not is_loopback(address):
        raise FailedPrecondition(
            f"rpc_addr {address} is not on this machine, and this agent asks for no certificates, so it would be called by "
            f"plain text: set grpc_tls. Or register an address of this machine, such as 127.0.0.1:{address.rpartition(':')[2]}"
        )
    return address


class Registrar:
    def __init__(
        self, path: Path, scope: Scope, instances: Instances, jobs: Jobs, files: MachineFiles | None = None
    ) -> None:
        """With `files`, who registers has shown a certificate, and is called by mTLS."""
        self._files = files
        self._path = path
        self._scope = scope
        self._instances = instances
        self._jobs = jobs
        self._servers: dict[str, ForeignServer] = {}
        self._retiring: dict[ForeignServer, asyncio.Task[None]] = {}
        self._keeper = Keeper(path, self._snapshot)
        self._heard = False

    # ------------------------------------------------------------------------------------------------ taking in

    async def restore(self) -> None:
        """Bring back what an earlier process kept, as unhealthy until it answers; each has a new life to be heard of."""
        now = time.time()
        for registration in await asyncio.to_thread(load, self._path):
            service = registration.service
            try:
                address = dial_address(service.addr, "", secure=self._files is not None)
                self._put(
                    replace(service, addr=address),
                    self._server(service.service_id, address),
                    session_id=registration.session_id,
                    state=InstanceState.UNHEALTHY,
                    last_seen=min(registration.last_seen, now),
                    expires=now + LIFE,
                )
            except CroupierError as error:
                log.warning("the kept registration of %r is not taken back: %s", service.service_id, error.message)
        self._sweep_servers()

    async def register(self, service: Service, peer: str) -> str:
        """Take `service` in, listening on `service.addr` as seen from `peer`, in the place of its earlier registration.

        Returns its session id once the registration is on disk. Raises InvalidArgument, RateLimited,
        FailedPrecondition for an address of another machine or a service that is attached, Unavailable for a full disk.
        """
        before = self._instances.get(service.service_id)
        if before is not None and before.attached:
            raise FailedPrecondition(
                f"{service.service_id} is attached by a stream; end that one, or register under another service_id"
            )
        service = replace(service, addr=dial_address(service.addr, peer, secure=self._files is not None))
        session_id = new_id("s")
        now = time.time()
        try:
            server = self._server(service.service_id, service.addr)
            self._put(
                service,
                server,
                session_id=session_id,
                state=InstanceState.HEALTHY,
                last_seen=now,
                expires=now + LIFE,
            )
        finally:
            self._sweep_servers()
        await self._keeper.kept()
        log.info("game server %s registered %d functions", service.service_id, len(service.functions))
        return session_id

    def follow_again(self, job: TrackedJob, kept: KeptJob) -> None:
        """Take up a job of an earlier process at its game server, or end it as lost where that cannot be."""
        server = self._servers.get(kept.service_id)
        if server is None:
            why = f"the agent was restarted, and the game server {kept.service_id} is not registered any more"
        elif not kept.remote_id:
            why = "the agent was restarted while it waited for the answer of the function"
        else:
            job.server = server
            server.follow_again(kept)
            return
        self._jobs.end(job, reason="lost", message=f"lost: {why}; check what the job did before repeating it")

    def _server(self, service_id: str, address: str) -> ForeignServer:
        """The one that is connected to that address already, or a new one: its channel dials at once, without backoff."""
        known = self._servers.get(service_id)
        if known is not None and known.address == address and known.healthy:
            return known
        return ForeignServer(
            service_id, address, scope=self._scope, jobs=self._jobs, health=self._health, files=self._files
        )

    def _put(
        self,
        service: Service,
        server: ForeignServer,
        *,
        session_id: str,
        state: InstanceState,
        last_seen: float,
        expires: float,
    ) -> None:
        known = self._servers.get(service.service_id)
        if known is not server:
            if known is not None:
                self._retire(known)
            self._servers[service.service_id] = server
        self._instances.put(
            Instance(
                service=service,
                server=server,
                session_id=session_id,
                state=state,
                last_seen=last_seen,
                expires=expires,
            )
        )

    def heartbeat(self, service_id: str) -> None:
        """Whatever session it names: some game servers never learn theirs. Raises NotFound for an unknown service."""
        self._instances.heartbeat(service_id, time.time())
        self._heard = True

    # ------------------------------------------------------------------------------------------------ what they report

    def _health(self, server: ForeignServer, healthy: bool) -> None:
        state = InstanceState.HEALTHY if healthy else InstanceState.UNHEALTHY
        self._instances.set_state(server, state, time.time())

    # ------------------------------------------------------------------------------------------------ time

    async def run(self) -> None:
        """Keep the file and sweep, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keeper.run())
            group.create_task(self._sweep())

    async def _sweep(self) -> None:
        kept = time.time()
        while True:
            await asyncio.sleep(SWEEP)
            now = time.time()
            self.expire(now)
            if self._heard and now - kept >= KEEP_LAST_SEEN:
                self._heard, kept = False, now
                self._keeper.changed()

    def expire(self, now: float) -> None:
        """Drop those not heard of for their life's time."""
        for instance in self._instances.expired(now):
            log.warning("game server %s has not been heard of, it is dropped", instance.service.service_id)
            self._instances.remove(instance)
        self._sweep_servers()
        self._jobs.relieve()

    def _sweep_servers(self) -> None:
        """Close the channels of those whose place was taken or given up."""
        for service_id, server in list(self._servers.items()):
            instance = self._instances.get(service_id)
            if instance is None or instance.server is not server:
                del self._servers[service_id]
                self._retire(server)
                self._keeper.changed()

    def _retire(self, server: ForeignServer) -> None:
        task = asyncio.ensure_future(server.retire())
        self._retiring[server] = task
        task.add_done_callback(lambda _: self._retiring.pop(server, None))

    def _snapshot(self) -> list[Registration]:
        return [
            Registration(service=each.service, session_id=each.session_id, last_seen=each.last_seen)
            for each in self._instances
            if not each.attached
        ]

    # ------------------------------------------------------------------------------------------------ the end

    def give_up_jobs(self, why: str) -> None:
        for server in [*self._servers.values(), *self._retiring]:
            server.give_up_jobs(why)

    async def close(self) -> None:
        """After `run` has ended: the last write, then every channel."""
        await self._keeper.finish()
        servers = [*self._servers.values(), *self._retiring]
        for task in list(self._retiring.values()):
            task.cancel()
        closing: list[Coroutine[Any, Any, None]] = [server.close() for server in servers]
        await asyncio.gather(*closing)

"""What a server is to other machines: its authority, its certificate, and whom it lets in."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from croupier.asgi.tls import TlsFiles
from croupier.domain.addresses import is_loopback, peer_ip, split
from croupier.domain.machine import MachineRole, Peer
from croupier.domain.principal import Principal
from croupier.errors import PermissionDenied
from croupier.pki.identity import MachineFiles
from croupier.rpc.gate import Gate
from croupier.rpc.secure import check_plain, warn_plain
from croupier.server.access.audit import Audit
from croupier.server.access.authority_files import load_authority
from croupier.server.access.guard import Guard
from croupier.server.access.machines import Machines
from croupier.server.access.own_certificate import OwnCertificate
from croupier.server.control.services import RULES
from croupier.settings import ServerSettings
from croupier.settings.identity import identity_folder, machine_files
from croupier.store.machines import MachineStore

_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 — recognised, not bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    machines: Machines
    files: MachineFiles | None
    """None: plain text, on this machine only."""
    gate: Gate | None

    @property
    def server_id(self) -> str:
        """By its certificate; empty over plain text."""
        return self.files.current().peer.identity.id if self.files is not None else ""


async def _end(task: asyncio.Future[NoReturn]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def identified(
    settings: ServerSettings,
    guard: Guard,
    audit: Audit,
    store: MachineStore,
    clock: Callable[[], int],
    stack: contextlib.AsyncExitStack,
) -> Identified:
    """The certificate of a server that has the authority is kept fresh until `stack` is closed.

    Raises FailedPrecondition for files that cannot be used, PermissionDenied for the certificate of another role.
    """
    authority = await asyncio.to_thread(load_authority, settings.data, settings.key_file)
    machines = Machines(
        guard=guard, audit=audit, store=store, authority=authority, clock=clock, lifetime=settings.certificate_lifetime
    )
    await machines.begin()
    if authority is not None and settings.cert is None:
        folder = MachineFiles.of_folder(identity_folder(settings))
        own = OwnCertificate(machines, folder, server_id=settings.server_id, hosts=_hosts(settings))
        await own.ensure()
        stack.push_async_callback(_end, asyncio.ensure_future(own.run()))
    files = machine_files(settings)
    if files is None:
        check_plain(settings.grpc, "the gRPC address")
        warn_plain(settings.grpc, "agents, edges and gRPC callers")
        return Identified(machines=machines, files=None, gate=None)
    shown = files.current().peer
    shown.require(MachineRole.SERVER)

    async def told(peer: Peer, came_from: str, method: str, error: PermissionDenied) -> None:
        machine = Principal(name=str(peer.identity), kind="machine", address=peer_ip(came_from))
        await audit.denied(machine, "rpc.call", error, target=method)

    gate = Gate(shown.identity.deployment, machines.revocations, RULES, renewed=machines.renewed_until, told=told)
    return Identified(machines=machines, files=files, gate=gate)


def _hosts(settings: ServerSettings) -> tuple[str, ...]:
    listened = (split(address)[0] for address in (settings.grpc, settings.http))
    return tuple(dict.fromkeys((*settings.hosts, *(host for host in listened if host not in _WILDCARDS))))


def web_tls(settings: ServerSettings, files: MachineFiles | None) -> TlsFiles | None:
    """What HTTPS is served with; None where it is HTTP. Raises FailedPrecondition for HTTP beyond this machine."""
    if settings.http_tls_cert is not None and settings.http_tls_key is not None:
        return TlsFiles(settings.http_tls_cert, settings.http_tls_key)
    if files is not None and (settings.http_tls or not is_loopback(settings.http)):
        return TlsFiles(files.cert_path, files.key_path)
    check_plain(settings.http, "the HTTP address")
    return None

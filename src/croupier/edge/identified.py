"""What an edge is to other machines, and whom it lets in."""

import sys
from dataclasses import dataclass

from croupier.domain.machine import MachineRole, Peer
from croupier.pki.identity import MachineFiles
from croupier.pki.revocations import Revocations
from croupier.pki.revoked_file import RevokedFile
from croupier.relay.dialing import SERVICE
from croupier.relay.methods import RELAYED
from croupier.rpc.gate import EVERY_ROLE, Gate, Rules
from croupier.rpc.secure import check_plain, warn_plain
from croupier.settings import EdgeSettings
from croupier.settings.identity import machine_files

_AGENT = frozenset({MachineRole.AGENT})

RULES: Rules = {
    **{name: _AGENT if name.endswith((".ControlService", ".TunnelService")) else EVERY_ROLE for name in RELAYED},
    SERVICE: frozenset({MachineRole.SERVER}),
    "grpc.health.v1.Health": EVERY_ROLE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    files: MachineFiles | None
    """None: plain text, on this machine only."""
    gate: Gate | None
    revocations: Revocations
    revoked: RevokedFile
    """Where they are kept."""


def identified(settings: EdgeSettings) -> Identified:
    """Raises FailedPrecondition for files that cannot be used or an address beyond this machine without any, PermissionDenied
    for the certificate of another role or edge.
    """
    revoked = RevokedFile(settings.data / "revoked.json")
    files = machine_files(settings)
    revocations = Revocations(revoked.load() if files is not None else ())
    if files is None:
        check_plain(settings.grpc, "the gRPC address")
        warn_plain(settings.grpc, "agents, servers and gRPC callers")
        return Identified(files=None, gate=None, revocations=revocations, revoked=revoked)
    shown = files.current().peer
    shown.require(MachineRole.EDGE)
    shown.require_id(settings.edge_id, "edge_id")
    gate = Gate(shown.identity.deployment, revocations, RULES, renewed=_not_asked)
    return Identified(files=files, gate=gate, revocations=revocations, revoked=revoked)


def _not_asked(peer: Peer) -> int:  # noqa: ARG001 — whose it is does not matter
    """What is open stays open here until it is revoked. When it expires the server ends it, which knows whether its machine has renewed
    the certificate; and a server that renews its own tells nobody.
    """
    return sys.maxsize

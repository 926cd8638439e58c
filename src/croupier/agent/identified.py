"""What an agent is to other machines, and which game servers it lets in."""

from dataclasses import dataclass

from croupier.domain.addresses import is_loopback
from croupier.domain.machine import MachineRole
from croupier.domain.scope import parse_scope
from croupier.errors import FailedPrecondition
from croupier.pki.identity import MachineFiles
from croupier.pki.revocations import Revocations
from croupier.pki.revoked_file import RevokedFile
from croupier.rpc.gate import Gate, Rules
from croupier.rpc.secure import check_plain, warn_plain
from croupier.settings import AgentSettings
from croupier.settings.identity import machine_files

_LOCAL = frozenset({MachineRole.GAME, MachineRole.AGENT, MachineRole.CLIENT})
_CALLERS = _LOCAL | {MachineRole.SERVER}
_GAME = frozenset({MachineRole.GAME})

RULES: Rules = {
    "croupier.attach.v1.AttachService": _GAME,
    "croupier.agent.local.v1.LocalControlService": _GAME,
    "croupier.sdk.v1.ClientService": _GAME,
    "croupier.function.v1.FunctionService": _CALLERS,
    "croupier.sdk.v1.FunctionService": _LOCAL,
    "grpc.health.v1.Health": _LOCAL,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    files: MachineFiles | None
    """For the way to the server; None: plain text, on this machine only."""
    local: MachineFiles | None
    """For game servers; None: plain text, on this machine only."""
    gate: Gate | None
    revocations: Revocations
    revoked: RevokedFile
    """Where they are kept."""


def identified(settings: AgentSettings) -> Identified:
    """Raises FailedPrecondition for files that cannot be used or an address beyond this machine without any, PermissionDenied
    where the certificate is of another role, agent, game or env.
    """
    revoked = RevokedFile(settings.data / "revoked.json")
    files = machine_files(settings)
    revocations = Revocations(revoked.load() if files is not None else ())
    if files is None:
        return _plain(settings, revocations, revoked)
    shown = files.current().peer
    shown.require(MachineRole.AGENT)
    shown.require_id(settings.agent_id, "agent_id")
    scope = parse_scope(settings.game_id, settings.env)
    shown.require_scope(scope)
    if is_loopback(settings.grpc) and not settings.grpc_tls:
        return Identified(files=files, local=None, gate=None, revocations=revocations, revoked=revoked)
    gate = Gate(shown.identity.deployment, revocations, RULES, scope=scope)
    return Identified(files=files, local=files, gate=gate, revocations=revocations, revoked=revoked)


def _plain(settings: AgentSettings, revocations: Revocations, revoked: RevokedFile) -> Identified:
    check_plain(settings.grpc, "the gRPC address")
    if settings.grpc_tls:
        raise FailedPrecondition("grpc_tls is set, but this agent has no certificate: let it join with a join token")
    for server in settings.servers:
        check_plain(server, "server")
    warn_plain(", ".join(settings.servers), "this agent and its server")
    return Identified(files=None, local=None, gate=None, revocations=revocations, revoked=revoked)

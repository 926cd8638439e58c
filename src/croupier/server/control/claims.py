"""What an agent says of itself, held against its certificate and against what its edge may say."""

from typing import Any

from croupier.domain.machine import MachineRole
from croupier.domain.scope import Scope
from croupier.relay.context import check_admission
from croupier.rpc.gate import peer_of


def check_claim(context: Any, agent_id: str, scope: Scope) -> None:
    """Raises PermissionDenied unless the caller is that agent of that game and env, by its certificate, and came over an edge
    that may speak for it, if over one. Over plain text, on one machine, its word is taken.
    """
    check_admission(context, scope)
    peer = peer_of(context)
    if peer is not None:
        peer.require(MachineRole.AGENT)
        peer.require_id(agent_id, "agent")
        peer.require_scope(scope)

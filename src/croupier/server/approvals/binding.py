"""What a call is, for the digest that an approval is bound to."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict

from croupier.domain.approval import ApprovalKind, person_of
from croupier.domain.binding import Bound, canonical, sha256_of
from croupier.domain.call import Call, Route
from croupier.domain.demand import Demand
from croupier.domain.principal import Principal
from croupier.domain.routing import Preview
from croupier.server.catalog import Entry

Foresee = Callable[[Call], Preview]
"""Who would receive a call now; nothing is sent."""


def description_of(entry: Entry) -> bytes:
    """As it is now, in one spelling; nothing where nobody describes the function."""
    return b"" if entry.descriptor is None else canonical(entry.descriptor.document())


def bind(
    caller: Principal, call: Call, entry: Entry, kind: ApprovalKind, demand: Demand | None, foresee: Foresee
) -> Bound:
    """`demand` are the standing rules' alone: those that depend on what was done lately would drift by themselves."""
    return Bound(
        function_id=call.function_id,
        kind=kind.value,
        description_version=entry.function.version,
        description_sha256=hashlib.sha256(description_of(entry)).hexdigest(),
        arguments_sha256=hashlib.sha256(call.payload).hexdigest(),
        metadata_sha256=sha256_of(dict(call.metadata)),
        game_id=call.scope.game_id,
        env=call.scope.env,
        route=call.route.value,
        target_service_id=call.target_service_id,
        hash_key=call.hash_key,
        version=call.version,
        targets=_targets(call, foresee) if call.route is Route.BROADCAST else (),
        requester=person_of(caller),
        policy_sha256="" if demand is None else sha256_of(asdict(demand)),
    )


def _targets(call: Call, foresee: Foresee) -> tuple[str, ...]:
    """Every game server that would get a broadcast now."""
    found = foresee(call).candidates
    return tuple(sorted({f"{each.agent_id}/{each.service_id}" for each in found if each.chosen}))

"""Which game server takes a call: pure rules over the table and the call's metadata (contract, section 3)."""

import hashlib
import random
from collections.abc import Mapping

from croupier.agent.instances import Instance, Instances, InstanceState
from croupier.domain.call import Route
from croupier.domain.limits import KEY_BYTES
from croupier.errors import InvalidArgument, NotFound, Unavailable, Unimplemented

_FREE = frozenset({"", Route.LB.value})

COMPARED = 16
"""Up to so many game servers are all compared."""


def choose(instances: Instances, function_id: str, metadata: Mapping[str, str]) -> Instance:
    """Raises NotFound when nobody offers it, Unavailable when those who do cannot be reached, InvalidArgument for a
    route that does not exist or lacks its key.
    """
    route = metadata.get("route", "")
    if route in _FREE:  # nearly all; plain text, because a set of an enumeration's members hashes them in Python
        return _least_busy(_able(function_id, _offering(instances, function_id, metadata.get("version", ""))))
    if route == Route.TARGETED:
        return _targeted(instances, function_id, metadata)
    if route == Route.BROADCAST:
        raise Unimplemented("route broadcast is decided by the server; an agent passes a call to one game server")
    if route != Route.HASH:
        raise InvalidArgument(f"unknown route {route[:KEY_BYTES]}; use lb, targeted or hash")
    able = _able(function_id, _offering(instances, function_id, metadata.get("version", "")))
    return _hashed(able, metadata.get("hash_key", ""))


def _offering(instances: Instances, function_id: str, version: str) -> list[Instance]:
    offering = instances.offering(function_id)
    if not offering:
        raise NotFound(
            f"no local handler for {function_id[:KEY_BYTES]}: no game server of this agent offers it; "
            "check the id, and that the game server is running and registered"
        )
    if not version:
        return list(offering.values())
    matching = [each for each in offering.values() if version in each.versions[function_id]]
    if not matching:
        found = sorted({name or "(none)" for each in offering.values() for name in each.versions[function_id]})
        raise NotFound(
            f"no local handler for {function_id} in version {version[:KEY_BYTES]}; there is {', '.join(found[:10])}"
        )
    return matching


def _able(function_id: str, candidates: list[Instance]) -> list[Instance]:
    """The healthy ones, or else those that may come back at any moment."""
    able = [each for each in candidates if each.state is InstanceState.HEALTHY]
    if not able:
        able = [each for each in candidates if each.state is InstanceState.WAITING]
    if not able:
        names = ", ".join(sorted(f"{each.service.service_id} is {each.state}" for each in candidates)[:5])
        raise Unavailable(f"no local handler for {function_id} is healthy ({names}); the call may be repeated")
    return able


def _least_busy(able: list[Instance]) -> Instance:
    """The fewest calls under way; of equals, the one whose last call is the longest ago, so that quiet times are shared too.

    Not the one that served least: one that was just started would be given everything until it had caught up.

    Of many, the better of two drawn: nearly as good, and it costs the same however many there are.
    """
    if len(able) == 1:
        return able[0]
    among = able if len(able) <= COMPARED else random.sample(able, 2)
    return min(among, key=lambda each: (each.server.outstanding, each.server.last_turn))


def _hashed(able: list[Instance], key: str) -> Instance:
    """Rendezvous hashing: each instance scores the key, the highest wins; one that leaves moves only its own keys."""
    if not key:
        raise InvalidArgument("route hash needs hash_key")
    return max(able, key=lambda each: _score(each.service.service_id, key))


def _score(service_id: str, key: str) -> bytes:
    return hashlib.blake2b(f"{service_id}\0{key}".encode(), digest_size=8).digest()


def _targeted(instances: Instances, function_id: str, metadata: Mapping[str, str]) -> Instance:
    service_id = metadata.get("target_service_id", "")
    if not service_id:
        raise InvalidArgument("route targeted needs target_service_id")
    target = instances.get(service_id)
    if target is None:
        raise NotFound(f"target service not found: {service_id[:KEY_BYTES]}")
    versions = target.versions.get(function_id)
    if versions is None:
        raise NotFound(f"no local handler for {function_id[:KEY_BYTES]} on {service_id}, which was named as target")
    version = metadata.get("version", "")
    if version and version not in versions:
        raise NotFound(
            f"no local handler for {function_id} in version {version[:KEY_BYTES]} on {service_id}; "
            f"there is {', '.join(sorted(name or '(none)' for name in versions)[:10])}"
        )
    return _able(function_id, [target])[0]

"""A new version of a function that gets a share of its calls."""

import hashlib
import random
from collections.abc import Iterable

from croupier.domain.call import Call, Route
from croupier.domain.routing import Canary
from croupier.domain.scope import Scope

_WHOLE = 2**64


class Canaries:
    """At most one rule for each function of a scope."""

    def __init__(self, rules: Iterable[Canary] = ()) -> None:
        self._rules: dict[tuple[Scope, str], Canary] = {(rule.scope, rule.function_id): rule for rule in rules}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def rule(self, call: Call) -> Canary | None:
        """The one for this call: a call that names a version, a game server or all of them has chosen for itself."""
        if call.version or call.route not in {Route.LB, Route.HASH}:
            return None
        return self._rules.get((call.scope, call.function_id))


def drawn(rule: Canary, call: Call) -> bool:
    """Whether this call belongs to the share. A hash key always falls on the same side, and a larger share keeps the keys
    of a smaller one.
    """
    if not call.hash_key:
        return random.random() * 100 < rule.percent  # noqa: S311 — spreads load, no secret
    digest = hashlib.blake2b(f"{call.function_id}\0{call.hash_key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _WHOLE * 100 < rule.percent

"""What somebody may do, as a page that builds itself from it wants to know."""

from collections.abc import Sequence
from dataclasses import dataclass

from croupier.domain.permission import PAGE
from croupier.domain.policy import Binding
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.access.policy import Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """Permissions are those of the page (`PAGE`); who may call which function is asked function by function."""

    bindings: Sequence[Binding]
    """The roles that are held, each with where; none for the bearer of the settings' token, who needs none."""
    here: Sequence[str]
    """What may be done in the scope that was asked about, or, without one, on the platform as a whole."""
    somewhere: Sequence[str]
    """What may be done in at least one scope, so that a list of it is worth asking for."""


def rights_of(policy: Policy, caller: Principal, scope: Scope | None) -> Rights:
    """Of `caller`, within what the token is limited to that was shown."""
    return Rights(
        bindings=sorted({grant.binding for grant in policy.snapshot.grants(caller)}),
        here=[each for each in PAGE if policy.decide(caller, each, scope).allowed],
        somewhere=[each for each in PAGE if policy.visible(caller, each).places],
    )

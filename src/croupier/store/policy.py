"""PORT: what must be kept of roles and bindings. The promises of `croupier.store` hold here too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from croupier.domain.policy import Binding, Role


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyChange:
    """What is kept, in place of what was kept of the same, and what is forgotten."""

    roles: Sequence[Role] = ()
    bindings: Sequence[Binding] = ()
    forgotten_roles: Sequence[str] = ()
    forgotten_bindings: Sequence[Binding] = ()


class PolicyStore(Protocol):
    async def change(self, change: PolicyChange) -> None:
        """All of it or none."""

    async def roles(self) -> list[Role]:
        """By name; without those that come with the program."""

    async def bindings(self) -> list[Binding]:
        """Sorted."""

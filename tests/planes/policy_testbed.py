"""Roles and bindings without a disk."""

from croupier.domain.policy import Binding, Role
from croupier.store.policy import PolicyChange


class PolicyInMemory:
    """`croupier.store.policy.PolicyStore` for as long as a test lasts."""

    def __init__(self) -> None:
        self.kept_roles: dict[str, Role] = {}
        self.kept_bindings: set[Binding] = set()
        self.changes: list[PolicyChange] = []
        self.refusal: Exception | None = None

    async def change(self, change: PolicyChange) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.changes.append(change)
        for name in change.forgotten_roles:
            self.kept_roles.pop(name, None)
        self.kept_roles |= {role.name: role for role in change.roles}
        self.kept_bindings -= {*change.forgotten_bindings, *change.bindings}
        self.kept_bindings |= set(change.bindings)

    async def roles(self) -> list[Role]:
        return sorted(self.kept_roles.values(), key=lambda role: role.name)

    async def bindings(self) -> list[Binding]:
        return sorted(self.kept_bindings)

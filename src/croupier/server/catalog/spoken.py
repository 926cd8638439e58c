"""What game servers say of their own functions. It comes and goes agent by agent, so nothing here is made anew as a whole."""

import logging

from croupier.domain.function import Function, Service
from croupier.domain.scope import Scope
from croupier.errors import CroupierError
from croupier.server.catalog.checking import compiled
from croupier.server.catalog.entry import Entry, Kind, Origin
from croupier.server.manifest import read_functions

log = logging.getLogger(__name__)


class Spoken:
    def __init__(self) -> None:
        self._entries: dict[tuple[Scope, str], dict[str, Entry]] = {}
        """By function, then by the agent whose game servers described it, the latest last."""
        self._described: dict[str, list[tuple[Scope, str]]] = {}

    def learn(self, agent_id: str, scope: Scope, services: tuple[Service, ...]) -> None:
        """Replace what this agent's game servers said of their functions.

        A faulty manifest is logged and leaves its functions undescribed.
        """
        described = {
            (scope, function.id): self._entry_of(agent_id, scope, function)
            for service in services
            for function in _functions_of(scope, service)
        }
        self.forget(agent_id)
        self._described[agent_id] = list(described)
        for key, entry in described.items():
            self._entries.setdefault(key, {})[agent_id] = entry

    def _entry_of(self, agent_id: str, scope: Scope, function: Function) -> Entry:
        """One that is known already is not compiled again."""
        for known in self._entries.get((scope, function.id), {}).values():
            if known.function == function:
                return known
        return compiled(function, Origin(kind=Kind.GAME_SERVER, name=agent_id))

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said."""
        for key in self._described.pop(agent_id, ()):
            entries = self._entries[key]
            del entries[agent_id]
            if not entries:
                del self._entries[key]

    def entry(self, scope: Scope, function_id: str) -> Entry | None:
        """The latest description of a function of this scope."""
        entries = self._entries.get((scope, function_id))
        return next(reversed(entries.values())) if entries is not None else None

    def described(self, scope: Scope) -> set[str]:
        return {function_id for where, function_id in self._entries if where == scope}

    def scopes(self) -> set[Scope]:
        return {scope for scope, _ in self._entries}


def _functions_of(scope: Scope, service: Service) -> list[Function]:
    if not service.manifest_json:
        return []
    try:
        return read_functions(service.manifest_json)
    except CroupierError as error:
        log.warning("manifest of %s in %s is left out: %s", service.service_id, scope, error.message)
        return []

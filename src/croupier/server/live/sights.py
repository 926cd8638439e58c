"""What of the platform's memory is looked at again and again, and told when it has changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from croupier.domain.maintenance import Window
from croupier.domain.scope import Scope
from croupier.server.access.limits import Windows
from croupier.server.dispatch.agents import Agents
from croupier.server.live.board import Item
from croupier.server.live.frames import dumped


class RegistrySight:
    """Scopes whose agents came, went, or offer something else."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents
        self._seen: Mapping[Scope, Any] = {}

    def look(self) -> Iterator[Item]:
        seen: dict[Scope, list[Any]] = {}
        for agent in self._agents:
            # What it offers is made anew whenever it registers; the mapping is kept here, so no other can take its place.
            seen.setdefault(agent.scope, []).append((agent.agent_id, _Same(agent.offered), agent.usable, agent.edge))
        before, self._seen = self._seen, seen
        for scope in before.keys() | seen.keys():
            if before.get(scope) != seen.get(scope):
                data = dumped({"game_id": scope.game_id, "env": scope.env})
                yield Item(key=str(scope), kind="changed", data=data, place=scope)


class _Same:
    """Equal to itself alone, whatever is in it: comparing what a thousand agents offer takes long."""

    __slots__ = ("_what",)

    def __init__(self, what: object) -> None:
        self._what = what

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._what is other._what

    def __hash__(self) -> int:
        return id(self._what)


class CatalogSight:
    """A new catalog, by the tag that its addresses have."""

    def __init__(self, tag: Callable[[], str]) -> None:
        self._tag = tag
        self._seen = ""

    def look(self) -> Iterator[Item]:
        tag = self._tag()
        if tag != self._seen:
            self._seen = tag
            yield Item(key="", kind="changed", data=dumped({"etag": tag}))


class MaintenanceSight:
    """Windows that were planned, changed or ended, or whose time has come."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._seen: Mapping[str, tuple[Window, str]] = {}

    def look(self) -> Iterator[Item]:
        now_ms = self._windows.clock()
        seen = {each.id: (each, each.state(now_ms).value) for each in self._windows.ahead}
        before, self._seen = self._seen, seen
        for window, state in _changed(before, seen):
            told = {
                "id": window.id,
                "state": state,
                "game_id": window.game_id,
                "env": window.env,
                "reason": window.reason,
                "starts_ms": window.starts_ms,
                "ends_ms": window.ends_ms,
            }
            yield Item(key=window.id, kind="window", data=dumped(told), place=(window.game_id, window.env))


def _changed(
    before: Mapping[str, tuple[Window, str]], now: Mapping[str, tuple[Window, str]]
) -> Sequence[tuple[Window, str]]:
    changed = [each for name, each in now.items() if before.get(name) != each]
    return [
        *changed,
        *((window, "over") for name, (window, state) in before.items() if name not in now and state != "over"),
    ]

"""What game servers say of their own functions. It comes and goes agent by agent, so nothing here is made anew as a whole.

A thousand agents that come back at once must not hold up the calls: a manifest is read once, however many agents bring it, and
a large one in a thread.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from weakref import WeakValueDictionary

from croupier.domain.function import Service
from croupier.domain.scope import Scope
from croupier.server.catalog.entry import EntityEntry, Entry, Kind, Origin
from croupier.server.catalog.speech import AT_ONCE_BYTES, Speech, read

Key = tuple[Scope, str]
"""A function in a scope."""


class Spoken:
    """Large manifests are learnt on an event loop."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[bytes, Speech] = WeakValueDictionary()
        """By what was said; an agent that is gone leaves nothing behind."""
        self._speeches: dict[Scope, dict[str, dict[str, Speech]]] = {}
        """By scope and function, then by the agent whose game servers described it, the latest last."""
        self._of: dict[str, tuple[Scope, tuple[Speech, ...]]] = {}
        """By agent."""
        self._keys: dict[str, list[Key]] = {}
        """Under which functions an agent stands."""
        self.changes = 0
        """Another number after every change."""
        self._reading: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        """Held while a large manifest is read: one at a time, so that whoever sends many holds up nobody else."""

    def learn(self, agent_id: str, scope: Scope, services: tuple[Service, ...]) -> None:
        """Replace what this agent's game servers said of their functions. What cannot be read is logged and left out."""
        speeches = tuple(self._speech(service) for service in services if service.manifest_json)
        self.forget(agent_id)
        if speeches:
            self._of[agent_id] = scope, speeches
            self._index(agent_id)

    def _index(self, agent_id: str) -> None:
        scope, speeches = self._of[agent_id]
        described = {(scope, function_id): speech for speech in speeches for function_id in speech}
        self._keys[agent_id] = list(described)
        functions = self._speeches.setdefault(scope, {})
        for (_, function_id), speech in described.items():
            functions.setdefault(function_id, {})[agent_id] = speech

    def _speech(self, service: Service) -> Speech:
        raw = service.manifest_json
        digest = hashlib.sha256(raw).digest()
        known = self._known.get(digest)
        if known is None:
            origin = Origin(kind=Kind.GAME_SERVER, name=service.service_id, version=service.version)
            known = self._known[digest] = Speech(raw, origin)
            if len(raw) > AT_ONCE_BYTES:
                task = asyncio.ensure_future(self._read_all(known, raw))
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)
        return known

    async def _read_all(self, speech: Speech, raw: bytes) -> None:
        async with self._turn:
            if not self._who_said(speech):
                return  # they are gone, or say something else by now
            speech.take(await asyncio.to_thread(read, raw, speech.origin))
        for agent_id in self._who_said(speech):
            self._drop_keys(agent_id)
            self._index(agent_id)

    def _who_said(self, speech: Speech) -> list[str]:
        return [agent_id for agent_id, (_, speeches) in self._of.items() if speech in speeches]

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said."""
        self._of.pop(agent_id, None)
        self._drop_keys(agent_id)

    def _drop_keys(self, agent_id: str) -> None:
        self.changes += 1
        for scope, function_id in self._keys.pop(agent_id, ()):
            functions = self._speeches[scope]
            said = functions[function_id]
            del said[agent_id]
            if not said:
                del functions[function_id]
            if not functions:
                del self._speeches[scope]

    async def stop(self) -> None:
        """Nothing is read any more."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------ asking

    def entry(self, scope: Scope, function_id: str) -> Entry | None:
        """The latest description of a function of this scope."""
        functions = self._speeches.get(scope)
        said = functions.get(function_id) if functions is not None else None
        return next(reversed(said.values())).entry(function_id) if said is not None else None

    def entries(self, scope: Scope, function_id: str) -> list[Entry]:
        """Each that differs, the latest first."""
        said = self._speeches.get(scope, {}).get(function_id, {})
        speeches = dict.fromkeys(reversed(said.values()))
        return [entry for speech in speeches if (entry := speech.entry(function_id)) is not None]

    def entities(self, scope: Scope) -> list[EntityEntry]:
        """Each that differs, the latest first."""
        speeches = dict.fromkeys(speech for where, said in self._of.values() if where == scope for speech in said)
        return [entity for speech in reversed(list(speeches)) for entity in speech.entities]

    def functions(self) -> Iterator[Key]:
        """Every function that is described, scope by scope."""
        return ((scope, function_id) for scope, functions in self._speeches.items() for function_id in functions)

    def described(self, scope: Scope) -> set[str]:
        return set(self._speeches.get(scope, ()))

    def scopes(self) -> set[Scope]:
        return {scope for scope, _ in self._of.values()}

    def speeches(self) -> list[tuple[Scope, Speech]]:
        """Every manifest, once for each scope that it was brought to."""
        return list(dict.fromkeys((scope, speech) for scope, said in self._of.values() for speech in said))

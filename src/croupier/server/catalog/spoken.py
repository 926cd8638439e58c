"""What game servers say of their own functions. It comes and goes agent by agent, so nothing here is made anew as a whole.

A thousand agents that come back at once must not hold up the calls: a manifest is read once, however many agents bring it, and
a large one in a thread.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from weakref import WeakValueDictionary

from croupier.domain.function import Service
from croupier.domain.scope import Scope
from croupier.server.catalog.entry import EntityEntry, Entry, Kind, Origin
from croupier.server.catalog.speech import AT_ONCE_BYTES, Speech, read

Key = tuple[Scope, str]
"""A function in a scope."""

ABSENCE = 300.0
"""Seconds for which what a game server said still counts once it is gone: it is started anew and comes back with its rules, which
no call that waits for it may pass by."""
MOST_LEFT = 256
LEFT_BYTES = 64_000_000
"""So many manifests, of so many bytes together, are remembered of game servers that are gone; the latest."""


class Spoken:
    """Large manifests are learnt on an event loop. `clock` gives seconds, from anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[tuple[Scope, Speech], float] = {}
        """What was said by agents that say it no more, and until when it counts; the latest last."""
        self._left_bytes = 0
        self._known: WeakValueDictionary[bytes, Speech] = WeakValueDictionary()
        """By what was said."""
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
        left = self._take_away(agent_id)
        back = {service.service_id for service in services}
        for each in [each for each in self._left if each[0] == scope and each[1].origin.name in back]:
            self._let_go(each)  # it is here again, and what it says now counts, if it says nothing too
        for each in left:
            if each[0] != scope or (each[1] not in speeches and each[1].origin.name not in back):
                self._remember(each)
        if speeches:
            self._of[agent_id] = scope, speeches
            self._index(agent_id)

    def _index(self, agent_id: str) -> None:
        scope, speeches = self._of[agent_id]
        described = {(scope, function_id): speech for speech in speeches for function_id in speech}
        self._drop_keys(agent_id, described)  # what stays keeps its place among what others said since
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
            self._index(agent_id)

    def _who_said(self, speech: Speech) -> list[str]:
        return [agent_id for agent_id, (_, speeches) in self._of.items() if speech in speeches]

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said; of a function that nobody describes any more, the last
        description counts a while longer (`ABSENCE`).
        """
        for left in self._take_away(agent_id):
            self._remember(left)

    def _take_away(self, agent_id: str) -> list[tuple[Scope, Speech]]:
        known = self._of.pop(agent_id, None)
        self._drop_keys(agent_id)
        return [] if known is None else [(known[0], speech) for speech in known[1]]

    def _remember(self, left: tuple[Scope, Speech]) -> None:
        if not left[1].is_read:
            return  # nobody will read it to its end now, so that it would come back without its end
        self._let_go(left)
        self._left[left] = self._clock() + ABSENCE
        self._left_bytes += left[1].size
        while len(self._left) > MOST_LEFT or self._left_bytes > LEFT_BYTES:
            self._let_go(next(iter(self._left)))

    def _let_go(self, left: tuple[Scope, Speech]) -> None:
        if self._left.pop(left, None) is not None:
            self._left_bytes -= left[1].size

    def _recalled(self, scope: Scope, function_id: str) -> Entry | None:
        """As it was described last, not long ago."""
        now = self._clock()
        for left in [left for left, until in self._left.items() if until <= now]:
            self._let_go(left)
        said = (speech for where, speech in reversed(self._left) if where == scope)
        return next((entry for speech in said if (entry := speech.entry(function_id)) is not None), None)

    def _drop_keys(self, agent_id: str, staying: Collection[Key] = ()) -> None:
        self.changes += 1
        for scope, function_id in self._keys.pop(agent_id, ()):
            if (scope, function_id) in staying:
                continue
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
        """The latest description of a function of this scope; for a while also of one that nobody describes any more."""
        functions = self._speeches.get(scope)
        said = functions.get(function_id) if functions is not None else None
        if said is not None:
            return next(reversed(said.values())).entry(function_id)
        return self._recalled(scope, function_id) if self._left else None

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

"""The entities that calls are about, found without reading the arguments of those that are about none."""

from collections.abc import Callable, Mapping, Sequence

import orjson

from croupier.descriptors import EntityDescriptor, FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.entity import Subject, SubjectKey, subjects_in, type_name
from croupier.domain.scope import Scope
from croupier.server.catalog.entity_keys import Acting, acting, subject_keys
from croupier.server.catalog.entry import EntityEntry, Entry

REMEMBERED = 50_000
REMEMBERED_SCOPES = 1_000

Keys = tuple[SubjectKey, ...]
_Roles = tuple[Mapping[str, Sequence[Acting]], Mapping[str, EntityDescriptor]]
"""Of functions as operations, and the types' descriptions by name."""


class SubjectKeys:
    """Which arguments name entities, for each function that is called: worked out once, until something changes."""

    def __init__(self, entities: Callable[[Scope], Sequence[EntityEntry]]) -> None:
        self._entities = entities
        self.as_of = -1
        """After how many changes of what is described."""
        self.known: dict[tuple[Scope, str], Keys] = {}
        """Looked up for every call."""
        self._acts: dict[Scope, _Roles] = {}

    def forget(self, changes: int) -> None:
        self.as_of = changes
        self.known.clear()
        self._acts.clear()

    def work_out(self, call: Call, entry: Entry) -> Keys:
        if len(self.known) >= REMEMBERED or len(self._acts) >= REMEMBERED_SCOPES:
            self.forget(self.as_of)  # anybody can make up scopes and ids of functions
        acts, types = self._acts.get(call.scope) or self._describe(call.scope)
        function = entry.descriptor or FunctionDescriptor(id=call.function_id)
        keys = subject_keys(function, acts.get(call.function_id, ()), types)
        self.known[call.scope, call.function_id] = keys
        return keys

    def _describe(self, scope: Scope) -> _Roles:
        described = [each.descriptor for each in self._entities(scope)]
        found = acting(described), {type_name(each.id): each for each in reversed(described)}
        self._acts[scope] = found
        return found


def subjects_of(keys: Keys, call: Call) -> tuple[Subject, ...]:
    """The entities that the call's arguments name; arguments that are no JSON name none."""
    try:
        return subjects_in(keys, orjson.loads(call.payload or b"{}"))
    except orjson.JSONDecodeError:
        return ()

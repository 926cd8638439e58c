"""The entities that calls are about, found without reading the arguments of those that are about none."""

from collections.abc import Callable, Mapping, Sequence

import orjson

from croupier.descriptors import EntityDescriptor, FunctionDescriptor
from croupier.domain.call import Call
from croupier.domain.entity import Subject, SubjectKey, subjects_in, type_name
from croupier.domain.scope import Scope
from croupier.server.catalog.entity_keys import Acting, acting, subject_keys
from croupier.server.catalog.entry import EntityEntry, Entry

Keys = tuple[SubjectKey, ...]


class SubjectKeys:
    """Which arguments name entities, for each function that is called: worked out once, until something changes."""

    def __init__(self, entities: Callable[[Scope], Sequence[EntityEntry]]) -> None:
        self._entities = entities
        self._revision = -1
        self._keys: dict[tuple[Scope, str], Keys] = {}
        self._acts: dict[Scope, tuple[Mapping[str, Sequence[Acting]], Mapping[str, EntityDescriptor]]] = {}

    def of(self, call: Call, entry: Entry, revision: int) -> Keys:
        """`revision` is another number whenever what is described has changed."""
        if revision != self._revision:
            self._revision = revision
            self._keys.clear()
            self._acts.clear()
        keys = self._keys.get((call.scope, call.function_id))
        return keys if keys is not None else self._work_out(call.scope, call.function_id, entry.descriptor)

    def _work_out(self, scope: Scope, function_id: str, descriptor: FunctionDescriptor | None) -> Keys:
        if scope not in self._acts:
            described = [each.descriptor for each in self._entities(scope)]
            self._acts[scope] = acting(described), {type_name(each.id): each for each in reversed(described)}
        acts, types = self._acts[scope]
        here = acts.get(function_id, ())
        if descriptor is None and not here:
            return ()  # not remembered: anybody can make up ids of functions
        keys = subject_keys(descriptor or FunctionDescriptor(id=function_id), here, types)
        self._keys[scope, function_id] = keys
        return keys


def subjects_of(keys: Keys, call: Call) -> tuple[Subject, ...]:
    """The entities that the call's arguments name; arguments that are no JSON name none."""
    try:
        return subjects_in(keys, orjson.loads(call.payload or b"{}"))
    except orjson.JSONDecodeError:
        return ()

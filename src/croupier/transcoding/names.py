"""One spelling of field names, that of the .proto: whoever looks at arguments — schemas, rules, masks — then has to know one."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from croupier.domain.limits import JSON_DEPTH
from croupier.transcoding.wellknown import is_any, well_known

Respell = Callable[[Any, int], bool]
"""Renames fields in a JSON value, which lies so many levels deep, and says whether there was something to rename."""

_ESCAPE = rb"\u"
"""A name may be written with it, and is then not found as text."""


def named_fields(message: Descriptor) -> dict[str, FieldDescriptor]:
    """By both names of each; a name that one field has in the .proto is not another's in JSON."""
    return {field.json_name: field for field in message.fields} | {field.name: field for field in message.fields}


class Names:
    """Of all messages that one message may hold."""

    def __init__(self, root: Descriptor, pool: DescriptorPool) -> None:
        self._pool = pool
        self._known: dict[str, Respell] = {}
        reached = list(_reachable(root))
        others = {field.json_name for each in reached for field in each.fields if field.json_name != field.name}
        self._open = any(is_any(each) for each in reached)
        self._others = re.compile(b"|".join(re.escape(b'"%b"' % name.encode()) for name in sorted(others)) or rb"(?!)")
        self._respell = self._of(root)

    def respelled(self, payload: bytes) -> bytes:
        """The payload with every field under its name in the .proto; the very same bytes where that is so already.

        What is no JSON, and an object with a field under both its names, is left for the codec to refuse.
        """
        if not self._open and not self._others.search(payload) and _ESCAPE not in payload:
            return payload
        try:
            value = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return payload
        return orjson.dumps(value) if self._respell(value, 0) else payload

    def _of(self, message: Descriptor) -> Respell:
        respell = self._known.get(message.full_name)
        if respell is None:
            if is_any(message):
                respell = self._any
            elif well_known(message):
                respell = _nothing
            else:
                respell = _Fields(message, self._of).respell
            self._known[message.full_name] = respell
        return respell

    def _any(self, value: Any, depth: int) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("@type"), str):
            return False
        try:
            found = self._pool.FindMessageTypeByName(value["@type"].rpartition("/")[2])
        except KeyError:
            return False
        if is_any(found) or well_known(found):
            return self._of(found)(value.get("value"), depth + 1)
        return self._of(found)(value, depth + 1)


class _Fields:
    """Of one message type, looked at when the first value comes."""

    def __init__(self, message: Descriptor, respell_of: Callable[[Descriptor], Respell]) -> None:
        self._message = message
        self._respell_of = respell_of
        self._fields: dict[str, tuple[str, Respell]] | None = None

    def respell(self, value: Any, depth: int) -> bool:
        if not isinstance(value, dict) or depth > JSON_DEPTH:
            return False
        fields = self._look() if self._fields is None else self._fields
        changed = False
        for name in list(value):
            if name not in fields:
                continue
            own, inside = fields[name]
            changed |= inside(value[name], depth + 1)
            if own != name and own not in value:
                value[own] = value.pop(name)
                changed = True
        return changed

    def _look(self) -> dict[str, tuple[str, Respell]]:
        self._fields = {
            name: (field.name, _inside(field, self._respell_of)) for name, field in named_fields(self._message).items()
        }
        return self._fields


def _inside(field: FieldDescriptor, respell_of: Callable[[Descriptor], Respell]) -> Respell:
    message = field.message_type
    if message is None:
        return _nothing
    if message.GetOptions().map_entry:
        held = message.fields_by_name["value"].message_type
        return _nothing if held is None else _each(respell_of(held), dict)
    inside = respell_of(message)
    return _each(inside, list) if field.is_repeated else inside


def _each(respell: Respell, kind: type[dict[str, Any]] | type[list[Any]]) -> Respell:
    def respell_all(value: Any, depth: int) -> bool:
        if not isinstance(value, kind):
            return False
        changed = False
        for each in value.values() if isinstance(value, dict) else value:
            changed |= respell(each, depth)
        return changed

    return respell_all


def _nothing(_value: Any, _depth: int) -> bool:
    return False


def _reachable(root: Descriptor) -> Iterator[Descriptor]:
    seen, due = {root.full_name}, [root]
    while due:
        message = due.pop()
        yield message
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                due.append(inner)

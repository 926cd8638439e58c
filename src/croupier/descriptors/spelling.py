"""Brings what wild writers say elsewhere to the place where the models have it.

Each rule says where it took something from, so that a fault is told at the place where the writer finds it.
"""

from collections.abc import Mapping
from typing import Any

from croupier.descriptors.fields import risk_of

Path = tuple[str | int, ...]

_SAYS_NOTHING: tuple[Any, ...] = (None, "", [], {})
_RISK_ORDER = ("high", "medium", "low")


class Entry:
    """One description on the way to a model: a copy of what was written, and where each moved part came from."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self.value = {name: part for name, part in written.items() if part is not None}
        self._moved: dict[Path, Path] = {}

    def origin(self, path: Path) -> Path:
        """Where the writer put what the model has at `path`."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._moved:
                return self._moved[path[:length]] + path[length:]
        return path

    def within(self, name: str) -> dict[str, Any]:
        """The object at `name`, made where there is none and copied before it is changed; {} if something else is there."""
        found = self.value.get(name)
        if found in (None, "", [], False):
            found = {}
        if not isinstance(found, dict):
            return {}
        self.value[name] = copy = dict(found)
        return copy

    def move(self, source: tuple[str, ...], target: str) -> None:
        """What is at `source` (two names at most) is the field `target`; where that says something itself, it counts."""
        holder = self.value if len(source) == 1 else self.value.get(source[0])
        if not isinstance(holder, dict) or holder.get(source[-1]) is None:
            return
        if self.value.get(target) in _SAYS_NOTHING:
            self.value[target] = holder[source[-1]]
            self._moved[target,] = source
        if len(source) == 1:
            del self.value[source[0]]

    def note(self, target: Path, source: Path) -> None:
        self._moved[target] = source


def function_entry(written: Mapping[str, Any]) -> Entry:
    entry = Entry(written)
    for source, target in FUNCTION_MOVES:
        entry.move(source, target)
    _take_messages(entry)
    _drop_empty_holders(entry)
    _take_risk(entry)
    _take_entity(entry)
    _take_permission(entry)
    return entry


FUNCTION_MOVES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("request", "json_schema"), "params"),
    (("input_schema",), "params"),
    (("response", "json_schema"), "result"),
    (("output_schema",), "result"),
    (("name",), "display_name"),
    (("title",), "display_name"),
    (("undo",), "inverse"),
)


def _take_messages(entry: Entry) -> None:
    """`request.proto_fqn` and `response.proto_fqn` of a provider are `transport.proto`."""
    named = {
        f"{side}_fqn": (side, "proto_fqn")
        for side in ("request", "response")
        if isinstance(entry.value.get(side), dict) and entry.value[side].get("proto_fqn")
    }
    if not named:
        return
    transport = entry.within("transport")
    proto = transport.get("proto")
    proto = dict(proto) if isinstance(proto, dict) else {}
    for field, source in named.items():
        if not proto.get(field):
            proto[field] = entry.value[source[0]][source[1]]
            entry.note(("transport", "proto", field), source)
    transport["proto"] = proto


def _drop_empty_holders(entry: Entry) -> None:
    """What is left of `request` and `response` is kept only where something is left that has no field of ours."""
    for side in ("request", "response"):
        holder = entry.value.get(side)
        if isinstance(holder, dict):
            rest = {name: part for name, part in holder.items() if name not in {"json_schema", "proto_fqn"}}
            if rest:
                entry.value[side] = rest
            else:
                del entry.value[side]
        elif holder in ("", []):
            del entry.value[side]


def _take_risk(entry: Entry) -> None:
    """`risk` and `auth.risk`, each a word or an object, become the level and its rule; of two levels the higher counts."""
    auth = entry.within("auth")
    said: list[tuple[Any, Path]] = [(entry.value.get("risk"), ("risk",)), (auth.get("risk"), ("auth", "risk"))]
    rule: dict[str, Any] = {}
    levels: list[tuple[Any, Path]] = []
    for value, place in said:
        if isinstance(value, dict):
            rule = {**value, **rule}
            if value.get("level"):
                levels.append((value["level"], (*place, "level")))
        elif value not in (None, ""):
            levels.append((value, place))
    if not levels:
        levels = [("low", ("risk",))]
    level, place = min(levels, key=lambda each: _rank(each[0]))
    entry.value["risk"] = level
    entry.note(("risk",), place)
    if isinstance(entry.value["auth"], dict):
        auth["risk"] = {**rule, "level": level}
        entry.note(("auth", "risk", "level"), place)


def _rank(level: Any) -> int:
    """Unknown words first, so that they are refused rather than passed over."""
    known = risk_of(level)
    return -1 if known is None else _RISK_ORDER.index(known)


def _take_entity(entry: Entry) -> None:
    """`entity` as an object {type, key}."""
    entity = entry.value.get("entity")
    if isinstance(entity, dict):
        entry.value["entity"] = entity.get("type") or entity.get("id") or entity.get("name") or ""
        key = entity.get("key") or entity.get("id_field")
        if key and not entry.value.get("entity_key"):
            entry.value["entity_key"] = key


def _take_permission(entry: Entry) -> None:
    auth = entry.value.get("auth")
    if isinstance(auth, dict) and not auth.get("permission") and isinstance(entry.value.get("id"), str):
        auth["permission"] = f"function:{entry.value['id']}"


def entity_entry(written: Mapping[str, Any]) -> Entry:
    entry = Entry(written)
    for source, target in ENTITY_MOVES:
        entry.move(source, target)
    _take_operations(entry)
    return entry


ENTITY_MOVES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("name",), "title"),
    (("label",), "title"),
    (("primary_key",), "key"),
    (("id_field",), "key"),
)


def _take_operations(entry: Entry) -> None:
    """By verb, from an object or a list; each one a function id, an object, or a list of them."""
    said = entry.value.get("operations")
    if said in ("", []):
        del entry.value["operations"]
    elif isinstance(said, dict):
        entry.value["operations"] = {
            verb: each if isinstance(each, list) else [each] for verb, each in said.items() if each is not None
        }
        for verb, each in said.items():
            if not isinstance(each, list):
                entry.note(("operations", verb, 0), ("operations", verb))
    elif isinstance(said, list):
        entry.value["operations"] = _by_verb(entry, said)


def _by_verb(entry: Entry, said: list[Any]) -> dict[str, list[Any]]:
    """A list names its verbs in `op`; an operation that names no function is the entity's own."""
    operations: dict[str, list[Any]] = {}
    for index, each in enumerate(said):
        verb, operation = _verb_and_operation(each, entry.value.get("id"))
        listed = operations.setdefault(verb, [])
        entry.note(("operations", verb, len(listed)), ("operations", index))
        listed.append(operation)
    return operations


def _verb_and_operation(said: Any, entity_id: Any) -> tuple[str, Any]:
    operation = {"op": said} if isinstance(said, str) else dict(said) if isinstance(said, dict) else None
    if operation is None:
        return "", said
    verb = next((operation.pop(name) for name in ("op", "verb", "operation") if operation.get(name)), "")
    if not isinstance(verb, str) or not verb:
        return "", said
    named = any(operation.get(name) for name in ("function", "function_id", "id"))
    if not named and isinstance(entity_id, str) and entity_id:
        operation["function"] = f"{entity_id}.{verb}"
    return verb, operation


def operation_entry(said: Any) -> Any:
    """An operation that stands apart from its entity, and names it."""
    if not isinstance(said, dict):
        return said
    verb, operation = _verb_and_operation(said, said.get("entity"))
    return {**operation, "op": verb} if verb else said

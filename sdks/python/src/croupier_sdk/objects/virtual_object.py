"""A virtual object: a type of thing, and the functions that list, read and change one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

from croupier_sdk.functions.field import Text, texts
from croupier_sdk.functions.shapes import shape_of

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_VERB = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_SUFFIX = ".entity"

Handler = Callable[..., Any]


class Relationship(TypedDict, total=False):
    """How a thing leads to others: {"type": "has_many", "entity": "item", "foreign_key": "player_id"}."""

    type: str
    entity: str
    foreign_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One way to do something to a thing: by a function's id, or by a handler that becomes `<object>.<verb>`."""

    function: str | Handler
    label: Text = ""
    icon: str = ""
    danger: bool = False
    """The page asks before it does it."""
    title: Text = ""
    description: Text = ""
    field: str = ""
    """The parameter that is the thing's id; `key` of the object where nothing is said."""
    jsonpath: str = ""
    """The same as a JSONPath of one value, such as `$.target.player_id`."""

    def entry(self, verb: str, function_id: str, key: str) -> dict[str, Any]:
        """As the manifest has it; `key` is the parameter that is the id where nothing else is said."""
        target = {"field": "" if self.jsonpath else self.field or key, "jsonpath": self.jsonpath}
        said = {
            "op": verb,
            "function": function_id,
            "target": {name: value for name, value in target.items() if value},
            "label": texts(self.label),
            "icon": self.icon,
            "danger": self.danger,
            "title": texts(self.title),
            "description": texts(self.description),
        }
        return {name: value for name, value in said.items() if value}


OneOperation = str | Handler | Operation | Mapping[str, Any]
Operations = Mapping[str, OneOperation | Sequence[OneOperation]]


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualObject:
    """A type of thing as it was registered. Raises ValueError or TypeError, naming it, for what makes no sense."""

    id: str
    version: str = "1.0.0"
    operations: Operations
    schema: Any = None
    """JSON Schema, or a TypedDict or dataclass."""
    relationships: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    """The parameter that is the id of one of them; `<object>_id` or `id` where nothing is said."""
    title: Text = ""
    description: Text = ""
    color: str = ""
    ui: Mapping[str, Any] = field(default_factory=dict)
    """columns, actions, form, search, pagination, …"""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"virtual object {self.id!r}: 1 to 128 letters, digits, '_', '.', ':' or '-', like wallet")
        if not self.operations:
            raise ValueError(
                f"virtual object {self.id} has no operations: give at least one, like {{'read': 'wallet.get'}}"
            )
        for verb in self.operations:
            if not _VERB.fullmatch(str(verb)):
                raise ValueError(
                    f"virtual object {self.id}, operation {verb!r}: a verb is one word, like read or transfer"
                )
        for name, relationship in self.relationships.items():
            if not isinstance(relationship, Mapping) or not relationship.get("entity"):
                raise ValueError(f"virtual object {self.id}, relationship {name}: it names no entity")

    @property
    def name(self) -> str:
        """The type that calls, timelines and pages go by: the id without `.entity`."""
        return self.id.removesuffix(_SUFFIX)

    def each_operation(self) -> list[tuple[str, Operation]]:
        """Verbs with their operations. Raises TypeError for one that is none."""
        return [
            (verb, self._operation(verb, one))
            for verb, given in self.operations.items()
            for one in (given if isinstance(given, Sequence) and not isinstance(given, str) else [given])
        ]

    def _operation(self, verb: str, given: object) -> Operation:
        if isinstance(given, Mapping):
            if unknown := given.keys() - {each.name for each in fields(Operation)}:
                raise TypeError(f"virtual object {self.id}, operation {verb}: it has no {', '.join(sorted(unknown))}")
            given = Operation(**{"function": "", **given})
        elif isinstance(given, str) or callable(given):
            given = Operation(function=given)
        function: Any = given.function if isinstance(given, Operation) else None
        if isinstance(given, Operation) and function and (callable(function) or isinstance(function, str)):
            return given
        raise TypeError(f"virtual object {self.id}, operation {verb}: give a function's id, or its handler")

    def entry(self, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """As the manifest has it, with `operations` as they were resolved."""
        said = {
            "id": self.id,
            "type": "entity",
            "version": self.version,
            "title": texts(self.title),
            "description": texts(self.description),
            "color": self.color,
            "key": self.key,
            "schema": self._schema(),
            "operations": list(operations),
            "relationships": {name: dict(each) for name, each in self.relationships.items()},
            "ui": dict(self.ui),
        }
        return {name: value for name, value in said.items() if value}

    def _schema(self) -> dict[str, Any]:
        if self.schema is None:
            return {}
        if isinstance(self.schema, Mapping):
            return dict(self.schema)
        try:
            return shape_of(self.schema).schema
        except TypeError as error:
            raise TypeError(f"virtual object {self.id}, schema: {error}") from error

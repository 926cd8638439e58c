"""What a provider, or the game servers of an agent, say of all their functions at once (contract, section 5)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from croupier.descriptors.entity import EntityDescriptor, Operation
from croupier.descriptors.faults import Fault, FaultyDescriptor, Message, json_path
from croupier.descriptors.fields import Line, Prose
from croupier.descriptors.function import FunctionDescriptor
from croupier.descriptors.part import Part
from croupier.descriptors.reading import describe, rules_of, told
from croupier.descriptors.spelling import Path, operation_entry
from croupier.descriptors.strict_json import read_json

MANIFEST_BYTES = 4_000_000
FUNCTIONS = 10_000
ENTITIES = 1_000


class ProviderMeta(Part):
    """Who describes the functions."""

    short = ("string",)

    id: Line = Field(default="", description="the provider's name, which belongs to whoever registered it first")
    version: Line = Field(default="", description="its version")
    lang: Line = Field(default="", description="the language it is written in")
    sdk: Line = Field(default="", description="the SDK it is written with")
    description: Prose = Field(default="", description="what it is for")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value


class ProvidedOperation(Operation):
    """An operation that stands apart from its entity."""

    op: Line = Field(default="", description="the verb")
    entity: Line = Field(default="", description="the kind of object that it acts on")


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What could be read, and what is wrong with the rest."""

    provider: ProviderMeta
    functions: tuple[FunctionDescriptor, ...]
    """As they were listed, then those that are described by an operation alone."""
    entities: tuple[EntityDescriptor, ...]
    operations: tuple[ProvidedOperation, ...]
    rules: tuple[FunctionDescriptor, ...]
    """Of functions whose descriptions are left out, what is still known of them: see `rules_of`."""
    faults: tuple[Fault, ...]


def read_manifest(raw: bytes, source: str = "manifest") -> Manifest:
    """`raw` is an object with `functions`, `entities`, `operations`, or an array of functions as agents send it.

    An entry with a fault is left out, but for the rules of a function; its faults name `source`. Takes some 200 µs an entry: run a large one in a thread.
    Raises FaultyDescriptor where nothing can be read at all.
    """
    value, faults = read_json(raw, source, MANIFEST_BYTES)
    if faults:
        raise FaultyDescriptor(faults)
    if isinstance(value, list):
        value, root = {"functions": value}, False
    elif isinstance(value, dict):
        root = True
    else:
        raise FaultyDescriptor(
            [_fault(source, (), Message("a manifest is an object or an array", "清单必须是对象或数组"))]
        )
    return _Reading(source, in_object=root).read(value)


class _Reading:
    """One manifest on its way."""

    def __init__(self, source: str, *, in_object: bool) -> None:
        self._source = source
        self._in_object = in_object
        self._faults: list[Fault] = []
        self._functions: dict[str, FunctionDescriptor] = {}
        self._rules: dict[str, FunctionDescriptor] = {}
        self._entities: dict[str, EntityDescriptor] = {}

    def read(self, value: Mapping[str, Any]) -> Manifest:
        provider = self._provider(value.get("provider"))
        for path, entry in self._entries(value, "functions", FUNCTIONS):
            self._take(entry, path, "function")
        for path, entry in self._entries(value, "entities", ENTITIES):
            self._take(entry, path, "entity")
        operations = [
            operation
            for path, entry in self._entries(value, "operations", FUNCTIONS)
            if (operation := self._operation(entry, path)) is not None
        ]
        self._take_described_operations(operations)
        return Manifest(
            provider=provider,
            functions=tuple(self._functions.values()),
            entities=tuple(self._entities.values()),
            operations=tuple(operations),
            rules=tuple(each for each in self._rules.values() if each.id not in self._functions),
            faults=tuple(self._faults),
        )

    def _path(self, path: Path) -> Path:
        """Without the name `functions` where the manifest is the array itself."""
        return path if self._in_object else path[1:]

    def _refuse(self, path: Path, en: str, zh: str) -> None:
        self._faults.append(_fault(self._source, self._path(path), Message(en, zh)))

    def _provider(self, value: Any) -> ProviderMeta:
        try:
            return ProviderMeta.model_validate(value)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                path, message = told(each)
                self._refuse(("provider", *path), *message)
            return ProviderMeta()

    def _entries(self, value: Mapping[str, Any], name: str, most: int) -> Iterator[tuple[Path, Any]]:
        entries = value.get(name) or []
        if isinstance(entries, dict):  # by id
            entries = [{"id": key, **entry} if isinstance(entry, dict) else entry for key, entry in entries.items()]
        if not isinstance(entries, list) or len(entries) > most:
            self._refuse((name,), f"must be an array of at most {most} entries", f"必须是最多 {most} 项的数组")
            return
        for index, entry in enumerate(entries):
            yield (name, index), entry

    def _take(self, entry: Any, path: Path, kind: str) -> None:
        descriptor, faults = describe(entry, self._source, self._path(path), kind=kind)
        self._faults += faults
        if descriptor is None:
            if kind == "function" and (rules := rules_of(entry)) is not None:
                self._rules.setdefault(rules.id, rules)
            return
        known: dict[str, Any] = self._functions if isinstance(descriptor, FunctionDescriptor) else self._entities
        if descriptor.id in known:
            self._refuse((*path, "id"), "is the id of an earlier entry too", "与之前的条目 id 重复")
        else:
            known[descriptor.id] = descriptor

    def _operation(self, entry: Any, path: Path) -> ProvidedOperation | None:
        try:
            return ProvidedOperation.model_validate(operation_entry(entry))
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                place, message = told(each)
                self._refuse((*path, *place), *message)
            return None

    def _take_described_operations(self, operations: list[ProvidedOperation]) -> None:
        """An operation may say all that a function says; then it is the only description of its function."""
        described: list[tuple[str, str, Operation]] = [(each.entity, each.op, each) for each in operations]
        for entity in self._entities.values():
            described += [(entity.id, verb, each) for verb, some in entity.operations.items() for each in some]
        for entity_id, verb, operation in described:
            if operation.function in self._functions or not operation.model_extra:
                continue
            descriptor, faults = describe(_function_of(entity_id, verb, operation), self._source)
            self._faults += [
                _fault(self._source, ("operations", operation.function), fault.message) for fault in faults
            ]
            if isinstance(descriptor, FunctionDescriptor):
                self._functions[descriptor.id] = descriptor


def _function_of(entity_id: str, verb: str, operation: Operation) -> dict[str, Any]:
    target = operation.target.get("jsonpath") or operation.target.get("field")
    return {
        "display_name": operation.label or operation.title,
        "description": operation.description,
        **(operation.model_extra or {}),
        "id": operation.function,
        "entity": entity_id,
        "operation": verb,
        **({"entity_key": target} if target else {}),
    }


def _fault(source: str, path: Path, message: Message) -> Fault:
    return Fault(file=source, path=json_path(path), message=message)

"""From JSON to a description, or to everything that is wrong with it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from croupier.descriptors.entity import Descriptor, EntityDescriptor
from croupier.descriptors.faults import Fault, FaultyDescriptor, Message, json_path
from croupier.descriptors.function import FunctionDescriptor
from croupier.descriptors.paths import single_value_path
from croupier.descriptors.schema import schema_faults
from croupier.descriptors.spelling import Entry, Path, entity_entry, function_entry
from croupier.descriptors.strict_json import read_json
from croupier.errors import InvalidArgument

DESCRIPTOR_BYTES = 1_000_000
"""The largest descriptor file, its schemas included."""

Found = Iterator[tuple[Path, Message]]


def read_descriptor(raw: bytes, file: str) -> Descriptor:
    """The description in `raw`. Raises FaultyDescriptor with every fault, each naming `file`, the path and what to do."""
    value, faults = read_json(raw, file, DESCRIPTOR_BYTES)
    if faults:
        raise FaultyDescriptor(faults if value is None else [*faults, *_further_faults(value, file)])
    descriptor, faults = describe(value, file)
    if descriptor is None:
        raise FaultyDescriptor(faults)
    return descriptor


def _further_faults(value: Any, file: str) -> list[Fault]:
    """What else is wrong with a value that is not quite JSON, as far as it can be told."""
    try:
        mended = orjson.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
        return describe(mended, file)[1]
    except (ValueError, TypeError, RecursionError):  # infinite numbers, or nested without end
        return []


def describe(value: Any, file: str, at: Path = (), *, kind: str = "") -> tuple[Descriptor | None, list[Fault]]:
    """The description in `value`, a JSON value that stands at `at` in `file`, or None and why there is none.

    `kind` says what it is where it does not say so itself.
    """
    descriptor, found = _described(value, kind)
    faults = dict.fromkeys(found)
    return (
        None if faults else descriptor,
        [Fault(file=file, path=json_path((*at, *path)), message=message, of=_id_in(value)) for path, message in faults],
    )


RULES = frozenset(
    {
        *("id", "version", "category", "type", "enabled", "risk", "auth", "semantics", "transport", "routing"),
        *("entity", "entity_key", "operation"),
    }
)
"""What a description says of who may call a function, when, and how it is sent."""


def rules_of(value: Any) -> FunctionDescriptor | None:
    """The rules of a function whose description has faults: without them, whoever may call it could pass by what it demands.

    What is said of arguments, answers and looks is left out. Where the rules themselves have faults, nobody may call it. None
    where it is not even said which function it is.
    """
    if not isinstance(value, dict) or value.get("type") not in {None, "", "function"}:
        return None
    said = {name: each for name, each in function_entry(value).value.items() if name in RULES}
    for tried in (said, {"id": said.get("id"), "enabled": False}):
        try:
            descriptor = FunctionDescriptor.model_validate(tried)
        except ValidationError:
            continue
        if not any(_function_faults(descriptor)):
            descriptor.keep(value)
            return descriptor
    return None


def _id_in(value: Any) -> str:
    said = value.get("id") if isinstance(value, dict) else None
    return said if isinstance(said, str) else ""


def _described(value: Any, kind: str) -> tuple[Descriptor | None, list[tuple[Path, Message]]]:
    if not isinstance(value, dict):
        return None, [((), Message("a description is a JSON object", "描述必须是 JSON 对象"))]
    said = value.get("type") or kind or "function"
    if said == "function":
        return _read(FunctionDescriptor, function_entry(value), value, _function_faults)
    if isinstance(said, str) and said in {"entity", "resource"}:
        entry = entity_entry(value)
        entry.value["type"] = said
        return _read(EntityDescriptor, entry, value, _entity_faults)
    return None, [(("type",), Message("write function, entity or resource", "请写 function、entity 或 resource"))]


def _read(
    model: type[Any], entry: Entry, written: Mapping[str, Any], check: Callable[[Any], Found]
) -> tuple[Descriptor | None, list[tuple[Path, Message]]]:
    try:
        descriptor = model.model_validate(entry.value)
    except ValidationError as error:
        found = [told(each) for each in error.errors(include_url=False, include_input=False)]
        found += _schema_faults(entry.value)
        return None, [(entry.origin(path), message) for path, message in found]
    found = [(entry.origin(path), message) for path, message in check(descriptor)]
    if found:
        return None, found
    descriptor.keep(written)
    return descriptor, []


def _function_faults(descriptor: FunctionDescriptor) -> Found:
    yield from _schema_faults({"params": descriptor.params, "result": descriptor.result})
    if descriptor.hash_path:
        try:
            single_value_path(descriptor.hash_path)
        except InvalidArgument as error:
            field = "jsonpath" if descriptor.routing.jsonpath else "hash_key"
            yield (
                ("routing", field),
                Message(error.message, "必须是只指向一个值的 JSONPath（RFC 9535），如 $.player.id"),
            )


def _entity_faults(descriptor: EntityDescriptor) -> Found:
    yield from _schema_faults({"schema": descriptor.object_schema})


def _schema_faults(schemas: Mapping[str, Any]) -> Found:
    for name in ("params", "result", "schema"):
        if isinstance(schema := schemas.get(name), dict):
            for path, message in schema_faults(schema):
                yield (name, *path), message


def told(error: ErrorDetails) -> tuple[Path, Message]:
    """Where pydantic found a fault, and which."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    context = error.get("ctx", {})
    if error["type"] == "descriptor":
        return path, Message(context["en"], context["zh"])
    if error["type"] == "missing" and path == ("id",):
        return path, Message("every description needs an id, such as player.ban", "每个描述都需要 id，如 player.ban")
    known = _MESSAGES.get(error["type"])
    if known is None:
        return path, Message(error["msg"], error["msg"])
    limits = {name: limit for name, limit in context.items() if isinstance(limit, int | float | str)}
    return path, Message(known[0].format(**limits), known[1].format(**limits))


_OBJECT = ("must be an object", "必须是对象")
_LIST = ("must be a list", "必须是列表")
_BOOLEAN = ("must be true or false", "必须是 true 或 false")
_INTEGER = ("must be a whole number", "必须是整数")
_NUMBER = ("must be a number", "必须是数字")

_MESSAGES: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "缺少此项"),
    "string_type": ("must be text: put it in quotes", "必须是文本，请加引号"),
    "string_too_short": ("must not be empty", "不能为空"),
    "string_too_long": ("has more than {max_length} characters", "超过 {max_length} 个字符"),
    "too_long": ("has more than {max_length} entries", "超过 {max_length} 项"),
    "too_short": ("needs at least {min_length} entries", "至少需要 {min_length} 项"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "greater_than": ("must be above {gt}", "必须大于 {gt}"),
    "greater_than_equal": ("must be at least {ge}", "不能小于 {ge}"),
    "less_than": ("must be below {lt}", "必须小于 {lt}"),
    "less_than_equal": ("must be at most {le}", "不能大于 {le}"),
    "literal_error": ("must be one of {expected}", "必须是以下之一：{expected}"),
}

"""JSON Schema 2020-12: what is wrong with a schema, and what is wrong with a value. The only home of jsonschema-rs.

Formats are asserted (`time` needs seconds and a zone). Patterns run in an engine that takes time in proportion to the text,
whatever the pattern; what such an engine cannot do (looking ahead and back) is refused when the schema is read.
No fault repeats anything of a value but the names of its fields: values may be passwords.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from croupier.descriptors.faults import Message, json_path
from croupier.descriptors.references import Path, References
from croupier.descriptors.violations import SchemaFault, told
from croupier.errors import InvalidArgument

SHOWN_FAULTS = 10
"""How many faults of a value are told."""

_WAYS = 1_000
"""In how many ways a value may be wrong, before its faults are not told: some 0.1 ms each."""

_SOMEWHERE = Message(
    "does not fit; it is nested too deep to say where, since its description leads back to itself by several ways",
    "不符合要求；因其描述以多种方式引用自身且数据嵌套较深，无法指出具体位置",
)
_META_FAULTS = 20
_PATTERN_CHARACTERS = 4_096
_PATTERN_BYTES = 1_000_000
"""What a compiled pattern may take: `a{1000}{1000}` is refused, not built."""

_PATTERNS = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=2 * _PATTERN_BYTES)
_META = jsonschema_rs.Draft202012Validator(
    {"$ref": "https://json-schema.org/draft/2020-12/schema"}, validate_formats=False
)


_NO_TYPE = Message(
    "must be string, integer, number, boolean, object, array or null, or a list of them",
    "必须是 string、integer、number、boolean、object、array、null 之一或其列表",
)


_REFERRING = (b'"$ref"', b'"$dynamic', b'"$recursive', b'"patternProperties"')
_PATTERN = re.compile(rb'"pattern":("[^"\\]*(?:\\.[^"\\]*)*")')


class CompiledSchema:
    """A schema that values are held against; safe to share, costs some microseconds a check."""

    __slots__ = ("_multiplier", "_validator", "schema")

    def __init__(
        self, schema: Mapping[str, Any], validator: jsonschema_rs.Draft202012Validator, multiplier: int
    ) -> None:
        self.schema = schema
        self._validator = validator
        self._multiplier = multiplier

    def is_valid(self, value: Any) -> bool:
        """Raises InvalidArgument where `value` cannot be looked through."""
        try:
            return self._validator.is_valid(value)
        except ValueError as error:
            raise InvalidArgument("the value cannot be checked: it is nested too deep") from error

    def faults(self, value: Any, most: int = SHOWN_FAULTS) -> list[SchemaFault]:
        """What is wrong with `value`, the first `most` of it; raises as `is_valid` does.

        Where a schema leads back to itself by several ways, a deep value can be wrong in more ways than anybody could
        wait for. Then there is one fault that says no more than that.
        """
        if self.is_valid(value):
            return []
        if self._multiplier > 1 and _ways(value, self._multiplier) > _WAYS:
            return [SchemaFault(path="", keyword="$ref", message=_SOMEWHERE)]
        found: list[SchemaFault] = []
        for violation in self._validator.iter_errors(value):
            found += told(violation)
            if len(found) >= most:
                break
        return found[:most]


def _ways(value: Any, multiplier: int) -> int:
    """In how many ways `value` may not fit, by its depth and its breadth; it is not looked at further than needed."""
    level, parts, ways = [value], 0, 1
    while level and ways * (1 + parts) <= _WAYS:
        parts = max(parts, len(level))
        level = [
            part
            for each in level
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        ways *= multiplier
    return ways * (1 + parts)


def compile_schema(schema: Mapping[str, Any]) -> CompiledSchema:
    """Raises InvalidArgument, naming every fault, when `schema` is no JSON Schema 2020-12 that can be used here."""
    if faults := schema_faults(schema):
        named = "; ".join(f"{json_path(path)}: {message.en}" for path, message in faults)
        raise InvalidArgument(f"not a usable JSON Schema: {named}")
    try:
        return CompiledSchema(schema, _validator(schema), References(schema).multiplier())
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise InvalidArgument(f"not a usable JSON Schema: {error}") from error


def schema_faults(schema: Mapping[str, Any]) -> list[tuple[Path, Message]]:
    """What is wrong with `schema`, by path."""
    try:
        if not _META.is_valid(schema):
            return list(_meta_faults(schema))
    except ValueError:  # the library goes some hundred levels deep
        return [((), Message("is no JSON, or nested too deep", "不是 JSON，或嵌套过深"))]
    if _is_plain(schema):
        return []
    references = References(schema)
    faults = list(references.faults())
    for place in references.schemas:
        faults += [((*place.path, *step), message) for step, message in _pattern_faults(place.content)]
    return faults


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether a look at a schema's text shows no references in it and no pattern that cannot be run."""
    try:
        text = orjson.dumps(schema)
    except TypeError:  # a number beyond 64 bits: it is looked through in another way
        return False
    if any(name in text for name in _REFERRING):
        return False
    return not any(_pattern_fault(orjson.loads(pattern)) for pattern in _PATTERN.findall(text))


def _meta_faults(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Message]]:
    seen = set()
    for number, violation in enumerate(_META.iter_errors(schema)):
        if number == _META_FAULTS:
            return
        for fault in told(violation):
            path = tuple(violation.instance_path)
            place = (path, _NO_TYPE if path[-1:] == ("type",) else fault.message)
            if place not in seen:
                seen.add(place)
                yield place


def _pattern_faults(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Message]]:
    if (pattern := schema.get("pattern")) is not None and (message := _pattern_fault(pattern)):
        yield ("pattern",), message
    for name in schema.get("patternProperties", ()):
        if message := _pattern_fault(name):
            yield ("patternProperties", name), message


def _pattern_fault(pattern: str) -> Message | None:
    if len(pattern) > _PATTERN_CHARACTERS:
        return Message(
            f"a pattern has at most {_PATTERN_CHARACTERS} characters", f"正则表达式最多 {_PATTERN_CHARACTERS} 个字符"
        )
    return _unusable(pattern)


@lru_cache(maxsize=1024)
def _unusable(pattern: str) -> Message | None:
    try:
        _validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return Message(
            "a pattern that this server cannot run: it must be a regular expression of bounded size "
            "without looking ahead or back and without references to groups",
            "无法执行的正则表达式：须大小有界，且不含前后断言与分组引用",
        )
    return None


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        dict(schema),
        validate_formats=True,
        retriever=_refuse_reference,
        pattern_options=_PATTERNS,
        mask="the value",
    )


def _refuse_reference(uri: str) -> Any:
    raise ValueError(f"$ref to {uri[:200]} is not allowed: references stay inside the schema")

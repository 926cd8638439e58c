"""What a value does wrong, in words of our own: where, which keyword of the schema says so, and a sentence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson

from croupier.descriptors.faults import Message

_SHOWN = 200
"""Characters of a name or of the schema's own constants that a message repeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaFault:
    path: str
    """A JSON pointer (RFC 6901) into the value; to the field itself where a field is missing or not allowed."""
    keyword: str
    """The keyword of JSON Schema that is not kept."""
    message: Message

    def __str__(self) -> str:
        return f"{self.path or 'payload'}: {self.message.en}"

    def document(self) -> dict[str, object]:
        return {"path": self.path, "keyword": self.keyword, "message": self.message.document()}


def pointer(path: Iterable[str | int]) -> str:
    """An RFC 6901 JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def told(violation: jsonschema_rs.ValidationError) -> list[SchemaFault]:
    """`violation` as faults; where one alternative of several was clearly meant, as what is wrong with that one."""
    kind, path = violation.kind, violation.instance_path
    facts = kind.as_dict()
    if kind.name == "required":
        return [_fault([*path, facts["property"]], "required", _MISSING)]
    if kind.name == "falseSchema" and violation.schema_path[-1:] == ["additionalProperties"]:
        # How the library says that an object which may have no fields has some; it does not say which.
        return [_fault(path, "additionalProperties", _NO_FIELDS)]
    if kind.name in _UNEXPECTED:
        return [_fault([*path, name], kind.name, _NOT_A_FIELD) for name in facts["unexpected"][:_MANY]]
    if kind.name in {"anyOf", "oneOf"} and "context" in facts:
        meant = _meant(kind.context, len(path))  # type: ignore[attr-defined]
        if meant is not None:
            return [fault for each in meant[:_MANY] for fault in told(each)][:_MANY]
    sentence = _SENTENCES.get(kind.name)
    message = sentence(facts) if sentence else Message(violation.message[:_SHOWN], violation.message[:_SHOWN])
    return [_fault(path, kind.name, message)]


_MANY = 20


def _fault(path: list[str | int], keyword: str, message: Message) -> SchemaFault:
    return SchemaFault(path=pointer(path), keyword=keyword, message=message)


def _meant(
    alternatives: list[list[jsonschema_rs.ValidationError]], depth: int
) -> list[jsonschema_rs.ValidationError] | None:
    """The faults of the only alternative that fails neither as a whole nor by its mark (`kind: const`), if there is one."""
    fitting = [
        faults
        for faults in alternatives
        if faults
        and not any(
            (each.kind.name == "type" and len(each.instance_path) == depth)
            or (each.kind.name in {"const", "enum"} and len(each.instance_path) <= depth + 1)
            for each in faults
        )
    ]
    return fitting[0] if len(fitting) == 1 else None


_TYPES: Mapping[str, tuple[str, str]] = {
    "string": ("text", "文本"),
    "integer": ("a whole number", "整数"),
    "number": ("a number", "数字"),
    "boolean": ("true or false", "true 或 false"),
    "object": ("an object", "对象"),
    "array": ("a list", "列表"),
    "null": ("null", "null"),
}
_FORMATS: Mapping[str, tuple[str, str]] = {
    "date-time": (
        "a date and time with a zone, such as 2026-01-31T08:00:00Z",
        "带时区的日期时间，如 2026-01-31T08:00:00Z",
    ),
    "date": ("a date such as 2026-01-31", "日期，如 2026-01-31"),
    "time": ("a time with seconds and a zone, such as 08:00:00Z", "带秒和时区的时间，如 08:00:00Z"),
    "duration": ("a duration such as P3D or PT30M", "时长，如 P3D 或 PT30M"),
    "email": ("an e-mail address", "邮箱地址"),
    "hostname": ("a host name", "主机名"),
    "ipv4": ("an IPv4 address", "IPv4 地址"),
    "ipv6": ("an IPv6 address", "IPv6 地址"),
    "uri": ("a URI such as https://example.com", "URI，如 https://example.com"),
    "uuid": ("a UUID", "UUID"),
    "regex": ("a regular expression", "正则表达式"),
    "json-pointer": ("a JSON pointer such as /a/0", "JSON 指针，如 /a/0"),
}

_MISSING = Message("is missing", "缺少此项")
_NOT_A_FIELD = Message("is not a field of it", "不是已定义的字段")
_NO_FIELDS = Message("may have no fields", "不能含有任何字段")
_UNEXPECTED = frozenset({"additionalProperties", "unevaluatedProperties"})


def _one_of(words: Iterable[tuple[str, str]]) -> Message:
    known = list(words)
    return Message("must be " + " or ".join(en for en, _ in known), "必须是" + "或".join(zh for _, zh in known))


def _type(facts: Mapping[str, Any]) -> Message:
    return _one_of(_TYPES.get(name, (name, name)) for name in facts["types"])


def _format(facts: Mapping[str, Any]) -> Message:
    name = facts["format"]
    return _one_of([_FORMATS.get(name, (f"a valid {name}", f"合法的 {name}"))])


def _enum(facts: Mapping[str, Any]) -> Message:
    options = _cut(", ".join(map(_shown, facts["options"][:_MANY])) + (", …" if len(facts["options"]) > _MANY else ""))
    return Message(f"must be one of {options}", f"必须是以下之一：{options}")


def _const(facts: Mapping[str, Any]) -> Message:
    expected = _shown(facts["expected_value"])
    return Message(f"must be {expected}", f"必须是 {expected}")


def _pattern(facts: Mapping[str, Any]) -> Message:
    pattern = _cut(facts["pattern"])
    return Message(f"does not match the pattern {pattern}", f"不符合格式 {pattern}")


def _shown(constant: Any) -> str:
    return _cut(constant if isinstance(constant, str) else _json(constant))


def _json(constant: Any) -> str:
    try:
        return orjson.dumps(constant).decode()
    except TypeError:  # a number beyond 64 bits
        return str(constant)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _limit(en: str, zh: str) -> Callable[[Mapping[str, Any]], Message]:
    """A sentence about a limit of the schema; `{s}` is the plural's."""

    def sentence(facts: Mapping[str, Any]) -> Message:
        limit = facts["limit"]
        return Message(en.format(limit=limit, s="" if limit == 1 else "s"), zh.format(limit=limit))

    return sentence


def _always(en: str, zh: str) -> Callable[[Mapping[str, Any]], Message]:
    message = Message(en, zh)
    return lambda _: message


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "type": _type,
    "format": _format,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _limit("must be at least {limit}", "不能小于 {limit}"),
    "maximum": _limit("must be at most {limit}", "不能大于 {limit}"),
    "exclusiveMinimum": _limit("must be more than {limit}", "必须大于 {limit}"),
    "exclusiveMaximum": _limit("must be less than {limit}", "必须小于 {limit}"),
    "minLength": _limit("needs at least {limit} character{s}", "至少 {limit} 个字符"),
    "maxLength": _limit("has more than {limit} character{s}", "超过 {limit} 个字符"),
    "minItems": _limit("needs at least {limit} item{s}", "至少 {limit} 项"),
    "maxItems": _limit("has more than {limit} item{s}", "超过 {limit} 项"),
    "minProperties": _limit("needs at least {limit} field{s}", "至少 {limit} 个字段"),
    "maxProperties": _limit("has more than {limit} field{s}", "超过 {limit} 个字段"),
    "multipleOf": lambda facts: Message(
        f"must be a multiple of {facts['multiple_of']}", f"必须是 {facts['multiple_of']} 的倍数"
    ),
    "uniqueItems": _always("holds the same item twice", "存在重复项"),
    "contains": _always("lacks an item that it needs", "缺少必需的项"),
    "propertyNames": _always("has a field whose name is not allowed", "存在名称不符合要求的字段"),
    "anyOf": _always("fits none of the alternatives", "不符合任何一种允许的形式"),
    "oneOf": _always("must fit exactly one of the alternatives", "必须恰好符合一种允许的形式"),
    "not": _always("is what is not allowed here", "属于不允许的形式"),
    "falseSchema": _always("is not allowed here", "此处不允许有值"),
    "unevaluatedItems": _always("has items that are not allowed", "存在不允许的项"),
    "additionalItems": _always("has items that are not allowed", "存在不允许的项"),
}

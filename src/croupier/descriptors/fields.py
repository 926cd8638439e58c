"""The types of single fields: every spelling that is in the wild, and the one each is turned into."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from croupier.domain.durations import seconds_of
from croupier.domain.limits import JOB_TIMEOUT_MAX, KEY_BYTES

Risk = Literal["low", "medium", "high"]

_RISKS: Mapping[str, Risk] = {
    **dict.fromkeys(("low", "none", "info", "safe", "minor", "低"), "low"),
    **dict.fromkeys(("medium", "mid", "middle", "moderate", "normal", "warning", "中"), "medium"),
    **dict.fromkeys(("high", "critical", "severe", "danger", "dangerous", "very_high", "extreme", "高"), "high"),
}
_MODES: Mapping[str, Literal["query", "command"]] = {
    **dict.fromkeys(("query", "read", "readonly", "read_only"), "query"),
    **dict.fromkeys(("command", "write", "mutation", "action"), "command"),
}
_LANGUAGES = re.compile(r"(en|zh)(?:[-_](?:[A-Za-z]{4}|[A-Za-z]{2}))*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")


def refuse(en: str, zh: str) -> PydanticCustomError:
    """What a validator raises; the texts must hold no value of the input."""
    return PydanticCustomError("descriptor", "{en}", {"en": en, "zh": zh})


def _duration(value: object) -> float:
    seconds = None
    if isinstance(value, str):
        seconds = seconds_of(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        seconds = float(value)
    if seconds is None or not 0 < seconds <= JOB_TIMEOUT_MAX:
        raise refuse(
            'write a duration like "30s", "500ms" or "2m", above 0 and at most a week',
            "请写时长，如 “30s”、“500ms”、“2m”，大于 0 且不超过一周",
        )
    return seconds


def duration_text(seconds: float) -> str:
    """`30s`, `500ms`: what `seconds_of` reads back as the same number."""
    if seconds >= 1 or round(seconds * 1000, 6) != seconds * 1000:
        return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
    return f"{seconds * 1000:.6f}".rstrip("0").rstrip(".") + "ms"


def risk_of(word: object) -> Risk | None:
    """The level that a word of the wild means."""
    return _RISKS.get(word.strip().lower()) if isinstance(word, str) else None


def _risk(value: object) -> object:
    known = risk_of(value)
    if known is None:
        raise refuse("write low, medium or high", "请写 low、medium 或 high")
    return known


def _mode(value: object) -> object:
    known = _MODES.get(value.strip().lower()) if isinstance(value, str) else None
    if known is None:
        raise refuse("write query (changes nothing) or command", "请写 query（不改变数据）或 command")
    return known


def permission_of(text: str) -> str:
    """`player.ban` and `player:ban` are one permission; the second is how it is held."""
    return text if ":" in text else text.replace(".", ":", 1)


def _permission(text: str) -> str:
    if _CONTROL.search(text):
        raise refuse(
            "a permission such as player:ban has no spaces or control characters",
            "权限（如 player:ban）不能含空白或控制字符",
        )
    return permission_of(text)


def _name(text: str) -> str:
    if len(text.encode(errors="replace")) > KEY_BYTES or _CONTROL.search(text):
        raise refuse(
            f"a name has at most {KEY_BYTES} bytes, without spaces or control characters",
            f"名称最多 {KEY_BYTES} 字节，且不能含空白或控制字符",
        )
    return text


def _i18n(value: object) -> object:
    """A text in one language is English; `zh-CN` and its like are `zh`."""
    if isinstance(value, str):
        return {"en": value} if value else {}
    if not isinstance(value, dict):
        return value
    texts: dict[object, object] = {}
    for language, text in value.items():
        if text is None or text == "":
            continue
        texts.setdefault(_language(language), text)
    return texts


def _language(written: object) -> object:
    if written in ("en", "zh"):
        return written
    known = _LANGUAGES.fullmatch(written) if isinstance(written, str) else None
    return known[1].lower() if known else written


def _words(value: object) -> object:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _label_texts(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {
        name: str(text).lower() if isinstance(text, bool) else str(text) if isinstance(text, int | float) else text
        for name, text in value.items()
        if text is not None
    }


def _type_name(text: str) -> str:
    bare = text.removeprefix(".")
    if bare and not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", bare, re.ASCII):
        raise refuse(
            "write the full name of a protobuf message, such as game.v1.BanRequest",
            "请写 protobuf 消息的全名，如 game.v1.BanRequest",
        )
    return bare


def _object_or_empty(value: object) -> object:
    """Some writers put `[]` or "" where an object has nothing in it."""
    return {} if value in ([], "", None, False) else value


Name = Annotated[str, Field(min_length=1), AfterValidator(_name)]
"""An id: at most 256 bytes, no spaces."""

Line = Annotated[str, Field(max_length=512)]

Prose = Annotated[str, Field(max_length=20_000)]

Expression = Annotated[str, Field(max_length=4_096)]


@dataclass(frozen=True, slots=True)
class Spelled:
    """What else may be written, for the reference; pydantic passes over it."""

    text: str


_TEXT = {"type": "string"}

Seconds = Annotated[
    float,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": r"^\d{1,9}(\.\d{1,9})?(ms|s|m|h|d)?$", "exclusiveMinimum": 0}
    ),
    Spelled("`30s`, `500ms`, `2m`, `1h`, `7d` or a number of seconds; above 0, at most a week"),
]
"""Held as seconds."""

RiskLevel = Annotated[
    Risk,
    BeforeValidator(_risk),
    WithJsonSchema({"anyOf": [{"enum": ["low", "medium", "high"]}, _TEXT, {"type": "object"}]}),
    Spelled("`safe`, `info`, `normal`, `warning`, `critical`, `severe` and the like; any case"),
]

Mode = Annotated[
    Literal["query", "command"],
    BeforeValidator(_mode),
    WithJsonSchema({"anyOf": [{"enum": ["query", "command"]}, {"enum": sorted(_MODES.keys() - {"query", "command"})}]}),
    Spelled("`read`, `readonly` are query; `write`, `action`, `mutation` are command"),
]

Permission = Annotated[Line, AfterValidator(_permission), Spelled("`player.ban` is `player:ban`")]

I18n = Annotated[
    dict[Annotated[str, Field(max_length=35)], Prose],
    BeforeValidator(_i18n),
    Field(max_length=20),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "object", "additionalProperties": _TEXT}]}),
    Spelled("one text is English; `zh-CN`, `zh_Hans` are zh"),
]
"""Texts by language."""

Words = Annotated[
    tuple[Line, ...],
    BeforeValidator(_words),
    Field(max_length=200),
    WithJsonSchema({"anyOf": [{"type": "array", "items": _TEXT}, _TEXT]}),
    Spelled("a list, or one text with commas"),
]

Labels = Annotated[
    dict[Line, Line],
    BeforeValidator(_label_texts),
    Field(max_length=200),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}),
    Spelled("numbers and booleans become texts"),
]

TypeName = Annotated[Line, AfterValidator(_type_name), Spelled("with or without the leading dot")]
"""The full name of a protobuf message."""

FreeObject = Annotated[dict[str, Any], BeforeValidator(_object_or_empty), WithJsonSchema({"type": "object"})]
"""Any JSON object."""

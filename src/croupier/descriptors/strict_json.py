"""JSON as RFC 8259 has it, and stricter where two readers could understand two things.

Refused, each with the place: names that stand twice in an object, NaN and Infinity, numbers beyond 64 bits, surrogates
without their other half, nesting deeper than 64.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

import orjson

from croupier.descriptors.faults import Fault, Message, json_path
from croupier.domain.limits import JSON_DEPTH

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_ROUND = bytes.maketrans(b"[]{}", b"()()")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LONG_NUMBER = b"0" * 19
_INTEGERS = range(-(2**63), 2**64)

Path = tuple[str | int, ...]


class _NotANumber(ValueError):
    pass


class _Twice(dict[str, Any]):
    """An object in which a name stood twice; which, is in `name`."""

    name: str


def read_json(raw: bytes, file: str, most: int) -> tuple[Any, list[Fault]]:
    """The value, and what is wrong with it. With a fault at `$` there is no value (None)."""
    if len(raw) > most:
        return None, [_whole(file, f"larger than {most} bytes: split it", f"超过 {most} 字节，请拆分")]
    if (plain := _plain(raw)) is not None:
        return plain, []
    return _examined(raw, file)


def _plain(raw: bytes) -> Any:
    """The value, if a fast look finds nothing odd in it: most documents. None if it has to be examined.

    orjson knows numbers and surrogates; it keeps the last of two equal names, so names are counted before and after.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict | list):
        return None
    if _reads_at_a_glance(raw):
        again = orjson.dumps(value)
        if b"\\" not in again:
            return value if raw.count(b'":') == again.count(b'":') else None
    outside = _outside_strings(raw)
    if _is_deep(outside) or _LONG_NUMBER in outside.translate(_DIGITS):
        return None  # orjson makes a number beyond 64 bits a float
    return value if outside.count(b":") == _outside_strings(orjson.dumps(value)).count(b":") else None


def _reads_at_a_glance(raw: bytes) -> bool:
    """Whether, strings included, there is no backslash, no space before a colon, no long number and little nesting.

    Then `":` stands after every name, and in strings that begin with a colon, of which as many are written again.
    """
    return not (
        b"\\" in raw
        or b" :" in raw
        or b"\n:" in raw
        or b"\t:" in raw
        or b"\r:" in raw
        or raw.count(b"{") + raw.count(b"[") > JSON_DEPTH
        or _LONG_NUMBER in raw.translate(_DIGITS)
    )


def _outside_strings(raw: bytes) -> bytes:
    """Valid JSON without its strings. A backslash stands in strings only, and before a quote it belongs to the string."""
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(raw.split(b'"')[::2])


def _is_deep(outside: bytes) -> bool:
    """Whether brackets, of valid JSON without its strings, are nested deeper than JSON_DEPTH: a level is peeled off at a time."""
    brackets = outside.translate(_ROUND, _NO_BRACKETS)
    if brackets.count(b"(") <= JSON_DEPTH:
        return False
    for _ in range(JSON_DEPTH):
        brackets = brackets.replace(b"()", b"")
    return bool(brackets)


def _examined(raw: bytes, file: str) -> tuple[Any, list[Fault]]:
    try:
        value = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        return None, [_whole(file, f"not UTF-8 at byte {error.start}", f"第 {error.start} 字节不是 UTF-8")]
    except json.JSONDecodeError as error:
        place = (error.lineno, error.colno)
        return None, [
            _whole(
                file,
                f"not JSON at line {place[0]}, column {place[1]}: {error.msg}",
                f"第 {place[0]} 行第 {place[1]} 列不是合法的 JSON",
            )
        ]
    except _NotANumber as error:
        return None, [
            _whole(file, f"{error} is not JSON: write a number or null", f"{error} 不是 JSON：请写数字或 null")
        ]
    except RecursionError:
        return None, [_whole(file, *_TOO_DEEP)]
    except ValueError:  # an integer of more digits than Python reads
        return None, [_whole(file, *_TOO_LARGE)]
    return value, [Fault(file=file, path=json_path(path), message=message) for path, message in _oddities(value)]


def _whole(file: str, en: str, zh: str) -> Fault:
    return Fault(file=file, path="$", message=Message(en, zh))


_TOO_DEEP = Message(f"nested deeper than {JSON_DEPTH}", f"嵌套超过 {JSON_DEPTH} 层")
_TOO_LARGE = Message("a number beyond 64 bits: write it as a string", "数字超出 64 位：请写成字符串")
_HALF = Message("holds half of a surrogate pair, which is no text", "含有不成对的代理码点，不是合法文本")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _marked(pairs)


def _marked(pairs: list[tuple[str, Any]]) -> _Twice:
    twice = _Twice(pairs)
    counts = Counter(name for name, _ in pairs)
    twice.name = counts.most_common(1)[0][0]
    return twice


def _no_constant(word: str) -> NoReturn:
    raise _NotANumber(word)


def _oddities(root: Any) -> Iterator[tuple[Path, Message]]:
    """Every part that is JSON to some readers only. What is nested too deep is not looked into."""
    waiting: list[tuple[Path, Any]] = [((), root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict | list):
            if len(path) >= JSON_DEPTH:
                yield path, _TOO_DEEP
                continue
            if isinstance(value, dict):
                yield from _name_faults(path, value)
                waiting += [((*path, name), part) for name, part in value.items() if type(part) not in _PLAIN_TYPES]
            else:
                waiting += [((*path, index), part) for index, part in enumerate(value)]
        elif (message := _scalar_fault(value)) is not None:
            yield path, message


_PLAIN_TYPES = frozenset({bool, type(None)})


def _name_faults(path: Path, value: dict[str, Any]) -> Iterator[tuple[Path, Message]]:
    if type(value) is _Twice:
        yield (*path, value.name), Message("this name stands twice in one object", "同一对象中名称重复")
    if any(not name.isascii() and _is_broken(name) for name in value):
        yield path, _HALF


def _scalar_fault(value: Any) -> Message | None:
    if isinstance(value, str):
        return _HALF if not value.isascii() and _is_broken(value) else None
    if isinstance(value, float):
        return None if math.isfinite(value) else _TOO_LARGE
    return _TOO_LARGE if isinstance(value, int) and value not in _INTEGERS else None


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False

"""`allow_if`: conditions in CEL on the caller, the scope, the arguments and the time.

A condition allows only by being exactly true. An unknown name, a wrong type, an error, and a condition that could take
long deny, and say why. Evaluation holds the event loop, and cannot be interrupted: so what could take long is refused before
it begins, by the length of the text, by what a macro may hold, and by the size of the arguments that it looks at: the more
often it names them, the smaller they must be, since each time they are copied. What is left takes some milliseconds at worst.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import cel
import orjson

from croupier.codes import Code
from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.access.policy.hours import is_between, is_day, moment

TEXT_CHARACTERS = 2_000
ARGUMENT_BYTES = 65_536
"""Larger arguments are not looked at."""
MACRO_BYTES = 8_192
"""Nor these, where a macro goes through a list."""
MACRO_CHARACTERS = 500
MOST_MACROS = 2
MACRO_VALUES = 1_000
LISTED_VALUES = 100
"""With map and filter, which copy what they have for each element."""
COPIED_VALUES = 40_000
COPIED_BYTES = 4_000_000
"""Of the arguments, over all places where a condition names them or goes a step into them."""
READ_VALUES = 50_000
"""Of the arguments at all; an object or list counts as many others."""
OPENER = 20
MOST_SUMS = 8
MOST_CLASSES = 4
PATTERN_CHARACTERS = 200
"""Of all texts of a condition with a regular expression."""
_MACROS = "all, exists, exists_one, map and filter"
REASON_CHARACTERS = 300

VARIABLES = frozenset({"user", "roles", "game_id", "env", "function_id", "risk", "args", "now"})
FUNCTIONS = frozenset({"has_role", "has_permission", "is_owner", "time_between", "day_of_week"})
_BUILT_IN = frozenset(
    {
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "string",
        "int",
        "uint",
        "double",
        "timestamp",
        "duration",
    }
    | {"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"}
    | {"getHours", "getMinutes", "getSeconds", "min", "max", "has"}
)
_STRING = re.compile(r"[bB]?(?:[rR]'[^'\n]*'|[rR]\"[^\"\n]*\"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)?")
_LISTING = re.compile(r"\.\s*(?:map|filter)\s*\(")
_STEP = re.compile(r"\b(?:args|roles)\b|[.\[]")
_CALLED = re.compile(rf"\b(?:args|roles|{'|'.join(sorted(FUNCTIONS))})\b")
_CLASS = re.compile(r"\\+[pPwWdDsSbB]")
_MATCHES = re.compile(r"matches\s*\(\s*(?!'')")
_WORD = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a condition may ask of."""

    user: str
    user_id: str
    roles: list[str]
    scope: Scope
    function_id: str
    risk: str
    payload: bytes
    now_ms: int
    has_permission: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One text, compiled."""

    text: str
    program: cel.Program
    variables: frozenset[str]
    functions: frozenset[str]
    argument_bytes: int
    argument_values: int


def compile_condition(text: str) -> Condition:
    """Raises InvalidArgument, saying what is wrong with it."""
    found = _compiled(text)
    if isinstance(found, str):
        raise InvalidArgument(found)
    return found


def looks_at_arguments(condition: Condition) -> bool:
    return "args" in condition.variables or "is_owner" in condition.functions


class Denial(NamedTuple):
    reason: str
    code: Code | None = None
    """The reason by name; None where it could not be worked out for these arguments."""
    parameters: Mapping[str, str] = MappingProxyType({})


def denial(text: str, facts: Facts) -> Denial | None:
    """Why the condition does not allow; None where it does."""
    condition = _compiled(text)
    if isinstance(condition, str):
        reason = f"the condition of this function cannot be used, so nobody may call it: {condition}"
        return Denial(reason, Code.CONDITION_UNUSABLE, {"fault": condition})
    return _Evaluation(condition, facts).denial()


def why_not(text: str, facts: Facts) -> str:
    """As `denial`, in words; nothing where it allows."""
    found = denial(text, facts)
    return "" if found is None else found.reason


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Condition | str:
    bare = _STRING.sub("''", text)
    if fault := _malformed(text) or _dear(bare) or _slow_pattern(text, bare):
        return fault
    try:
        program = cel.compile(text)
        variables, functions = frozenset(program.variables()), frozenset(program.functions())
    except BaseException as error:  # noqa: BLE001 — the parser may panic, which is no Exception
        return _told(error)
    steps = max(1, len(_STEP.findall(bare)))
    most_bytes, most_values = ARGUMENT_BYTES, COPIED_VALUES
    if _MACRO.search(bare):
        most_bytes, most_values = MACRO_BYTES, LISTED_VALUES if _LISTING.search(bare) else MACRO_VALUES
    found = Condition(
        text=text,
        program=program,
        variables=variables,
        functions=functions,
        argument_bytes=min(most_bytes, COPIED_BYTES // steps),
        argument_values=min(most_values, COPIED_VALUES // steps),
    )
    return _unknown(found, bare) or found


def _unknown(condition: Condition, bare: str) -> str:
    """What the condition names and nobody knows; nothing is fine."""
    bound = {name for name in _MACRO.findall(bare) if name}
    if unknown := condition.variables - VARIABLES - bound:
        return f"unknown name {min(unknown)!r}: a condition knows {', '.join(sorted(VARIABLES))}"
    if bound & VARIABLES:
        return f"{min(bound & VARIABLES)!r} has a meaning already: call the element otherwise"
    named = {name for name in condition.functions if _WORD.fullmatch(name)}
    if strange := named - FUNCTIONS - _BUILT_IN:
        return f"unknown function {min(strange)!r}: a condition knows {', '.join(sorted(FUNCTIONS))}"
    return ""


def _malformed(text: str) -> str:
    if not text.strip() or len(text) > TEXT_CHARACTERS:
        return f"a condition has 1 to {TEXT_CHARACTERS} characters"
    if "'''" in text or '"""' in text:
        return "a text in a condition stands between ' and ' or \" and \", on one line"
    if not all(character.isprintable() or character in "\n\t" for character in text) or "//" in _STRING.sub("", text):
        return "a condition has no control characters and no comments"
    return ""


def _dear(bare: str) -> str:
    """What could take long in a condition, whose texts are taken out; nothing is fine.

    A macro looks at each element once, and its body holds nothing that grows with the arguments as a whole.
    """
    if _MATCHES.search(bare):
        return "matches() takes a pattern that is written out"
    if bare.count("+") > MOST_SUMS:
        return f"at most {MOST_SUMS} of +: each copies what stands before it"
    macros = list(_MACRO.finditer(bare))
    if macros and ("matches" in bare or len(bare) > MACRO_CHARACTERS):
        return f"{_MACROS} stand in at most {MACRO_CHARACTERS} characters, without matches()"
    if len(macros) > MOST_MACROS:
        return f"at most {MOST_MACROS} of {_MACROS}"
    for macro in macros:
        body = bare[macro.end() : _end_of(bare, bare.index("(", macro.start()))]
        if _MACRO.search(body) or bare[: macro.start()].rstrip().endswith((")", "]", "}")):
            return f"{_MACROS} go through a list that is named, and do not stand in one another"
        if named := _CALLED.search(body):
            return f"{_MACROS} look at one element at a time: {named[0]} may not be named in them"
    return ""


def _slow_pattern(text: str, bare: str) -> str:
    """A regular expression is compiled anew each time: counted repetitions make that slow, and so does length."""
    patterns = _STRING.findall(text) if "matches" in bare else []
    if any("{" in each for each in patterns) or sum(map(len, patterns)) > PATTERN_CHARACTERS:
        return f"beside matches() the texts have at most {PATTERN_CHARACTERS} characters, and no {{}}"
    if sum(len(_CLASS.findall(each)) for each in patterns) > MOST_CLASSES or any("(?" in each for each in patterns):
        return rf"beside matches() the texts have at most {MOST_CLASSES} of \w, \d, \p and the like, and no (?: write [a-z0-9_]"
    return ""


def _end_of(bare: str, opening: int) -> int:
    depth = 0
    for place in range(opening, len(bare)):
        depth += (bare[place] == "(") - (bare[place] == ")")
        if not depth:
            return place
    return len(bare)


class _Evaluation:
    """One condition over one call. Its functions never raise: a fault of theirs is noted and denies, also where `||` would hide it."""

    def __init__(self, condition: Condition, facts: Facts) -> None:
        self._condition = condition
        self._facts = facts
        self._args: object = None
        self._fault = ""

    def denial(self) -> Denial | None:
        try:
            self._read_arguments()
            found = self._condition.program.execute(dict(self._context()))
        except InvalidArgument as error:
            return Denial(error.message)
        except BaseException as error:  # noqa: BLE001 — the evaluation may panic, which is no Exception
            return Denial(f"the condition failed: {_told(error)}")
        if self._fault:
            return Denial(f"the condition failed: {self._fault}")
        if found is True:
            return None
        text = self._condition.text[:REASON_CHARACTERS]
        if found is False:
            said = f"the condition of this function does not hold: {text}"
            return Denial(said, Code.CONDITION_FAILS, {"condition": text})
        return Denial(f"the condition is neither true nor false: {text}")

    def _context(self) -> Iterator[tuple[str, Any]]:
        facts = self._facts
        values: Mapping[str, Any] = {
            "user": facts.user,
            "roles": facts.roles,
            "game_id": facts.scope.game_id,
            "env": facts.scope.env,
            "function_id": facts.function_id,
            "risk": facts.risk,
            "args": self._args,
            "has_role": self._has_role,
            "has_permission": self._has_permission,
            "is_owner": self._is_owner,
            "time_between": self._time_between,
            "day_of_week": self._day_of_week,
        }
        for name in self._condition.variables & VARIABLES | self._condition.functions & FUNCTIONS:
            yield name, moment(facts.now_ms) if name == "now" else values[name]

    def _read_arguments(self) -> None:
        if not looks_at_arguments(self._condition):
            return
        payload = self._facts.payload
        if len(payload) > self._condition.argument_bytes:
            raise InvalidArgument(
                f"the condition of this function looks at arguments of at most {self._condition.argument_bytes} bytes, "
                f"and these have {len(payload)}"
            )
        openers, commas = payload.count(b"{") + payload.count(b"["), payload.count(b",")
        most = self._condition.argument_values
        if openers + commas + len(self._facts.roles) > most or OPENER * openers + commas > READ_VALUES:
            raise InvalidArgument(
                f"the condition of this function looks at arguments of at most {most} values, and {READ_VALUES // OPENER} "
                "objects and lists, and these have more"
            )
        try:
            self._args = orjson.loads(payload or b"{}")
        except orjson.JSONDecodeError:
            raise InvalidArgument("the condition of this function looks at the arguments, which are not JSON") from None

    def _has_role(self, *names: object) -> bool:
        return any(name in self._facts.roles for name in self._texts("has_role('admin')", names))

    def _has_permission(self, *names: object) -> bool:
        try:
            return any(map(self._facts.has_permission, self._texts("has_permission('player:ban')", names)))
        except InvalidArgument as error:
            return self._refuse(error.message)

    def _is_owner(self, *fields: object) -> bool:
        facts = self._facts
        own = {facts.user, facts.user_id} - {""}
        values = [_at(self._args, field) for field in self._texts("is_owner('owner_id')", fields)]
        return bool(values) and all(isinstance(value, str) and value in own for value in values)

    def _time_between(self, *times: object) -> bool:
        try:
            texts = self._texts("time_between('09:00', '18:00')", times)
            return bool(texts) and is_between(self._facts.now_ms, *texts)
        except (TypeError, ValueError) as error:
            return self._refuse(f"time_between('09:00', '18:00', 'Asia/Shanghai'): {error}")

    def _day_of_week(self, *names: object) -> bool:
        try:
            texts = self._texts("day_of_week('mon')", names)
            return bool(texts) and is_day(self._facts.now_ms, *texts)
        except ValueError as error:
            return self._refuse(f"day_of_week('mon'): {error}")

    def _texts(self, usage: str, values: tuple[object, ...]) -> list[str]:
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) == len(values) and texts:
            return texts
        self._refuse(f"texts are expected, as in {usage}")
        return []

    def _refuse(self, fault: str) -> bool:
        self._fault = self._fault or fault[:REASON_CHARACTERS]
        return False


def _at(value: object, path: str) -> object:
    for step in path.removeprefix("$.").split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _told(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        raise error
    return " ".join(str(error).split())[:REASON_CHARACTERS]

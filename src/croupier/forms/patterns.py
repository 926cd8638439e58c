r"""Regular expressions that end: RE2 runs them in time linear in the text, whatever the pattern and the text are.

The language is what RE2 and ECMAScript (flag `u`) read alike, so that the server and a browser agree, and holds all of
I-Regexp (RFC 9485): literals, `.` (anything but a line's end), classes, `\d \w \s \b` and their negations (ASCII), `\p{L}`
(general categories), groups, alternatives, anchors, quantifiers up to 1000.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import re2  # type: ignore[import-untyped]

from croupier.errors import InvalidArgument

PATTERN_CHARACTERS = 1_000

Search = Callable[[str], bool]

_TOKEN = re.compile(r"\\[pP]\{[^{}]*\}|\\.|\(\?:|\(\?|\{\d+(?:,\d*)?\}|\[\^?|.", re.DOTALL)
_CATEGORY = re.compile(r"\\[pP]\{(?:C[cfno]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)\}")
_PUNCTUATION = frozenset(r"\^$.*+?()[]{}|/-")
_KINDS = frozenset("dDwWbB")
_SPACE = r"\t\n\v\f\r "


@lru_cache(maxsize=1024)
def searcher(pattern: str) -> Search:
    """Says whether a text holds what `pattern` describes. Raises InvalidArgument for what is not of the language above."""
    return _compiled(_translated(pattern), pattern)


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Search:
    """As `searcher`, for the whole of a text."""
    return _compiled(f"^(?:{_translated(pattern)})$", pattern)


def _compiled(translated: str, pattern: str) -> Search:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        search = re2.compile(translated, options).search
    except (re2.error, UnicodeEncodeError) as error:
        raise InvalidArgument(f"the pattern {pattern!r} cannot be read: {_reason(error)}") from None

    def found(text: str) -> bool:
        return search(text) is not None

    return found


def _reason(error: Exception) -> str:
    reason = error.args[0]
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)


def _translated(pattern: str) -> str:
    if len(pattern) > PATTERN_CHARACTERS:
        raise InvalidArgument(f"a pattern has at most {PATTERN_CHARACTERS} characters, this one has {len(pattern)}")
    parts: list[str] = []
    class_from = -1
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if class_from < 0:
            parts.append(_outside(pattern, text))
            class_from = token.end() if text in {"[", "[^"} else -1
        elif text == "]":
            if token.start() == class_from:
                raise _unreadable(pattern, "a class must name a character; write \\] for a bracket")
            parts.append(text)
            class_from = -1
        else:
            parts.append(_inside(pattern, text))
    return "".join(parts)


def _outside(pattern: str, text: str) -> str:
    if text == ".":
        return r"[^\n\r]"
    if text in {"]", "{", "}"}:
        raise _unreadable(pattern, f"write \\{text} for the character {text}")
    if text == "(?":
        raise _unreadable(pattern, "of the groups that begin with (? only (?: is known")
    if text[0] != "\\":
        return text
    if text in {r"\s", r"\S"}:
        return f"[{_SPACE}]" if text == r"\s" else f"[^{_SPACE}]"
    return text if text[1:] in _KINDS else _escape(pattern, text)


def _inside(pattern: str, text: str) -> str:
    if text in {"[", "[^"}:
        raise _unreadable(pattern, "write \\[ for a bracket in a class")
    if text[0] != "\\":
        return text
    if text == r"\s":
        return _SPACE
    return text if text[1:] in {"d", "D", "w", "W"} else _escape(pattern, text)


def _escape(pattern: str, text: str) -> str:
    if text[1:] in {"n", "r", "t"} or text[1:] in _PUNCTUATION or _CATEGORY.fullmatch(text):
        return text
    raise _unreadable(pattern, f"{text} is not known")


def _unreadable(pattern: str, reason: str) -> InvalidArgument:
    return InvalidArgument(f"the pattern {pattern!r} cannot be read: {reason}")

"""Versions of packs, and which of them another pack can do with: SemVer 2.0.0, and what npm and Cargo made usual.

1.2.3     ^1.2     ~1.2.3     >=1.2 <2     1.x     *     ""          (parts of one are all needed, `||` is either)
"""

import re
from functools import lru_cache
from typing import NamedTuple

from croupier.errors import InvalidArgument

TEXT_BYTES = 100
_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_PART = re.compile(r"(\^|~|>=|<=|>|<|==?)?\s*v?(\*|[xX]|\d[0-9A-Za-z.*+-]*)")
_GAP = re.compile(r"[\s,]*")
_BLANK = re.compile(r"\.[xX*].*")


class Version(NamedTuple):
    """Versions compare as SemVer says: a pre-release comes before its release, what follows `+` does not count."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: tuple[tuple[int, int, str], ...] = ((2, 0, ""),)
    """Numbers before words, and both before no pre-release."""


def parse_version(text: str) -> Version | None:
    """None where it is none, which is no fault: packs in the wild call their versions as they like."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= TEXT_BYTES else None
    if match is None:
        return None
    release = Version(int(match[1]), int(match[2] or 0), int(match[3] or 0))
    if match[4] is None:
        return release
    return release._replace(pre=tuple(_identifier(part) for part in match[4].split(".")))


def _identifier(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdecimal() and len(part) <= 18 else (1, 0, part)


def satisfies(version: str, wanted: str) -> bool:
    """Whether `version` is one of those that `wanted` takes. What is no SemVer version satisfies only itself and `*`.

    Raises InvalidArgument when `wanted` cannot be read.
    """
    if wanted.strip() == version.strip():
        return True
    found = parse_version(version)
    alternatives = _alternatives(wanted)
    if found is None:
        return any(not bounds for bounds in alternatives)
    return any(all(low <= found < high for low, high in bounds) for bounds in alternatives)


_FIRST = Version(0, 0, 0, ((0, -1, ""),))
_LAST = Version(10**10)

_Bounds = tuple[Version, Version]
"""From the first to before the second."""


@lru_cache(maxsize=1024)
def _alternatives(wanted: str) -> tuple[tuple[_Bounds, ...], ...]:
    if len(wanted) > TEXT_BYTES:
        raise _unreadable(wanted[:TEXT_BYTES] + "…")
    return tuple(tuple(_parts(each, wanted)) for each in wanted.split("||"))


def _parts(text: str, wanted: str) -> list[_Bounds]:
    found: list[_Bounds] = []
    place = _end(_GAP.match(text))
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            raise _unreadable(wanted)
        if match[2] not in {"*", "x", "X"}:
            found.append(_bounds(match[1] or "", match[2], wanted))
        place = _end(_GAP.match(text, match.end()))
    return found


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _bounds(sign: str, text: str, wanted: str) -> _Bounds:
    text = _BLANK.sub("", text)
    low = parse_version(text)
    if low is None:
        raise _unreadable(wanted)
    given = re.split(r"[-+]", text)[0].count(".") + 1
    match sign:
        case ">=":
            return low, _LAST
        case "<":
            return _FIRST, _floor(low) if low.pre == Version(0).pre else low
        case ">":
            return _next(low, given) if given < 3 else _after(low), _LAST
        case "<=":
            return _FIRST, _next(low, given) if given < 3 else _after(low)
        case "^":
            return low, _next(low, 1 if low.major or given == 1 else 2 if low.minor or given == 2 else 3)
        case "~":
            return low, _next(low, min(given, 2))
        case _:
            return low, _next(low, given) if given < 3 else _after(low)


def _next(version: Version, place: int) -> Version:
    """The first version, its pre-releases included, that differs in the number at `place`, from 1, or before it."""
    following = (
        Version(version.major + 1),
        Version(version.major, version.minor + 1),
        Version(version.major, version.minor, version.patch + 1),
    )
    return _floor(following[place - 1])


def _floor(version: Version) -> Version:
    return version._replace(pre=_FIRST.pre)


def _after(version: Version) -> Version:
    return version._replace(pre=(*version.pre, (-1, 0, "")))


def _unreadable(wanted: str) -> InvalidArgument:
    return InvalidArgument(f"{wanted!a} is no range of versions: write for example ^1.2, >=1.2 <2, 1.x or *")

"""The singular queries of JSONPath (RFC 9535, section 2.3.5.1): the ones that name one value at most.

`$.player.id`, `$['player']["id"]`, `$.teams[0]`, `$.teams[-1].name`. Filters, slices and wildcards are not among them.
"""

import json
import re
from typing import Any, TypeAlias

from croupier.errors import InvalidArgument

LONGEST = 512
"""Characters of a query."""

Path: TypeAlias = tuple[str | int, ...]

_SEGMENT = re.compile(
    r"""\.(?P<name>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)
      | \[\s*(?:(?P<index>0|-?[1-9][0-9]{0,14})
              | '(?P<single>(?:[^'\\\x00-\x1f]|\\.)*)'
              | "(?P<double>(?:[^"\\\x00-\x1f]|\\.)*)")\s*\]""",
    re.VERBOSE,
)


def parse_path(query: str) -> Path:
    """Names and indices, outermost first. Raises InvalidArgument, saying where it cannot be read."""
    if not query.startswith("$") or len(query) > LONGEST:
        raise InvalidArgument(f"a JSONPath begins with $ and has at most {LONGEST} characters: {query[:40]!r}")
    segments: list[str | int] = []
    at = 1
    while at < len(query):
        found = _SEGMENT.match(query, at)
        if found is None:
            raise InvalidArgument(
                f"JSONPath {query!r} cannot be read at character {at + 1}: write names and indices only, as in $.player.id"
            )
        segments.append(_selector(found, query))
        at = found.end()
    return tuple(segments)


def _selector(found: re.Match[str], query: str) -> str | int:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    text = found["double"]
    if text is None:
        text = found["single"].replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        raise InvalidArgument(f"JSONPath {query!r} has an escape that JSON does not know") from None


def select(path: Path, value: Any) -> Any:
    """What stands at `path` in a JSON value; None when nothing does."""
    for segment in path:
        if isinstance(segment, str):
            if not isinstance(value, dict) or segment not in value:
                return None
            value = value[segment]
        else:
            if not isinstance(value, list) or not -len(value) <= segment < len(value):
                return None
            value = value[segment]
    return value

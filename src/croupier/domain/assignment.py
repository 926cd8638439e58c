"""Which functions a game and env may use."""

from collections.abc import Iterable, Mapping

from croupier.codes import Code
from croupier.domain.limits import KEY_BYTES
from croupier.domain.scope import Scope, parse_scope
from croupier.errors import InvalidArgument

MOST_SCOPES = 10_000
MOST_PATTERNS = 10_000
"""Of one scope."""


class Assignment:
    """Function ids, each as it is or with `*` at its end for everything that begins so; an empty one allows nothing."""

    __slots__ = ("_ids", "_prefixes", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises InvalidArgument, naming the pattern at fault."""
        self.patterns = tuple(sorted(set(patterns)))
        if len(self.patterns) > MOST_PATTERNS:
            raise InvalidArgument(
                f"{len(self.patterns)} functions for one scope: at most {MOST_PATTERNS} are kept",
                {"field": "functions", "most": str(MOST_PATTERNS)},
                code=Code.TOO_MANY,
            )
        for pattern in self.patterns:
            _check(pattern)
        self._ids = frozenset(pattern for pattern in self.patterns if not pattern.endswith("*"))
        self._prefixes = tuple(pattern[:-1] for pattern in self.patterns if pattern.endswith("*"))

    def admits(self, function_id: str) -> bool:
        return function_id in self._ids or function_id.startswith(self._prefixes)

    @property
    def ids(self) -> frozenset[str]:
        """The functions that are named in full."""
        return self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assignment) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)


Assignments = Mapping[Scope, Assignment]
"""A scope that is not in it may use every function."""


def read_assignments(named: Mapping[str, Iterable[str]]) -> dict[Scope, Assignment]:
    """`named` maps `game|env` to patterns. Raises InvalidArgument, naming what is wrong."""
    if len(named) > MOST_SCOPES:
        raise InvalidArgument(f"{len(named)} scopes: at most {MOST_SCOPES} are kept")
    found = {}
    for name, patterns in named.items():
        game_id, bar, env = name.partition("|")
        if not bar:
            raise InvalidArgument(f"{name[:200]!r} is no scope: write game|env, such as demo|dev")
        try:
            found[parse_scope(game_id, env)] = Assignment(patterns)
        except InvalidArgument as error:
            raise InvalidArgument(f"{name[:200]}: {error.message}", error.details, code=error.code) from None
    return found


def _check(pattern: str) -> None:
    if not pattern or len(pattern.encode(errors="replace")) > KEY_BYTES:
        raise InvalidArgument(
            f"a function id has 1 to {KEY_BYTES} bytes",
            {"given": pattern[:200]},
            code=Code.FUNCTION_PATTERN_WRONG,
        )
    if "*" in pattern[:-1]:
        raise InvalidArgument(
            f"{pattern[:200]!r}: a * may only stand at the end, as in player.*",
            {"given": pattern[:200]},
            code=Code.FUNCTION_PATTERN_WRONG,
        )

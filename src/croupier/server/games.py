"""Which games and environments there are.

    settings ─┐
    agents ───┤
    catalog ──┼─► places ─► those in which the caller may do anything at all ─► game by game
    bindings ─┘

Nobody has to make a game known: one is there as soon as an agent serves it, an assignment or a binding names it, or the settings do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from croupier.domain.policy import ANY
from croupier.domain.principal import Principal
from croupier.server.access.guard import Guard

MOST_PLACES = 10_000
"""So many games with their environments are named at most."""

Places = Callable[[], Iterable[tuple[str, str]]]
"""Names games and environments (a `Scope` is one), either with `*` where it means any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Env:
    name: str
    production: bool
    """Real players are on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Game:
    game_id: str
    envs: Sequence[Env]
    """By name; none where only the game is known."""


class Games:
    def __init__(self, *, guard: Guard, production: Iterable[str], sources: Sequence[Places]) -> None:
        """`production` are the names of environments that real players are on."""
        self._policy = guard.policy
        self._production = frozenset(production)
        self._sources = sources

    def seen(self, caller: Principal) -> list[Game]:
        """By name, those in which `caller` may do anything at all. Whoever may, may see them, so nothing else is asked."""
        within = self._policy.present(caller)
        named = {place for source in self._sources for place in source() if place[0] != ANY}
        found: defaultdict[str, set[str]] = defaultdict(set)
        for game_id, env in sorted(place for place in named if within.touches(place))[:MOST_PLACES]:
            found[game_id] |= {env} - {ANY}
        return [Game(game_id=game_id, envs=[self._env(env) for env in sorted(envs)]) for game_id, envs in found.items()]

    def _env(self, name: str) -> Env:
        return Env(name=name, production=name in self._production)

"""Who asks, what they may, and the games that they see: what a page is built on before anything else."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from croupier.domain.credential import csrf_token
from croupier.domain.policy import Binding
from croupier.domain.scope import Scope
from croupier.server.access.browser import session_cookie
from croupier.server.access.guard import Guard
from croupier.server.access.people import People
from croupier.server.access.rights import rights_of
from croupier.server.access.ways_in import WaysIn
from croupier.server.games import Game, Games
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.exchange import Exchange
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import Known, names, user_entry
from croupier.server.http.requests import optional_scope, parse_query
from croupier.server.http.second_factor_documents import SecondFactorStanding, standing_document


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvEntry:
    env: str
    production: bool
    """Real players are on it (the setting `server.production`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GameEntry:
    game_id: str
    envs: list[EnvEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class GameList:
    games: list[GameEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRole:
    role: str
    subject: str
    """By which binding: `user:…`, `group:…`."""
    game_id: str
    """`*`: in every game."""
    env: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Me(Known):
    acting_as: str
    """The role as which the page is looked at (X-See-As); empty where it is not."""
    idle_ends_ms: int
    """When the session ends unless it is used; 0: by no session."""
    second_factor: SecondFactorStanding
    scope: str
    """The `game|env` that was named by headers or query; empty is the platform as a whole."""
    roles: list[HeldRole]
    """Everywhere; none for the bearer of the settings' token (`root`), who needs none."""
    may: list[str]
    """Of the permissions of `GET /api/roles`, those that are held in `scope`."""
    may_somewhere: list[str]
    """Those that are held in at least one scope: a list of it shows something."""
    games: list[GameEntry]
    """As `GET /api/games`."""


def me_routes(people: People, ways: WaysIn, games: Games, guard: Guard) -> APIRouter:
    routes = APIRouter(responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/me", response_model=Me, tags=["login"])
    async def read_me(asking: Asking, request: Request) -> Response:
        """Who asks, how they are known, and what they may in the scope that is named (X-Game-ID and X-Env, or the query)."""
        scope = optional_scope(asking.headers, parse_query(request.scope["query_string"]))
        return json_answer(_me(asking, people, ways, games, guard, scope))

    @routes.get("/api/games", response_model=GameList, tags=["registry"])
    async def list_games(asking: Asking) -> Response:
        """The games and environments in which the caller may do anything: of the settings, of agents and game servers,
        assignments and bindings.
        """
        return json_answer(GameList(games=_entries(games.seen(asking.caller))))

    return routes


def _me(exchange: Exchange, people: People, ways: WaysIn, games: Games, guard: Guard, scope: Scope | None) -> Me:
    caller = exchange.caller
    account = people.me(caller)
    session = people.session(caller)
    rights = rights_of(guard.policy, caller, scope)
    return Me(
        name=caller.name,
        kind=caller.kind,
        root=caller.root,
        user=user_entry(account, people.clock()) if account is not None else None,
        session_id=session.id if session is not None else "",
        expires_ms=session.until_ms if session is not None else 0,
        idle_ends_ms=people.session_ends_ms(caller),
        proved_ms=caller.proved_ms,
        csrf_token=_csrf(exchange),
        permissions=names(caller.permissions),
        scopes=names(caller.scopes),
        acting_as=caller.acting_as,
        second_factor=standing_document(ways.factors.standing(caller.user_id)),
        scope=str(scope) if scope is not None else "",
        roles=[_held(each) for each in rights.bindings],
        may=list(rights.here),
        may_somewhere=list(rights.somewhere),
        games=_entries(games.seen(caller)),
    )


def _held(binding: Binding) -> HeldRole:
    return HeldRole(role=binding.role, subject=binding.subject, game_id=binding.game_id, env=binding.env)


def _entries(games: list[Game]) -> list[GameEntry]:
    return [
        GameEntry(game_id=each.game_id, envs=[EnvEntry(env=env.name, production=env.production) for env in each.envs])
        for each in games
    ]


def _csrf(exchange: Exchange) -> str:
    if b"authorization" in exchange.headers:
        return ""
    text = session_cookie(exchange.headers)
    return csrf_token(text) if text is not None else ""

"""Operations on entities as addresses: the method, or the last step, says which; the answer is the function's.

GET    /api/entities/player/items            list        query parameters are arguments
POST   /api/entities/player/items            create      the body is the arguments
GET    /api/entities/player/items/p1         read        p1 becomes the argument that is the id
PUT, PATCH, DELETE                           update, delete
POST   /api/entities/player/items/p1/ban     ban
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from croupier.domain.scope import Scope
from croupier.errors import InvalidArgument
from croupier.server.entities import NoOperation, Wish
from croupier.server.http.exchange import Answer, Exchange
from croupier.server.http.payloads import check_payload
from croupier.server.http.ports import Entities
from croupier.server.http.problems import MethodNotAllowed
from croupier.server.http.requests import OPTIONS, CallBody, options_body, parse_query, scope_of

Order = Callable[[Exchange, bytes], Awaitable[Answer]]
Run = Callable[[Exchange, CallBody, bool], Awaitable[Answer]]
"""Run a function, or start the job that it is, through the spine."""

PREFIX = "/api/entities/"
ITEMS_PATH = PREFIX + "{entity}/items"
ITEM_PATH = ITEMS_PATH + "/{entity_id}"
VERB_PATH = ITEM_PATH + "/{verb}"
TIMELINE = "timeline"
"""A verb of ours: it is read from the store, and no function is called."""

ITEMS_VERBS: Mapping[str, Sequence[str]] = {
    "GET": ("list", "search", "query"),
    "POST": ("create", "insert"),
}
ITEM_VERBS: Mapping[str, Sequence[str]] = {
    "GET": ("read", "get", "show"),
    "PUT": ("update", "replace"),
    "PATCH": ("patch", "update"),
    "DELETE": ("delete", "remove"),
}
"""What each method is, by every name that descriptions use, the usual one first."""

_ARGUMENT = "arg."
"""Before a query parameter whose name means something else here, such as arg.version."""
_BODILESS = frozenset({"GET"})
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class EntityOrders:
    def __init__(self, entities: Entities, run: Run) -> None:
        self._entities = entities
        self._run = run
        self._items = (ITEMS_PATH, dict.fromkeys(ITEMS_VERBS, self._do))
        self._item = (ITEM_PATH, dict.fromkeys(ITEM_VERBS, self._do))
        self._verb: tuple[str, dict[str, Order]] = (VERB_PATH, {"POST": self._do})

    def routes(self) -> set[tuple[str, str]]:
        return {(method, path) for path, orders in (self._items, self._item, self._verb) for method in orders}

    def find(self, exchange: Exchange) -> tuple[str, Mapping[str, Order]] | None:
        steps = _raw_steps(exchange)
        if len(steps) < 2 or steps[1] != "items" or not steps[0]:
            return None
        if len(steps) == 4:
            return None if steps[3] == TIMELINE else self._verb
        return {2: self._items, 3: self._item}.get(len(steps))

    async def _do(self, exchange: Exchange, content: bytes) -> Answer:
        query = parse_query(exchange.scope["query_string"])
        scope = scope_of(exchange.headers, query)
        steps = [_decoded(step) for step in _raw_steps(exchange)]
        wish = Wish(
            entity=steps[0],
            verbs=_verbs(exchange.method, steps),
            entity_id=steps[2] if len(steps) > 2 else None,
            body=_body(exchange, content),
            query=_arguments(exchange),
            function_id=query.get("function_id", ""),
        )
        try:
            order = await self._entities.order(scope, wish)
        except NoOperation as error:
            if len(steps) == 4:
                raise
            raise MethodNotAllowed(error.message, allow=await self._allowed(scope, steps)) from None
        body = options_body(order.function_id, order.payload, query)
        return await self._run(exchange, body, order.is_job)

    async def _allowed(self, scope: Scope, steps: Sequence[str]) -> str:
        verbs = ITEM_VERBS if len(steps) == 3 else ITEMS_VERBS
        there = await self._entities.verbs(scope, steps[0])
        return ", ".join(method for method, names in verbs.items() if any(name in there for name in names))


def _raw_steps(exchange: Exchange) -> list[str]:
    """The path after the prefix, still encoded: an id may have slashes in it."""
    raw: bytes = exchange.scope.get("raw_path") or exchange.path.encode()
    return raw.decode("latin-1").removeprefix(PREFIX).split("/")


def _decoded(step: str) -> str:
    try:
        return unquote(step, errors="strict")
    except UnicodeDecodeError:
        raise InvalidArgument("the address is not UTF-8, percent-encoded") from None


def _verbs(method: str, steps: Sequence[str]) -> Sequence[str]:
    match len(steps):
        case 4:
            return (steps[3],)
        case 3:
            return ITEM_VERBS[method]
        case _:
            return ITEMS_VERBS[method]


def _body(exchange: Exchange, content: bytes) -> dict[str, Any] | None:
    if exchange.method in _BODILESS or not content.strip():
        return None
    check_payload(content)
    try:
        return _decode(content)
    except msgspec.ValidationError:
        raise InvalidArgument("the body holds the arguments by name: send a JSON object") from None


def _arguments(exchange: Exchange) -> list[tuple[str, str]]:
    """The query's parameters that are no options of the call."""
    pairs = parse_qsl(exchange.scope["query_string"].decode("ascii"), keep_blank_values=True)
    found = [(name.removeprefix(_ARGUMENT), text) for name, text in pairs if name not in OPTIONS]
    if found and exchange.method not in {"GET", "DELETE"}:
        raise InvalidArgument(f"query parameter {found[0][0][:64]!r} is not known here: arguments go into the body")
    return found

"""What every request passes: host, token, a bounded body; then the lean entry or the framework. The page and the plugins of packs
need no token.

Nothing of the API is open unless `OPEN` names it, so an address that somebody adds is closed until they decide otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from croupier.domain.bulk import UPLOAD_BYTES
from croupier.domain.principal import Principal
from croupier.domain.secret import VALUE_BYTES
from croupier.errors import CroupierError, NotFound, PermissionDenied, Unauthenticated
from croupier.packs.bounds import ARCHIVE_BYTES
from croupier.server.access.browser import SAFE, check_origin
from croupier.server.access.guard import Guard
from croupier.server.access.limits import Throttle
from croupier.server.access.oidc.logins import CALLBACK
from croupier.server.http.asking import EXCHANGE
from croupier.server.http.bodies import Body, CallerLeft, Room, paced
from croupier.server.http.description import Description
from croupier.server.http.entry import LeanEntry
from croupier.server.http.exchange import Answer, Exchange
from croupier.server.http.flights import Flight, Flights
from croupier.server.http.metrics import HttpMetrics
from croupier.server.http.oidc import METHODS, OIDC
from croupier.server.http.problems import MethodNotAllowed, known
from croupier.server.http.requests import check_single
from croupier.server.http.tickets import TICKET
from croupier.server.http.visitors import Visitors

OPEN = frozenset(
    {
        "/healthz",
        "/readyz",
        "/api/setup",
        "/api/setup/password",
        "/api/login",
        TICKET,
        METHODS,
        OIDC,
        CALLBACK,
        "/api/machines/ca",
        "/api/machines/enrol",
    }
)
"""Answered without a token."""

HEALTH = frozenset({"/healthz", "/readyz"})
"""Answered however many ask."""

FORM_BYTES = 65_536
"""The largest request body that anything but a call takes."""

BODY_BYTES: Mapping[tuple[str, str], int] = {
    ("POST", "/api/access/explain"): 1_000_000,
    ("PUT", "/api/assignments"): 4_000_000,
    ("POST", "/api/providers/capabilities"): 6_000_000,
    ("POST", "/api/packs/import"): ARCHIVE_BYTES + FORM_BYTES,
    ("POST", "/api/secrets"): 6 * VALUE_BYTES + FORM_BYTES,
}
"""Where it may be larger."""

PACKED = frozenset({("POST", "/api/providers/capabilities")})
"""Where it may be gzipped, which its handler takes in bounds."""

STREAMED = ("POST", "/api/bulk")
"""A file, read while it is stored."""


PLACE_CHARACTERS = 200
"""So much of a path is kept of a request that was refused."""

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class PublicDoor(Protocol):
    """Something that nobody has to sign in for."""

    name: str
    """As metrics call it."""
    is_counted: bool
    """Whether an address may not ask as often as it likes."""

    def takes(self, exchange: Exchange) -> bool: ...

    async def answer(self, exchange: Exchange) -> Answer:
        """Raises CroupierError. A 304 has no body."""


class Front:
    """The ASGI application of the server; `description` tells what it serves."""

    def __init__(
        self,
        *,
        guard: Guard,
        entry: LeanEntry,
        framework: ASGIApp,
        description: Description,
        flights: Flights,
        room: Room,
        metrics: HttpMetrics,
        throttle: Throttle,
        visitors: Visitors,
        public: Sequence[PublicDoor],
    ) -> None:
        """`public` are asked first, in this order."""
        self.description = description
        self._public = public
        self._throttle = throttle
        self._visitors = visitors
        self._guard = guard
        self._entry = entry
        self._framework = framework
        self._flights = flights
        self._room = room
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._framework(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        await self._answer(exchange)
        if exchange.refused is not None:
            await self._record_refusal(exchange, exchange.refused)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            self._check(exchange)
            if exchange.method != "POST" and await self._served_to_anybody(exchange):
                return
            self._admit(exchange)
        except CroupierError as error:
            await self._refuse(exchange, error)
            return
        door = self._entry.find(exchange)
        if door is None:
            await self._pass_on(exchange)
            return
        route, orders = door
        order = orders.get(exchange.method)
        if order is not None:
            await self._entry.serve(exchange, route, order)
        else:
            allow = ", ".join(orders)
            await self._refuse(
                exchange, MethodNotAllowed(f"{exchange.method} is not possible here: use {allow}", allow=allow)
            )

    def _check(self, exchange: Exchange) -> None:
        check_single(exchange.scope["headers"], exchange.headers)
        self._guard.admit_host(exchange.headers.get(b"host"))

    async def _served_to_anybody(self, exchange: Exchange) -> bool:
        """Whether it was something that nobody has to sign in for; it is answered then. Raises RateLimited."""
        door = next((each for each in self._public if each.takes(exchange)), None)
        if door is None:
            return False
        if door.is_counted:
            self._throttle.stranger(self._visitors.address(exchange))
        try:
            answer = await door.answer(exchange)
        except NotFound as error:
            answer = exchange.refusal(error, headers=[(b"cache-control", b"no-store")])
        self._metrics.request(door.name, answer.status)
        if answer.status == 304:
            await exchange.answer_unchanged(answer.headers)
        else:
            await exchange.answer(answer)
        return True

    async def _record_refusal(self, exchange: Exchange, error: CroupierError) -> None:
        """Nobody who is known is refused anything in secret, whoever refused it; what is on record already stays one row."""
        if exchange.caller.name:
            place = f"{exchange.method} {exchange.path}"
            await self._guard.refused(exchange.caller, "http.request", error, subject=place[:PLACE_CHARACTERS])

    def _admit(self, exchange: Exchange) -> None:
        if exchange.path not in OPEN:
            exchange.caller = self._known(exchange)
            return
        if exchange.path not in HEALTH:
            self._throttle.stranger(self._visitors.address(exchange))
        if exchange.method not in SAFE:
            check_origin(exchange.headers)

    def _known(self, exchange: Exchange) -> Principal:
        try:
            caller = self._guard.authenticate(exchange.headers, exchange.method)
        except Unauthenticated:
            self._throttle.stranger(self._visitors.address(exchange))
            raise
        except PermissionDenied:
            if (owner := self._guard.session(exchange.headers)) is not None:  # whose page did not send it
                exchange.caller = self._visitors.arrived(exchange, owner)
            raise
        caller = self._visitors.arrived(exchange, caller)
        if not caller.root:
            self._throttle.admit(caller)
        if (role := exchange.headers.get(b"x-see-as")) is not None:
            exchange.caller = caller
            return self._guard.seen_as(caller, role.decode("latin-1"), exchange.method)
        return caller

    async def _refuse(self, exchange: Exchange, error: CroupierError) -> None:
        answer = exchange.refusal(error)
        self._metrics.request("refused", answer.status)
        await exchange.answer(answer)

    async def _pass_on(self, exchange: Exchange) -> None:
        """Hand the request to the framework, its body read and bounded."""
        if (exchange.method, exchange.path) == STREAMED:
            await self._pass_stream_on(exchange)
            return
        asked = (exchange.method, exchange.path)
        body = Body(self._room, may_be_packed=asked in PACKED)
        try:
            if exchange.method not in _BODILESS:
                with Flight(self._flights, exchange) as flight:
                    limit = BODY_BYTES.get(asked, FORM_BYTES)
                    if body.take(exchange, limit) is None:
                        await flight.read(body, limit)
            await self._run_framework(exchange, _Replay(body.content, exchange))
        except CallerLeft:
            return
        except CroupierError as error:
            await self._refuse(exchange, error)
        finally:
            body.let_go()

    async def _pass_stream_on(self, exchange: Exchange) -> None:
        """Hand over a request whose body is read by its handler, piece by piece."""
        try:
            await self._run_framework(exchange, paced(exchange.receive, exchange.headers, UPLOAD_BYTES))
        except CroupierError as error:
            await self._refuse(exchange, error)

    async def _run_framework(self, exchange: Exchange, receive: Receive) -> None:
        watched = _Watched(exchange)
        exchange.scope[EXCHANGE] = exchange
        try:
            await self._framework(exchange.scope, receive, watched)
        except Exception as failure:
            if watched.status:
                # The framework has answered with our problem document and logged why; a stream that had begun is cut,
                # so that its reader knows it is not whole.
                if watched.complete:
                    return
                raise
            await exchange.answer(exchange.refusal(known(failure, exchange.call_id, exchange.trace_id)))
        finally:
            route = getattr(exchange.scope.get("route"), "path", "unknown")
            self._metrics.request(route, watched.status)


class _Replay:
    """`receive` for the framework: the body that was read already, then what the connection says."""

    def __init__(self, content: bytes, exchange: Exchange) -> None:
        self._content: bytes | None = content if exchange.method not in _BODILESS else None
        self._receive = exchange.receive

    async def __call__(self) -> Message:
        if self._content is None:
            return await self._receive()
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}


class _Watched:
    """`send` for the framework: adds the common headers and remembers how the answer went."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.status = 0
        self.complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = message.get("headers", [])
            names = {name for name, _ in own}
            message["headers"] = [*own, *(each for each in self._exchange.framed_headers() if each[0] not in names)]
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True
        await self._exchange.send(message)

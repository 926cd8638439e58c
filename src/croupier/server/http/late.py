"""Routes that are worked out when they are first used."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, compile_path
from starlette.types import Receive, Scope, Send


class LateRoute(APIRoute):
    """A route of the framework that is found by its address at once, and worked out by its first request.

    The framework models every parameter and every answer of a route when it makes it: milliseconds for each, which a
    server that starts would spend on all of them before it answers anybody.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, methods: Iterable[str] | None = None, **options: Any
    ) -> None:
        # What `matches` reads, and lists of routes. The framework's own __init__ is what waits: see `whole`.
        self.path = path
        self.endpoint = endpoint
        self.methods = {method.upper() for method in methods or ("GET",)}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._options = options

    @cached_property
    def whole(self) -> APIRoute:
        return APIRoute(self.path, self.endpoint, methods=self.methods, **self._options)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.whole.handle(scope, receive, send)


def whole_routes(routes: Iterable[BaseRoute]) -> Sequence[BaseRoute]:
    """`routes`, worked out, as whoever describes them needs them."""
    return [route.whole if isinstance(route, LateRoute) else route for route in routes]

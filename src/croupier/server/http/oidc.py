"""Signing in by an identity provider, over HTTP: two redirections of the browser."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from croupier.errors import InvalidArgument, NotFound
from croupier.server.access.addresses import is_loopback
from croupier.server.access.oidc.attempt import LIFETIME_MS, PATH_CHARACTERS
from croupier.server.access.oidc.logins import CALLBACK, OidcLogins
from croupier.server.access.ways_in import WaysIn
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.exchange import Exchange
from croupier.server.http.late import LateRoute
from croupier.server.http.signed_in import session_header, with_header
from croupier.server.http.visitors import Visitors

OIDC = "/api/login/oidc"
METHODS = "/api/login/methods"

_SECURE = "__Secure-croupier_oidc"
_LOOPBACK = "croupier_oidc"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginProvider:
    name: str
    path: str
    """Where the browser goes to sign in by it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginMethods:
    password: bool
    providers: list[LoginProvider]


def oidc_routes(ways: WaysIn, visitors: Visitors) -> APIRouter:
    routes = APIRouter(tags=["login"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get(METHODS, response_model=LoginMethods)
    async def login_methods() -> Response:
        """How one can sign in here."""
        providers = [LoginProvider(name=ways.oidc.name, path=OIDC)] if ways.oidc is not None else []
        return json_answer(LoginMethods(password=True, providers=providers))

    @routes.get(OIDC, status_code=303, response_class=RedirectResponse)
    async def begin_oidc_login(
        asking: Asking, return_to: Annotated[str, Query(max_length=PATH_CHARACTERS)] = "/"
    ) -> Response:
        """Send the browser to the identity provider; it comes back, signed in, to the path `return_to`."""
        sent = await _known(ways.oidc).send(_called_by(asking), return_to)
        answer = RedirectResponse(sent.location, status_code=303)
        _keep(answer, asking, sent.cookie, LIFETIME_MS // 1000)
        return answer

    @routes.get(CALLBACK, status_code=303, response_class=RedirectResponse)
    async def end_oidc_login(asking: Asking, request: Request) -> Response:
        """Where the identity provider sends the browser back to."""
        cookie = request.cookies.get(_cookie_name(asking), "")
        logins = _known(ways.oidc)
        answer_of_provider = dict(request.query_params)
        if len(answer_of_provider) != len(request.query_params.multi_items()):
            raise InvalidArgument("the answer of the identity provider says something twice")
        returned = await logins.receive(visitors.of(asking), cookie, answer_of_provider)
        answer = RedirectResponse(returned.return_to, status_code=303)
        _keep(answer, asking, "", 0)
        return with_header(answer, session_header(asking, returned.signed_in))

    return routes


def _known(logins: OidcLogins | None) -> OidcLogins:
    if logins is None:
        raise NotFound("no identity provider is configured here: sign in with name and password")
    return logins


def _called_by(asking: Exchange) -> str:
    """The address under which the browser calls this server; whoever answers under another name than loopback has TLS before it."""
    host = asking.headers.get(b"host", b"")
    scheme = "http" if is_loopback(host) and asking.scope.get("scheme", "http") == "http" else "https"
    return f"{scheme}://{host.decode('ascii', 'replace').strip()}"


def _cookie_name(asking: Exchange) -> str:
    return _LOOPBACK if is_loopback(asking.headers.get(b"host", b"")) else _SECURE


def _keep(answer: Response, asking: Exchange, value: str, seconds: int) -> None:
    name = _cookie_name(asking)
    # Lax: the browser must send it when it comes back from the provider, and only then it is sent across sites.
    answer.set_cookie(name, value, max_age=seconds, path=OIDC, httponly=True, samesite="lax", secure=name == _SECURE)

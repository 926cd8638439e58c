"""Signing in and out over HTTP."""

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.server.access.browser import clear_cookie
from croupier.server.access.people import People
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import (
    InvitationBody,
    Known,
    LoginBody,
    PasswordBody,
    PasswordSet,
    SetupBody,
    takes,
)
from croupier.server.http.requests import parse_body
from croupier.server.http.signed_in import signed_in_answer, with_header
from croupier.server.http.visitors import Visitors

_setup = msgspec.json.Decoder(SetupBody)
_invitation = msgspec.json.Decoder(InvitationBody)
_login = msgspec.json.Decoder(LoginBody)
_password = msgspec.json.Decoder(PasswordBody)


def login_routes(people: People, visitors: Visitors) -> APIRouter:
    routes = APIRouter(tags=["login"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post("/api/setup", response_model=Known, openapi_extra=dict(takes(SetupBody)))
    async def set_up(asking: Asking, request: Request) -> Response:
        """Make the first account, an administrator's, with the secret of the setup link, and sign in."""
        body = parse_body(_setup, await request.body())
        visitor = visitors.of(asking)
        account = await people.setup.begin(
            body.token, body.name, body.password, display_name=body.display_name, address=visitor.address
        )
        return signed_in_answer(asking, await people.login.open(visitor, account))

    @routes.post("/api/setup/password", response_model=PasswordSet, openapi_extra=dict(takes(InvitationBody)))
    async def accept_invitation(asking: Asking, request: Request) -> Response:
        """Set one's password with the secret of an invitation. Sign in with it then."""
        body = parse_body(_invitation, await request.body())
        account = await people.accept(visitors.of(asking), body.invitation, body.password)
        return json_answer(PasswordSet(name=account.name))

    @routes.post("/api/login", response_model=Known, openapi_extra=dict(takes(LoginBody)))
    async def sign_in(asking: Asking, request: Request) -> Response:
        """Sign in. The session is in the cookie; what changes something needs the answer's `csrf_token` too."""
        body = parse_body(_login, await request.body())
        return signed_in_answer(
            asking, await people.login.sign_in(visitors.of(asking), body.name, body.password, body.code)
        )

    @routes.post("/api/logout", status_code=204)
    async def sign_out(asking: Asking) -> Response:
        """End the session that asks."""
        await people.login.sign_out(asking.caller)
        return with_header(Response(status_code=204), clear_cookie(asking.headers))

    @routes.post("/api/me/password", status_code=204, openapi_extra=dict(takes(PasswordBody)))
    async def change_password(asking: Asking, request: Request) -> Response:
        """Change one's own password. Every other session ends."""
        body = parse_body(_password, await request.body())
        await people.change_password(asking.caller, visitors.of(asking), body.current, body.password)
        return Response(status_code=204)

    return routes

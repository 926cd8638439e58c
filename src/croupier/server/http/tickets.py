"""Signing in with the link that a development server prints."""

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.errors import NotFound
from croupier.server.access.people import People
from croupier.server.access.ways_in import WaysIn
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import Known, TicketBody, takes
from croupier.server.http.requests import parse_body
from croupier.server.http.signed_in import signed_in_answer
from croupier.server.http.visitors import Visitors

TICKET = "/api/login/ticket"

_ticket = msgspec.json.Decoder(TicketBody)


def ticket_routes(ways: WaysIn, people: People, visitors: Visitors) -> APIRouter:
    routes = APIRouter(tags=["login"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post(TICKET, response_model=Known, openapi_extra=dict(takes(TicketBody)))
    async def redeem_ticket(asking: Asking, request: Request) -> Response:
        """Sign in with the ticket of the link that `croupier dev` prints: once, within a quarter of an hour. Only a
        development server issues tickets.
        """
        body = parse_body(_ticket, await request.body())
        if ways.tickets is None:
            raise NotFound("this server issues no tickets: sign in with name and password")
        account = await ways.tickets.redeem(body.ticket)
        return signed_in_answer(asking, await people.login.open(visitors.of(asking), account))

    return routes

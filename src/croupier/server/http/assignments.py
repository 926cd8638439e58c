"""Which functions a game and env may use, over HTTP."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.domain.assignment import Assignments, read_assignments
from croupier.server.catalog.assigned import AssignedFunctions, document_of, tag_of
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.requests import parse_body
from croupier.server.http.tags import answer_with_tag, expected_tag

_decoder = msgspec.json.Decoder(dict[str, list[str]])

_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
    "description": "`game|env` to function ids; `player.*` stands for all that begin so.",
    "examples": [{"demo|prod": ["player.*", "mail.send"]}],
}


def assignment_routes(assigned: AssignedFunctions) -> APIRouter:
    routes = APIRouter(tags=["registry"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/assignments", response_model=dict[str, list[str]])
    async def read(asking: Asking, request: Request) -> Response:
        """The functions that each game and env may use; one that is not named may use all."""
        return _answer(request, await assigned.read(asking.caller))

    @routes.put(
        "/api/assignments",
        response_model=dict[str, list[str]],
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}},
    )
    async def replace(asking: Asking, request: Request) -> Response:
        """Replace them all. With `If-Match`, the ETag of a reading, only if nobody else did meanwhile."""
        named = parse_body(_decoder, await request.body())
        held = await assigned.replace(asking.caller, read_assignments(named), expected=expected_tag(request))
        return _answer(request, held)

    return routes


def _answer(request: Request, assignments: Assignments) -> Response:
    return answer_with_tag(request, tag_of(assignments), lambda: json_answer(document_of(assignments)))

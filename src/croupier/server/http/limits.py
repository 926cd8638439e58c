"""Limits on calls over HTTP."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.server.access.limits import Limits
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.limit_documents import LimitBody, LimitEntry, LimitList, limit_document, limit_of
from croupier.server.http.openapi import reference
from croupier.server.http.requests import parse_body

_decoder = msgspec.json.Decoder(LimitBody)
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": reference("LimitBody")}}}
}


def limit_routes(limits: Limits) -> APIRouter:
    routes = APIRouter(tags=["limits"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/limits", response_model=LimitList)
    async def list_limits(asking: Asking) -> Response:
        """All limits beside those of descriptions, each with what runs and what is spent of it now."""
        found = await limits.list(asking.caller)
        return json_answer(LimitList(limits=[limit_document(each) for each in found]))

    @routes.get("/api/limits/{name}", response_model=LimitEntry)
    async def read_limit(asking: Asking, name: str) -> Response:
        """One limit, and who spent most of its budget in the present period."""
        return json_answer(limit_document(await limits.get(asking.caller, name)))

    @routes.put("/api/limits/{name}", response_model=LimitEntry, openapi_extra=_BODY)
    async def put_limit(asking: Asking, request: Request, name: str) -> Response:
        """Set a limit, in place of the one of that name. It holds from the next call on."""
        body = parse_body(_decoder, await request.body())
        return json_answer(limit_document(await limits.put(asking.caller, limit_of(name, body))))

    @routes.delete("/api/limits/{name}", response_model=LimitList)
    async def remove_limit(asking: Asking, name: str) -> Response:
        """Remove a limit, and forget what was spent of it. The answer lists those that are left."""
        await limits.remove(asking.caller, name)
        return await list_limits(asking)

    return routes

"""The questions who may, and why, over HTTP."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from croupier.domain.call import Call
from croupier.domain.limits import KEY_BYTES
from croupier.server.access.guard import Guard
from croupier.server.explain import Explain, Matrix, Question
from croupier.server.explain.matrix import MOST_FUNCTIONS, MatrixPage
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.exchange import Exchange
from croupier.server.http.explain_documents import (
    AccessMatrix,
    ExplainAnswer,
    ExplainBody,
    MatrixFunction,
    explain_answer,
)
from croupier.server.http.late import LateRoute
from croupier.server.http.payloads import check_bounds
from croupier.server.http.people_documents import takes
from croupier.server.http.requests import CallBody, build_call, optional_scope, parse_body, parse_query, scope_of

_explain = msgspec.json.Decoder(ExplainBody)

_NONE: list[str] = []
Roles = Annotated[list[str], Query(max_length=100, description="Several, to compare them; none: the first hundred.")]
Text = Annotated[str, Query(max_length=KEY_BYTES)]
Limit = Annotated[int, Query(ge=1, le=MOST_FUNCTIONS)]


def explain_routes(explain: Explain, matrix: Matrix, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["access"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.post("/api/access/explain", response_model=ExplainAnswer, openapi_extra=dict(takes(ExplainBody)))
    async def ask_why(asking: Asking, request: Request) -> Response:
        """Whether a call would be taken, gate by gate, and what it would do; or whether somebody has a permission.

        Nothing runs, and nothing is counted or put on record: a page asks while somebody types.
        """
        question = _question(asking, parse_body(_explain, await request.body()))
        found = await explain.ask(asking.caller, question)
        scope = question.call.scope if question.call is not None else None
        names = guard.policy.decide(asking.caller, "routes.preview", scope).allowed
        return json_answer(explain_answer(found, names=names))

    @routes.get("/api/access/matrix", response_model=AccessMatrix)
    async def read_matrix(
        asking: Asking,
        request: Request,
        role: Roles = _NONE,
        prefix: Annotated[str, Query(max_length=KEY_BYTES, description="Of function ids.")] = "",
        after: Text = "",
        limit: Limit = 100,
    ) -> Response:
        """Which roles may call which functions of the scope, function by function."""
        scope = scope_of(asking.headers, parse_query(request.scope["query_string"]))
        found = await matrix.page(asking.caller, scope, role, prefix=prefix, after=after, limit=limit)
        return json_answer(_matrix(found))

    return routes


def _question(asking: Exchange, body: ExplainBody) -> Question:
    """Raises InvalidArgument."""
    query = parse_query(asking.scope["query_string"])
    if body.function_id:
        call = _call(asking, body, query)
        return Question(
            call=call,
            given=body.payload is not msgspec.UNSET,
            permission=body.permission,
            user=body.user,
            role=body.role,
        )
    named = {name: value for name, value in (("game_id", body.game_id), ("env", body.env)) if value}
    scope = scope_of(asking.headers, query, named) if named else optional_scope(asking.headers, query)
    return Question(permission=body.permission, scope=scope, user=body.user, role=body.role)


def _call(asking: Exchange, body: ExplainBody, query: dict[str, str]) -> Call:
    """As it would be made by the same body. Raises InvalidArgument."""
    payload = msgspec.Raw(b"{}") if isinstance(body.payload, msgspec.UnsetType) else body.payload
    check_bounds(bytes(payload))
    wish = CallBody(
        function_id=body.function_id,
        payload=payload,
        game_id=body.game_id,
        env=body.env,
        route=body.route,
        target_service_id=body.target_service_id,
        hash_key=body.hash_key,
        version=body.version,
        metadata=body.metadata,
    )
    return build_call(
        wish,
        call_id="",
        caller=asking.caller,
        headers=asking.headers,
        query=query,
        traceparent=asking.traceparent,
    )


def _matrix(found: MatrixPage) -> AccessMatrix:
    functions = [
        MatrixFunction(
            function_id=each.function_id,
            risk=each.risk,
            permission=each.permission,
            allow_if=each.allow_if,
            roles=list(each.roles),
        )
        for each in found.rows
    ]
    return AccessMatrix(roles=list(found.roles), functions=functions, next=found.next)

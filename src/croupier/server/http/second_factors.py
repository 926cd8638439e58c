"""Second factors over HTTP: enrol, prove, lose."""

import msgspec
from fastapi import APIRouter, Request, Response

from croupier.server.access.ways_in import WaysIn
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import takes
from croupier.server.http.requests import parse_body
from croupier.server.http.second_factor_documents import (
    CodeBody,
    FactorEnrolBody,
    RecoveryCodes,
    SecondFactorEnrolment,
    SecondFactorProof,
    SecondFactorStanding,
    enrolment_document,
    standing_document,
)
from croupier.server.http.visitors import Visitors

_enrol_decoder = msgspec.json.Decoder(FactorEnrolBody)
_code_decoder = msgspec.json.Decoder(CodeBody)


def second_factor_routes(ways: WaysIn, visitors: Visitors) -> APIRouter:
    routes = APIRouter(tags=["login"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/me/second_factor", response_model=SecondFactorStanding)
    async def read_second_factor(asking: Asking) -> Response:
        """Whether you have a second factor, and how many recovery codes are left."""
        return json_answer(standing_document(ways.factors.standing(asking.caller.user_id)))

    @routes.post(
        "/api/me/second_factor", response_model=SecondFactorEnrolment, openapi_extra=dict(takes(FactorEnrolBody))
    )
    async def enrol_second_factor(asking: Asking, request: Request) -> Response:
        """A secret for your authenticator app. It counts when you confirm it with a code, within ten minutes."""
        body = parse_body(_enrol_decoder, await request.body())
        return json_answer(
            enrolment_document(await ways.enrolments.begin(asking.caller, visitors.of(asking), body.password))
        )

    @routes.post("/api/me/second_factor/confirm", response_model=RecoveryCodes, openapi_extra=dict(takes(CodeBody)))
    async def confirm_second_factor(asking: Asking, request: Request) -> Response:
        """Show the first code. From now on it is asked for when you sign in; the answer has the recovery codes."""
        body = parse_body(_code_decoder, await request.body())
        return json_answer(RecoveryCodes(recovery_codes=await ways.factors.confirm(asking.caller, body.code)))

    @routes.post(
        "/api/me/second_factor/recovery_codes", response_model=RecoveryCodes, openapi_extra=dict(takes(CodeBody))
    )
    async def renew_recovery_codes(asking: Asking, request: Request) -> Response:
        """Ten new recovery codes in place of the old ones."""
        body = parse_body(_code_decoder, await request.body())
        return json_answer(
            RecoveryCodes(recovery_codes=await ways.factors.renew_recovery_codes(asking.caller, body.code))
        )

    @routes.post(
        "/api/me/second_factor/remove", response_model=SecondFactorStanding, openapi_extra=dict(takes(CodeBody))
    )
    async def remove_second_factor(asking: Asking, request: Request) -> Response:
        """Be asked for the password only."""
        body = parse_body(_code_decoder, await request.body())
        await ways.factors.drop(asking.caller, body.code)
        return json_answer(standing_document(None))

    @routes.post("/api/me/prove", response_model=SecondFactorProof, openapi_extra=dict(takes(CodeBody)))
    async def prove_second_factor(asking: Asking, request: Request) -> Response:
        """Show a code again, in this session, before something that asks for it."""
        body = parse_body(_code_decoder, await request.body())
        return json_answer(SecondFactorProof(proved_ms=await ways.factors.prove(asking.caller, body.code)))

    @routes.delete("/api/users/{user_id}/second_factor", response_model=SecondFactorStanding)
    async def reset_second_factor(asking: Asking, user_id: str) -> Response:
        """Ask for no second factor of somebody who lost theirs, until they enrol again."""
        await ways.factors.reset(asking.caller, user_id)
        return json_answer(standing_document(None))

    return routes

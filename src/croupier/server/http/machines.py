"""Machines over HTTP: joining, which needs a join token only, and their certificates, which need a permission."""

from typing import Any

from fastapi import APIRouter, Request, Response

from croupier.codes import Code
from croupier.domain.durations import seconds_of
from croupier.errors import InvalidArgument
from croupier.pki.authority import LIFETIME
from croupier.pki.join import read_token
from croupier.server.access.machines import TOKEN_LIFE, Grant, Machines
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.machine_bodies import (
    GrantBody,
    enrol_decoder,
    invite_decoder,
    issue_decoder,
    revoke_decoder,
)
from croupier.server.http.machine_documents import (
    AuthorityDocument,
    CertificateEntry,
    CertificateList,
    InvitationDocument,
    IssuedDocument,
    JoinTokenEntry,
    JoinTokenList,
    certificate_document,
    invitation_document,
    issued_document,
    now_ms,
    token_document,
)
from croupier.server.http.openapi import reference
from croupier.server.http.requests import parse_body
from croupier.server.http.visitors import Visitors


def _body(name: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference(name)}}}}


def machine_routes(machines: Machines, visitors: Visitors) -> APIRouter:
    routes = APIRouter(tags=["machines"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/machines/ca", response_model=AuthorityDocument)
    async def authority() -> Response:
        """The authority of this deployment, for whoever can compare its fingerprint. Open to all."""
        found = machines.authority
        return json_answer(
            {"deployment": found.deployment, "fingerprint": found.fingerprint, "ca": found.certificate_pem.decode()}
        )

    @routes.post("/api/machines/enrol", response_model=IssuedDocument, openapi_extra=_body("EnrolBody"))
    async def enrol(asking: Asking, request: Request) -> Response:
        """Join: a certificate for whoever has a join token and asks for no more than it grants. Open to all."""
        body = parse_body(enrol_decoder, await request.body())
        issued = await machines.enrol(
            read_token(body.token).secret, body.request.encode(), address=visitors.address(asking)
        )
        return json_answer(issued_document(issued))

    @routes.get("/api/machines/certificates", response_model=CertificateList)
    async def certificates(asking: Asking) -> Response:
        """Every certificate that was issued or revoked here and is not long over."""
        found, now = await machines.certificates(asking.caller), now_ms()
        return json_answer({"certificates": [certificate_document(each, now) for each in found]})

    @routes.post("/api/machines/certificates", response_model=IssuedDocument, openapi_extra=_body("IssueBody"))
    async def issue(asking: Asking, request: Request) -> Response:
        """Issue a certificate for the key of a request, without a join token."""
        body = parse_body(issue_decoder, await request.body())
        lifetime = _seconds(body.lifetime, LIFETIME) if body.lifetime is not None else None
        issued = await machines.issue(asking.caller, _grant(body), body.request.encode(), lifetime)
        return json_answer(issued_document(issued))

    @routes.post(
        "/api/machines/certificates/{serial}/revoke", response_model=CertificateEntry, openapi_extra=_body("RevokeBody")
    )
    async def revoke(asking: Asking, serial: str, request: Request) -> Response:
        """Let a certificate count no more, nor those that renewed it; whoever is connected with one is cut off."""
        body = parse_body(revoke_decoder, await request.body() or b"{}")
        return json_answer(certificate_document(await machines.revoke(asking.caller, serial, body.reason), now_ms()))

    @routes.get("/api/machines/join_tokens", response_model=JoinTokenList)
    async def tokens(asking: Asking) -> Response:
        """Every join token that is not long over, without what it is used with."""
        found, now = await machines.tokens(asking.caller), now_ms()
        return json_answer({"join_tokens": [token_document(each, now) for each in found]})

    @routes.post("/api/machines/join_tokens", response_model=InvitationDocument, openapi_extra=_body("InviteBody"))
    async def invite(asking: Asking, request: Request) -> Response:
        """Make a join token: one machine of this role, game and env may join with it, once."""
        body = parse_body(invite_decoder, await request.body())
        made = await machines.invite(asking.caller, _grant(body), _seconds(body.expires_in, TOKEN_LIFE))
        return json_answer(invitation_document(made, now_ms()))

    @routes.delete("/api/machines/join_tokens/{token_id}", response_model=JoinTokenEntry)
    async def withdraw(asking: Asking, token_id: str) -> Response:
        """Let nobody join with it from now on."""
        return json_answer(token_document(await machines.withdraw(asking.caller, token_id), now_ms()))

    return routes


def _grant(body: GrantBody) -> Grant:
    return Grant(role=body.role, game_id=body.game_id, env=body.env, machine_id=body.id, hosts=tuple(body.hosts))


def _seconds(value: float | str | None, default: float) -> float:
    if value is None:
        return default
    seconds = seconds_of(value) if isinstance(value, str) else float(value)
    if seconds is None:
        raise InvalidArgument(
            "write a duration such as 30s, 15m, 12h or 7d, or a number of seconds",
            code=Code.DURATION_WRONG,
        )
    return seconds

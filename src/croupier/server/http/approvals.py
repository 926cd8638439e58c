"""Approvals over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from croupier.domain.approval import ApprovalState, ReviewState, person_of
from croupier.server.http.approval_documents import (
    DECISION_BODY,
    ApprovalDocument,
    ApprovalEntry,
    ApprovalList,
    Decision,
    decision_decoder,
    document,
    entry,
)
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.filters import After, Limit, NamedScope, Text, cursor_text
from croupier.server.http.late import LateRoute
from croupier.server.http.ports import Approvals
from croupier.server.http.requests import parse_body
from croupier.store.approvals import ApprovalFilter

States = Annotated[list[ApprovalState] | None, Query(max_length=len(ApprovalState))]
Mine = Annotated[bool, Query(description="Only what the caller asked for.")]


def approval_routes(approvals: Approvals) -> APIRouter:
    routes = APIRouter(tags=["approvals"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/approvals", response_model=ApprovalList)
    async def list_approvals(
        asking: Asking,
        scope: NamedScope,
        after: After,
        state: States = None,
        review: ReviewState | None = None,
        function_id: Text = "",
        mine: Mine = False,
        limit: Limit = 100,
    ) -> Response:
        """Requests for approval that fit everything asked for, newest first."""
        which = ApprovalFilter(
            scope=scope,
            states=frozenset(state or ()),
            review=review,
            function_id=function_id,
            person=person_of(asking.caller) if mine else "",
        )
        page = await approvals.list(asking.caller, which, limit, after)
        return json_answer(ApprovalList(approvals=[entry(each) for each in page.items], next=cursor_text(page.next)))

    @routes.get("/api/approvals/{approval_id}", response_model=ApprovalDocument)
    async def read_approval(asking: Asking, approval_id: str) -> Response:
        """One request: what would run, who has to agree, what has changed since it was asked for."""
        return json_answer(document(await approvals.get(asking.caller, approval_id)))

    _add_verbs(routes, approvals)
    return routes


def _add_verbs(routes: APIRouter, approvals: Approvals) -> None:
    @routes.post("/api/approvals/{approval_id}/approve", response_model=ApprovalEntry, openapi_extra=DECISION_BODY)
    async def approve(asking: Asking, approval_id: str, request: Request) -> Response:
        """Agree. With the last one who has to, it runs."""
        said = await _said(request)
        found = await approvals.approve(asking.caller, approval_id, comment=said.comment, digest=said.digest)
        return json_answer(entry(found))

    @routes.post("/api/approvals/{approval_id}/reject", response_model=ApprovalEntry, openapi_extra=DECISION_BODY)
    async def reject(asking: Asking, approval_id: str, request: Request) -> Response:
        """Refuse it, with a comment; it does not run."""
        said = await _said(request)
        return json_answer(entry(await approvals.reject(asking.caller, approval_id, comment=said.comment)))

    @routes.post("/api/approvals/{approval_id}/withdraw", response_model=ApprovalEntry, openapi_extra=DECISION_BODY)
    async def withdraw(asking: Asking, approval_id: str, request: Request) -> Response:
        """Take one's own request back, until it runs."""
        said = await _said(request)
        return json_answer(entry(await approvals.withdraw(asking.caller, approval_id, comment=said.comment)))

    @routes.post("/api/approvals/{approval_id}/comment", response_model=ApprovalEntry, openapi_extra=DECISION_BODY)
    async def comment(asking: Asking, approval_id: str, request: Request) -> Response:
        """Say something about it."""
        said = await _said(request)
        return json_answer(entry(await approvals.comment(asking.caller, approval_id, comment=said.comment)))

    @routes.post("/api/approvals/{approval_id}/review", response_model=ApprovalEntry, openapi_extra=DECISION_BODY)
    async def review(asking: Asking, approval_id: str, request: Request) -> Response:
        """Close the review of what somebody ran without asking (break-glass), with what was found."""
        said = await _said(request)
        return json_answer(entry(await approvals.review(asking.caller, approval_id, comment=said.comment)))


async def _said(request: Request) -> Decision:
    return parse_body(decision_decoder, await request.body() or b"{}")

"""Roles and bindings over HTTP."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from croupier.domain.policy import SUBJECT_CHARACTERS, read_binding, read_role
from croupier.server.access.roles import Roles
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.people_documents import takes
from croupier.server.http.requests import parse_body
from croupier.server.http.role_documents import (
    BindingBody,
    BindingEntry,
    BindingList,
    PolicyBody,
    PolicyDifference,
    PolicyDocument,
    RoleBody,
    RoleEntry,
    RoleList,
    binding_entry,
    policy_difference,
    read_policy,
    role_entry,
    role_list,
)

_role = msgspec.json.Decoder(RoleBody)
_binding = msgspec.json.Decoder(BindingBody)
_policy = msgspec.json.Decoder(PolicyBody)

Wanted = Annotated[str, Query(max_length=SUBJECT_CHARACTERS)]


def role_routes(roles: Roles) -> APIRouter:
    routes = APIRouter(tags=["access"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/roles", response_model=RoleList)
    async def list_roles(asking: Asking) -> Response:
        """Every role, and every permission that there is besides those to call functions."""
        return json_answer(role_list(await roles.roles(asking.caller)))

    @routes.get("/api/roles/{name}", response_model=RoleEntry)
    async def read_one(asking: Asking, name: str) -> Response:
        """One role."""
        return json_answer(role_entry(await roles.role(asking.caller, name)))

    @routes.put("/api/roles/{name}", response_model=RoleEntry, openapi_extra=dict(takes(RoleBody)))
    async def put_role(asking: Asking, request: Request, name: str) -> Response:
        """Make a role, or replace it. Everybody who has it has it changed at once."""
        body = parse_body(_role, await request.body())
        role = read_role(name, body.permissions, body.description)
        return json_answer(role_entry(await roles.put_role(asking.caller, role)))

    @routes.delete("/api/roles/{name}", status_code=204)
    async def remove_role(asking: Asking, name: str) -> Response:
        """Remove a role that nobody has."""
        await roles.remove_role(asking.caller, name)
        return Response(status_code=204)

    return routes


def binding_routes(roles: Roles) -> APIRouter:
    routes = APIRouter(tags=["access"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/bindings", response_model=BindingList)
    async def list_bindings(asking: Asking, subject: Wanted = "", role: Wanted = "") -> Response:
        """Who has which role where: the bindings of the scopes that the caller may see."""
        found = await roles.bindings(asking.caller, subject=subject, role=role)
        return json_answer(BindingList(bindings=[binding_entry(each) for each in found]))

    @routes.post("/api/bindings", response_model=BindingEntry, openapi_extra=dict(takes(BindingBody)))
    async def bind(asking: Asking, request: Request) -> Response:
        """Give a role to somebody, everywhere or in a game or environment. It counts at once."""
        body = parse_body(_binding, await request.body())
        binding = read_binding(body.subject, body.role, body.game_id, body.env)
        return json_answer(binding_entry(await roles.bind(asking.caller, binding)))

    @routes.delete("/api/bindings/{binding_id}", status_code=204)
    async def unbind(asking: Asking, binding_id: str) -> Response:
        """Take a role from somebody. What goes on for them ends where they may no longer."""
        await roles.unbind(asking.caller, binding_id)
        return Response(status_code=204)

    return routes


def policy_routes(roles: Roles) -> APIRouter:
    routes = APIRouter(tags=["access"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/policy", response_model=PolicyDocument)
    async def export(asking: Asking) -> Response:
        """All roles that do not come with the program, and the bindings that the caller may see."""
        own = [role_entry(each) for each in await roles.roles(asking.caller) if not each.builtin]
        found = await roles.bindings(asking.caller)
        return json_answer(PolicyDocument(roles=own, bindings=[binding_entry(each) for each in found]))

    @routes.put("/api/policy", response_model=PolicyDifference, openapi_extra=dict(takes(PolicyBody)))
    async def apply(asking: Asking, request: Request, dry_run: bool = False, prune: bool = False) -> Response:
        """Bring roles and bindings to what is written, all at once; with `prune`, what is not written goes.

        The answer is the difference; with `dry_run` nothing is changed.
        """
        wanted, bindings = read_policy(parse_body(_policy, await request.body()))
        found = await roles.apply(asking.caller, wanted, bindings, prune=prune, dry_run=dry_run)
        return json_answer(policy_difference(found, applied=not dry_run))

    return routes

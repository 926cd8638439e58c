"""What can be reached now, over HTTP."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from croupier.domain.limits import KEY_BYTES
from croupier.domain.registry import InstanceView, RegistryView, seen_within
from croupier.domain.scope import Scope
from croupier.server.access.guard import Guard
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.http.ports import Directory
from croupier.server.http.requests import optional_scope, parse_query


@dataclass(frozen=True, kw_only=True, slots=True)
class Instances:
    instances: list[InstanceView]


def directory_routes(directory: Directory, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["registry"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/registry", response_model=RegistryView)
    async def registry(asking: Asking) -> Response:
        """Agents, functions, assignments and coverage at this moment, of the scopes that the caller may see."""
        within = await guard.where(asking.caller, "registry.read", None)
        view = await directory.registry()
        return json_answer(view if within is None else seen_within(view, within))

    @routes.get("/api/function_instances", response_model=Instances)
    async def function_instances(
        asking: Asking, request: Request, function_id: Annotated[str, Query(max_length=KEY_BYTES)] = ""
    ) -> Response:
        """The game servers that offer a function (or any), in the scope that is named, or in every one."""
        scope = optional_scope(asking.headers, parse_query(request.scope["query_string"]))
        within = await guard.where(asking.caller, "registry.read", scope)
        found = directory.instances(function_id, scope)
        if within is not None:
            found = [each for each in found if Scope(each.game_id, each.env) in within]
        return json_answer(Instances(instances=found))

    return routes

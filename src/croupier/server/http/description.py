"""The routes, told: as a table, and as OpenAPI."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from croupier.server.http.approval_documents import Decision
from croupier.server.http.asking import json_answer
from croupier.server.http.bulk_documents import BulkRerun, BulkStart
from croupier.server.http.entry import LeanEntry
from croupier.server.http.explain_documents import ExplainBody
from croupier.server.http.late import LateRoute, whole_routes
from croupier.server.http.limit_documents import LimitBody
from croupier.server.http.machine_bodies import MACHINE_BODIES
from croupier.server.http.maintenance import MaintenanceBody
from croupier.server.http.openapi import complete
from croupier.server.http.people_documents import BODIES as PEOPLE_BODIES
from croupier.server.http.providers import TransferBody
from croupier.server.http.role_documents import BODIES as ROLE_BODIES
from croupier.server.http.second_factor_documents import BODIES as SECOND_FACTOR_BODIES
from croupier.server.http.secrets import SecretBody


class Description:
    """Made when it is first asked for, since it takes longer than the rest of the start."""

    def __init__(self, framework: FastAPI, entry: LeanEntry, open_paths: frozenset[str]) -> None:
        self._open_paths = open_paths
        self._framework = framework
        self._entry = entry
        self._openapi: dict[str, Any] = {}

    def openapi(self) -> dict[str, Any]:
        if not self._openapi:
            app = self._framework
            framework = get_openapi(title=app.title, version=app.version, routes=whole_routes(app.routes))
            bodies = [
                BulkStart,
                BulkRerun,
                Decision,
                ExplainBody,
                LimitBody,
                MaintenanceBody,
                SecretBody,
                TransferBody,
                *PEOPLE_BODIES,
                *ROLE_BODIES,
                *MACHINE_BODIES,
                *SECOND_FACTOR_BODIES,
            ]
            self._openapi = complete(framework, self._open_paths, bodies)
        return self._openapi

    def routes(self) -> set[tuple[str, str]]:
        """Method and path of everything that is served."""
        framed = {
            (method, (route.path or "").replace(":path}", "}"))
            for route in iter_route_contexts(self._framework.routes)
            for method in route.methods or {"ANY"}
        }
        return self._entry.routes() | framed


def description_routes(openapi: Callable[[], dict[str, Any]]) -> APIRouter:
    routes = APIRouter(route_class=LateRoute)

    turn = asyncio.Lock()

    @routes.get("/api/openapi.json", include_in_schema=False)
    async def read_openapi() -> Response:
        async with turn:
            return json_answer(await asyncio.to_thread(openapi))

    return routes

"""For those who watch the server: alive, ready, and how busy."""

import asyncio

from fastapi import APIRouter, Response

from croupier.server.access.guard import Guard
from croupier.server.http.asking import ANSWERS_PROBLEMS, Asking, json_answer
from croupier.server.http.documents import to_json
from croupier.server.http.late import LateRoute
from croupier.server.http.metrics import CONTENT_TYPE, HttpMetrics
from croupier.server.http.ports import Readiness


def health_routes(readiness: Readiness, metrics: HttpMetrics, guard: Guard, *, stopping: asyncio.Event) -> APIRouter:
    routes = APIRouter(tags=["health"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.head("/healthz", include_in_schema=False)
    @routes.get("/healthz")
    async def healthz() -> Response:
        """The process answers. Open to anyone on this machine."""
        return json_answer({"status": "ok"})

    @routes.head("/readyz", include_in_schema=False)
    @routes.get("/readyz")
    async def readyz() -> Response:
        """Whether calls can be served now; if not, 503 and why. Open to anyone on this machine."""
        problems = ["the server is stopping"] if stopping.is_set() else await readiness()
        if not problems:
            return json_answer({"status": "ready"})
        found = {
            "type": "urn:croupier:error:unavailable",
            "title": "The server is not ready",
            "status": 503,
            "detail": "; ".join(problems),
            "reason": "unavailable",
            "problems": problems,
        }
        return Response(to_json(found), 503, {"retry-after": "1"}, "application/problem+json")

    @routes.get("/metrics", response_class=Response)
    async def read_metrics(asking: Asking) -> Response:
        """Counters for Prometheus; it sends the token as a bearer token."""
        await guard.require(asking.caller, "metrics.read", None)
        return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE})

    return routes

"""Which server answers, and which page it serves."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from croupier import __version__
from croupier.server.http.asking import ANSWERS_PROBLEMS, json_answer
from croupier.server.http.late import LateRoute
from croupier.server.web.page import BuiltPage


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    version: str
    build: str
    """Of the page, as its index says it in `<meta name="build">`; empty where the page was not built."""


def version_routes(page: BuiltPage) -> APIRouter:
    routes = APIRouter(tags=["health"], responses=ANSWERS_PROBLEMS, route_class=LateRoute)

    @routes.get("/api/version", response_model=Version)
    async def read_version() -> Response:
        """The server's version, and the build of the page it serves: a page of another build is to be loaded again."""
        return json_answer(Version(version=__version__, build=await page.build()))

    return routes

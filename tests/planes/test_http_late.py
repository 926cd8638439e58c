import pytest
from fastapi import APIRouter, FastAPI, Query
from starlette.responses import Response
from tests.planes.http_testbed import Connection

from croupier.server.http.late import LateRoute, whole_routes


@pytest.fixture
def routes():
    routes = APIRouter(route_class=LateRoute)

    @routes.get("/things/{number}", response_model=list[int])
    async def read(number: int, more: int = Query(0, le=5)) -> Response:
        return Response(str(number + more))

    @routes.post("/things", tags=["things"])
    async def add() -> Response:
        return Response(status_code=201)

    return routes.routes


async def asked(routes, method, path, query=b""):
    app = FastAPI()
    app.router.routes.extend(routes)
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": [], "root_path": ""}
    return await Connection(app, scope, None).reply()


def worked_out(routes):
    return [route.path for route in routes if "whole" in vars(route)]


async def test_a_route_is_worked_out_by_its_first_request(routes):
    assert worked_out(routes) == []
    assert (await asked(routes, "GET", "/things/3", b"more=4")).body == b"7"
    assert worked_out(routes) == ["/things/{number}"]


async def test_a_route_is_worked_out_once(routes):
    await asked(routes, "POST", "/things")
    first = routes[1].whole
    await asked(routes, "POST", "/things")
    assert routes[1].whole is first


async def test_parameters_are_checked_by_the_first_request_already(routes):
    assert (await asked(routes, "GET", "/things/3", b"more=6")).status == 422
    assert (await asked(routes, "GET", "/things/x")).status == 422


async def test_another_method_is_refused_with_those_that_are_possible(routes):
    reply = await asked(routes, "DELETE", "/things")
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


def test_described_are_all_routes_whether_they_were_used_or_not(routes):
    found = whole_routes(routes)
    assert [type(route).__name__ for route in found] == ["APIRoute", "APIRoute"]
    assert [(route.path, route.methods) for route in found] == [("/things/{number}", {"GET"}), ("/things", {"POST"})]
    assert found[0].response_model == list[int]
    assert found[1].tags == ["things"]

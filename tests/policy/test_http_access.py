"""Every address of the server, and who may use it. A route that is not in this table fails the test."""

import re

import pytest
from tests.planes.http_testbed import Testbed
from tests.policy.access_table import NEEDS_TOKEN, OPEN_TO_ALL

from croupier.server.http.front import OPEN
from croupier.server.http.late import LateRoute

NO_PROVIDER = {("GET", "/api/login/oidc"), ("GET", "/api/login/oidc/callback")}
"""Of an identity provider, which this server has none of."""
LISTED = sorted(OPEN_TO_ALL | NEEDS_TOKEN)


def concrete(path):
    return re.sub(r"\{[^}]+\}", "x", path)


async def test_every_route_is_listed_here():
    assert Testbed().app.description.routes() == OPEN_TO_ALL | NEEDS_TOKEN


def test_no_route_is_worked_out_when_the_server_starts():
    routes = Testbed().app._framework.routes
    assert {route.path for route in routes if not isinstance(route, LateRoute)} == set()


def test_what_the_server_opens_is_what_this_table_opens():
    assert {path for _, path in OPEN_TO_ALL} == OPEN


def test_nothing_but_the_page_and_plugins_is_served_before_anybody_is_asked_who_they_are():
    assert [door.name for door in Testbed().app._public] == ["page", "plugin"]


@pytest.mark.parametrize(("method", "path"), LISTED)
async def test_a_route_asks_for_the_token_unless_it_is_open(method, path):
    bed = Testbed()
    for token in (None, "wrong", "", "the-one-toke", "the-one-token "[:-1] + "n"):
        reply = await bed.request(method, concrete(path), token=token)
        if (method, path) in OPEN_TO_ALL:
            # where nothing was sent
            assert reply.status == (404 if (method, path) in NO_PROVIDER else 400 if method == "POST" else 200)
        else:
            assert reply.status == 401
            assert reply.json["reason"] == "unauthenticated"
            assert reply.headers["www-authenticate"].startswith("Bearer")
            assert "Authorization: Bearer" in reply.json["detail"]
    assert (await bed.request(method, concrete(path))).status not in {401, 403}
    assert not bed.calls.asked
    assert not bed.jobs.asked


@pytest.mark.parametrize(("method", "path"), LISTED)
async def test_no_route_answers_under_a_foreign_host_name(method, path):
    bed = Testbed()
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil", ""):
        reply = await bed.request(method, concrete(path), host=host)
        assert reply.status == 403, host
        assert "loopback" in reply.json["detail"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]", "localhost.", "app.localhost"],
)
async def test_loopback_names_are_served(host):
    assert (await Testbed().request("GET", "/healthz", host=host)).status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/", "/jobs", "/healthz/", "//healthz", "/api/healthz"])
async def test_an_address_that_does_not_exist_is_not_told_from_one_that_does(path):
    assert (await Testbed().request("GET", path, token=None)).status == 401


@pytest.mark.parametrize("scheme", ["Basic dGhlLW9uZS10b2tlbg==", "the-one-token", "Bearer", "Bearer  ", "bearer x y"])
async def test_only_a_bearer_token_counts(scheme):
    reply = await Testbed().request("GET", "/api/registry", token=None, headers={"Authorization": scheme})
    assert reply.status == 401
    assert b"the-one-token" not in reply.body


async def test_the_scheme_may_be_written_in_any_case():
    headers = {"Authorization": "bEaReR the-one-token"}
    assert (await Testbed().request("GET", "/api/registry", token=None, headers=headers)).status == 200


async def test_two_tokens_that_differ_are_refused():
    reply = await Testbed().request("GET", "/api/registry", headers=[("Authorization", "Bearer other")])
    assert reply.status == 400


async def test_a_request_without_a_token_is_refused_before_its_body_is_read():
    connection = Testbed().connect("POST", "/api/invoke", token=None, chunks=[])
    assert (await connection.reply()).status == 401
    assert not connection.listening.is_set()

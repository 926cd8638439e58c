"""Every address of the server, and who may use it. A route that is not in this table fails the test."""

import re

import pytest
from tests.planes.http_testbed import Testbed

from croupier.server.http.front import OPEN
from croupier.server.http.late import LateRoute

HEALTH = {("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/readyz"), ("HEAD", "/readyz")}
WAYS_IN = {("POST", "/api/setup"), ("POST", "/api/setup/password"), ("POST", "/api/login")}
"""Where people become known: what they send decides."""
JOINING = {("GET", "/api/machines/ca"), ("POST", "/api/machines/enrol")}
"""Where machines become known: a join token decides."""
NO_PROVIDER = {("GET", "/api/login/oidc"), ("GET", "/api/login/oidc/callback")}
"""Of an identity provider, which this server has none of."""
OPEN_TO_ALL = HEALTH | WAYS_IN | JOINING | NO_PROVIDER | {("GET", "/api/login/methods")}
NEEDS_TOKEN = {
    ("POST", "/api/invoke"),
    ("POST", "/invoke"),
    ("POST", "/api/start_job"),
    ("POST", "/api/route_preview"),
    ("POST", "/start-job"),
    ("POST", "/games/{game_id}/functions/{function_id}"),
    ("GET", "/api/stream_job"),
    ("GET", "/jobs/{job_id}/stream"),
    ("POST", "/api/cancel_job"),
    ("POST", "/api/jobs/cancel"),
    ("DELETE", "/jobs/{job_id}"),
    ("GET", "/api/job_result"),
    ("GET", "/api/calls"),
    ("GET", "/api/calls/{call_id}"),
    ("POST", "/api/calls/{call_id}/replay"),
    ("GET", "/api/jobs"),
    ("GET", "/jobs/{job_id}"),
    ("POST", "/api/bulk"),
    ("GET", "/api/bulk"),
    ("GET", "/api/bulk/{bulk_id}"),
    ("POST", "/api/bulk/{bulk_id}/start"),
    ("POST", "/api/bulk/{bulk_id}/confirm"),
    ("POST", "/api/bulk/{bulk_id}/pause"),
    ("POST", "/api/bulk/{bulk_id}/resume"),
    ("POST", "/api/bulk/{bulk_id}/cancel"),
    ("POST", "/api/bulk/{bulk_id}/rerun"),
    ("GET", "/api/bulk/{bulk_id}/rows"),
    ("GET", "/api/bulk/{bulk_id}/rows.csv"),
    ("GET", "/api/bulk/{bulk_id}/stream"),
    ("GET", "/api/approvals"),
    ("GET", "/api/approvals/{approval_id}"),
    ("POST", "/api/approvals/{approval_id}/approve"),
    ("POST", "/api/approvals/{approval_id}/reject"),
    ("POST", "/api/approvals/{approval_id}/withdraw"),
    ("POST", "/api/approvals/{approval_id}/comment"),
    ("POST", "/api/approvals/{approval_id}/review"),
    ("GET", "/api/packs/list"),
    ("POST", "/api/packs/import"),
    ("GET", "/api/packs/export"),
    ("POST", "/api/packs/reload"),
    ("GET", "/api/packs/{name}"),
    ("DELETE", "/api/packs/{name}"),
    ("POST", "/api/packs/{name}/enable"),
    ("POST", "/api/packs/{name}/disable"),
    ("POST", "/api/packs/{name}/rollback"),
    ("GET", "/api/machines/certificates"),
    ("POST", "/api/machines/certificates"),
    ("POST", "/api/machines/certificates/{serial}/revoke"),
    ("GET", "/api/machines/join_tokens"),
    ("POST", "/api/machines/join_tokens"),
    ("DELETE", "/api/machines/join_tokens/{token_id}"),
    ("GET", "/api/entities"),
    ("GET", "/api/entities/{entity}"),
    ("GET", "/api/entities/{entity}/items"),
    ("POST", "/api/entities/{entity}/items"),
    ("GET", "/api/entities/{entity}/items/{entity_id}"),
    ("PUT", "/api/entities/{entity}/items/{entity_id}"),
    ("PATCH", "/api/entities/{entity}/items/{entity_id}"),
    ("DELETE", "/api/entities/{entity}/items/{entity_id}"),
    ("POST", "/api/entities/{entity}/items/{entity_id}/{verb}"),
    ("GET", "/api/entities/{entity}/items/{entity_id}/timeline"),
    ("GET", "/api/function_instances"),
    ("GET", "/api/registry"),
    ("GET", "/api/descriptors"),
    ("GET", "/api/descriptors/{function_id}"),
    ("GET", "/api/descriptors/{function_id}/diff"),
    ("GET", "/api/ui_schema"),
    ("GET", "/api/catalog/faults"),
    ("POST", "/api/providers/capabilities"),
    ("GET", "/api/providers/descriptors"),
    ("GET", "/api/providers/entities"),
    ("POST", "/api/providers/{provider_id}/transfer"),
    ("DELETE", "/api/providers/{provider_id}"),
    ("GET", "/api/assignments"),
    ("PUT", "/api/assignments"),
    ("GET", "/api/roles"),
    ("GET", "/api/roles/{name}"),
    ("PUT", "/api/roles/{name}"),
    ("DELETE", "/api/roles/{name}"),
    ("GET", "/api/bindings"),
    ("POST", "/api/bindings"),
    ("DELETE", "/api/bindings/{binding_id}"),
    ("GET", "/api/policy"),
    ("PUT", "/api/policy"),
    ("POST", "/api/access/explain"),
    ("GET", "/api/limits"),
    ("GET", "/api/limits/{name}"),
    ("PUT", "/api/limits/{name}"),
    ("DELETE", "/api/limits/{name}"),
    ("GET", "/api/maintenance"),
    ("POST", "/api/maintenance"),
    ("POST", "/api/maintenance/{window_id}/end"),
    ("POST", "/api/logout"),
    ("GET", "/api/me"),
    ("POST", "/api/me/password"),
    ("POST", "/api/me/prove"),
    ("GET", "/api/me/second_factor"),
    ("POST", "/api/me/second_factor"),
    ("POST", "/api/me/second_factor/confirm"),
    ("POST", "/api/me/second_factor/recovery_codes"),
    ("POST", "/api/me/second_factor/remove"),
    ("DELETE", "/api/users/{user_id}/second_factor"),
    ("GET", "/api/users"),
    ("POST", "/api/users"),
    ("GET", "/api/users/{user_id}"),
    ("PATCH", "/api/users/{user_id}"),
    ("POST", "/api/users/{user_id}/disable"),
    ("POST", "/api/users/{user_id}/enable"),
    ("POST", "/api/users/{user_id}/password"),
    ("POST", "/api/users/{user_id}/revoke"),
    ("GET", "/api/sessions"),
    ("DELETE", "/api/sessions/{session_id}"),
    ("GET", "/api/tokens"),
    ("POST", "/api/tokens"),
    ("DELETE", "/api/tokens/{token_id}"),
    ("GET", "/api/audit"),
    ("GET", "/api/audit/export"),
    ("POST", "/api/audit/verify"),
    ("GET", "/api/audit/checkpoints"),
    ("POST", "/api/audit/checkpoints"),
    ("POST", "/api/audit/cut"),
    ("GET", "/api/audit/{seq}"),
    ("GET", "/api/secrets"),
    ("POST", "/api/secrets"),
    ("GET", "/api/secrets/{name}"),
    ("DELETE", "/api/secrets/{name}"),
    ("POST", "/api/secrets/{name}/rotate"),
    ("POST", "/api/secrets/{name}/versions/{version}/{deed}"),
    ("GET", "/api/openapi.json"),
    ("GET", "/metrics"),
}
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


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/", "/jobs", "/healthz/", "//healthz", "/api/healthz"])
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

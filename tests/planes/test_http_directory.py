import pytest
from tests.planes.http_testbed import SCOPE, SCOPED, Testbed

from croupier.domain.registry import AgentView, Coverage, FunctionHealth, FunctionView, InstanceView, RegistryView
from croupier.server.http.front import OPEN


@pytest.fixture
def bed():
    return Testbed()


async def test_the_registry_has_the_contracts_shape(bed):
    bed.directory.view = RegistryView(
        agents=(AgentView(agent_id="a1", game_id="demo", env="dev", functions=2, labels={"rack": "7"}),),
        functions=(FunctionView(game_id="demo", env="dev", id="player.ban", agents=1),),
        assignments={"demo|dev": ("player.ban",)},
        coverage=(
            Coverage(
                game_env="demo|dev",
                functions={"player.ban": FunctionHealth(healthy=1, total=2)},
                uncovered=("player.get",),
                uncovered_count=1,
                partial=("player.ban",),
            ),
        ),
    )
    assert (await bed.request("GET", "/api/registry")).json == {
        "agents": [
            {
                "agent_id": "a1",
                "game_id": "demo",
                "env": "dev",
                "rpc_addr": "",
                "ip": "",
                "edge": "",
                "type": "agent",
                "version": "",
                "functions": 2,
                "healthy": True,
                "expires_in_sec": 0,
                "region": "",
                "zone": "",
                "labels": {"rack": "7"},
            }
        ],
        "functions": [{"game_id": "demo", "env": "dev", "id": "player.ban", "agents": 1}],
        "assignments": {"demo|dev": ["player.ban"]},
        "coverage": [
            {
                "game_env": "demo|dev",
                "functions": {"player.ban": {"healthy": 1, "total": 2}},
                "uncovered": ["player.get"],
                "uncovered_count": 1,
                "partial": ["player.ban"],
            }
        ],
    }


async def test_instances_are_asked_for_by_function_and_scope(bed):
    bed.directory.offered = [InstanceView(agent_id="a1", game_id="demo", env="dev", service_id="game-1", addr=":1")]
    reply = await bed.request("GET", "/api/function_instances?function_id=player.ban", headers=SCOPED)
    assert reply.json["instances"][0]["service_id"] == "game-1"
    await bed.request("GET", "/api/function_instances")
    assert bed.directory.asked == [("player.ban", SCOPE), ("", None)]


async def test_health_is_open_and_readiness_says_what_is_wrong(bed):
    assert (await bed.request("GET", "/healthz", token=None)).json == {"status": "ok"}
    assert (await bed.request("GET", "/readyz", token=None)).json == {"status": "ready"}
    bed.problems = ["the database does not answer", "no disk space"]
    reply = await bed.request("GET", "/readyz", token=None)
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["problems"] == bed.problems
    assert (await bed.request("GET", "/healthz", token=None)).status == 200


async def test_a_server_that_stops_is_not_ready(bed):
    bed.stopping.set()
    assert (await bed.request("GET", "/readyz", token=None)).status == 503


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_may_be_asked_by_head(bed, path):
    assert (await bed.request("HEAD", path, token=None)).status == 200


async def test_metrics_count_calls_by_route_and_outcome(bed):
    await bed.invoke()
    await bed.request("POST", "/invoke", body=b"nope")
    await bed.request("GET", "/jobs/unknown")
    text = (await bed.request("GET", "/metrics")).body.decode()
    assert 'croupier_calls_total{outcome="ok",route="/api/invoke"} 1.0' in text
    assert 'croupier_calls_total{outcome="invalid_argument",route="/api/invoke"} 1.0' in text
    assert 'croupier_call_seconds_count{route="/api/invoke"} 2.0' in text
    assert 'croupier_http_requests_total{route="/jobs/{job_id}",status="404"} 1.0' in text
    assert "croupier_calls_in_flight 0.0" in text


async def test_metrics_have_no_label_that_a_caller_chooses(bed):
    await bed.request("GET", "/made-up-by-a-caller")
    await bed.request("BREW", "/also-made-up")
    await bed.invoke(function_id="made.up")
    text = (await bed.request("GET", "/metrics")).body.decode()
    assert "made" not in text


async def test_an_address_nobody_serves_is_a_problem_document(bed):
    reply = await bed.request("GET", "/nowhere")
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["reason"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/api/invoke", "POST"), ("PUT", "/api/registry", "GET"), ("GET", "/games/g/functions/f", "POST")],
)
async def test_a_wrong_method_says_which_one_is_right(bed, method, path, allowed):
    reply = await bed.request(method, path)
    assert reply.status == 405
    assert reply.headers["allow"] == allowed
    assert reply.json["reason"] == "method_not_allowed"


async def test_a_handler_that_breaks_answers_a_problem_and_hides_why(bed, monkeypatch, caplog):
    def broken():
        raise ZeroDivisionError("secret-in-a-message")

    monkeypatch.setattr(bed.directory, "registry", broken)
    reply = await bed.request("GET", "/api/registry")
    assert (reply.status, reply.json["reason"]) == (500, "internal")
    assert b"secret-in-a-message" not in reply.body
    assert "secret-in-a-message" in caplog.text


async def test_the_description_names_every_address_and_its_references_hold(bed):
    described = (await bed.request("GET", "/api/openapi.json")).json
    assert described["openapi"].startswith("3.1")
    served = {path for _, path in bed.app.description.routes()} - {"/api/openapi.json"}
    assert set(described["paths"]) == served
    named = set()

    def walk(value):
        if isinstance(value, dict):
            if "$ref" in value:
                named.add(value["$ref"].removeprefix("#/components/schemas/"))
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(described)
    assert named <= set(described["components"]["schemas"])


async def test_answers_have_the_fields_that_the_description_promises(bed):
    bed.jobs.add("j1")
    schemas = bed.app.description.openapi()["components"]["schemas"]
    for path, name in (("/jobs/j1", "Job"), ("/api/job_result?id=j1", "JobResult"), ("/nowhere", "Problem")):
        answer = set((await bed.request("GET", path)).json)
        assert set(schemas[name]["required"]) <= answer <= set(schemas[name]["properties"])


async def test_the_description_says_how_one_is_known(bed):
    found = (await bed.request("GET", "/api/openapi.json")).json
    schemes = found["components"]["securitySchemes"]
    assert {(each["type"], each.get("in"), each.get("name")) for each in schemes.values()} == {
        ("http", None, None),
        ("apiKey", "cookie", "__Host-croupier_session"),
        ("apiKey", "cookie", "croupier_session"),
        ("apiKey", "header", "X-CSRF-Token"),
    }
    cookies = {"session", "loopback_session"}
    assert {frozenset(each) for each in found["security"]} == {frozenset({each}) for each in ("token", *cookies)}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            ways = operation.get("security", found["security"])
            if path in OPEN:
                assert ways == [], path
            for way in ways:
                by_cookie, changes = bool(cookies & way.keys()), method not in {"get", "head"}
                assert ("csrf" in way) == (by_cookie and changes), (method, path)

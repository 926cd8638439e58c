"""Descriptions and providers over HTTP."""

import gzip
from typing import Any

import orjson
import pytest
from tests.planes.http_testbed import SCOPE, SCOPED, Testbed

from croupier.descriptors import read_descriptor
from croupier.domain.assignment import Assignment
from croupier.domain.function import FunctionRef, Service
from croupier.domain.scope import Scope
from croupier.server.catalog import Kind, Origin, Source
from croupier.server.catalog.snapshot import source_of
from croupier.server.dispatch.agents import Agent

SCHEMA = {"type": "object", "properties": {"days": {"type": "integer"}}}


@pytest.fixture
def bed():
    return Testbed()


def pack(name: str, *functions: dict[str, Any], known: Source | None = None) -> Source:
    descriptors = [read_descriptor(orjson.dumps(each), f"{each['id']}.json") for each in functions]
    files = {each["id"]: f"descriptors/{each['id']}.json" for each in functions}
    return source_of(Origin(kind=Kind.PACK, name=name, version="1"), descriptors, files=files, known=known)


def ban(**more: Any) -> dict[str, Any]:
    return {"id": "player.ban", "version": "1.0", "category": "player", "params": SCHEMA, **more}


def say(bed: Testbed, scope: Scope, *functions: dict[str, Any], agent_id: str = "a") -> None:
    refs = tuple(FunctionRef(each["id"], each.get("version", "")) for each in functions)
    described = [each for each in functions if len(each) > 1]
    service = Service(service_id="game-1", functions=refs, manifest_json=orjson.dumps(described))
    bed.agents.put(Agent(agent_id=agent_id, scope=scope, services=(service,)))
    bed.catalog.learn(agent_id, scope, (service,))


async def descriptors(bed: Testbed, query: str = "", **sent: Any) -> dict[str, Any]:
    reply = await bed.request("GET", f"/api/descriptors{query}", **sent)
    assert reply.status == 200, reply.body
    return {each["id"]: each for each in reply.json}


async def test_every_description_is_listed_with_its_origin(bed):
    bed.catalog.use_sources(packs=[pack("player", ban())])
    bed.catalog.use_sources(providers=[source_of(Origin(kind=Kind.PROVIDER, name="prom"), [])])
    say(bed, SCOPE, {"id": "mail.send", "risk": "high"}, {"id": "bare"})
    found = await descriptors(bed)
    assert list(found) == ["bare", "mail.send", "player.ban"]
    assert found["player.ban"]["params"] == SCHEMA
    assert found["player.ban"]["scopes"] == []
    origin = {"kind": "pack", "name": "player", "version": "1", "file": "descriptors/player.ban.json"}
    assert found["player.ban"]["origin"] == origin
    assert (found["mail.send"]["risk"], found["mail.send"]["origin"]["kind"]) == ("high", "game_server")
    assert found["mail.send"]["scopes"] == ["demo|dev"]
    assert found["bare"]["origin"]["kind"] == "agent"


async def test_a_scope_sees_what_it_may_use(bed):
    bed.catalog.use_sources(packs=[pack("player", ban(), ban(id="player.kick"), ban(id="prom.query", category="prom"))])
    say(bed, Scope("other", "dev"), {"id": "mail.send", "risk": "high"})
    assert list(await descriptors(bed, headers=SCOPED)) == ["player.ban", "player.kick", "prom.query"]
    bed.catalog.use_assignments({SCOPE: Assignment(["player.*"])})
    assert list(await descriptors(bed, headers=SCOPED)) == ["player.ban", "player.kick"]
    assert list(await descriptors(bed, "?game_id=other&env=dev&category=")) == [
        "mail.send", "player.ban", "player.kick", "prom.query",
    ]  # fmt: skip
    assert list(await descriptors(bed, "?category=prom")) == ["prom.query"]
    assert list(await descriptors(bed, "?id=player.k*")) == ["player.kick"]
    assert list(await descriptors(bed, "?id=player.ban")) == ["player.ban"]


async def test_what_is_unchanged_is_not_sent_again(bed):
    tag = (await bed.request("GET", "/api/descriptors")).headers["etag"]
    same = await bed.request("GET", "/api/descriptors", headers={"If-None-Match": tag})
    assert (same.status, same.body) == (304, b"")
    assert (await bed.request("GET", "/api/descriptors?category=x", headers={"If-None-Match": tag})).status == 200
    changes = [
        lambda: bed.catalog.use_sources(packs=[pack("player", ban())]),
        lambda: bed.catalog.use_assignments({}),
        lambda: say(bed, SCOPE, {"id": "bare"}),
        lambda: bed.agents.drop("a"),
    ]
    for change in changes:
        change()
        reply = await bed.request("GET", "/api/descriptors", headers={"If-None-Match": tag})
        assert reply.status == 200
        tag = reply.headers["etag"]


async def test_details_show_conflicts_and_faults(bed):
    first, second = pack("one", ban()), pack("two", ban(risk="high"))
    bed.catalog.use_sources(packs=[first, second])
    await bed.request("POST", "/api/providers/capabilities", json={"provider": {"id": "p"}, "functions": [ban()]})
    say(bed, SCOPE, ban(), {"id": "mail.send", "risk": "nobody knows"}, {"id": "bare"})
    detailed = (await bed.request("GET", "/api/descriptors?detailed=true")).json
    (conflict,) = detailed["conflicts"]
    assert [(each["kind"], each["name"]) for each in conflict["origins"]] == [
        ("pack", "one"), ("pack", "two"), ("provider", "p"), ("game_server", "game-1"),
    ]  # fmt: skip
    (fault,) = detailed["faults"]
    assert (fault["scope"], fault["path"]) == ("demo|dev", "$[1].risk")
    assert set(fault["message"]) == {"en", "zh"}
    assert detailed["faults"] == (await bed.request("GET", "/api/catalog/faults")).json["faults"]
    assert [each["id"] for each in detailed["legacy_descriptors"]] == ["player.ban"]
    assert [each["id"] for each in detailed["provider_manifests"]] == ["p"]
    assert [each["id"] for each in detailed["registered"]] == ["bare"]
    enabled = {each["id"]: each["enabled"] for each in detailed["descriptors"]}
    assert enabled == {"bare": True, "mail.send": False, "player.ban": True}


async def test_one_function_is_shown_with_everything_that_is_said_of_it(bed):
    one = pack("one", ban())
    bed.catalog.use_sources(packs=[one, pack("two", ban(risk="high"))])
    bed.catalog.use_sources(packs=[pack("one", ban(version="1.1", params={**SCHEMA, "required": ["days"]}), known=one)])
    found = (await bed.request("GET", "/api/descriptors/player.ban")).json
    assert (found["descriptor"]["version"], found["origin"]["name"]) == ("1.1", "one")
    assert [(each["version"], each["origin"]["name"], bool(each["replaced_ms"])) for each in found["versions"]] == [
        ("1.1", "one", False), ("1.0", "one", True), ("1.0", "two", True),
    ]  # fmt: skip
    changes = (await bed.request("GET", "/api/descriptors/player.ban/diff")).json
    assert (changes["verdict"], changes["old"]["version"], changes["new"]["version"]) == ("breaking", "1.0", "1.1")
    assert any(change["breaking"] and "days" in change["path"] for change in changes["changes"])
    other = found["versions"][2]["digest"]
    named = (await bed.request("GET", f"/api/descriptors/player.ban/diff?from={other}&to=1.0")).json
    assert (named["old"]["digest"], named["new"]["origin"]["name"]) == (other, "one")
    assert (await bed.request("GET", "/api/descriptors/player.ban/diff?from=9.9")).status == 400
    for path in ("/api/descriptors/no.such", "/api/descriptors/no.such/diff", "/api/ui_schema?id=no.such"):
        assert (await bed.request("GET", path)).status == 404


async def test_a_form_is_what_the_description_says(bed):
    ui = {"fields": {"days": {"label": "Days", "show_if": "$.ban"}}}
    bed.catalog.use_sources(packs=[pack("player", ban(ui=ui))])
    form = (await bed.request("GET", "/api/ui_schema?id=player.ban")).json
    assert (form["id"], form["schema"], form["uischema"]) == ("player.ban", SCHEMA, ui)
    say(bed, SCOPE, {"id": "bare"})
    assert (await bed.request("GET", "/api/ui_schema?id=bare")).json == {"id": "bare", "schema": {}, "uischema": {}}
    bed.catalog.use_assignments({SCOPE: Assignment([])})
    assert (await bed.request("GET", "/api/ui_schema?id=player.ban", headers=SCOPED)).status == 403


# ------------------------------------------------------------------------------------------------ providers

MANIFEST = {
    "provider": {"id": "prom", "version": "1.2", "lang": "python", "sdk": "croupier"},
    "functions": [{"id": "prom.query", "request": {"json_schema": SCHEMA}}],
    "entities": [{"id": "alert", "title": "Alert", "schema": {"type": "object"}}],
}


async def register(bed: Testbed, manifest: Any = MANIFEST, **sent: Any) -> Any:
    body = manifest if isinstance(manifest, bytes) else orjson.dumps(manifest)
    return await bed.request("POST", "/api/providers/capabilities", body=body, **sent)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/gzip"}, {"Content-Encoding": "gzip"}])
async def test_a_manifest_may_come_packed(bed, headers):
    reply = await register(bed, gzip.compress(orjson.dumps(MANIFEST)), headers=headers)
    assert (reply.status, reply.json["provider"]["functions"]) == (200, ["prom.query"])


async def test_a_provider_is_kept_and_told(bed):
    reply = await register(bed)
    assert (reply.json["changed"], reply.json["conflicts"]) == (True, [])
    (kept,) = await bed.kept.providers()
    assert (kept.id, kept.owner, orjson.loads(kept.manifest)) == ("prom", "token:developer", MANIFEST)
    (told,) = (await bed.request("GET", "/api/providers/descriptors")).json["providers"]
    assert (told["version"], told["sdk"], told["manifest"]) == ("1.2", "croupier", MANIFEST)
    assert (await bed.request("GET", "/api/providers/descriptors?id=other")).json == {"providers": []}
    (entity,) = (await bed.request("GET", "/api/providers/entities")).json["entities"]
    assert (entity["id"], entity["origin"]["name"]) == ("alert", "prom")
    assert not (await register(bed)).json["changed"]


async def test_a_function_of_another_provider_is_a_conflict_and_the_first_counts(bed):
    await register(bed)
    other = {"provider": {"id": "other"}, "functions": [{"id": "prom.query", "risk": "high"}]}
    (conflict,) = (await register(bed, other)).json["conflicts"]
    assert [origin["name"] for origin in conflict["origins"]] == ["prom", "other"]
    assert (await descriptors(bed))["prom.query"]["risk"] == "low"


async def test_every_fault_of_a_manifest_is_told_and_nothing_of_it_is_kept(bed):
    faulty = {"provider": {"id": "p"}, "functions": [{"id": f"f{n}", "risk": "?"} for n in range(50)]}
    reply = await register(bed, faulty)
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert [error["path"] for error in reply.json["errors"]] == [f"$.functions[{n}].risk" for n in range(50)]
    assert reply.json["errors"][0]["message_zh"]
    assert await bed.kept.providers() == []


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        (b"", "not JSON"),
        ({"functions": []}, "provider.id"),
        (b'{"provider": {"id": "p"}, "functions": [], "functions": []}', "stands twice"),
        (b'{"provider": {"id": "p"}, "functions": [{"id": "f", "n": NaN}]}', "NaN"),
        (b'{"provider": {"id": "\\ud800"}, "functions": []}', "half of a surrogate pair"),
        (gzip.compress(b"{}", mtime=0) * 2, "something else"),
    ],
)
async def test_a_manifest_that_makes_no_sense_is_refused(bed, manifest, says):
    reply = await register(bed, manifest)
    assert reply.status == 400
    assert says in reply.json["detail"]


async def test_a_manifest_is_bounded(bed):
    assert (await register(bed, b" " * 7_000_000)).status == 413
    assert (await register(bed, gzip.compress(b" " * 5_000_000))).status == 413
    assert (await register(bed, b" " * 5_000_000)).status == 400


async def test_a_provider_can_be_handed_over_and_removed(bed):
    assert (await bed.request("DELETE", "/api/providers/prom")).status == 404
    assert (await bed.request("POST", "/api/providers/prom/transfer", json={"owner": "edge:e1"})).status == 404
    await register(bed)
    for owner in ("", "ann", ":ann", "token:", "token:\n"):
        assert (await bed.request("POST", "/api/providers/prom/transfer", json={"owner": owner})).status == 400
    reply = await bed.request("POST", "/api/providers/prom/transfer", json={"owner": "edge:e1"})
    assert (reply.status, reply.json["owner"]) == (200, "edge:e1")
    assert (await register(bed)).status == 403
    assert (await bed.request("DELETE", "/api/providers/prom")).status == 204
    assert await descriptors(bed) == {}
    assert (await register(bed)).status == 200

"""Functions as the workbench lists and opens them."""

from typing import Any

import pytest
from tests.planes.http_testbed import SCOPE, SCOPED, Testbed
from tests.planes.test_http_catalog import SCHEMA, ban, pack, say

from croupier.domain.assignment import Assignment


@pytest.fixture
def bed():
    bed = Testbed()
    named = {"display_name": {"en": "Ban", "zh": "封禁"}, "risk": "high", "tags": ["support"]}
    bed.catalog.use_sources(packs=[pack("player", ban(**named), ban(id="player.export", semantics={"returns": "job"}))])
    say(bed, SCOPE, {"id": "bare"})
    return bed


async def bearer(bed: Testbed, *permissions: str, game_id: str = "demo") -> str:
    """The token of somebody who has these permissions in a game."""
    name = f"somebody-{'-'.join(permissions)}-{game_id}".replace(":", "-").replace(".", "-").replace("*", "all")
    user = await told(bed, "POST", "/api/users", {"name": name})
    await told(bed, "PUT", f"/api/roles/{name}", {"permissions": list(permissions)})
    await told(bed, "POST", "/api/bindings", {"subject": f"user:{name}", "role": name, "game_id": game_id})
    wanted = {"name": "t", "expires_in": "1h", "user_id": user["user"]["user_id"]}
    return (await told(bed, "POST", "/api/tokens", wanted))["token"]


async def told(bed: Testbed, method: str, path: str, body: Any) -> Any:
    reply = await bed.request(method, path, json=body)
    assert reply.status < 300, reply.body
    return reply.json


async def listed(bed: Testbed, **sent: Any) -> dict[str, Any]:
    reply = await bed.request("GET", "/api/functions", headers=SCOPED, **sent)
    assert reply.status == 200, reply.body
    return {each["id"]: each for each in reply.json["functions"]}


async def test_a_list_has_what_it_shows_of_each_function_and_no_more(bed):
    found = await listed(bed)
    assert list(found) == ["bare", "player.ban", "player.export"]
    assert found["player.ban"] == {
        "id": "player.ban",
        "version": "1.0",
        "display_name": {"en": "Ban", "zh": "封禁"},
        "summary": {},
        "category": "player",
        "tags": ["support"],
        "risk": "high",
        "mode": "command",
        "returns": "",
        "enabled": True,
        "healthy": 1,
        "total": 2,
        "may": True,
    }
    assert found["player.export"]["returns"] == "job"


async def test_a_scope_has_to_be_named(bed):
    reply = await bed.request("GET", "/api/functions")
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")


async def test_who_may_look_at_the_catalog_sees_which_functions_they_may_not_call(bed):
    token = await bearer(bed, "catalog:read", "function:player.ban")
    assert {each["id"]: each["may"] for each in (await listed(bed, token=token)).values()} == {
        "bare": False,
        "player.ban": True,
        "player.export": False,
    }


async def test_who_may_only_call_some_functions_sees_those_with_their_forms(bed):
    token = await bearer(bed, "function:player.ban")
    assert list(await listed(bed, token=token)) == ["player.ban"]
    sheet = await bed.request("GET", "/api/functions/player.ban", headers=SCOPED, token=token)
    assert sheet.json["schema"] == SCHEMA
    assert sheet.json["descriptor"]["id"] == "player.ban"
    assert sheet.json["function"]["may"] is True
    hidden = await bed.request("GET", "/api/functions/player.export", headers=SCOPED, token=token)
    nowhere = await bed.request("GET", "/api/functions/player.nowhere", headers=SCOPED, token=token)
    assert (hidden.status, nowhere.status) == (404, 404)


async def test_somebody_of_another_game_is_shown_nothing(bed):
    token = await bearer(bed, "catalog:read", "function:*", game_id="other")
    assert await listed(bed, token=token) == {}
    sheet = await bed.request("GET", "/api/functions/player.ban", headers=SCOPED, token=token)
    assert sheet.status == 404


async def test_a_function_that_is_not_assigned_is_not_there(bed):
    bed.catalog.use_assignments({SCOPE: Assignment(["player.*"])})
    assert list(await listed(bed)) == ["player.ban", "player.export"]
    assert (await bed.request("GET", "/api/functions/bare", headers=SCOPED)).status == 403


async def test_a_function_whose_game_servers_have_just_gone_can_still_be_opened(bed):
    say(bed, SCOPE, {"id": "shop.sell", "params": SCHEMA})
    address = "/api/functions/shop.sell"
    before = (await bed.request("GET", address, headers=SCOPED)).json
    bed.agents.drop("a")
    bed.catalog.forget("a")
    assert "shop.sell" not in await listed(bed)
    sheet = (await bed.request("GET", address, headers=SCOPED)).json
    assert (sheet["schema"], sheet["descriptor"]) == (before["schema"], before["descriptor"])
    assert (await bed.request("GET", address, headers={**SCOPED, "X-Env": "prod"})).status == 404


async def test_a_sheet_says_why_a_description_is_left_out_and_which_condition_denies_every_call(bed):
    say(
        bed,
        SCOPE,
        {"id": "shop.wrong", "params": {"properties": {"a": {"$ref": "#/$defs/nowhere"}}}},
        {"id": "shop.right"},
    )
    bed.catalog.use_sources(packs=[pack("player", ban(auth={"allow_if": "((("}))])

    async def faults(function_id: str) -> list[tuple[str, str]]:
        sheet = (await bed.request("GET", f"/api/functions/{function_id}", headers=SCOPED)).json
        return [(each["path"], each["message"]["zh"]) for each in sheet["faults"]]

    assert await faults("shop.wrong") == [("$[0].params.properties.a['$ref']", "在文档中找不到所指的内容")]
    assert await faults("shop.right") == []
    ((path, _),) = await faults("player.ban")
    assert path == "$.auth.allow_if"

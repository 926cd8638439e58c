"""What `POST /api/access/explain` says of a call before it is made, against what happens when it is."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.scripted_agent import SCOPE, Server, attached, running, service

from croupier.settings import ApprovalRuleSettings, ApprovalsSettings
from croupier.settings.approvals import StageSettings

HERE = {"X-Game-ID": SCOPE.game_id, "X-Env": SCOPE.env}
GIVE = {
    "type": "object",
    "properties": {"player_id": {"type": "string"}, "amount": {"type": "integer"}},
    "required": ["player_id"],
}
FUNCTIONS: list[dict[str, Any]] = [
    {"id": "coins.give", "params": GIVE, "semantics": {"rate_limit": "5/m", "concurrency": 2}},
    {"id": "coins.show", "semantics": {"mode": "query"}},
    {"id": "coins.clear", "auth": {"two_person_rule": {"required": True, "approvers": ["group:lead"]}, "risk": "high"}},
    {"id": "coins.off", "enabled": False},
    {"id": "coins.small", "auth": {"allow_if": "args.amount <= 10"}},
    {"id": "coins.sometimes"},
]
IDS = [each["id"] for each in FUNCTIONS]
SOMETIMES = ApprovalRuleSettings(
    name="large",
    functions=("coins.sometimes",),
    when="args.amount > 100",
    stages=(StageSettings(approvers=("group:lead",), threshold=2),),
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path / "data", approvals=ApprovalsSettings(rules=(SOMETIMES,))) as server:
        manifest = json.dumps({"provider": {"id": "coins", "version": "1"}, "functions": FUNCTIONS}).encode()
        assert (await server.request("POST", "/api/providers/capabilities", data=manifest)).status == 200
        async with attached(server, services=[service(*IDS)]):
            yield server


async def explain(server: Server, function_id: str, payload: Any = None, **asked: Any) -> Any:
    body = {"function_id": function_id, **asked} | ({} if payload is None else {"payload": payload})
    reply = await server.request("POST", "/api/access/explain", json=body, headers=HERE)
    assert reply.status == 200, reply.body
    return reply.json


def gate(answer: Any, name: str) -> Any:
    return next(each for each in answer["gates"] if each["gate"] == name)


async def put(server: Server, address: str, body: Any) -> None:
    reply = await server.request("PUT", address, json=body)
    assert reply.status == 200, reply.body


async def somebody(server: Server, role: str, **where: str) -> dict[str, str]:
    """Headers of an account with this role."""
    user = (await server.request("POST", "/api/users", json={"name": f"is-{role}"})).json["user"]
    bound = {"subject": f"user:is-{role}", "role": role, **where}
    assert (await server.request("POST", "/api/bindings", json=bound)).status == 200
    wanted = {"name": "test", "expires_in": "1h", "user_id": user["user_id"]}
    token = (await server.request("POST", "/api/tokens", json=wanted)).json["token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("maintenance", [False, True])
async def test_what_is_said_of_a_call_is_what_becomes_of_it(server: Server, maintenance: bool) -> None:
    for name, then, most in (("strict", "deny", 50), ("mild", "approval", 20)):
        budget = {"path": "$.amount", "most": most, "period": "call", "then": then}
        await put(server, f"/api/limits/{name}", {"functions": "coins.sometimes", "budget": budget})
    await put(server, "/api/limits/none", {"functions": "coins.show", "concurrency": 0, "env": "prod"})
    eve = await somebody(server, "operator", game_id=SCOPE.game_id)
    bob = await somebody(server, "viewer", game_id=SCOPE.game_id)
    if maintenance:
        assert (await server.request("POST", "/api/maintenance", json={"reason": "a map", "lasts": "1h"})).status == 200
    payloads: list[Any] = [{}, {"player_id": "p1"}, {"player_id": 5}, {"amount": 3}, {"amount": 30}, {"amount": 300}]
    wrong = []
    for who in (eve, bob):
        for function_id in (*IDS, "coins.nowhere"):
            for payload in payloads:
                body = {"function_id": function_id, "payload": payload}
                headers = {**HERE, **who}
                said = (await server.request("POST", "/api/access/explain", json=body, headers=headers)).json
                made = await server.request("POST", "/api/invoke", json=body, headers=headers)
                told = (said["allowed"], said["allowed"] and said["approval"]["needed"])
                if told != (made.status < 300, made.status == 202):
                    wrong.append((function_id, payload, said["decided_by"], made.status, made.json))
    assert not wrong


async def test_every_gate_is_listed_in_the_order_in_which_a_call_passes_them(server: Server) -> None:
    await put(
        server,
        "/api/limits/daily",
        {"functions": "coins.*", "budget": {"path": "$.amount", "most": 100, "period": "day"}},
    )
    found = await explain(server, "coins.give", {"player_id": "p1", "amount": 3})
    assert [each["gate"] for each in found["gates"]] == [
        "assigned",
        "descriptor",
        "permission",
        "maintenance",
        "rate",
        "concurrency",
        "schema",
        "budget",
        "approval",
        "route",
    ]
    assert {each["verdict"] for each in found["gates"]} == {"pass"}
    assert (found["allowed"], found["decided_by"]) == (True, "permission")


async def test_asking_takes_nothing_and_leaves_no_trace(server: Server) -> None:
    await put(
        server,
        "/api/limits/daily",
        {"functions": "coins.*", "budget": {"path": "$.amount", "most": 100, "period": "day"}},
    )
    rows = (await server.request("GET", "/api/audit")).json["rows"][0]["seq"]
    for _ in range(10):
        found = await explain(server, "coins.give", {"player_id": "p1", "amount": 30})
    assert (gate(found, "rate")["left"], gate(found, "concurrency")["left"], gate(found, "budget")["left"]) == (
        5,
        2,
        100,
    )
    await explain(server, "coins.off")
    assert (await server.request("GET", "/api/calls")).json["calls"] == []
    read = (await server.request("GET", "/api/audit?action=function.*")).json["rows"]
    assert [row for row in read if row["seq"] > rows] == []


async def test_a_rate_says_what_is_left_and_when_to_come_again(server: Server) -> None:
    payload = {"player_id": "p1"}
    assert gate(await explain(server, "coins.give", payload), "rate")["detail"] == "5 per 60 s: 5 left"
    for left in (4, 3, 2, 1, 0):
        assert (await server.invoke("coins.give", payload)).status == 200
        found = gate(await explain(server, "coins.give", payload), "rate")
        assert found["left"] == left
    assert (found["verdict"], found["rule"]) == ("wait", "description")
    assert 0 < found["retry_after"] <= 12
    answer = await explain(server, "coins.give", payload)
    assert (answer["allowed"], answer["decided_by"]) == (False, "rate")
    assert (await server.invoke("coins.give", payload)).status == 429


async def test_maintenance_stops_commands_by_name_and_lets_queries_through(server: Server) -> None:
    window = {"reason": "a new map", "lasts": "1h", "game_id": SCOPE.game_id}
    opened = (await server.request("POST", "/api/maintenance", json=window)).json
    found = await explain(server, "coins.give", {"player_id": "p1"})
    stopped = gate(found, "maintenance")
    assert (found["allowed"], stopped["verdict"], stopped["rule"]) == (False, "wait", opened["id"])
    assert "a new map" in stopped["detail"]
    assert 0 < stopped["retry_after"] <= 3600
    assert "override_maintenance=true" in stopped["detail"]
    over = await explain(server, "coins.give", {"player_id": "p1"}, metadata={"override_maintenance": "true"})
    assert (over["allowed"], gate(over, "maintenance")["verdict"]) == (True, "pass")
    assert (await explain(server, "coins.show"))["allowed"] is True


async def test_a_budget_says_what_is_left_and_what_becomes_of_more(server: Server) -> None:
    for name, then in (("strict", "deny"), ("mild", "approval")):
        budget = {"path": "$.amount", "most": 100 if then == "deny" else 10, "period": "day", "then": then}
        await put(server, f"/api/limits/{name}", {"functions": "coins.give", "budget": budget})
    assert (await server.invoke("coins.give", {"player_id": "p1", "amount": 4})).status == 200
    found = await explain(server, "coins.give")
    assert [(each["rule"], each["left"], each["verdict"]) for each in found["gates"] if each["gate"] == "budget"] == [
        ("strict", 96, "depends"),
        ("mild", 6, "depends"),
    ]
    more = await explain(server, "coins.give", {"player_id": "p1", "amount": 20})
    assert (more["allowed"], more["approval"]["needed"]) == (True, True)
    assert "limit mild" in more["approval"]["why"][0]
    assert gate(more, "approval")["verdict"] == "ask"
    most = await explain(server, "coins.give", {"player_id": "p1", "amount": 97})
    assert (most["allowed"], most["decided_by"]) == (False, "budget")
    uncounted = await explain(server, "coins.give", {"player_id": "p1"})
    assert "give that argument" in gate(uncounted, "budget")["detail"]


async def test_an_approval_is_told_with_who_has_to_agree(server: Server) -> None:
    found = await explain(server, "coins.clear", {})
    assert found["allowed"] is True
    assert gate(found, "approval")["detail"] == "needs an approval of group:lead (its two-person rule)"
    assert found["approval"] == {
        "needed": True,
        "why": ["its two-person rule"],
        "causes": [{"code": "two_person_rule", "parameters": {}, "detail": "its two-person rule"}],
        "stages": [{"approvers": ["group:lead"], "threshold": 1}],
        "reason": False,
        "ticket": False,
        "proof": True,
        "expires": None,
    }
    assert (await server.invoke("coins.clear")).status == 202
    assert (await explain(server, "coins.show", {}))["approval"]["needed"] is False


async def test_without_arguments_an_approval_that_depends_on_them_is_left_open(server: Server) -> None:
    found = await explain(server, "coins.sometimes")
    assert (found["allowed"], found["approval"]["needed"], found["approval"]["stages"][0]["threshold"]) == (
        True,
        None,
        2,
    )
    assert (await explain(server, "coins.sometimes", {"amount": 5}))["approval"]["needed"] is False
    assert (await explain(server, "coins.sometimes", {"amount": 500}))["approval"]["needed"] is True


async def test_arguments_that_do_not_fit_are_told_with_the_words_of_the_call(server: Server) -> None:
    found = await explain(server, "coins.give", {"amount": "x"})
    refused = await server.invoke("coins.give", {"amount": "x"})
    assert (found["allowed"], found["decided_by"], found["reason"]) == (False, "schema", refused.json["detail"])
    assert gate(await explain(server, "coins.give"), "schema")["verdict"] == "depends"


async def test_a_condition_counts_as_in_the_call(server: Server) -> None:
    eve = await somebody(server, "operator", game_id=SCOPE.game_id)
    for payload, allowed in ((None, None), ({"amount": 3}, True), ({"amount": 30}, False)):
        body = {"function_id": "coins.small"} | ({} if payload is None else {"payload": payload})
        reply = await server.request("POST", "/api/access/explain", json=body, headers={**HERE, **eve})
        assert reply.json["allowed"] is allowed


async def test_a_function_that_is_off_and_one_that_is_not_assigned_are_told_apart(server: Server) -> None:
    assert (await explain(server, "coins.off"))["decided_by"] == "descriptor"
    await put(server, "/api/assignments", {str(SCOPE): ["mail.*"]})
    assert (await explain(server, "coins.give"))["decided_by"] == "assigned"


async def test_whom_a_call_reaches_is_told_as_the_router_would_choose(server: Server) -> None:
    async with attached(server, agent_id="agent-2", services=[service(*IDS, service_id="game-2")]):
        everybody = await explain(server, "coins.give", {"player_id": "p1"}, route="broadcast")
        assert (everybody["affects"]["game_servers"], everybody["affects"]["candidates"]) == (2, 2)
        assert {each["service_id"] for each in everybody["affects"]["receivers"]} == {"game-1", "game-2"}
        one = await explain(server, "coins.give", {"player_id": "p1"}, route="targeted", target_service_id="game-2")
        assert [each["service_id"] for each in one["affects"]["receivers"]] == ["game-2"]
        nobody = await explain(server, "coins.give", route="targeted", target_service_id="game-3")
        assert (nobody["allowed"], nobody["decided_by"]) == (False, "route")
    affects = (await explain(server, "coins.clear"))["affects"]
    assert (affects["risk"], affects["mode"], affects["game_servers"]) == ("high", "command", 1)


async def test_who_has_no_business_in_a_scope_learns_nothing_of_what_goes_on_there(server: Server) -> None:
    window = {"reason": "a secret launch", "lasts": "1h"}
    assert (await server.request("POST", "/api/maintenance", json=window)).status == 200
    eve = await somebody(server, "operator", game_id="other")
    body = {"function_id": "coins.give", "payload": {}}
    reply = await server.request("POST", "/api/access/explain", json=body, headers={**HERE, **eve})
    found = reply.json
    assert (found["allowed"], found["decided_by"], found["affects"]) == (False, "permission", None)
    assert b"secret launch" not in reply.body


async def test_game_servers_are_named_to_whom_they_are_shown_only(server: Server) -> None:
    await put(server, "/api/roles/giver", {"permissions": ["function:coins.give"]})
    giver = await somebody(server, "giver", game_id=SCOPE.game_id)
    body = {"function_id": "coins.give", "payload": {"player_id": "p1"}}
    reply = await server.request("POST", "/api/access/explain", json=body, headers={**HERE, **giver})
    assert (reply.json["affects"]["game_servers"], reply.json["affects"]["receivers"]) == (1, [])


async def test_a_role_is_asked_about_as_if_it_were_all_one_has(server: Server) -> None:
    found = await explain(server, "coins.give", role="viewer")
    assert (found["allowed"], found["decided_by"]) == (False, "permission")
    assert [each["gate"] for each in found["gates"]][-1] == "approval"
    assert (await explain(server, "coins.clear", role="operator"))["approval"]["needed"] is True


# ------------------------------------------------------------------------------------------------ roles and functions


async def test_the_matrix_says_which_role_may_call_what(server: Server) -> None:
    await put(server, "/api/roles/giver", {"permissions": ["function:coins.give"]})
    reply = await server.request("GET", "/api/access/matrix?role=viewer&role=giver&role=operator", headers=HERE)
    assert reply.json["roles"] == ["viewer", "giver", "operator"]
    by_id = {each["function_id"]: each for each in reply.json["functions"]}
    assert (by_id["coins.give"]["roles"], by_id["coins.clear"]["roles"]) == (["giver", "operator"], ["operator"])
    assert (by_id["coins.small"]["allow_if"], by_id["coins.clear"]["risk"]) == ("args.amount <= 10", "high")
    every = (await server.request("GET", "/api/access/matrix", headers=HERE)).json
    assert set(every["roles"]) >= {"admin", "giver"}


async def test_the_matrix_comes_in_pages(server: Server) -> None:
    seen: list[str] = []
    after = ""
    while True:
        address = f"/api/access/matrix?prefix=coins.s&limit=1&after={after}"
        page = (await server.request("GET", address, headers=HERE)).json
        seen += [each["function_id"] for each in page["functions"]]
        if not (after := page["next"]):
            break
    assert seen == ["coins.show", "coins.small", "coins.sometimes"]


async def test_a_role_that_is_not_there_is_none_of_the_matrix(server: Server) -> None:
    assert (await server.request("GET", "/api/access/matrix?role=nobody", headers=HERE)).status == 404
    many = "&".join(f"role=r{number}" for number in range(101))
    assert (await server.request("GET", f"/api/access/matrix?{many}", headers=HERE)).status == 400


async def test_every_gate_says_by_name_what_it_says_and_a_refusal_has_the_same_name(server: Server) -> None:
    await put(server, "/api/limits/none", {"functions": "coins.show", "concurrency": 0})
    bob = await somebody(server, "viewer", game_id=SCOPE.game_id)
    for function_id in IDS:
        found = await explain(server, function_id, {"player_id": "p1", "amount": 500}, user="is-viewer")
        assert [each for each in found["gates"] if each["code"] is None] == []
        body = {"function_id": function_id, "payload": {"player_id": "p1", "amount": 500}}
        refused = (await server.request("POST", "/api/invoke", json=body, headers={**HERE, **bob})).json
        said = gate(found, "permission")
        if function_id != "coins.off":  # what nobody may call is found out first
            assert (refused["code"], refused["details"]) == (said["code"], said["parameters"])
            assert said["code"] == "permission_missing"
    shown = await explain(server, "coins.show", {})
    limit = gate(shown, "concurrency")
    assert (limit["code"], limit["parameters"]["most"]) == ("concurrency_exceeded", "0")


async def test_why_somebody_has_to_agree_is_said_by_name(server: Server) -> None:
    found = await explain(server, "coins.sometimes", {"player_id": "p1", "amount": 500})
    (cause,) = found["approval"]["causes"]
    assert (cause["code"], cause["parameters"]) == ("rule", {"rule": "large"})
    assert gate(found, "approval")["code"] == "approval_needed"

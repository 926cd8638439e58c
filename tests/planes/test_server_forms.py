"""Conditions of a form, from HTTP to the game server: nobody skips a rule, and what is hidden is neither sent nor kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.planes.scripted_agent import Reply, Server, attached, running, service

MUTE: dict[str, Any] = {
    "id": "f",
    "request": {
        "json_schema": {
            "type": "object",
            "properties": {
                "kind": {"enum": ["mute", "ban"]},
                "days": {"type": "integer", "minimum": 1},
                "reason": {"type": "string"},
                "ticket": {"type": "integer"},
            },
            "required": ["kind", "days"],
        }
    },
    "ui": {
        "fields": {
            "days": {"show_if": "$.kind == 'mute'"},
            "reason": {"required_if": "$.kind === 'ban'", "label": {"en": "Reason", "zh": "原因"}},
        }
    },
}


def manifest(**fields: Any) -> bytes:
    return orjson.dumps([MUTE | fields])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def recorded(server: Server, reply: Reply) -> Any:
    found = await server.request("GET", f"/api/calls/{reply.headers['X-Call-ID']}")
    return found.json["payload"]


def faults(reply: Reply) -> list[tuple[str, str]]:
    return [(fault["path"], fault["keyword"]) for fault in reply.json["faults"]]


async def test_what_is_hidden_is_neither_sent_nor_recorded(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        reply = await server.invoke(payload={"kind": "ban", "days": "for ever", "reason": "cheats"})
        record = await recorded(server, reply)
    assert reply.status == 200
    (frame,) = agent.executed
    assert orjson.loads(frame.payload) == record == {"kind": "ban", "reason": "cheats"}


async def test_what_is_shown_is_checked_and_sent_as_it_came(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        right = await server.invoke(payload=orjson.Fragment(b'{"kind" : "mute",  "days": 3}'))
        wrong = await server.invoke(payload={"kind": "mute", "days": 0})
    assert right.status == 200
    assert [frame.payload for frame in agent.executed] == [b'{"kind" : "mute",  "days": 3}']
    assert (wrong.status, faults(wrong)) == (400, [("/days", "minimum")])


async def test_what_a_condition_demands_is_a_fault_in_two_languages(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        reply = await server.invoke(payload={"kind": "ban"})
    assert (reply.status, reply.json["reason"]) == (400, "invalid_argument")
    assert reply.json["faults"] == [
        {"path": "/reason", "keyword": "required", "message": {"en": "is missing", "zh": "缺少此项"}}
    ]
    assert reply.json["details"] == {"/reason": "is missing"}
    assert "/reason: is missing" in reply.json["detail"]
    assert not agent.executed


async def test_a_field_required_while_shown_is_missed_only_then(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)):
        shown = await server.invoke(payload={"kind": "mute"})
        hidden = await server.invoke(payload={"kind": "ban", "reason": "x"})
    assert (shown.status, faults(shown)) == (400, [("/days", "required")])
    assert hidden.status == 200


async def test_a_job_is_started_without_what_is_hidden(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        await server.started(payload={"kind": "ban", "days": 1, "reason": "x"})
        refused = await server.start(payload={"kind": "ban"})
    (start,) = agent.executed
    assert orjson.loads(start.payload) == {"kind": "ban", "reason": "x"}
    assert (refused.status, faults(refused)) == (400, [("/reason", "required")])


async def test_large_numbers_survive_that_something_beside_them_is_hidden(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        sent = b'{"kind": "ban", "days": 1, "reason": "x", "ticket": 123456789012345678901}'
        assert (await server.invoke(payload=orjson.Fragment(sent))).status == 200
    assert [frame.payload for frame in agent.executed] == [
        b'{"kind":"ban","reason":"x","ticket":123456789012345678901}'
    ]


async def test_one_key_and_arguments_that_differ_only_in_what_is_hidden_are_one_call(server: Server) -> None:
    async with attached(server, services=(service("f", manifest_json=manifest()),)) as agent:
        first = await server.invoke(payload={"kind": "ban", "reason": "x", "days": 1}, idempotency_key="k")
        again = await server.invoke(payload={"kind": "ban", "reason": "x", "days": 2}, idempotency_key="k")
    assert (first.status, again.status) == (200, 200)
    assert again.headers["X-Replayed"] == "true"
    assert len(agent.executed) == 1


async def test_conditions_that_cannot_be_read_are_listed_and_let_nothing_through(server: Server) -> None:
    broken = manifest(ui={"fields": {"days": {"show_if": "$.kind = 'mute'"}}})
    async with attached(server, services=(service("f", manifest_json=broken),)) as agent:
        reply = await server.invoke(payload={"kind": "ban"})
        listed = (await server.request("GET", "/api/catalog/faults")).json["faults"]
    assert (reply.status, reply.json["reason"]) == (409, "failed_precondition")
    assert "$.fields.days.show_if" in reply.json["detail"]
    assert [fault["path"] for fault in listed] == ["$.f.ui.fields.days.show_if"]
    assert set(listed[0]["message"]) == {"en", "zh"}
    assert not agent.executed


async def test_what_is_only_disabled_is_sent_as_it_is(server: Server) -> None:
    disabled = manifest(ui={"fields": {"reason": {"disabled_if": "$.kind == 'ban'"}}})
    async with attached(server, services=(service("f", manifest_json=disabled),)) as agent:
        assert (await server.invoke(payload={"kind": "ban", "days": 1, "reason": "x"})).status == 200
    assert orjson.loads(agent.executed[0].payload) == {"kind": "ban", "days": 1, "reason": "x"}

"""Approvals through the real server: HTTP and gRPC in, a call that waits, and what comes of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.planes.scripted_agent import Server, attached, running, service

MANIFEST = b"""[
  {"id": "ban", "auth": {"two_person_rule": true}, "request": {"json_schema": {"required": ["id"]}}},
  {"id": "kick", "semantics": {"mode": "command"}}
]"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


def game() -> Any:
    return service("ban", "kick", manifest_json=MANIFEST)


async def test_a_call_that_needs_an_approval_is_accepted_and_not_sent(server: Server) -> None:
    async with attached(server, services=(game(),)) as agent:
        reply = await server.invoke("ban", {"id": "p1"}, reason="rude", ticket="T-7")
        assert reply.status == 202, reply.body
        assert (reply.json["state"], reply.headers["X-Call-Id"]) == ("pending", reply.json["call_id"])
        assert reply.headers["Location"] == f"/api/approvals/{reply.json['approval_id']}"
        assert not agent.executed
        call = (await server.request("GET", f"/api/calls/{reply.json['call_id']}")).json
        assert (call["state"], call["payload"]) == ("waiting", {"id": "p1"})
        approval = (await server.request("GET", reply.headers["Location"])).json
    assert (approval["state"], approval["reason"], approval["ticket"]) == ("pending", "rude", "T-7")
    assert approval["why"] == ["its two-person rule"]
    assert approval["payload"] == {"id": "p1"}
    assert approval["description"]["id"] == "ban"
    assert approval["may_decide"] is False

"""The audit record of a running server: what is on it, what is not shown in it, and that it can be taken along and verified."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import orjson
import pytest
from tests.planes.packs_testbed import pack_archive
from tests.planes.scripted_agent import Server, attached, running

from croupier.audit.signing import Signer
from croupier.audit.verify import ExportCheck, Verdict
from croupier.server.access.audit import CHAIN_PURPOSE, SIGN_PURPOSE
from croupier.server.access.keys import load_key
from croupier.settings import PacksSettings
from croupier_wire.function.v1 import function_pb2 as wire
from croupier_wire.function.v1 import function_pb2_grpc

SCOPED = {"X-Game-ID": "demo", "X-Env": "dev"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def settle(server: Server) -> None:
    """A change waits until what came before is on disk, such as the outcome of a call."""
    assert (await server.request("PUT", "/api/assignments", data=b"{}")).status == 200


async def rows(server: Server, **wanted: str) -> list[dict[str, Any]]:
    """Oldest first."""
    await settle(server)
    reply = await server.request("GET", "/api/audit", params=wanted)
    assert reply.status == 200, reply.body
    return reply.json["rows"][::-1]


def verdict_of(export: bytes, tmp_path: Path) -> Verdict:
    key = load_key(tmp_path)
    check = ExportCheck(key=key.derive(CHAIN_PURPOSE), witness=Signer(key.derive(SIGN_PURPOSE)).witness)
    for line in export.splitlines(keepends=True):
        check.feed(line)
    return check.finish()


def bend(tmp_path: Path, statement: str) -> None:
    with sqlite3.connect(tmp_path / "croupier.db", timeout=30) as connection:
        connection.execute(statement)
    connection.close()


async def test_a_call_leaves_its_intent_and_its_outcome(server: Server) -> None:
    async with attached(server):
        reply = await server.invoke(payload={"player_id": "42", "pin": "1234"})
    assert reply.status == 200

    intent, outcome = await rows(server, action="function.invoke")

    assert [intent["phase"], outcome["phase"]] == ["intent", "outcome"]
    assert intent["act_id"] == outcome["act_id"] == reply.headers["X-Call-ID"]
    assert intent["target"] == "f"
    assert (intent["game_id"], intent["env"]) == ("demo", "dev")
    assert intent["actor"]["name"]
    assert outcome["result"] == "ok"
    assert intent["details"]["player_id"] == "42"
    assert intent["details"]["pin"].startswith("masked:")


async def test_a_masked_value_is_found_by_who_knows_it(server: Server) -> None:
    async with attached(server):
        await server.invoke(payload={"api_token": "t0p-s3cret"})
        await server.invoke(payload={"api_token": "another"})

    assert len(await rows(server, value="t0p-s3cret")) == 1
    assert await rows(server, text="t0p-s3cret") == []


async def test_a_call_that_is_refused_is_on_record(server: Server) -> None:
    await server.request("PUT", "/api/assignments", data=b'{"demo|dev":[]}')
    assert (await server.invoke()).status == 403

    (denied,) = await rows(server, result="denied")

    assert (denied["action"], denied["target"], denied["reason"]) == ("function.invoke", "f", "permission_denied")


async def test_an_export_is_verified_without_the_server(server: Server, tmp_path: Path) -> None:
    async with attached(server):
        for _ in range(5):
            await server.invoke()
    await settle(server)
    await server.request("POST", "/api/audit/checkpoints")

    reply = await server.request("GET", "/api/audit/export")
    verdict = verdict_of(reply.body, tmp_path)

    assert verdict.holds, verdict.faults
    assert verdict.rows >= 10
    assert verdict.checkpoints == 1
    assert not verdict_of(reply.body.replace(b'"phase":"intent"', b'"phase":"event"', 1), tmp_path).holds


async def test_a_part_of_the_record_is_verified_row_by_row(server: Server, tmp_path: Path) -> None:
    async with attached(server):
        for _ in range(3):
            await server.invoke()
    await settle(server)

    reply = await server.request("GET", "/api/audit/export", params={"phase": "outcome", "action": "function.*"})
    verdict = verdict_of(reply.body, tmp_path)

    assert verdict.holds, verdict.faults
    assert (verdict.rows, verdict.whole) == (3, False)


async def test_a_table_for_spreadsheets_has_every_row(server: Server) -> None:
    async with attached(server):
        await server.invoke(payload={"reason": "=1+1"})

    called = {"action": "function.*"}
    found = await rows(server, **called)
    reply = await server.request("GET", "/api/audit/export", params={"format": "csv", **called})

    assert reply.headers["Content-Type"].startswith("text/csv")
    assert len(reply.body.decode().splitlines()) == 1 + len(found)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ('UPDATE audit SET row = replace(row, \'"target":"f"\', \'"target":"g"\') WHERE seq = 3', 3),
        ("UPDATE audit SET mac = zeroblob(32) WHERE seq = 4", 4),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("UPDATE audit SET seq = 1000 WHERE seq = 5", 5),
        ("UPDATE audit SET act_id = 'c0' WHERE seq = 3", 3),
        ("UPDATE audit SET time_ms = 0 WHERE seq = 4", 4),
    ],
)
async def test_a_table_that_was_edited_by_hand_is_told_with_the_row(
    server: Server, tmp_path: Path, statement: str, seq: int
) -> None:
    async with attached(server):
        for _ in range(5):
            await server.invoke()
    await settle(server)
    assert (await server.request("POST", "/api/audit/verify")).json["holds"]

    await asyncio.to_thread(bend, tmp_path, statement)
    found = (await server.request("POST", "/api/audit/verify")).json

    assert not found["holds"]
    assert seq in {fault["seq"] for fault in found["faults"]}


async def test_rows_that_were_cut_off_the_end_while_the_server_was_down_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server):
        for _ in range(5):
            await server.invoke()
        await settle(server)
        signed = (await server.request("POST", "/api/audit/checkpoints")).json["seq"]
    await asyncio.to_thread(bend, tmp_path, f"DELETE FROM audit WHERE seq > {signed - 2}")
    await asyncio.to_thread(bend, tmp_path, "DELETE FROM audit_checkpoints")
    async with running(tmp_path) as server:
        found = (await server.request("POST", "/api/audit/verify")).json
        assert signed in {fault["seq"] for fault in found["faults"]}


async def test_the_chain_goes_on_over_restarts(tmp_path: Path) -> None:
    for _ in range(3):
        async with running(tmp_path) as server, attached(server):
            await server.invoke()
            await settle(server)
    async with running(tmp_path) as server:
        verdict = (await server.request("POST", "/api/audit/verify")).json
    assert verdict["holds"], verdict
    assert verdict["rows"] >= 6


async def test_a_cut_takes_old_rows_away_and_says_so(server: Server, tmp_path: Path) -> None:
    async with attached(server):
        await server.invoke()
        last = (await rows(server))[-1]
        before = {"before": str(last["time_ms"] + 1)}
        reply = await server.request("POST", "/api/audit/cut", json=before)
        assert reply.status == 200, reply.body
        await server.invoke()

    left = await rows(server)
    assert left[0]["seq"] == reply.json["up_to"] + 1
    assert [each["phase"] for each in left if each["action"] == "audit.cut"] == ["intent", "outcome"]
    assert verdict_of((await server.request("GET", "/api/audit/export")).body, tmp_path).holds
    assert (await server.request("POST", "/api/audit/verify")).json["holds"]


async def test_a_record_that_does_not_hold_together_is_not_cut(server: Server, tmp_path: Path) -> None:
    async with attached(server):
        await server.invoke()
        last = (await rows(server))[-1]
    await asyncio.to_thread(bend, tmp_path, "UPDATE audit SET mac = zeroblob(32) WHERE seq = 1")

    reply = await server.request("POST", "/api/audit/cut", json={"before": str(last["time_ms"] + 1)})

    assert reply.status == 409
    assert "row 1" in reply.json["detail"]


async def test_the_end_of_a_job_is_on_record(server: Server) -> None:
    async with attached(server) as agent:
        job_id = (await server.start()).json["job_id"]
        agent.tell(job_id, 1, "done")
        await agent.acknowledged(job_id, 1)

    said = [(each["action"], each["phase"], each["result"]) for each in await rows(server, call_id=job_id)]

    assert said == [("job.start", "intent", ""), ("job.start", "outcome", "ok"), ("job.end", "outcome", "succeeded")]


async def test_one_row_is_read_by_its_number(server: Server) -> None:
    async with attached(server):
        await server.invoke()
    assert (await server.request("GET", "/api/audit/1")).json["seq"] == 1
    assert (await server.request("GET", "/api/audit/99999")).status == 404
    assert (await server.request("GET", "/api/audit", params={"since": "yesterday"})).status == 400
    await settle(server)
    newest = (await server.request("GET", "/api/audit", params={"limit": "1"})).json
    assert newest["next"] == newest["rows"][0]["seq"]


async def acts(server: Server, action: str) -> list[tuple[str, str, str]]:
    return [(each["phase"], each["target"], each["result"]) for each in await rows(server, action=action)]


async def test_what_administrators_change_is_on_record(tmp_path: Path) -> None:
    async with running(tmp_path, packs=PacksSettings(allow_unsigned=True)) as server:
        await change_everything(server)


async def change_everything(server: Server) -> None:
    manifest = b'{"provider":{"id":"prom","version":"1"},"functions":[]}'
    archive = pack_archive("tools")
    for method, path, data in (
        ("POST", "/api/providers/capabilities", manifest),
        ("POST", "/api/providers/prom/transfer", b'{"owner":"token:bob"}'),
        ("DELETE", "/api/providers/prom", None),
        ("POST", "/api/packs/import", archive),
        ("POST", "/api/packs/tools/disable", None),
        ("POST", "/api/packs/tools/enable", None),
        ("POST", "/api/packs/reload", None),
        ("DELETE", "/api/packs/tools", None),
        ("POST", "/api/packs/tools/rollback", None),
    ):
        reply = await server.request(method, path, data=data)
        assert reply.status in {200, 204, 409}, (path, reply.body)

    for action in ("providers.register", "providers.transfer", "providers.remove"):
        assert await acts(server, action) == [("intent", "prom", ""), ("outcome", "prom", "ok")], action
    for action in ("packs.import", "packs.disable", "packs.enable", "packs.uninstall", "packs.rollback"):
        assert await acts(server, action) == [("intent", "tools", ""), ("outcome", "tools", "ok")], action
    assert await acts(server, "packs.reload") == [("intent", "", ""), ("outcome", "", "ok")]
    assert (await acts(server, "assignments.replace"))[0] == ("intent", "", "")


async def test_bulk_runs_are_on_record_with_their_file(server: Server) -> None:
    async with attached(server):
        params, headers = {"function_id": "f"}, {**SCOPED, "Content-Type": "application/jsonl"}
        uploaded = await server.request("POST", "/api/bulk", data=b"{}\n{}\n", headers=headers, params=params)
        bulk_id = uploaded.json["bulk_id"]
        assert (await server.request("POST", f"/api/bulk/{bulk_id}/start", json={})).status == 200
        await server.request("POST", f"/api/bulk/{bulk_id}/cancel")

    assert await acts(server, "bulk.upload") == [("intent", bulk_id, ""), ("outcome", bulk_id, "ok")]
    (begun, _) = await rows(server, action="bulk.start")
    assert (begun["details"]["rows"], len(begun["details"]["sha256"])) == (2, 64)
    assert await acts(server, "bulk.cancel") == [("intent", bulk_id, ""), ("outcome", bulk_id, "ok")]


async def test_who_asks_a_job_to_stop_is_on_record(server: Server) -> None:
    async with attached(server):
        job_id = await server.started()
        await server.request("POST", "/api/cancel_job", json={"job_id": job_id, "reason": "wrong players"})

    (asked, _) = await rows(server, action="jobs.cancel")

    assert (asked["target"], asked["details"]["reason"]) == (job_id, "wrong players")


async def test_ten_thousand_refusals_are_one_row_and_a_number(server: Server) -> None:
    await server.request("PUT", "/api/assignments", data=b'{"demo|dev":[]}')
    for _ in range(20):
        assert (await server.invoke()).status == 403
    assert len(await rows(server, result="denied")) == 1


async def test_a_recorded_call_is_shown_masked_repeated_whole_and_revealed_on_record(server: Server) -> None:
    async with attached(server) as agent:
        call_id = (await server.invoke(payload={"player": "42", "password": "hunter2"})).headers["X-Call-ID"]
        await settle(server)
        shown = await server.request("GET", f"/api/calls/{call_id}")
        assert b"hunter2" not in shown.body
        assert shown.json["payload"]["player"] == "42"

        await server.request("POST", f"/api/calls/{call_id}/replay")
        assert orjson.loads(agent.executed[-1].payload)["password"] == "hunter2"

        revealed = await server.request("GET", f"/api/calls/{call_id}", params={"reveal": "true"})
        assert revealed.json["payload"]["password"] == "hunter2"
    assert [each["target"] for each in await rows(server, action="calls.reveal")] == [call_id]


# ------------------------------------------------------------------------------------------------ where from


async def test_every_row_of_a_request_says_where_it_came_from(server: Server) -> None:
    async with attached(server) as agent:
        assert (await server.invoke()).status == 200
        job_id = await server.started()
        agent.tell(job_id, 1, "done")
        await server.ended(job_id)
    await server.request("PUT", "/api/limits/slow", json={"functions": "f", "rate": "1/s"})
    await server.request("PUT", "/api/assignments", data=b'{"demo|dev":[]}')
    assert (await server.invoke()).status == 403

    found = await rows(server)

    by_people = [row for row in found if row["actor"]["kind"] != "system"]
    assert {row["action"] for row in by_people} >= {"function.invoke", "job.start", "limits.set", "assignments.replace"}
    assert {row["address"] for row in by_people} == {"127.0.0.1"}
    assert {row["address"] for row in found if row["actor"]["kind"] == "system"} <= {""}


async def test_a_call_over_grpc_says_where_it_came_from(server: Server) -> None:
    async with attached(server), grpc.aio.insecure_channel(server.grpc) as channel:
        asked = wire.InvokeRequest(function_id="f", payload=b"{}", metadata={"game_id": "demo", "env": "dev"})
        await function_pb2_grpc.FunctionServiceStub(channel).Invoke(asked, metadata=server.credentials)
    assert {row["address"] for row in await rows(server, action="function.invoke")} == {"127.0.0.1"}


async def test_behind_a_trusted_proxy_it_is_the_address_that_the_proxy_tells(tmp_path: Path) -> None:
    told = {"X-Forwarded-For": "198.51.100.9"}
    limit = {"functions": "f", "rate": "1/s"}
    for name, proxies, address in (("in", ("127.0.0.0/8",), "198.51.100.9"), ("out", (), "127.0.0.1")):
        async with running(tmp_path / name, trusted_proxies=proxies) as server:
            assert (await server.request("PUT", "/api/limits/slow", json=limit, headers=told)).status == 200
            assert {row["address"] for row in await rows(server, action="limits.set")} == {address}


async def test_who_signs_in_or_fails_to_is_on_record_with_the_address(server: Server) -> None:
    password = "correct horse battery staple"
    assert (await server.request("POST", "/api/users", json={"name": "ann", "password": password})).status == 200
    for tried in ("wrong horse battery", password):
        await server.request("POST", "/api/login", json={"name": "ann", "password": tried})
    found = await rows(server, action="login")
    assert [(row["result"], row["actor"]["name"], row["address"]) for row in found] == [
        ("denied", "ann", "127.0.0.1"),
        ("ok", "ann", "127.0.0.1"),
    ]


async def test_prometheus_reads_who_was_refused_and_what_waits(tmp_path: Path) -> None:
    careful = {"id": "careful", "auth": {"two_person_rule": True}}
    manifest = orjson.dumps({"provider": {"id": "p", "version": "1"}, "functions": [careful]})
    async with running(tmp_path, throttle_address=1.0) as server:
        assert (await server.request("POST", "/api/providers/capabilities", data=manifest)).status == 200
        assert (await server.invoke("careful")).status == 202
        await server.request("PUT", "/api/limits/slow", json={"functions": "f", "rate": {"value": 1, "window": 600}})
        assert {(await server.invoke()).status for _ in range(3)} == {404, 429}
        strangers = {"Authorization": "Bearer nobody-issued-this"}
        while (await server.request("GET", "/api/me", headers=strangers)).status != 429:
            pass
        text = (await server.request("GET", "/metrics")).body.decode()
    assert 'croupier_denials_total{area="function",reason="rate_limited"} 2.0' in text
    assert 'croupier_throttled_requests_total{by="address"} 1.0' in text
    assert "croupier_approvals_pending 1.0" in text
    assert "croupier_approval_reviews_open 0.0" in text
    assert 'croupier_notices{state="stuck"} 0.0' in text
    assert "croupier_audit_write_failures_total 0.0" in text

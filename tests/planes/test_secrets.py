"""Secrets are set and used, survive restarts and keys, and never come out: not by the API, the log, answers, jobs or the record."""

import base64
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.planes.scripted_agent import Reply, ScriptedAgent, Server, attached, running

from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.domain.secret import SecretPlace
from croupier.errors import FailedPrecondition, FunctionRejected, NotFound
from croupier.redaction import RedactingFormatter, Redactor
from croupier.server.access.audit import Audit, Masker
from croupier.server.access.guard import Guard
from croupier.server.access.secrets import Envelope, Secrets
from croupier.store.sql import open_store
from croupier.tunnel.frames import CallResult, Invoke

VALUE = 'hunter22/"é+x'
SERVER = Principal(name="webhooks", kind="system")


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("croupier.db*"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(tmp_path) as server:
        yield server


async def put(server: Server, name: str = "token", value: str = VALUE, **more: Any) -> Any:
    reply = await server.request("POST", "/api/secrets", data=orjson.dumps({"name": name, "value": value, **more}))
    assert reply.status == 200, reply.body
    return reply.json


def refused(reply: Reply, status: int) -> Any:
    assert reply.status == status, reply.body
    return reply.json["detail"]


def leaks(raw: bytes, value: str = VALUE) -> bool:
    forms = [
        value.encode(),
        json.dumps(value)[1:-1].encode(),
        base64.b64encode(value.encode())[:-4],
        value.encode().hex().encode(),
    ]
    return any(form in raw for form in forms)


# ------------------------------------------------------------------------------------------------ over HTTP


async def test_a_secret_is_listed_with_its_versions_and_never_with_its_value(server: Server) -> None:
    replies = [
        await server.request(
            "POST", "/api/secrets", data=orjson.dumps({"name": "token", "value": VALUE, "note": "for x"})
        )
    ]
    await put(server, value="another one")
    replies += [await server.request("GET", path) for path in ("/api/secrets", "/api/secrets/token")]
    shown = replies[-1].json
    assert (shown["current"], [each["version"] for each in shown["versions"]], shown["note"]) == (2, [2, 1], "for x")
    assert not any(leaks(reply.body) for reply in replies)


async def test_versions_are_disabled_enabled_and_destroyed(server: Server) -> None:
    await put(server)
    await put(server, value="another one")

    async def move(version: int, deed: str) -> Any:
        return (await server.request("POST", f"/api/secrets/token/versions/{version}/{deed}")).json

    assert (await move(2, "disable"))["current"] == 1
    assert (await move(2, "enable"))["current"] == 2
    assert (await move(2, "destroy"))["current"] == 1
    assert "destroyed" in (await move(2, "enable"))["detail"]
    refused(await server.request("POST", "/api/secrets/token/versions/9/disable"), 404)
    refused(await server.request("POST", "/api/secrets/token/versions/1/read"), 404)
    assert (await put(server))["current"] == 3


async def test_a_secret_is_of_its_own_place(server: Server) -> None:
    await put(server, game_id="demo", env="dev")
    refused(await server.request("GET", "/api/secrets/token"), 404)
    place = {"game_id": "demo", "env": "dev"}
    assert (await server.request("GET", "/api/secrets/token", params=place)).json["env"] == "dev"
    assert (await server.request("POST", "/api/secrets/token/rotate", params=place)).status == 200
    refused(await server.request("DELETE", "/api/secrets/token"), 404)
    assert (await server.request("DELETE", "/api/secrets/token", params=place)).json == {"secrets": []}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"name": "x"}, "value"),
        ({"name": "x", "value": ""}, "empty"),
        ({"name": "x", "value": "a", "value_base64": "YQ=="}, "value"),
        ({"name": "x", "value_base64": "???"}, "base64"),
        ({"name": "a b", "value": "secret-value"}, "name"),
        ({"name": "x", "value": "secret-value", "env": "dev"}, "name the game"),
        ({"name": "x", "value": "secret-value", "game_id": "a b"}, "game_id"),
        ({"name": "x", "value": "s" * 65_537}, "65536"),
        ({"name": "x", "value": "secret-value", "note": "n" * 1001}, "note"),
        ({"name": "x", "value": ["secret-value"]}, "str"),
    ],
)
async def test_what_makes_no_sense_is_refused_without_repeating_it(server: Server, said: Any, says: str) -> None:
    reply = await server.request("POST", "/api/secrets", data=orjson.dumps(said))
    assert says in refused(reply, 400)
    assert b"secret-value" not in reply.body


async def test_a_large_secret_that_is_no_text_is_kept(server: Server) -> None:
    value = base64.b64encode(os.urandom(65_536)).decode()
    reply = await server.request("POST", "/api/secrets", data=orjson.dumps({"name": "blob", "value_base64": value}))
    assert reply.status == 200


# ------------------------------------------------------------------------------------------------ where they flow out


async def test_a_secret_in_an_answer_is_masked_for_the_caller_and_in_the_record(server: Server) -> None:
    await put(server)

    def tell(agent: ScriptedAgent, frame: Invoke) -> None:
        payload = orjson.dumps({"seen": VALUE, "b64": base64.b64encode(b"xx" + VALUE.encode()).decode()})
        agent.send(CallResult(request_id=frame.request_id, payload=payload))

    async with attached(server, script=tell):
        reply = await server.invoke(payload={"note": VALUE}, idempotency_key="k")
        assert reply.json["seen"] == "***"
        assert not leaks(reply.body)
        record = await server.request("GET", f"/api/calls/{reply.headers['X-Call-Id']}")
        assert record.json["result"]["payload"]["seen"] == "***"


async def test_a_secret_in_an_error_is_masked(server: Server) -> None:
    await put(server)

    def fail(agent: ScriptedAgent, frame: Invoke) -> None:
        error = FunctionRejected(f"bad token {VALUE}", {"tried": VALUE})
        agent.send(CallResult(request_id=frame.request_id, error=error))

    async with attached(server, script=fail):
        reply = await server.invoke()
        assert reply.json["detail"] == "bad token ***"
        assert reply.json["details"] == {"tried": "***"}


async def test_a_secret_in_a_job_is_masked_also_where_a_line_ends_in_it(server: Server) -> None:
    await put(server)
    async with attached(server) as agent:
        job_id = await server.started()
        agent.tell(job_id, 1, message=f"connecting with {VALUE}")
        agent.tell(job_id, 2, message=f"again with {VALUE[:5]}")
        await agent.acknowledged(job_id, 2)
        agent.tell(job_id, 3, message=f"{VALUE[5:]} it failed")
        agent.tell(job_id, 4, "done", payload=orjson.dumps({"token": VALUE}))
        story = await server.follow(job_id)
        messages = [data["message"] for _, _, data in story]
        assert messages[0] == "connecting with ***"
        assert messages[2] == "*** it failed"
        assert (await server.job(job_id))["payload"] == {"token": "***"}
        assert not leaks(orjson.dumps(story))


async def test_the_audit_record_says_what_was_done_and_holds_no_secret(tmp_path: Path) -> None:
    async with running(tmp_path) as server, attached(server):
        await put(server)
        await server.invoke(payload={"note": f"with {VALUE}"})
        await server.request("POST", "/api/secrets/token/rotate")
        await server.request("DELETE", "/api/secrets/token")
    with sqlite3.connect(f"file:{tmp_path / 'croupier.db'}?mode=ro", uri=True) as database:
        rows = [orjson.loads(row) for (row,) in database.execute("SELECT row FROM audit ORDER BY seq")]
        raw = b"".join(orjson.dumps(row) for row in rows)
    database.close()
    assert not leaks(raw)
    assert {"secrets.set", "secrets.rotate", "secrets.remove"} <= {row.get("action") for row in rows}


async def test_the_database_holds_no_secret_and_one_that_was_destroyed_least_of_all(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        await put(server)
    assert not leaks(everything_in(tmp_path))


async def test_the_log_of_a_process_is_without_the_secrets_that_are_set_while_it_runs(tmp_path: Path) -> None:
    redactor = Redactor()
    formatter = RedactingFormatter(logging.Formatter(), redactor)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "using %s", (VALUE,), None)
    async with Holding(tmp_path, redactor=redactor) as secrets:
        assert leaks(formatter.format(record).encode())
        await secrets.set(ROOT, PLACE, VALUE.encode())
        assert formatter.format(record) == "using ***"
        await secrets.remove(ROOT, PLACE)
        assert formatter.format(record) == f"using {VALUE}"


# ------------------------------------------------------------------------------------------------ used inside the server

ROOT = Principal(name="ann", root=True)
PLACE = SecretPlace("token")


class Holding:
    """`Secrets` over a store of its own, without a server."""

    def __init__(
        self, data: Path, key: bytes = bytes(32), earlier: tuple[bytes, ...] = (), redactor: Redactor | None = None
    ):
        self.data, self.envelope, self.redactor = data, Envelope(key, earlier), redactor or Redactor()

    async def __aenter__(self) -> Secrets:
        self.store = await open_store(self.data / "s.db")
        secrets = Secrets(
            guard=Guard("the-token"),
            audit=Audit(self.store.audit, Masker(bytes(32))),
            store=self.store.secrets,
            envelope=self.envelope,
            redactor=self.redactor,
            clock=lambda: 7,
        )
        await secrets.begin()
        return secrets

    async def __aexit__(self, *failure: object) -> None:
        await self.store.close()


async def test_the_nearest_secret_of_a_name_is_used(tmp_path: Path) -> None:
    async with Holding(tmp_path) as secrets:
        here = Scope("demo", "dev")
        with pytest.raises(NotFound):
            await secrets.resolve("token", purpose="test", caller=SERVER, scope=here)
        for place, value in (
            (PLACE, b"of all"),
            (SecretPlace("token", "demo"), b"of demo"),
            (SecretPlace("token", "demo", "dev"), b"own"),
        ):
            await secrets.set(ROOT, place, value)
            found = await secrets.resolve("token", purpose="test", caller=SERVER, scope=here)
            assert found.get_secret_value() == value
            assert value.decode() not in repr(found) + str(found)
        other = await secrets.resolve("token", purpose="test", caller=SERVER, scope=Scope("other", "dev"))
        assert other.get_secret_value() == b"of all"


async def test_use_is_on_record(tmp_path: Path) -> None:
    async with Holding(tmp_path) as secrets:
        await secrets.set(ROOT, PLACE, b"value")
        await secrets.resolve("token", purpose="signing a notice", caller=SERVER)
    with sqlite3.connect(tmp_path / "s.db") as database:
        rows = [orjson.loads(row) for (row,) in database.execute("SELECT row FROM audit ORDER BY seq")]
    database.close()
    assert rows[-1]["action"] == "secrets.use"
    assert "signing a notice" in orjson.dumps(rows[-1]).decode()


async def test_secrets_survive_a_restart_and_a_new_key(tmp_path: Path) -> None:
    old, new = os.urandom(32), os.urandom(32)
    async with Holding(tmp_path, old) as secrets:
        await secrets.set(ROOT, PLACE, b"value")
        sealed = (await secrets.get(ROOT, PLACE)).versions[0].sealed
    async with Holding(tmp_path, new, (old,)) as secrets:
        kept = (await secrets.get(ROOT, PLACE)).versions[0]
        assert (kept.sealed, kept.key_id) == (sealed, Envelope(new).key_id)
    redactor = Redactor()
    async with Holding(tmp_path, new, redactor=redactor) as secrets:
        found = await secrets.resolve("token", purpose="test", caller=SERVER)
        assert found.get_secret_value() == b"value"
        await secrets.rotate(ROOT, PLACE)
        assert (await secrets.get(ROOT, PLACE)).versions[0].sealed != sealed
        assert (await secrets.resolve("token", purpose="test", caller=SERVER)).get_secret_value() == b"value"
    assert not redactor.active  # five bytes are too few to be looked for


async def test_what_no_key_opens_cannot_be_used_and_is_not_lost(tmp_path: Path) -> None:
    old = os.urandom(32)
    async with Holding(tmp_path, old) as secrets:
        await secrets.set(ROOT, PLACE, b"value")
    async with Holding(tmp_path, os.urandom(32)) as secrets:
        with pytest.raises(FailedPrecondition, match="previous_key_file"):
            await secrets.resolve("token", purpose="test", caller=SERVER)
        await secrets.set(ROOT, PLACE, b"anew")
        assert (await secrets.resolve("token", purpose="test", caller=SERVER)).get_secret_value() == b"anew"
    async with Holding(tmp_path, old) as secrets:
        assert len((await secrets.list(ROOT))[0].versions) == 2

"""Every address of the table, asked by everybody who matters, at a real server.

nobody · somebody of another game · somebody of the game without the permission · with it · an administrator
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pool
from tests.policy.access_table import CALL, RULES, Rule

from croupier.domain.permission import PAGE, read_permission
from croupier.server.access import residents
from croupier.server.app import serving
from croupier.settings import PacksSettings, ServerSettings
from croupier_wire.edge.job.v1 import job_pb2
from croupier_wire.function.v1 import function_pb2 as wire

ROOT = "root-token-of-the-policy-test"
HERE = {"X-Game-ID": "demo", "X-Env": "dev"}
REFUSED = {401, 403}
PASSWORD = "correct horse battery staple"
PATIENCE = 60.0
"""Seconds after which what is revoked counts as having ended nothing."""
SOURCE = Path(__file__).resolve().parents[2] / "src" / "croupier" / "server"


@dataclass(frozen=True)
class Visit:
    """Somebody's session."""

    session_id: str
    headers: Mapping[str, str]


class Place:
    """A server with something of demo|dev in it, and people with tokens."""

    def __init__(self, session: aiohttp.ClientSession, grpc: str) -> None:
        self._session = session
        self.grpc = grpc
        self.things: dict[str, str] = {}
        self._tokens: dict[tuple[str, ...], str] = {}

    async def ask(
        self, method: str, address: str, token: str, body: Any = None, headers: Mapping[str, str] = HERE
    ) -> tuple[int, str]:
        given = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self._session.request(method, address, headers=given, **sent) as answer:
            return answer.status, (await answer.content.read(100_000)).decode(errors="replace")

    async def tell(self, method: str, address: str, body: Any = None, **more: Any) -> Any:
        """As root, what has to succeed."""
        status, text = await self.ask(method, address, ROOT, body, **more)
        assert status < 300, (method, address, status, text)
        return json.loads(text) if text else {}

    async def token(self, permissions: str, game_id: str, env: str) -> str:
        """Of somebody who has these permissions there and nothing else."""
        key = (permissions, game_id, env)
        if key not in self._tokens:
            role = "holds-" + (re.sub(r"[^a-z]+", "-", permissions).strip("-") or "everything")
            await self.tell("PUT", f"/api/roles/{role}", {"permissions": permissions.split()})
            name = f"u{len(self._tokens)}"
            user = (await self.tell("POST", "/api/users", {"name": name}))["user"]
            bound = {"subject": f"user:{name}", "role": role, "game_id": game_id, "env": env}
            await self.tell("POST", "/api/bindings", bound)
            wanted = {"name": "test", "expires_in": "1h", "user_id": user["user_id"]}
            self._tokens[key] = (await self.tell("POST", "/api/tokens", wanted))["token"]
        return self._tokens[key]

    async def sign_in(self, name: str) -> Visit:
        async with self._session.post("/api/login", json={"name": name, "password": PASSWORD}) as answer:
            assert answer.status == 200
            cookie = answer.headers["Set-Cookie"].split(";")[0]
            found = await answer.json()
        self._session.cookie_jar.clear()
        return Visit(found["session_id"], {"Cookie": cookie, "X-CSRF-Token": found["csrf_token"]})

    @asynccontextmanager
    async def following(self, address: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """A stream that has begun."""
        async with self._session.get(address, headers=headers) as stream:
            assert stream.status == 200
            assert await stream.content.readline()
            yield stream

    async def settle(self) -> None:
        """What was refused goes on record with the next change."""
        await self.tell("PUT", "/api/assignments", {})

    async def furnish(self) -> None:
        call = {"function_id": "thing.read", "payload": {"thing_id": "p1"}}
        for address in ("/api/invoke", "/api/start_job"):
            await self.ask("POST", address, ROOT, call)  # no game server is there: only its record counts
        self.things["call_id"] = (await self.tell("GET", "/api/calls"))["calls"][0]["call_id"]
        self.things["job_id"] = (await self.tell("GET", "/api/jobs"))["jobs"][0]["job_id"]
        self.things["seq"] = str((await self.tell("GET", "/api/audit"))["rows"][0]["seq"])
        csv = {**HERE, "Content-Type": "text/csv"}
        uploaded = await self.tell("POST", "/api/bulk?function_id=thing.read", b"thing_id\np1\n", headers=csv)
        self.things["bulk_id"] = uploaded["bulk_id"]
        careful = {"function_id": "thing.mend", "payload": {}, "reason": "the test needs it"}
        waiting = await self.tell("POST", "/api/invoke", careful)
        self.things["approval_id"] = waiting["approval_id"]

    async def asks(self, rule: Rule, token: str) -> tuple[int, str]:
        named = {"function_id": "thing.read", "game_id": "demo", "entity": "thing", "verb": "mend", "entity_id": "p1"}
        named |= {"serial": "a1", "version": "1", "deed": "enable"}
        body = rule.body
        if isinstance(body, dict):
            body = {key: _filled(value, self.things) for key, value in body.items()}
        headers = {} if rule.kind == "lists" else dict(HERE)
        if isinstance(body, bytes):
            headers["Content-Type"] = rule.content_type
        return await self.ask(rule.method, rule.address(**named, **self.things), token, body, headers)


def _filled(value: Any, things: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        return things[value.strip("{}")]
    return [_filled(each, things) for each in value] if isinstance(value, list) else value


def write_pack(folder: Path) -> None:
    """Functions of a kind of objects, one for each thing that can be done; one of them needs an approval."""
    verbs = ("list", "create", "read", "update", "delete", "mend")
    descriptors = [
        {"id": f"thing.{verb}", "entity": "thing", "operation": verb, "auth": {"two_person_rule": verb == "mend"}}
        for verb in verbs
    ]
    entity = {
        "id": "thing",
        "type": "entity",
        "key": "thing_id",
        "operations": {verb: f"thing.{verb}" for verb in verbs},
    }
    functions = [{"id": each["id"], "version": "1.0.0"} for each in descriptors]
    (folder / "descriptors").mkdir(parents=True)
    for each in (*descriptors, entity):
        (folder / "descriptors" / f"{each['id']}.json").write_text(json.dumps({"version": "1.0.0", **each}))
    (folder / "manifest.json").write_text(json.dumps({"id": "things", "version": "1.0.0", "functions": functions}))


@asynccontextmanager
async def a_place(tmp_path: Path) -> AsyncIterator[Place]:
    pack = tmp_path / "things"
    write_pack(pack)
    settings = ServerSettings(
        http="127.0.0.1:0",
        grpc="127.0.0.1:0",
        data=tmp_path / "data",
        token=ROOT,
        packs=PacksSettings(directories=(pack,)),
    )
    async with (
        serving(settings) as info,
        aiohttp.ClientSession(f"http://{info.http}", timeout=aiohttp.ClientTimeout(10)) as session,
    ):
        place = Place(session, info.grpc)
        await place.furnish()
        yield place


async def test_everybody_gets_what_the_table_says(tmp_path: Path) -> None:
    """One server for all: a start costs more than all the questions."""
    faults = []
    async with a_place(tmp_path) as place:
        foreign = await place.token("*", "other", "prod")
        bare = await place.token("function:nothing.at.all", "demo", "dev")
        admin = await place.token("*", "*", "*")
        for rule in RULES:
            told = {"nobody": (await place.asks(rule, ""))[0]}
            told["foreign"], shown = await place.asks(rule, foreign)
            told["bare"] = (await place.asks(rule, bare))[0]
            if rule.permission:
                told["local"] = (await place.asks(rule, await place.token(rule.permission, "demo", "dev")))[0]
                told["holder"] = (await place.asks(rule, await place.token(rule.permission, "*", "*")))[0]
            told["admin"] = (await place.asks(rule, admin))[0]
            faults += [f"{rule.name} ({rule.kind}): {fault}, got {told}" for fault in _faults(rule, told)]
            if rule.kind == "lists" and any(name in shown for name in place.things.values() if len(name) > 9):
                faults.append(f"{rule.name}: somebody of another game is shown {shown[:200]}")
    assert not faults, "\n".join(faults)


async def test_every_refusal_of_somebody_known_is_on_record(tmp_path: Path) -> None:
    """One row for each, by tokens of their own: the same refusal again within some seconds is counted."""
    refused: dict[str, str] = {}
    async with a_place(tmp_path) as place:
        await place.token("function:nothing.at.all", "demo", "dev")
        owner = (await place.tell("GET", "/api/users"))["users"][-1]["user_id"]
        for rule in RULES:
            wanted = {"name": "test", "expires_in": "1h", "user_id": owner}
            made = await place.tell("POST", "/api/tokens", wanted)
            if (await place.asks(rule, made["token"]))[0] == 403:
                refused[made["entry"]["token_id"]] = rule.name
            await place.tell("DELETE", f"/api/tokens/{made['entry']['token_id']}")
        await place.settle()
        found = await place.tell("GET", "/api/audit?result=denied&limit=1000", headers={})
        by_token = Counter(row["actor"]["credential"] for row in found["rows"])
    assert len(refused) > 100
    assert {name: by_token[token] for token, name in refused.items() if by_token[token] != 1} == {}


async def test_a_page_of_another_site_that_uses_a_session_is_on_record(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        await place.tell("POST", "/api/users", {"name": "ann", "password": PASSWORD})
        visit = await place.sign_in("ann")
        cookie = {"Cookie": visit.headers["Cookie"]}
        async with place._session.post("/api/logout", headers=cookie) as answer:
            assert answer.status == 403
        await place.settle()
        (row,) = (await place.tell("GET", "/api/audit?action=http.request", headers={}))["rows"]
        assert (row["actor"]["name"], row["target"], row["result"]) == ("ann", "POST /api/logout", "denied")


def _faults(rule: Rule, told: Mapping[str, int]) -> list[str]:
    found = []
    if (told["nobody"] == 401) != (rule.kind != "open"):
        found.append("nobody")
    if rule.kind == "open":
        return found if told["nobody"] != 403 else [*found, "nobody"]
    if told["admin"] in REFUSED and rule.kind not in {"own", "mine"}:
        found.append("admin")
    wanted = {
        "own": {},
        "platform": {"foreign": {403}, "bare": {403}, "local": {403}},
        "scoped": {"foreign": {403}, "bare": {403}},
        "lists": {"foreign": {200, 404}, "bare": {403}},
        "thing": {"foreign": {404}, "bare": {403}},
        "mine": {"foreign": {404}, "bare": {403}},
    }[rule.kind]
    found += [who for who, statuses in wanted.items() if told[who] not in statuses]
    if rule.kind not in {"own", "mine", "platform"} and told["local"] in REFUSED:
        found.append("local")
    if rule.permission and told["holder"] in REFUSED:
        found.append("holder")
    if rule.kind == "thing" and 404 in {told["local"], told["holder"], told["admin"]}:
        found.append("thing")
    return found + [f"{who} has broken it" for who, status in told.items() if status >= 500 and status != 503]


async def test_a_page_of_the_role_is_seen_with_that_role_and_changes_nothing(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        as_viewer = {**HERE, "X-See-As": "viewer"}
        assert (await place.ask("GET", "/api/calls", ROOT, headers=as_viewer))[0] == 200
        assert (await place.ask("GET", "/api/packs/list", ROOT, headers=as_viewer))[0] == 403
        status, text = await place.ask("POST", "/api/invoke", ROOT, {"function_id": "x"}, as_viewer)
        assert (status, "X-See-As" in text) == (403, True)
        assert (await place.ask("GET", "/api/calls", ROOT, headers={**HERE, "X-See-As": "nobody"}))[0] == 404
        viewer = await place.token("calls:read", "*", "*")
        status, text = await place.ask("GET", "/api/calls", viewer, headers={**HERE, "X-See-As": "admin"})
        assert (status, "roles:manage" in text) == (403, True)


@pytest.fixture
def _nothing_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residents, "SWEEP_SECONDS", 10 * PATIENCE)


@pytest.mark.usefixtures("_nothing_looks_by_itself")
async def test_whose_credential_is_revoked_is_put_out_of_a_bulk_at_once(tmp_path: Path) -> None:
    """A session that is ended, a token that is revoked, an account that is disabled; and nobody else is."""
    async with a_place(tmp_path) as place:
        user = (await place.tell("POST", "/api/users", {"name": "ann", "password": PASSWORD}))["user"]["user_id"]
        await place.tell("POST", "/api/bindings", {"subject": "user:ann", "role": "viewer"})
        wanted = {"name": "test", "expires_in": "1h", "user_id": user}
        token = await place.tell("POST", "/api/tokens", wanted)
        other = await place.tell("POST", "/api/tokens", wanted)
        session = await place.sign_in("ann")
        by_token, by_other = ({"Authorization": f"Bearer {each['token']}"} for each in (token, other))
        address = f"/api/bulk/{place.things['bulk_id']}/stream"
        async with (
            place.following(address, session.headers) as first,
            place.following(address, by_token) as second,
            place.following(address, by_other) as third,
        ):
            await place.tell("DELETE", f"/api/sessions/{session.session_id}")
            await _ends(first)
            await place.tell("DELETE", f"/api/tokens/{token['entry']['token_id']}")
            await _ends(second)
            assert not third.content.at_eof()
            await place.tell("POST", f"/api/users/{user}/disable")
            await _ends(third)


async def _ends(stream: aiohttp.ClientResponse) -> None:
    async with asyncio.timeout(PATIENCE):
        while await stream.content.readline():
            pass


@pytest.mark.usefixtures("_nothing_looks_by_itself")
async def test_who_is_taken_a_role_is_put_out_of_what_he_follows(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        token = await place.token("bulk:read", "demo", "dev")
        address, headers = f"/api/bulk/{place.things['bulk_id']}/stream", {"Authorization": f"Bearer {token}"}
        async with place._session.get(address, headers=headers) as stream:
            assert stream.status == 200
            await stream.content.readline()
            bound = (await place.tell("GET", "/api/bindings?role=holds-bulk-read"))["bindings"][0]
            await place.tell("DELETE", f"/api/bindings/{bound['binding_id']}")
            async with asyncio.timeout(PATIENCE):
                while await stream.content.readline():
                    pass
        assert (await place.ask("GET", address, token))[0] == 404


GRPC = {
    "Invoke": (CALL, wire.InvokeRequest, wire.InvokeResponse),
    "StartJob": (CALL, wire.InvokeRequest, wire.StartJobResponse),
    "StreamJob": ("jobs:read", wire.JobStreamRequest, wire.JobEvent),
    "CancelJob": ("jobs:cancel", wire.CancelJobRequest, wire.StartJobResponse),
    "GetJobResult": ("jobs:read", job_pb2.GetJobResultRequest, job_pb2.GetJobResultResponse),
}
"""Every method that callers use, what it needs, and what it takes and answers."""
SERVICES = {
    "croupier.function.v1.FunctionService": 4,
    "croupier.sdk.v1.FunctionService": 4,
    "croupier.edge.job.v1.JobService": 1,
}


async def test_every_grpc_method_asks_for_the_same(tmp_path: Path) -> None:
    faults = []
    async with a_place(tmp_path) as place, grpc.aio.insecure_channel(place.grpc) as channel:
        foreign = await place.token("*", "other", "prod")
        bare = await place.token("function:nothing.at.all", "demo", "dev")
        for service, count in SERVICES.items():
            methods = descriptor_pool.Default().FindServiceByName(service).methods
            assert len(methods) == count
            for method in methods:
                permission, request, answer = GRPC[method.name]
                local = await place.token(permission, "demo", "dev")
                for who, token in (("nobody", ""), ("foreign", foreign), ("bare", bare), ("local", local)):
                    asked = _request(request, place.things["job_id"])
                    path = f"/{service}/{method.name}"
                    code = await _asked(channel, path, asked, answer, token, streams=method.server_streaming)
                    if code not in _wanted(who, method.name):
                        faults.append(f"{path}: {who} got {code}")
    assert not faults, "\n".join(faults)


def _request(kind: Any, job_id: str) -> Any:
    if kind is wire.InvokeRequest:
        scope = {"game_id": "demo", "env": "dev"}
        return kind(function_id="thing.read", payload=b'{"thing_id": "p1"}', metadata=scope)
    return kind(job_id=job_id)


async def _asked(channel: Any, path: str, asked: Any, answer: Any, token: str, *, streams: bool) -> Any:
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    dial = channel.unary_stream if streams else channel.unary_unary
    call = dial(path, type(asked).SerializeToString, answer.FromString)(asked, metadata=metadata, timeout=10)
    try:
        if streams:
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def _wanted(who: str, method: str) -> set[Any]:
    code = grpc.StatusCode
    calls = method in {"Invoke", "StartJob"}
    return {
        "nobody": {code.UNAUTHENTICATED},
        "foreign": {code.PERMISSION_DENIED if calls else code.NOT_FOUND},
        "bare": {code.PERMISSION_DENIED},
        "local": {code.NOT_FOUND, code.UNAVAILABLE} if calls else {code.OK},
    }[who]


def test_every_permission_that_is_asked_for_is_one_of_the_page() -> None:
    asked = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        asked |= set(
            re.findall(
                r"(?:guard|policy)\.(?:require|require_of|where|decide|visible)\(\s*caller,\s*\"([^\"]+)\"", text
            )
        )
        asked |= set(re.findall(r"guard\.(?:require|where)\(\s*asking\.caller,\s*\"([^\"]+)\"", text))
    assert len(asked) > 20
    assert {read_permission(each) for each in asked} - PAGE.keys() == set()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.permission], ids=lambda rule: rule.name)
def test_every_permission_of_the_table_is_one_of_the_page_or_a_function(rule: Rule) -> None:
    for permission in rule.permission.split():
        assert permission in PAGE or permission.startswith("function:") or permission == "approvals:*"

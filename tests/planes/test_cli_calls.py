"""The command line against an HTTP server that plays what each test scripts: real sockets, real connections."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from croupier.cli import following
from croupier.cli.main import run

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Api:
    """Answers each path by the next of its handlers; the last one stays."""

    url: str = ""
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    handlers: dict[str, list[Handler]] = field(default_factory=dict)

    def on(self, path: str, *handlers: Handler) -> None:
        self.handlers[path] = list(handlers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.path_qs, dict(request.headers), await request.read()))
        waiting = self.handlers[request.path]
        return await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)

    async def croupier(self, *arguments: str) -> int:
        shared = ["--url", self.url, "--game", "demo", "--env", "dev", "--token", "a-token-of-tests"]
        return await asyncio.to_thread(run, [*arguments, *shared])


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    found = Api()
    async with listening(found.answer) as found.url:
        yield found


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def answers(body: bytes, status: int = 200, content_type: str = "application/json") -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type=content_type)

    return handler


def refuses(reason: str, status: int, detail: str) -> Handler:
    document = {"type": f"urn:croupier:error:{reason}", "reason": reason, "status": status, "detail": detail}
    return answers(json.dumps(document | {"call_id": "c1"}).encode(), status, "application/problem+json")


async def hangs_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def event(seq: int, kind: str, **data: object) -> bytes:
    return f"id: {seq}\nevent: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def tells(*events: bytes, then_cut: bool = False) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for each in events:
            await response.write(each)
        if then_cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    return handler


async def test_invoke_sends_scope_token_and_wishes_and_prints_the_answer(api, capsys):
    api.on("/api/invoke", answers(b'{"banned":true}'))
    code = await api.croupier(
        "invoke",
        "player.ban",
        "player_id=p1",
        "--idempotency-key",
        "k",
        "--target",
        "game-1",
        "--timeout",
        "2m",
        "--metadata",
        "a=b",
    )
    path, headers, body = api.seen[0]
    assert (code, path) == (0, "/api/invoke")
    assert (headers["X-Game-ID"], headers["X-Env"], headers["Authorization"]) == (
        "demo",
        "dev",
        "Bearer a-token-of-tests",
    )
    assert json.loads(body) == {
        "function_id": "player.ban",
        "payload": {"player_id": "p1"},
        "idempotency_key": "k",
        "route": "targeted",
        "target_service_id": "game-1",
        "timeout": 120.0,
        "metadata": {"a": "b"},
    }
    assert capsys.readouterr().out == '{\n  "banned": true\n}\n'


async def test_invoke_sends_the_bytes_of_a_json_payload_and_prints_the_bytes_of_the_answer(api, capsys):
    api.on("/api/invoke", answers(b'{"n": 1.000000000000000000001}'))
    assert await api.croupier("invoke", "f", '{"n": 9007199254740993.50}', "--json") == 0
    assert b'"payload": {"n": 9007199254740993.50}' in api.seen[0][2]
    assert capsys.readouterr().out == '{"n": 1.000000000000000000001}\n'


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("function_rejected", 422, 1),
        ("unavailable", 503, 3),
        ("not_found", 404, 4),
        ("unauthenticated", 401, 5),
        ("permission_denied", 403, 5),
        ("outcome_unknown", 502, 6),
        ("deadline_exceeded", 504, 7),
    ],
)
async def test_a_refused_call_ends_with_the_exit_code_of_its_reason(api, capsys, reason, status, code):
    api.on("/api/invoke", refuses(reason, status, "because of that"))
    assert await api.croupier("invoke", "player.ban") == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"player.ban failed: because of that ({reason})\n  call c1\n")


async def test_with_json_a_refused_call_prints_the_problem_document(api, capsys):
    api.on("/api/invoke", refuses("conflict", 409, "the key was used"))
    assert await api.croupier("invoke", "f", "--json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["reason"] == "conflict"
    assert told.err == ""


async def test_a_server_that_is_not_there_is_not_reachable(capsys):
    async with listening(answers(b"")) as url:
        gone = Api(url=url)
    assert await gone.croupier("registry") == 3
    assert "Is the server running?" in capsys.readouterr().err


async def test_a_connection_lost_after_sending_a_call_leaves_its_outcome_unknown(api, capsys):
    api.on("/api/invoke", hangs_up)
    assert await api.croupier("invoke", "f") == 6
    assert "may have acted" in capsys.readouterr().err


async def test_a_connection_lost_while_asking_is_only_not_reachable(api):
    api.on("/api/registry", hangs_up)
    assert await api.croupier("registry") == 3


@pytest.mark.parametrize(("status", "code"), [(302, 1), (404, 4), (500, 1), (503, 3)])
async def test_an_answer_of_something_else_than_croupier_is_said_to_be_one(api, capsys, status, code):
    api.on("/api/registry", answers(b"<html>", status, "text/html"))
    assert await api.croupier("registry") == code
    assert "is this address a Croupier server?" in capsys.readouterr().err


async def test_follow_shows_progress_and_logs_and_prints_the_result(api, capsys):
    story = (
        b": ping\n\n",
        event(1, "progress", progress=50, message="half"),
        event(2, "log", message="to p1\x1b[2J"),
        event(3, "done", payload={"sent": 2}),
    )
    api.on("/api/stream_job", tells(*story))
    assert await api.croupier("job", "follow", "j1") == 0
    told = capsys.readouterr()
    assert told.out == '{\n  "sent": 2\n}\n'
    assert told.err == " 50% half\nto p1\\u001b[2J\n"
    assert api.seen[0][0] == "/api/stream_job?id=j1"


async def test_follow_resumes_after_the_last_event_without_gap_or_duplicate(api, capsys, monkeypatch):
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.001)
    api.on(
        "/api/stream_job",
        tells(event(1, "log", message="a"), event(2, "log", message="b"), then_cut=True),
        hangs_up,
        refuses("unavailable", 503, "starting"),
        tells(event(2, "log", message="b"), event(3, "log", message="c")),
        tells(event(4, "done", payload=None)),
    )
    assert await api.croupier("job", "follow", "j1", "--json") == 0
    told = capsys.readouterr()
    assert [json.loads(line)["seq"] for line in told.out.splitlines()] == [1, 2, 3, 4]
    assert [headers["Last-Event-ID"] for _, headers, _ in api.seen] == ["0", "2", "2", "2", "3"]
    assert "was lost (it ended too early); following again" in told.err
    assert "starting; following again" in told.err


async def test_follow_gives_up_when_its_patience_is_over(api, capsys, monkeypatch):
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.02)
    api.on("/api/stream_job", tells(event(1, "log", message="a"), then_cut=True), hangs_up)
    assert await api.croupier("job", "follow", "j1", "--patience", "1ms") == 3
    assert "job j1 cannot be followed" in capsys.readouterr().err


async def test_follow_does_not_wait_for_a_job_that_nobody_knows(api, capsys):
    api.on("/api/stream_job", refuses("not_found", 404, "unknown job j1"))
    assert await api.croupier("job", "follow", "j1") == 4
    assert "unknown job j1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reason", "words", "code"),
    [
        ("handler_failed", "failed", 1),
        ("canceled", "canceled", 1),
        ("lost", "lost", 6),
        ("deadline_exceeded", "failed", 7),
    ],
)
async def test_follow_exits_by_the_end_of_the_job(api, capsys, reason, words, code):
    api.on("/api/stream_job", tells(event(1, "error", message="boom", reason=reason)))
    assert await api.croupier("job", "follow", "j1") == code
    assert capsys.readouterr().err.startswith(f"job j1 {words}: boom ({reason})")
    assert await api.croupier("job", "follow", "j1", "--json") == code
    assert json.loads(capsys.readouterr().out)["message"] == "boom"


async def test_follow_of_an_ended_job_whose_last_event_was_seen_tells_its_result(api, capsys):
    api.on("/api/stream_job", answers(b"", 204))
    api.on("/api/job_result", answers(b'{"state":"succeeded","payload":{"sent":2},"error":""}'))
    assert await api.croupier("job", "follow", "j1", "--after", "9", "--json") == 0
    assert json.loads(capsys.readouterr().out)["payload"] == {"sent": 2}


async def test_a_stream_that_is_none_is_said_to_be_one(api, capsys):
    api.on("/api/stream_job", tells(b"data: hello\n\n"))
    assert await api.croupier("job", "follow", "j1") == 1
    assert "is this address a Croupier server?" in capsys.readouterr().err


async def test_invoke_job_starts_and_follows(api, capsys):
    api.on("/api/start_job", answers(b'{"job_id":"j7"}'))
    api.on("/api/stream_job", tells(event(1, "done", payload_base64="AAE=")))
    assert await api.croupier("invoke", "--job", "player.export") == 0
    assert "job j7" in capsys.readouterr().err
    assert api.seen[1][0] == "/api/stream_job?id=j7"


async def test_cancel_says_what_the_job_is_now(api, capsys):
    api.on("/api/cancel_job", answers(b'{"job_id":"j1","state":"canceled"}'))
    assert await api.croupier("job", "cancel", "j1", "--reason", "wrong text") == 0
    assert json.loads(api.seen[0][2]) == {"job_id": "j1", "reason": "wrong text"}
    assert capsys.readouterr().out == "job j1: canceled\n"


STOPPED = {"jobs": [{"job_id": "j1", "function_id": "mail", "state": "running"}], "dry_run": True, "more": False}


async def test_cancel_by_a_filter_shows_what_fits_and_asks_first(api, capsys, monkeypatch):
    api.on("/api/jobs/cancel", answers(json.dumps(STOPPED).encode()))
    asked = []
    monkeypatch.setattr("click.confirm", lambda text, **_: asked.append(text))
    assert await api.croupier("job", "cancel", "--function", "mail", "--state", "running", "--reason", "wrong") == 0
    first, second = (json.loads(body) for _, _, body in api.seen)
    assert first == {"filter": {"function_id": "mail", "state": ["running"]}, "reason": "wrong", "dry_run": True}
    assert second == {"job_ids": ["j1"], "reason": "wrong", "dry_run": False}
    assert asked == ["Stop these 1 jobs?"]
    assert capsys.readouterr().out.splitlines()[1].split() == ["j1", "mail", "running"]


async def test_cancel_by_a_filter_that_is_not_confirmed_stops_nothing(api, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    api.on("/api/jobs/cancel", answers(json.dumps(STOPPED).encode()))
    assert await api.croupier("job", "cancel", "--function", "mail") == 130
    assert [json.loads(body)["dry_run"] for _, _, body in api.seen] == [True]


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["--caller", "ann", "--yes"], {"filter": {"caller": "ann"}, "reason": "", "dry_run": False}),
        (["--caller", "ann", "--dry-run"], {"filter": {"caller": "ann"}, "reason": "", "dry_run": True}),
        (["j1", "j2"], {"job_ids": ["j1", "j2"], "reason": "", "dry_run": False}),
        (["j1", "--dry-run"], {"job_ids": ["j1"], "reason": "", "dry_run": True}),
    ],
)
async def test_cancel_asks_nobody_where_it_need_not(api, arguments, body):
    api.on("/api/jobs/cancel", answers(json.dumps(STOPPED).encode()))
    assert await api.croupier("job", "cancel", *arguments) == 0
    assert [json.loads(sent) for _, _, sent in api.seen] == [body]


async def test_list_says_where_the_next_page_begins(api, capsys):
    api.on("/api/jobs", answers(b'{"jobs": [], "next": "9-j1"}'))
    assert await api.croupier("job", "list", "--agent", "a1", "--since", "1", "--after", "12-j9") == 0
    assert api.seen[0][0] == "/api/jobs?since=1&agent_id=a1&limit=100&after=12-j9"
    assert "--after 9-j1" in capsys.readouterr().err


async def test_calls_are_listed_with_what_they_took(api, capsys):
    call = {
        "call_id": "c1",
        "function_id": "player.ban",
        "game_id": "demo",
        "env": "dev",
        "state": "succeeded",
        "started_ms": 0,
        "service_id": "g1",
        "timings": {"server_us": 1_250},
    }
    api.on("/api/calls", answers(json.dumps({"calls": [call], "next": ""}).encode()))
    assert await api.croupier("call", "list", "--state", "succeeded", "--trace", "t1", "--caller", "ann") == 0
    assert api.seen[0][0] == "/api/calls?state=succeeded&caller=ann&trace_id=t1&limit=100"
    shown = capsys.readouterr().out.splitlines()[1].split()
    assert shown == ["c1", "player.ban", "demo|dev", "succeeded", "1.2", "1970-01-01", "00:00:00Z", "g1"]


async def test_a_call_is_shown_whole(api, capsys):
    api.on("/api/calls/c1", answers(b'{"call_id": "c1", "payload": {"a": 1}}'))
    assert await api.croupier("call", "show", "c1") == 0
    assert json.loads(capsys.readouterr().out) == {"call_id": "c1", "payload": {"a": 1}}


async def test_a_call_is_made_again(api, capsys):
    api.on("/api/calls/c1/replay", answers(b'{"ok":true}'))
    assert await api.croupier("call", "again", "c1", "--idempotency-key", "k2", "--timeout", "2s", "--json") == 0
    assert json.loads(api.seen[0][2]) == {"idempotency_key": "k2", "timeout": 2.0}
    assert capsys.readouterr().out == '{"ok":true}\n'


@pytest.mark.parametrize(
    ("result", "code", "words"),
    [
        ({"state": "running"}, 0, "job j1: running"),
        ({"state": "succeeded", "payload": 3}, 0, "3"),
        ({"state": "failed", "error": "boom", "reason": "handler_failed"}, 1, "job j1 failed: boom"),
        ({"state": "lost", "error": "gone", "reason": "lost"}, 6, "job j1 lost: gone"),
    ],
)
async def test_result_prints_what_there_is_and_exits_by_the_state(api, capsys, result, code, words):
    api.on("/api/job_result", answers(json.dumps(result).encode()))
    assert await api.croupier("job", "result", "j1") == code
    told = capsys.readouterr()
    assert words in told.out + told.err
    assert await api.croupier("job", "result", "j1", "--json") == code
    assert json.loads(capsys.readouterr().out) == result


async def test_list_asks_for_the_states_and_shows_a_row_a_job(api, capsys):
    job = {
        "job_id": "j1",
        "function_id": "mail",
        "game_id": "demo",
        "env": "dev",
        "state": "lost",
        "progress": 3,
        "created_ms": 0,
    }
    api.on("/api/jobs", answers(json.dumps({"jobs": [job]}).encode()))
    assert await api.croupier("job", "list", "--state", "lost", "--state", "failed", "--limit", "5") == 0
    assert api.seen[0][0] == "/api/jobs?state=lost&state=failed&limit=5"
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "j1",
        "mail",
        "demo|dev",
        "lost",
        "3",
        "1970-01-01",
        "00:00:00Z",
    ]


async def test_registry_shows_agents_functions_and_the_instances_of_one(api, capsys):
    registry = {
        "agents": [
            {
                "agent_id": "a1",
                "game_id": "demo",
                "env": "dev",
                "healthy": True,
                "functions": 1,
                "edge": "e1",
                "expires_in_sec": 80,
            }
        ],
        "functions": [{"game_id": "demo", "env": "dev", "id": "player.ban", "agents": 1}],
        "coverage": [
            {"game_env": "demo|dev", "functions": {"player.ban": {"healthy": 1, "total": 2}}, "uncovered": []}
        ],
    }
    api.on("/api/registry", answers(json.dumps(registry).encode()))
    assert await api.croupier("registry") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["a1", "demo|dev", "yes", "1", "e1", "80"]
    assert lines[4].split() == ["player.ban", "demo|dev", "1", "1", "2"]
    instance = {
        "service_id": "g1",
        "agent_id": "a1",
        "game_id": "demo",
        "env": "dev",
        "healthy": False,
        "outstanding": 4,
    }
    api.on("/api/function_instances", answers(json.dumps({"instances": [instance]}).encode()))
    assert await api.croupier("registry", "player.ban") == 0
    assert api.seen[1][0] == "/api/function_instances?function_id=player.ban"
    assert capsys.readouterr().out.splitlines()[1].split() == ["g1", "a1", "demo|dev", "-", "no", "4"]


async def test_route_shows_who_would_receive_a_call_and_why(api, capsys):
    candidates = [
        {"agent_id": "a1", "service_id": "s1", "version": "1.0", "healthy": True, "outstanding": 2, "usable": True}
        | {"chosen": True, "why": "it was named as target"},
        {"agent_id": "a2", "service_id": "", "version": "", "healthy": True, "outstanding": 0, "usable": False}
        | {"chosen": False, "why": "its agent drains"},
    ]
    preview = {"route": "targeted", "candidates": candidates, "total": 2, "reason": "it was named as target, of 1"}
    api.on("/api/route_preview", answers(json.dumps(preview).encode()))
    assert await api.croupier("route", "player.ban", "player_id=p1", "--target", "s1") == 0
    shown = capsys.readouterr().out
    chosen = next(line for line in shown.splitlines() if "s1" in line)
    assert chosen.startswith("→")
    assert "(the agent's choice)" in shown
    assert shown.splitlines()[-1] == "it was named as target, of 1"
    sent = json.loads(api.seen[0][2])
    assert (sent["route"], sent["target_service_id"], sent["payload"]) == ("targeted", "s1", {"player_id": "p1"})


async def test_route_says_that_nobody_would_receive_a_call(api, capsys):
    preview = {"route": "lb", "candidates": [], "total": 0, "reason": "unknown function f"}
    api.on("/api/route_preview", answers(json.dumps(preview).encode()))
    assert await api.croupier("route", "f") == 0
    assert capsys.readouterr().out == "unknown function f\n"
    assert await api.croupier("route", "f", "--json") == 0
    assert json.loads(capsys.readouterr().out) == preview


# ------------------------------------------------------------------------------------------------ descriptions


async def test_descriptions_are_listed_with_whose_they_are(api, capsys):
    origin = {"kind": "pack", "name": "player", "version": "1.0", "file": "descriptors/player.ban.json"}
    ban = {"id": "player.ban", "version": "1.2", "category": "player", "risk": "high", "origin": origin, "scopes": []}
    api.on("/api/descriptors", answers(json.dumps([ban]).encode()))
    assert await api.croupier("descriptors", "list", "player.*", "--category", "player") == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("player.ban", "1.2", "high", "pack player 1.0", "everywhere"))
    assert api.seen[0][0] in {
        "/api/descriptors?id=player.*&category=player",
        "/api/descriptors?id=player.%2A&category=player",
    }


async def test_one_description_is_shown_with_its_versions(api, capsys):
    version = {"digest": "abc", "version": "1.2", "origin": {"kind": "provider", "name": "p"}, "replaced_ms": 0}
    found = {
        "id": "player.ban",
        "descriptor": {"id": "player.ban"},
        "versions": [version, {**version, "replaced_ms": 7}],
    }
    api.on("/api/descriptors/player.ban", answers(json.dumps(found).encode()))
    assert await api.croupier("descriptors", "show", "player.ban") == 0
    told = capsys.readouterr().out
    assert '"id": "player.ban"' in told
    assert "provider p" in told
    assert await api.croupier("descriptors", "show", "player.ban", "--json") == 0
    assert json.loads(capsys.readouterr().out) == found


def test_a_folder_of_descriptions_is_checked_without_a_server(tmp_path, capsys):
    (tmp_path / "good.json").write_text('{"id": "good"}')
    assert run(["descriptors", "validate", str(tmp_path)]) == 0
    (tmp_path / "bad.json").write_text('{"id": "bad", "risk": "?"}')
    assert run(["descriptors", "validate", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "bad.json: $.risk: write low, medium or high" in told.err
    assert "1 descriptions, 1 faults" in told.out
    assert run(["descriptors", "validate", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"][0]["path"] == "$.risk"


async def test_entities_are_listed_with_their_operations_and_who_serves_them(api, capsys):
    operation = {"function_id": "player.ban", "healthy": 1, "total": 2, "origin": {"kind": "pack", "name": "players"}}
    listed = {"entities": [{"type": "player", "operations": {"ban": [operation]}}]}
    api.on("/api/entities", answers(json.dumps(listed).encode()))

    assert await api.croupier("entity", "list") == 0

    assert capsys.readouterr().out.split("\n")[1].split() == ["player", "ban", "player.ban", "1/2", "pack", "players"]


async def test_one_thing_is_read_under_an_address_that_takes_any_id(api, capsys):
    api.on("/api/entities/player/items/a/b é?", answers(b'{"level":7}'))

    assert await api.croupier("entity", "get", "player", "a/b é?") == 0

    assert api.seen[0][0] == "/api/entities/player/items/a%2Fb%20%C3%A9%3F"
    assert capsys.readouterr().out == '{\n  "level": 7\n}\n'


async def test_a_timeline_is_listed_and_says_how_to_go_on(api, capsys):
    entry = {
        "call_id": "c1",
        "function_id": "player.ban",
        "caller": "ann",
        "state": "failed",
        "error": "no",
        "started_ms": 1_700_000_000_000,
    }
    page = {"entries": [entry], "next": "7-c1"}
    api.on("/api/entities/player/items/p1/timeline", answers(json.dumps(page).encode()))

    assert await api.croupier("entity", "timeline", "player", "p1", "--changes", "--limit", "5", "--after", "9-c2") == 0

    assert api.seen[0][0] == "/api/entities/player/items/p1/timeline?before=9-c2&limit=5&queries=false"
    told = capsys.readouterr()
    assert told.out.split("\n")[1].split() == ["2023-11-14", "22:13:20Z", "player.ban", "ann", "failed", "c1", "no"]
    assert "--after 7-c1" in told.err

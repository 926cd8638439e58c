"""Whatever the system behind an adapter does, the caller is told what that means, in bounded time and space, and never a secret."""

import asyncio
import base64
import gzip
import json
from urllib.parse import quote

import pytest
from aiohttp import web
from tests.planes.adapter_testbed import PATIENCE, adapter, serving, settings

from croupier.adapters.app import build
from croupier.errors import FailedPrecondition
from croupier.settings import AlertmanagerAdapterSettings, GrafanaAdapterSettings, PromAdapterSettings
from croupier_sdk import CallError

TOKEN = 'secret-token-"of"/prometheus+x='
SILENCE = {"matchers": [{"name": "a", "value": "x"}], "comment": "c", "created_by": "ada"}


def answering(status=200, body=b"{}", **headers):
    async def handler(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, body=body, headers={"Content-Type": "application/json", **headers})

    return handler


async def prom(handler, *, function="prom.query", **options):
    """What prom.query answers when this handler is Prometheus; or the CallError."""
    async with (
        serving({"/{any:.*}": handler}) as address,
        adapter(PromAdapterSettings, url=f"http://{address}", **options) as agent,
    ):
        try:
            return await agent.invoke(function, {"expr": "up"})
        except CallError as error:
            return error


async def silence(handler, **options):
    async with (
        serving({"/{any:.*}": handler}) as address,
        adapter(AlertmanagerAdapterSettings, url=f"http://{address}", **options) as agent,
    ):
        try:
            return await agent.invoke("alertmanager.silence", SILENCE)
        except CallError as error:
            return error


@pytest.mark.parametrize(
    ("status", "body", "reason", "says"),
    [
        (400, b'{"status":"error","error":"parse error"}', "invalid_argument", "Prometheus: parse error"),
        (422, b'{"error":"too many samples"}', "invalid_argument", "too many samples"),
        (401, b"go away", "unavailable", "check the token"),
        (403, b"", "unavailable", "check the token"),
        (404, b"nothing here", "function_rejected", "Prometheus: nothing here"),
        (429, b'{"message":"slow down"}', "unavailable", "slow down"),
        (409, b"", "function_rejected", "HTTP status 409"),
        (500, b"", "unavailable", "HTTP status 500"),
        (503, b'"timed out"', "unavailable", "Prometheus: timed out"),
        (302, b"", "unavailable", "give the adapter the final url"),
        (200, b"<html>", "unavailable", "is not JSON"),
        (200, b"", "unavailable", "is not JSON"),
        (200, b"[" * 100_000, "unavailable", "is not JSON"),
        (400, b'{"error":' + b"[" * 50_000, "invalid_argument", "Prometheus: "),
        (400, b"x" * 100_000, "invalid_argument", "Prometheus: x"),
        (400, b"\xff\x00", "invalid_argument", "Prometheus: "),
    ],
)
async def test_a_failed_query_is_told_by_what_it_means(status, body, reason, says):
    error = await prom(answering(status, body, Location="http://127.0.0.1:1/"))
    assert error.reason == reason
    assert says in error.message
    assert len(error.message) < 700


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "invalid_argument"),
        (401, "unavailable"),
        (409, "function_rejected"),
        (429, "unavailable"),
        (302, "function_rejected"),
        (503, "outcome_unknown"),  # proxies say so also when the connection broke after the request was sent
        (500, "outcome_unknown"),
        (502, "outcome_unknown"),
    ],
)
async def test_a_failed_command_is_unknown_where_it_may_have_acted(status, reason):
    error = await silence(answering(status))
    assert error.reason == reason
    assert ("may have acted" in error.message) == (reason == "outcome_unknown")


async def test_a_command_whose_answer_is_too_large_may_have_acted():
    error = await silence(answering(200, b" " * 3_000), max_answer=2_000)
    assert (error.reason, "more than 2000 bytes" in error.message) == ("outcome_unknown", True)


async def test_a_command_whose_answer_is_lost_is_unknown_and_a_query_may_be_repeated():
    async def hang_up(request):
        request.transport.close()
        return web.Response()

    for ask, reason in ((prom, "unavailable"), (silence, "outcome_unknown")):
        assert (await ask(hang_up)).reason == reason


async def test_a_text_that_cannot_be_sent_is_refused_before_it_is():
    async with (
        serving({"/{any:.*}": answering()}) as address,
        adapter(PromAdapterSettings, url=f"http://{address}") as agent,
    ):
        with pytest.raises(CallError) as caught:
            await agent.invoke("prom.query", json.dumps({"expr": "\ud800"}).encode())
    assert (caught.value.reason, "half a character" in caught.value.message) == ("invalid_argument", True)


@pytest.mark.parametrize("body", [b"{}", b"7", b"[1]", b'["x"]', b"null"])
@pytest.mark.parametrize("function", ["alertmanager.silences", "alertmanager.alerts"])
async def test_an_answer_of_another_shape_is_not_taken_for_alertmanagers(function, body):
    async with (
        serving({"/{any:.*}": answering(200, body)}) as address,
        adapter(AlertmanagerAdapterSettings, url=f"http://{address}") as agent,
    ):
        with pytest.raises(CallError, match="is not Alertmanager") as caught:
            await agent.invoke(function, {})
    assert caught.value.reason == "unavailable"


async def test_odd_members_of_an_answer_do_no_harm():
    odd = json.dumps([{"url": 7, "title": None}, {"status": 1}, {"status": None}]).encode()
    async with serving({"/{any:.*}": answering(200, odd)}) as address:
        async with adapter(AlertmanagerAdapterSettings, url=f"http://{address}") as agent:
            assert await agent.invoke("alertmanager.silences", {}) == {"silences": []}
        async with adapter(GrafanaAdapterSettings, url=f"http://{address}") as agent:
            assert [each["link"] for each in (await agent.invoke("grafana.search", {}))["dashboards"]] == [""] * 3


@pytest.mark.parametrize("body", [b"{}", b"7", b"[1]", b"null"])
async def test_an_answer_of_another_shape_is_not_taken_for_grafanas(body):
    async with (
        serving({"/{any:.*}": answering(200, body)}) as address,
        adapter(GrafanaAdapterSettings, url=f"http://{address}") as agent,
    ):
        with pytest.raises(CallError, match="is not Grafana") as caught:
            await agent.invoke("grafana.search", {})
    assert caught.value.reason == "unavailable"


async def test_a_system_that_does_not_answer_is_given_up_in_time():
    async def hang(request):
        await asyncio.Event().wait()

    for ask, reason in ((prom, "unavailable"), (silence, "outcome_unknown")):
        error = await ask(hang, timeout=0.2)
        assert error.reason in {reason, "deadline_exceeded"}


async def test_a_caller_that_gives_up_ends_the_request():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(request):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with (
        serving({"/{any:.*}": hang}) as address,
        adapter(PromAdapterSettings, url=f"http://{address}") as agent,
    ):
        call = asyncio.ensure_future(agent.invoke("prom.query", {"expr": "up"}))
        await begun.wait()
        call.cancel()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()


async def test_an_endless_answer_is_cut_off():
    async def endless(request):
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        while True:
            await stream.write(b" " * 65_536)

    error = await prom(endless, max_answer=1_000_000)
    assert error.reason == "function_rejected"
    assert "more than 1000000 bytes" in error.message


async def test_a_bomb_is_cut_off_where_it_grows_too_large():
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < 200_000
    error = await prom(answering(200, bomb, **{"Content-Encoding": "gzip"}), max_answer=1_000_000)
    assert error.reason == "function_rejected"


async def test_a_large_answer_passes_whole():
    document = {"status": "success", "data": {"result": ["x" * 1000] * 5000}}
    assert await prom(answering(200, json.dumps(document).encode())) == document


async def test_the_token_is_sent_and_nobody_is_told_it(tmp_path, caplog):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    sent = []

    async def echo(request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        sent.append(token)
        echoed = [token, quote(token, safe="")]
        echoed += [base64.b64encode(b"." * shift + token.encode() + b"tail").decode() for shift in range(3)]
        echoed += [base64.urlsafe_b64encode(f"user:{token}".encode()).decode()]
        return web.json_response({"echo": echoed})

    async with (
        serving({"/{any:.*}": echo}) as address,
        adapter(PromAdapterSettings, url=f"http://{address}", token_file=path) as agent,
    ):
        answer = await agent.invoke("prom.query", {"expr": "up"})
    assert sent == [TOKEN]
    assert all("***" in each for each in answer["echo"])
    assert TOKEN not in json.dumps(answer) + caplog.text
    core = base64.b64encode(TOKEN.encode()).decode()[4:20]
    assert core not in json.dumps(answer)

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=400, text=f"bad token {request.headers['Authorization']}")

    error = await prom(refuse, token_file=path)
    assert error.message == "Prometheus: bad token Bearer ***"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("", "holds no token"),
        ("short", "8 to 8192"),
        ("two words here", "8 to 8192"),
        ("x" * 9000, "8 to 8192"),
    ],
)
async def test_a_token_that_is_not_there_is_said_at_the_start_without_its_text(tmp_path, content, says):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(FailedPrecondition) as caught:
        async with build(settings(PromAdapterSettings, token_file=path)):
            raise AssertionError("it was built")
    assert says in caught.value.message
    assert str(path) in caught.value.message
    assert not content or content not in caught.value.message


async def test_more_calls_than_may_wait_are_refused_and_the_others_answered():
    gate, full = asyncio.Event(), asyncio.Event()
    running = most = 0

    async def slow(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            full.set()
        await gate.wait()
        running -= 1
        return web.json_response({})

    async with (
        serving({"/{any:.*}": slow}) as address,
        adapter(PromAdapterSettings, url=f"http://{address}", concurrency=2) as agent,
    ):
        calls = [asyncio.ensure_future(agent.invoke("prom.query", {"expr": "up"})) for _ in range(40)]
        refused, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        await full.wait()
        gate.set()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert refused
    assert [each.reason for each in ended if isinstance(each, CallError)] == ["rate_limited"] * 6
    assert ended.count({}) == 34
    assert most == 2

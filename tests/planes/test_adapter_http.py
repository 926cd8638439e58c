"""The generic HTTP adapter against real servers on loopback, which it may call because the tests say so."""

import asyncio
import base64
import gzip
import json
import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.planes.adapter_testbed import PatientAgent, adapter, serving, settings

from croupier.adapters.http.functions import add_http
from croupier.adapters.http.target import Credentials, Target
from croupier.errors import InvalidArgument
from croupier.settings import HttpAdapterSettings
from croupier_sdk import CallError, Provider

TOKEN = "crm-token-0123456789"


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    said = {
        "method": request.method,
        "path": request.raw_path,
        "headers": dict(request.headers),
        "body": body.decode(),
    }
    return web.json_response(said, headers={"X-Answer": "yes", "Set-Cookie": "s=1"})


def redirect(status: int, where: str):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": where})

    return handler


@pytest.fixture
async def target():
    """host:port of a server that echoes."""
    async with serving({"/echo": echo, "/{any:.*}/echo": echo}) as address:
        yield address


@pytest.fixture
async def agent(target):
    async with adapter(HttpAdapterSettings, allow=target, allow_loopback=True) as agent:
        yield agent


async def rejection(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value.reason, caught.value.message


@asynccontextmanager
async def calling(routes, *also, **options):
    """The address of a server with these routes, and an agent whose adapter may call it, and `also`."""
    async with (
        serving(routes) as address,
        adapter(HttpAdapterSettings, allow=[address, *also], allow_loopback=True, **options) as agent,
    ):
        yield address, agent


async def test_a_request_is_sent_as_it_is_asked_for(agent, target):
    asked = {
        "url": f"http://{target}/echo?a=1",
        "method": "PUT",
        "query": {"b": "two & three", "c": "四"},
        "headers": {"X-Reason": "test"},
        "json": {"n": [1, None]},
    }
    answer = await agent.invoke("http.request", asked)
    assert (answer["status"], answer["headers"]["x-answer"]) == (200, "yes")
    assert "set-cookie" not in answer["headers"]
    said = answer["json"]
    assert said["method"] == "PUT"
    assert said["path"] == "/echo?a=1&b=two+%26+three&c=%E5%9B%9B"
    assert (said["headers"]["X-Reason"], said["headers"]["Content-Type"]) == ("test", "application/json")
    assert json.loads(said["body"]) == {"n": [1, None]}
    assert "Cookie" not in said["headers"]


async def test_a_text_body_is_sent_as_it_is_and_its_type_is_the_callers(agent, target):
    asked = {"url": f"http://{target}/echo", "method": "POST", "body": "a=é", "headers": {"content-type": "text/x"}}
    said = (await agent.invoke("http.request", asked))["json"]
    assert (said["body"], said["headers"]["Content-Type"]) == ("a=é", "text/x")
    both = {**asked, "json": 1}
    assert (await rejection(agent.invoke("http.request", both)))[0] == "invalid_argument"


async def test_any_status_is_an_answer_and_any_body_is_told():
    async def text(request):
        return web.Response(status=503, text="busy\n")

    async def binary(request):
        return web.Response(body=b"\x00\x01\xff", content_type="application/octet-stream")

    async def liar(request):
        return web.Response(body=b"{not json", content_type="application/json")

    async def squeezed(request):
        return web.Response(body=gzip.compress(b"x" * 9_000_000), headers={"Content-Encoding": "gzip"})

    routes = {"/text": text, "/binary": binary, "/liar": liar, "/squeezed": squeezed}
    async with calling(routes) as (address, agent):
        answers = [await agent.invoke("http.request", {"url": f"http://{address}{path}"}) for path in routes]
    assert (answers[0]["status"], answers[0]["text"], answers[0]["bytes"]) == (503, "busy\n", 5)
    assert answers[1]["base64"] == base64.b64encode(b"\x00\x01\xff").decode()
    assert answers[2]["text"] == "{not json"
    assert answers[3]["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(answers[3]["base64"])) == b"x" * 9_000_000


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_this_machine_is_not_called_unless_it_is_said_even_if_it_is_on_the_list(address):
    async with adapter(HttpAdapterSettings, allow=f"{address}:9") as agent:
        reason, message = await rejection(agent.invoke("http.request", {"url": f"http://{address}:9/"}))
    assert reason == "permission_denied" or (address == "localhost" and reason == "unavailable")
    assert "may not be called" in message


async def test_a_host_that_is_not_on_the_list_is_not_called(agent, target):
    port = target.rpartition(":")[2]
    for url in (f"http://localhost:{port}/echo", "http://127.0.0.1/echo", "http://169.254.169.254/latest/"):
        reason, message = await rejection(agent.invoke("http.request", {"url": url}))
        assert reason == "permission_denied"
        assert "--allow" in message


class Rebinding(AbstractResolver):
    """A name that is public when it is asked about first, and this machine from then on."""

    def __init__(self, first: str, then: str) -> None:
        self.answers = [first, then]
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.answers[min(self.asked, 1)]
        self.asked += 1
        found = ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        return


@asynccontextmanager
async def resolving(resolver: AbstractResolver, **options):
    chosen = settings(HttpAdapterSettings, **options)
    async with PatientAgent() as agent, Target(chosen, Credentials({}), resolver=resolver) as target:
        provider = Provider(service_id="adapter-http", game_id="demo", env="dev", agent=agent.address)
        add_http(provider, target)
        async with provider:
            await agent.wait_registered("http.request")
            yield agent


async def test_the_address_that_is_connected_to_is_the_one_that_was_checked(target):
    port = int(target.rpartition(":")[2])
    resolver = Rebinding("127.0.0.1", "127.0.0.1")
    async with resolving(resolver, allow=f"rebound.example:{port}", allow_loopback=True) as agent:
        answer = await agent.invoke("http.request", {"url": f"http://rebound.example:{port}/echo"})
        assert answer["json"]["headers"]["Host"] == f"rebound.example:{port}"
    assert resolver.asked == 1

    resolver = Rebinding("127.0.0.1", "127.0.0.1")
    async with resolving(resolver, allow=f"rebound.example:{port}") as agent:
        reason, message = await rejection(agent.invoke("http.request", {"url": f"http://rebound.example:{port}/echo"}))
    assert reason == "permission_denied"
    assert message == (
        "rebound.example: 127.0.0.1 may not be called: it is an address of this machine; allow_loopback lets it be called"
    )


async def test_every_request_looks_anew_at_what_the_name_means(target):
    port = int(target.rpartition(":")[2])
    resolver = Rebinding("240.0.0.1", "127.0.0.1")
    async with resolving(resolver, allow=f"rebound.example:{port}", allow_private=True) as agent:
        for _ in range(2):
            reason, message = await rejection(
                agent.invoke("http.request", {"url": f"http://rebound.example:{port}/echo"})
            )
            assert reason == "permission_denied"
    assert resolver.asked == 2
    assert "127.0.0.1 may not be called" in message


async def test_a_redirect_is_the_answer_unless_it_is_to_be_followed(target):
    async with calling({"/away": redirect(302, "/echo"), "/echo": echo}) as (address, agent):
        asked = {"url": f"http://{address}/away", "method": "POST", "body": "x"}
        answer = await agent.invoke("http.request", asked)
        assert (answer["status"], answer["headers"]["location"]) == (302, "/echo")
        followed = await agent.invoke("http.request", {**asked, "follow_redirects": True})
        assert (followed["url"], followed["json"]["method"]) == (f"http://{address}/echo", "GET")
        assert followed["json"]["body"] == ""
        assert "Content-Type" not in followed["json"]["headers"]


async def test_307_and_308_keep_method_and_body():
    async with calling({"/a": redirect(307, "/b"), "/b": redirect(308, "echo"), "/echo": echo}) as (address, agent):
        asked = {"url": f"http://{address}/a", "method": "POST", "json": {"x": 1}, "follow_redirects": True}
        said = (await agent.invoke("http.request", asked))["json"]
    assert (said["method"], said["body"]) == ("POST", '{"x":1}')


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "permission_denied"),
        ("http://localhost:{port}/echo", "permission_denied"),
        ("//evil.example/", "permission_denied"),
        ("file:///etc/passwd", "invalid_argument"),
        ("http://user:pass@127.0.0.1:{port}/echo", "invalid_argument"),
        ("http://[", "function_rejected"),
    ],
)
async def test_a_redirect_to_elsewhere_is_never_followed(where, reason):
    arrived = []

    async def note(request):
        arrived.append(request.path)
        return web.Response()

    async def away(request):
        port = request.url.port
        return web.Response(status=302, headers={"Location": where.format(port=port)})

    async with calling({"/away": away, "/echo": note}) as (address, agent):
        asked = {"url": f"http://{address}/away", "follow_redirects": True}
        assert (await rejection(agent.invoke("http.request", asked)))[0] == reason
    assert arrived == []


@pytest.mark.parametrize("where", ["http://169.254.169.254/", "http://127.0.0.1:1/", "http://[", "/endless"])
async def test_a_command_whose_redirect_fails_may_have_acted_and_says_so(where):
    """Unavailable would free its idempotency key, and invalid arguments would sound as if nothing had been sent."""

    async def endless(request):
        return web.Response(body=b"x" * 3_000)

    routes = {"/act": redirect(303, where), "/endless": endless}
    async with calling(routes, "127.0.0.1:1", max_answer=2_000) as (address, agent):
        asked = {"url": f"http://{address}/act", "method": "POST", "follow_redirects": True}
        reason, message = await rejection(agent.invoke("http.request", asked))
    assert reason == "outcome_unknown"
    assert "answered with a redirect" in message


async def test_a_command_whose_answer_is_too_large_may_have_acted():
    async def large(request):
        return web.Response(body=b"x" * 3_000)

    async with calling({"/": large}, max_answer=2_000) as (address, agent):
        reason, message = await rejection(
            agent.invoke("http.request", {"url": f"http://{address}/", "method": "DELETE"})
        )
    assert (reason, "more than 2000 bytes" in message) == ("outcome_unknown", True)


async def test_redirects_that_never_end_are_given_up():
    async with calling({"/a": redirect(302, "/a")}) as (address, agent):
        reason, message = await rejection(
            agent.invoke("http.request", {"url": f"http://{address}/a", "follow_redirects": True})
        )
    assert (reason, message) == ("function_rejected", "more than 5 redirects, the last one from 127.0.0.1")


async def test_a_token_goes_to_its_host_only_and_is_not_told(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    seen = {}

    async def other(request):
        seen["other"] = request.headers.get("Authorization")
        seen["other_key"] = request.headers.get("X-Api-Key")
        return web.Response(text="other")

    async with serving({"/": other}) as elsewhere:

        async def away(request):
            seen["first"] = request.headers.get("Authorization")
            return web.Response(status=302, headers={"Location": f"http://{elsewhere}/"})

        async def leak(request):
            token = request.headers["Authorization"]
            return web.json_response({"sent": token}, headers={"X-Leak": token}, status=500)

        async with serving({"/away": away, "/leak": leak}) as address:
            options = {"allow": [address, elsewhere], "token_file": f"{address}={tmp_path / 'token'}"}
            async with adapter(HttpAdapterSettings, allow_loopback=True, **options) as agent:
                asked = {"url": f"http://{address}/away", "headers": {"X-Api-Key": "k"}, "follow_redirects": True}
                assert (await agent.invoke("http.request", asked))["text"] == "other"
                leaked = await agent.invoke("http.request", {"url": f"http://{address}/leak"})
    assert seen == {"first": f"Bearer {TOKEN}", "other": None, "other_key": None}
    assert leaked["json"] == {"sent": "Bearer ***"}
    assert leaked["headers"]["x-leak"] == "Bearer ***"


async def test_a_token_is_never_sent_unencrypted(monkeypatch):
    monkeypatch.setenv("CRM_TOKEN", TOKEN)
    async with adapter(HttpAdapterSettings, allow="crm.example", token_env="crm.example:80=CRM_TOKEN") as agent:
        reason, message = await rejection(agent.invoke("http.request", {"url": "http://crm.example/"}))
    assert reason == "invalid_argument"
    assert "https://" in message


async def test_methods_can_be_kept_back(target):
    async with adapter(HttpAdapterSettings, allow=target, allow_loopback=True, methods="GET,HEAD") as agent:
        assert (await agent.invoke("http.request", {"url": f"http://{target}/echo"}))["status"] == 200
        reason, message = await rejection(
            agent.invoke("http.request", {"url": f"http://{target}/echo", "method": "DELETE"})
        )
    assert (reason, message) == ("permission_denied", "this adapter may use GET, HEAD only")


@pytest.mark.parametrize(
    "arguments",
    [
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"Host": "evil"}},
        {"headers": {"Authorization": "Bearer x"}},
        {"method": "TRACE"},
        {"method": "GET / HTTP/1.1\r\nX: "},
        {"url": "http://127.0.0.1/\r\nX: y"},
        {"url": ""},
    ],
)
async def test_nothing_is_smuggled_into_the_request(agent, target, arguments):
    reason, _ = await rejection(agent.invoke("http.request", {"url": f"http://{target}/echo", **arguments}))
    assert reason == "invalid_argument"


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "POST", "body": "\ud800"},
        {"method": "POST", "json": {"a": "\ud800"}},
        {"headers": {"X-A": "\ud800"}},
        {"query": {"a": "\ud800"}},
        {"query": {"\ud800": "a"}},
        {"url": "http://127.0.0.1/\ud800"},
    ],
)
async def test_half_a_character_is_refused_wherever_it_stands(agent, target, arguments):
    payload = json.dumps({"url": f"http://{target}/echo", **arguments}).encode()
    reason, message = await rejection(agent.invoke("http.request", payload))
    assert (reason, "half a character" in message) == ("invalid_argument", True)


async def test_json_is_sent_with_its_largest_numbers(agent, target):
    asked = {"url": f"http://{target}/echo", "method": "POST", "json": [10**30, -0.5, True, "é"]}
    assert json.loads((await agent.invoke("http.request", asked))["json"]["body"]) == asked["json"]


async def test_headers_in_no_encoding_are_told_with_a_mark():
    async def odd(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: a\xff\xe9\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    async with server, adapter(HttpAdapterSettings, allow=address, allow_loopback=True) as agent:
        answer = await agent.invoke("http.request", {"url": f"http://{address}/"})
    assert (answer["text"], answer["headers"]["x-odd"]) == ("ok", "a\ufffd\ufffd")


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"\x00" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000],
)
async def test_what_is_no_http_answer_is_a_broken_connection(rubbish):
    async def odd(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(rubbish)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    async with server, adapter(HttpAdapterSettings, allow=address, allow_loopback=True) as agent:
        reason, _ = await rejection(agent.invoke("http.request", {"url": f"http://{address}/"}))
    assert reason == "unavailable"


async def test_what_a_query_parameter_holds_cannot_leave_it(agent, target):
    asked = {"url": f"http://{target}/echo", "query": {"a": "1 HTTP/1.1\r\nHost: evil\r\n\r\n", "b#": "&c=d"}}
    said = (await agent.invoke("http.request", asked))["json"]
    assert said["headers"]["Host"] == target
    assert said["path"].count(" ") == said["path"].count("\n") == 0
    assert said["path"].endswith("&b%23=%26c%3Dd")


async def test_an_answer_that_is_too_large_is_not_read():
    async def endless(request):
        stream = web.StreamResponse()
        await stream.prepare(request)
        while True:
            await stream.write(b"x" * 65_536)

    async def large(request):
        return web.Response(body=b"x" * 2_000_000)

    async with calling({"/endless": endless, "/large": large}, max_answer=1_000_000) as (address, agent):
        for path in ("/endless", "/large"):
            reason, message = await rejection(agent.invoke("http.request", {"url": f"http://{address}{path}"}))
            assert (reason, message) == (
                "function_rejected",
                "127.0.0.1 answers with more than 1000000 bytes: ask for less",
            )


async def test_the_length_that_a_head_announces_is_not_an_answer_that_is_too_large():
    async def large(request):
        return web.Response(headers={"Content-Length": "20000000000"})

    async with calling({"/": large}) as (address, agent):
        answer = await agent.invoke("http.request", {"url": f"http://{address}/", "method": "HEAD"})
    assert (answer["status"], answer["bytes"], answer["text"]) == (200, 0, "")


async def test_a_host_that_closes_its_connections_early_is_called_over_new_ones():
    """A connection that is kept may be closed by the other side just when a command is sent over it."""
    peers = []

    async def closing(request):
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response(text="ok")

    async with calling({"/": closing}) as (address, agent):
        for _ in range(3):
            asked = {"url": f"http://{address}/", "method": "POST", "body": "x"}
            assert (await agent.invoke("http.request", asked))["text"] == "ok"
    assert len(set(peers)) == 3


async def test_the_largest_answer_fits_into_a_payload():
    async def largest(request):
        return web.Response(body=b"\xff" * 6_000_000)

    async with calling({"/": largest}) as (address, agent):
        answer = await agent.invoke("http.request", {"url": f"http://{address}/"})
    assert answer["bytes"] == 6_000_000


@pytest.mark.parametrize(("method", "reason"), [("GET", "unavailable"), ("POST", "outcome_unknown")])
async def test_a_lost_answer_is_unknown_unless_the_method_is_safe(method, reason):
    async def hang_up(request):
        request.transport.close()
        return web.Response()

    async def hang(request):
        await asyncio.Event().wait()

    async with calling({"/up": hang_up, "/on": hang}, timeout=0.5) as (address, agent):
        for path in ("/up", "/on"):
            got, _ = await rejection(
                agent.invoke("http.request", {"url": f"http://{address}{path}", "method": method}, timeout=30)
            )
            assert got == reason


async def test_a_host_that_is_away_is_unavailable():
    async with adapter(HttpAdapterSettings, allow="127.0.0.1:1,nowhere.invalid", allow_loopback=True) as agent:
        for url in ("http://127.0.0.1:1/", "http://nowhere.invalid/"):
            reason, message = await rejection(agent.invoke("http.request", {"url": url, "method": "POST"}))
            assert reason == "unavailable"
            assert "cannot be reached" in message


def test_an_adapter_that_may_call_nobody_is_not_started():
    with pytest.raises(InvalidArgument, match="allow"):
        settings(HttpAdapterSettings)
    for rule in ("*", "*.", "a b", "http://a", "a:99999", "a/b", "", "*.a:x", "a..b", "-" * 300):
        with pytest.raises(InvalidArgument, match="allow"):
            settings(HttpAdapterSettings, allow=[rule])

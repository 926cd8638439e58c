"""Our web server on loopback, spoken to byte by byte: what HTTP/1.1 asks for holds on the shortcut as it does in ASGI."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from croupier.asgi import SHORTCUT
from croupier.asgi.server import HttpServer

ORDER = b"POST /%b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b"


class Application:
    """Answers with the body that came, by the shortcut and by ASGI; /slow waits for `go`."""

    def __init__(self, *, short):
        self.short = short
        self.go = asyncio.Event()
        self.began = asyncio.Event()
        self.left = asyncio.Event()
        self.cut = asyncio.Event()
        self.paths = []

    async def __call__(self, scope, receive, send):
        self.paths.append(scope["path"])
        shortcut = scope["extensions"][SHORTCUT]
        content = shortcut.content() if self.short else None
        if content is None:
            content = await read(receive)
        self.began.set()
        if scope["path"] == "/slow":
            shortcut.on_hang_up(self.left.set)
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cut.set()
                raise
        headers = [(b"content-length", b"%d" % len(content)), (b"x-path", scope["raw_path"])]
        if scope["path"] == "/close":
            headers.append((b"connection", b"close"))
        if self.short:
            await shortcut.answer(200, headers, content)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})


async def read(receive):
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return content


@pytest.fixture(params=[True, False], ids=["shortcut", "asgi"])
def application(request):
    return Application(short=request.param)


@asynccontextmanager
async def connected(application, **options):
    server = application.server = HttpServer(application, **options)
    await server.start("127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*server.address.split(":"))
    try:
        yield reader, writer
    finally:
        writer.close()
        application.go.set()
        await server.stop()


async def reply(reader, *, bodiless=False):
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")[:-2]
    headers = dict(line.split(": ", 1) for line in lines)
    return status, headers, b"" if bodiless else await reader.readexactly(int(headers["content-length"]))


async def test_requests_on_one_connection_are_answered_one_after_the_other(application):
    async with connected(application) as (reader, writer):
        for content in (b"one", b"two"):
            writer.write(ORDER % (b"x", 3, content))
            assert (await reply(reader))[2] == content


async def test_pipelined_requests_are_answered_in_their_order(application):
    async with connected(application) as (reader, writer):
        writer.write(ORDER % (b"slow", 3, b"one") + ORDER % (b"b", 3, b"two") + ORDER % (b"c", 0, b""))
        await application.began.wait()
        application.go.set()
        answers = [await reply(reader) for _ in range(3)]
        assert [headers["x-path"] for _, headers, _ in answers] == ["/slow", "/b", "/c"]
        assert [content for *_, content in answers] == [b"one", b"two", b""]


async def test_a_body_in_pieces_and_a_chunked_one_arrive_whole(application):
    async with connected(application) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc")
        await writer.drain()
        writer.write(b"def")
        assert (await reply(reader))[2] == b"abcdef"
        writer.write(
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert (await reply(reader))[2] == b"abcde"


async def test_a_body_larger_than_any_buffer_travels_both_ways(application):
    content = b"x" * 3_000_000
    async with connected(application) as (reader, writer):
        writer.write(ORDER % (b"", len(content), content))
        assert (await reply(reader))[2] == content


async def test_who_expects_a_go_ahead_gets_one(application):
    async with connected(application) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await reply(reader))[2] == b"ok"


async def test_the_answer_to_head_has_no_body(application):
    async with connected(application) as (reader, writer):
        writer.write(b"HEAD / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok" + ORDER % (b"", 1, b"1"))
        assert (await reply(reader, bodiless=True))[1]["content-length"] == "2"
        assert (await reply(reader))[2] == b"1"


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST / HTTP/1.0\r\ncontent-length: 1\r\n\r\n1",
        b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\n1",
    ],
)
async def test_a_connection_that_is_not_to_be_kept_is_closed(application, request_head):
    async with connected(application) as (reader, writer):
        writer.write(request_head)
        assert (await reply(reader))[1]["connection"] == "close"
        assert await reader.read() == b""


async def test_an_application_can_close_the_connection(application):
    async with connected(application) as (reader, writer):
        writer.write(ORDER % (b"close", 1, b"1"))
        assert (await reply(reader))[1]["connection"] == "close"
        assert await reader.read() == b""


async def test_a_hang_up_is_told(application):
    async with connected(application) as (_, writer):
        writer.write(ORDER % (b"slow", 1, b"1"))
        await application.began.wait()
        writer.transport.abort()
        await application.left.wait()


async def test_a_hang_up_of_pipelined_requests_is_told_and_starts_none_of_them(application):
    async with connected(application) as (_, writer):
        writer.write(ORDER % (b"slow", 1, b"1") + ORDER % (b"never", 1, b"2"))
        await application.began.wait()
        writer.transport.abort()
        await application.left.wait()
        application.go.set()
    assert application.paths == ["/slow"]


async def test_a_connection_at_rest_is_closed_and_one_at_work_is_not(application):
    async with connected(application, keep_alive=1) as (reader, writer):
        writer.write(ORDER % (b"x", 1, b"1"))
        await reply(reader)
        writer.write(ORDER % (b"slow", 1, b"2"))
        asyncio.get_running_loop().call_later(1.2, application.go.set)
        assert (await reply(reader))[2] == b"2"
        assert await reader.read() == b""


async def test_a_connection_at_rest_is_closed_when_the_server_stops(application):
    server = HttpServer(application)
    await server.start("127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*server.address.split(":"))
    writer.write(ORDER % (b"x", 1, b"1"))
    await reply(reader)
    await server.stop()
    assert await reader.read() == b""
    writer.close()


async def test_a_stopping_server_finishes_what_is_under_way_and_takes_nothing_new(application):
    async with connected(application) as (reader, writer):
        server = application.server
        writer.write(ORDER % (b"slow", 1, b"1"))
        await application.began.wait()
        stopping = asyncio.ensure_future(server.stop())
        for _ in range(20):
            await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*server.address.split(":"))
        assert not stopping.done()
        application.go.set()
        status, headers, content = await reply(reader)
        assert (status, headers["connection"], content) == ("HTTP/1.1 200 OK", "close", b"1")
        await stopping


async def test_what_does_not_end_within_the_grace_is_cut_off(application, caplog):
    async with connected(application, grace=1.0) as (_, writer):
        writer.write(ORDER % (b"slow", 1, b"1"))
        await application.began.wait()
        await application.server.stop()
        await application.cut.wait()
    assert "1 HTTP requests did not end in time" in caplog.text


async def test_rubbish_is_refused(application):
    async with connected(application) as (reader, writer):
        writer.write(b"this is not HTTP\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        await reader.read()


async def test_a_path_is_decoded_and_its_query_kept(application):
    async with connected(application) as (reader, writer):
        writer.write(ORDER % (b"a%20b?c=%20", 0, b""))
        assert (await reply(reader))[1]["x-path"] == "/a%20b"
    assert application.paths == ["/a b"]


async def test_a_header_of_two_lines_is_never_sent():
    async def split(scope, receive, send):
        await scope["extensions"][SHORTCUT].answer(200, [(b"x-name", b"a\r\nset-cookie: b")], b"")

    split.go = asyncio.Event()
    async with connected(split) as (reader, writer):
        writer.write(ORDER % (b"", 0, b""))
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in head

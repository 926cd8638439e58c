"""The live stream over HTTP, at a reader whose feeds a test fills."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from croupier.domain.principal import Principal
from croupier.errors import NotFound, Unavailable
from croupier.server.access.epoch import Epoch
from croupier.server.access.streams import LiveStreams
from croupier.server.http.events import EventStream
from croupier.server.http.metrics import HttpMetrics
from croupier.server.live import Reader
from croupier.server.live.feed import Feed
from croupier.server.live.frames import frame, line
from croupier.server.turns import Turns

ANN = Principal(name="ann", user_id="u1")


class FilledFeed(Feed):
    """Tells numbers; a test says which."""

    def __init__(self, reader, topic="jobs", head=b".~01"):
        super().__init__((topic,), reader.wake)
        self.head = head
        self.waiting = []
        self.refusal = None
        self.closed = False

    async def begin(self):
        self.ready = False

    async def read(self):
        self.ready = False
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        numbers, self.waiting = self.waiting, []
        self.seq = max(numbers, default=self.seq)
        return [frame(number, line(self.topics[0], "told", b"%d" % number)) for number in numbers]

    async def close(self):
        self.closed = True

    def tell(self, *numbers):
        self.waiting += numbers
        self.has_news()


class Place:
    def __init__(self):
        self.reader = Reader("EPOCH_12", Turns())
        self.feed = FilledFeed(self.reader)
        self.allowed = True
        self.epoch = Epoch()
        self.streams = LiveStreams(still=lambda _: self.allowed, epoch=self.epoch)
        self.stopping = asyncio.Event()
        self.metrics = HttpMetrics()
        self.sent = b""
        self.news = asyncio.Event()
        self.takes = asyncio.Event()
        """Whether the browser takes what is sent."""
        self.takes.set()
        self.left = asyncio.Event()

    @asynccontextmanager
    async def _reading(self):
        await self.reader.add(self.feed)
        try:
            yield self.reader
        finally:
            await self.reader.close()

    async def _send(self, message):
        self.sent += message.get("body", b"")
        self.news.set()
        await self.takes.wait()

    async def _receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def run(self):
        stream = EventStream(
            self._reading(), caller=ANN, streams=self.streams, stopping=self.stopping, metrics=self.metrics
        )
        await stream({"type": "http"}, self._receive, self._send)

    async def has(self, text):
        async with asyncio.timeout(30):
            while text not in self.sent:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def a_stream():
    place = Place()
    running = asyncio.ensure_future(place.run())
    await place.has(b"event: ping")
    try:
        yield place, running
    finally:
        place.takes.set()
        place.left.set()
        await running
        assert place.feed.closed
        assert (place.metrics.watching, len(place.streams)) == (0, 0)


async def test_what_is_told_while_the_browser_takes_nothing_is_not_read():
    async with a_stream() as (place, _):
        place.takes.clear()
        place.feed.tell(1)
        await place.has(b'"data":1}')
        place.feed.tell(2)
        place.feed.tell(3)
        await asyncio.sleep(0)
        assert place.feed.waiting == [2, 3]
        place.takes.set()
        await place.has(b'"data":3}')
    assert place.sent.endswith(
        b'id: EPOCH_12.~012\ndata: {"topic":"jobs","type":"told","data":2}\n\n'
        b'id: EPOCH_12.~013\ndata: {"topic":"jobs","type":"told","data":3}\n\n'
    )


async def test_whoever_is_put_out_while_the_browser_takes_nothing_is_put_out_all_the_same(monkeypatch):
    monkeypatch.setattr("croupier.server.http.events.LAST_WORD", 0.01)
    async with a_stream() as (place, running):
        place.takes.clear()
        place.feed.tell(1)
        await place.has(b'"data":1}')
        place.allowed = False
        place.epoch.end()
        await place.has(b"event: end")
        place.takes.set()
        await running
    assert place.sent.endswith(b'event: end\ndata: {"reason":"signed_out"}\n\n')


async def test_who_may_do_less_than_before_is_told_to_come_again():
    async with a_stream() as (place, running):
        place.streams.end(lambda principal: principal is ANN)
        await running
    assert place.sent.endswith(b'event: end\ndata: {"reason":"changed"}\n\n')


async def test_a_stream_ends_when_the_server_stops():
    async with a_stream() as (place, running):
        place.stopping.set()
        await running
    assert place.sent.endswith(b'event: end\ndata: {"reason":"restarting"}\n\n')


async def test_a_browser_that_leaves_is_told_nothing_more():
    async with a_stream() as (place, running):
        place.left.set()
        await running
    assert b"event: end" not in place.sent


async def test_what_the_store_refuses_is_read_again(monkeypatch):
    monkeypatch.setattr("croupier.server.live.reader.RETRY_AFTER", 0.0)
    async with a_stream() as (place, _):
        place.feed.refusal = Unavailable("the disk is full")
        place.feed.tell(1)
        await place.has(b'"data":1}')


async def test_a_topic_that_is_gone_is_denied_under_its_cursor_and_the_others_go_on():
    async with a_stream() as (place, _):
        other = FilledFeed(place.reader, "calls", b".other123")
        await place.reader.add(other)
        place.feed.refusal = NotFound("it is gone")
        place.feed.tell()
        await place.has(b'id: EPOCH_12.other1230.~010\nevent: denied\ndata: {"topic":"jobs","detail":"it is gone"}\n\n')
        other.tell(7)
        await place.has(b'id: EPOCH_12.other1237\ndata: {"topic":"calls"')


async def test_a_fault_in_a_feed_cuts_the_connection():
    place = Place()
    place.feed.refusal = ZeroDivisionError()
    running = asyncio.ensure_future(place.run())
    await place.has(b"event: ping")
    place.feed.tell(1)
    with pytest.raises(ZeroDivisionError):
        await running

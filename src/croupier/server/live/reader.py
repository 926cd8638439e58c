"""One browser's stream: its topics, each by a feed, and the cursor that says how far it came in all of them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence

from croupier.errors import CroupierError, NotFound, PermissionDenied
from croupier.server.live.feed import Feed
from croupier.server.live.frames import PING, event, unmoved, written
from croupier.server.turns import Turns

log = logging.getLogger(__name__)

PING_EVERY = 15.0
"""Seconds of silence after which something is said all the same."""
RETRY_AFTER = 1.0
"""Seconds until what the store refused is read again."""


class Reader:
    """`close` closes its feeds too."""

    def __init__(self, epoch: str, turns: Turns) -> None:
        self._epoch = epoch.encode()
        self._turns = turns
        self._feeds: list[Feed] = []
        self._first: list[bytes] = []
        """What is told before anything else."""
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """One of the feeds may have something."""
        self._changed.set()

    async def add(self, feed: Feed) -> None:
        """Raises CroupierError where it cannot begin."""
        self._feeds.append(feed)
        try:
            await feed.begin()
        except CroupierError:
            self._feeds.remove(feed)
            await feed.close()
            raise

    def deny(self, topics: Iterable[str], error: CroupierError) -> None:
        """These are not told, for this reason."""
        self._first += [unmoved(event("denied", topic=each, detail=error.message)) for each in topics]

    def reset(self, topic: str, reason: str) -> None:
        """Of this one something may have been missed before."""
        self._first.append(unmoved(event("reset", topic=topic, reason=reason)))

    async def portions(self) -> AsyncGenerator[bytes]:
        """What there is, for ever; a slow consumer gets more at a time, or is told what it missed."""
        # The first message brings a cursor, so that whoever is cut off before anything happens does not begin anew.
        yield self._written([PING, *self._first])
        while True:
            ready = [feed for feed in self._feeds if feed.ready]
            if not ready and not await self._is_woken():
                yield self._written([PING])
            for feed in ready:
                await self._turns.take()
                if frames := await self._read(feed):
                    yield self._written(frames, feed)

    async def close(self) -> None:
        for feed in self._feeds:
            await feed.close()

    async def _is_woken(self) -> bool:
        """False after a while of silence."""
        try:
            async with asyncio.timeout(PING_EVERY):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def _read(self, feed: Feed) -> Sequence[bytes]:
        try:
            return await feed.read()
        except (NotFound, PermissionDenied) as error:
            self._feeds.remove(feed)
            await feed.close()
            return self._denied(feed, error)
        except CroupierError as error:
            log.warning("%s could not be read, trying again: %s", ", ".join(feed.topics), error.message)
            asyncio.get_running_loop().call_later(RETRY_AFTER, feed.has_news)
            return ()

    def _denied(self, feed: Feed, error: CroupierError) -> Sequence[bytes]:
        frames = [event("denied", topic=each, detail=error.message) for each in feed.topics]
        return [b"%x\n%b" % (feed.seq, each) for each in frames] if feed.head else [unmoved(each) for each in frames]

    def _written(self, frames: Sequence[bytes], feed: Feed | None = None) -> bytes:
        """Under the cursor, of which the feed that they are of writes the end."""
        moving = feed is not None and feed.head
        others = [b"%b%x" % (each.head, each.seq) for each in self._feeds if each.head and each is not feed]
        cursor = self._epoch + b"".join(others)
        if feed is not None and moving:
            cursor += feed.head
        return written(cursor, frames)

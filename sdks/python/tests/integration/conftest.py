import asyncio
import contextlib
import logging

import pytest

from croupier_sdk import CallError


class Proxy:
    """A TCP relay whose connections can be cut, and which can pretend to be dead."""

    def __init__(self, target):
        self._target = target.rpartition(":")
        self._writers = set()
        self.connections = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self):
        for writer in self._writers:
            writer.transport.abort()

    async def _relay(self, reader, writer):
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(self._target[0], int(self._target[2]))
        self._writers |= {writer, far_writer}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _copy(self, reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.fixture
def proxy():
    return Proxy


async def _fails(awaitable):
    with pytest.raises(CallError) as caught:
        await awaitable
    return caught.value


@pytest.fixture
def fails():
    """Await what must raise CallError, and return that."""
    return _fails


class _Watch(logging.Handler):
    def __init__(self):
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._wanted = []

    def emit(self, record):
        self._loop.call_soon_threadsafe(self._seen, record.getMessage())

    def _seen(self, message):
        for words, event in self._wanted:
            if words in message:
                event.set()

    async def __call__(self, words):
        event = asyncio.Event()
        self._wanted.append((words, event))
        await event.wait()


@pytest.fixture
async def logged():
    """Wait until the SDK has logged these words."""
    watch = _Watch()
    logging.getLogger("croupier_sdk").addHandler(watch)
    yield watch
    logging.getLogger("croupier_sdk").removeHandler(watch)

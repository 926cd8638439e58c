import asyncio
import logging

import pytest

from croupier_sdk import CallError


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

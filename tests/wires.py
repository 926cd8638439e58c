"""Networks as tests need them: slow, and broken at will."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Self


class Wire:
    """Passes on to `target` what comes to `address`, `delay` seconds later in each direction. It can be cut."""

    def __init__(self, target: str, address: str = "127.0.0.1:0", *, delay: float = 0.0) -> None:
        self.address = address
        """With its real port once started."""
        self.connections = 0
        self._target = target
        self._delay = delay
        self._parted = False
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        host, port = _parts(self.address)
        self._server = await asyncio.start_server(self._accepted, host, port)
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Take no more connections, and break those there are. Safe to repeat."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._carrying)

    def cut(self) -> None:
        """Break every connection there is; new ones are taken."""
        for writer in self._ends:
            writer.transport.abort()

    def part(self) -> None:
        """As `cut`, and break new ones too, until `mend`."""
        self._parted = True
        self.cut()

    def mend(self) -> None:
        self._parted = False

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError), self._end(writer):
            if self._parted:
                return
            far_reader, far_writer = await asyncio.open_connection(*_parts(self._target))
            with self._end(far_writer):
                await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    @contextlib.contextmanager
    def _end(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until one end is over: then so is the other."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self._delay)
                writer.write(data)
                await writer.drain()
        writer.close()


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)

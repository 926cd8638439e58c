"""Every implementation of a port, one entry each: the tests beside this file run over all of them."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from croupier.bus import Bus
from croupier.bus.memory import MemoryBus
from croupier.store import Store
from croupier.store.sql import SqlStore, open_store


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


class Stores(Protocol):
    """One place where a store is kept: it can be opened, closed and opened again."""

    clock: Clock

    async def open(self) -> Store: ...

    def refusing(self, store: Store) -> Any:
        """While this context lasts, the disk takes no megabyte more."""

    def child(self, program: Path) -> list[str]:
        """The command that runs `program` on this place in a process of its own."""


class SqliteStores:
    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.path = directory / "croupier.db"

    async def open(self) -> SqlStore:
        return await open_store(self.path, clock=self.clock)

    @contextmanager
    def refusing(self, store: SqlStore) -> Iterator[None]:
        connection = store._committer._connection.connection.driver_connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 8}")
        yield
        connection.execute("PRAGMA max_page_count = 1000000")

    def child(self, program: Path) -> list[str]:
        return [sys.executable, str(program), str(self.path)]


STORES: dict[str, Callable[[Path], Stores]] = {"sqlite": SqliteStores}
BUSES: dict[str, Callable[[], Bus]] = {"memory": MemoryBus}


@pytest.fixture(params=STORES)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return STORES[request.param](tmp_path)


@pytest.fixture
def clock(stores: Stores) -> Clock:
    return stores.clock


@pytest.fixture
async def store(stores: Stores) -> AsyncIterator[Store]:
    opened = await stores.open()
    yield opened
    await opened.close()


@pytest.fixture(params=BUSES)
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    made = BUSES[request.param]()
    yield made
    await made.close()

"""Large things without a disk."""

from collections.abc import AsyncIterator

from croupier.errors import NotFound


class ObjectsInMemory:
    """`croupier.objects.Objects` for as long as a test lasts."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, name: str, content: AsyncIterator[bytes]) -> None:
        self.kept[name] = b"".join([chunk async for chunk in content])

    async def get(self, name: str) -> AsyncIterator[bytes]:
        if name not in self.kept:
            raise NotFound(f"there is no object {name}")
        yield self.kept[name]

    async def names(self, folder: str) -> list[str]:
        return sorted(name for name in self.kept if name.rpartition("/")[0] == folder)

    async def delete(self, name: str) -> None:
        self.kept.pop(name, None)

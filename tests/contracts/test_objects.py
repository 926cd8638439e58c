"""The sentences of `croupier.objects`, each a test, over every implementation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from croupier.errors import InvalidArgument, NotFound, Unavailable
from croupier.objects import Objects
from croupier.objects.disk import DiskObjects

OBJECTS: dict[str, Callable[[Path], Objects]] = {"disk": DiskObjects}


@pytest.fixture(params=OBJECTS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Objects]:
    """Opens the same place, again and again."""
    return lambda: OBJECTS[request.param](tmp_path / "objects")


@pytest.fixture
def objects(opened: Callable[[], Objects]) -> Objects:
    return opened()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content(objects: Objects, name: str) -> bytes:
    return b"".join([chunk async for chunk in objects.get(name)])


async def breaking() -> AsyncIterator[bytes]:
    yield b"half"
    raise Unavailable("the source broke")


@pytest.mark.parametrize("size", [0, 1, 262_144, 1_000_003])
async def test_what_was_put_is_there_however_large_and_after_a_restart(opened, size: int):
    await opened().put("jobs/2026-01-31/j1.gz", chunks(b"x" * size, b"end"))

    assert await content(opened(), "jobs/2026-01-31/j1.gz") == b"x" * size + b"end"


async def test_putting_twice_leaves_the_last(objects: Objects):
    await objects.put("a/b", chunks(b"a longer first"))
    await objects.put("a/b", chunks(b"last"))

    assert await content(objects, "a/b") == b"last"


async def test_putting_at_once_leaves_one_of_them_whole(objects: Objects):
    await asyncio.gather(*(objects.put("a", chunks(bytes([n]) * 1000, bytes([n]) * 1000)) for n in range(8)))

    found = await content(objects, "a")
    assert (len(found), len(set(found))) == (2000, 1)


async def test_a_put_that_breaks_off_changes_nothing(objects: Objects):
    with pytest.raises(Unavailable, match="the source broke"):
        await objects.put("new", breaking())
    await objects.put("old", chunks(b"whole"))
    with pytest.raises(Unavailable):
        await objects.put("old", breaking())

    assert await content(objects, "old") == b"whole"
    with pytest.raises(NotFound):
        await content(objects, "new")


async def test_a_put_that_is_cancelled_changes_nothing(objects: Objects):
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"half"
        reached.set()
        await asyncio.Event().wait()

    putting = asyncio.ensure_future(objects.put("a", endless()))
    await reached.wait()
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)

    with pytest.raises(NotFound):
        await content(objects, "a")
    await objects.put("a", chunks(b"whole"))
    assert await content(objects, "a") == b"whole"


async def test_what_is_deleted_is_gone_and_deleting_twice_is_no_fault(objects: Objects):
    await objects.put("a/b", chunks(b"x"))

    await objects.delete("a/b")
    await objects.delete("a/b")

    with pytest.raises(NotFound):
        await content(objects, "a/b")


@pytest.mark.parametrize("name", ["never", "never/there", "folder", "folder/a/below"])
async def test_what_was_never_put_is_not_found(objects: Objects, name: str):
    await objects.put("folder/a", chunks(b"x"))

    with pytest.raises(NotFound):
        await content(objects, name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a/",
        "/a",
        "../a",
        "a/../b",
        "./a",
        ".hidden",
        "a//b",
        "a\0b",
        "a b",
        "a\n",
        "ä",
        "a" * 201,
        "a/" * 8 + "a",
    ],
)
async def test_a_name_that_is_none_is_refused(objects: Objects, name: str):
    with pytest.raises(InvalidArgument):
        await objects.put(name, chunks(b"x"))
    with pytest.raises(InvalidArgument):
        await content(objects, name)
    with pytest.raises(InvalidArgument):
        await objects.delete(name)


async def test_a_folder_tells_what_lies_right_in_it(objects: Objects):
    for name in ("packs/b.tgz", "packs/a.tgz", "packs/deeper/c", "other/d"):
        await objects.put(name, chunks(b"x"))

    assert await objects.names("packs") == ["packs/a.tgz", "packs/b.tgz"]
    assert await objects.names("nothing") == []


async def test_what_a_kill_left_unfinished_is_named_and_can_be_deleted(tmp_path: Path):
    folder = tmp_path / "packs"
    folder.mkdir()
    (folder / ".unfinishedb.tgz").write_bytes(b"half")
    objects = DiskObjects(tmp_path)

    assert await objects.names("packs") == ["packs/b.tgz"]
    await objects.delete("packs/b.tgz")
    assert await objects.names("packs") == []


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path):
    (tmp_path / "objects").write_text("a file is in the way")

    with pytest.raises(Unavailable, match="look at the disk"):
        await DiskObjects(tmp_path / "objects").put("a/b", chunks(b"x"))

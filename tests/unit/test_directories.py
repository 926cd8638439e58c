"""Packs that lie in folders: loaded as they lie, and again when something of them changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition
from croupier.server.catalog import Catalog, Pack, directories
from croupier.server.catalog.directories import Directories
from croupier.server.catalog.lying import LyingPack, pack_folders
from croupier.server.catalog.pack_sources import PackSources

HERE = Scope("demo", "dev")


def write(place: Path, value: Any) -> Path:
    """As careful writers do: whoever looks sees the old file or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    fresh.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    fresh.replace(place)
    return place


def a_pack(root: Path, *functions: str, **fields: Any) -> Path:
    write(root / "manifest.json", {"functions": []})
    for name in functions:
        write(root / "descriptors" / f"{name}.json", {"id": name, **fields})
    return root


class Announcing(PackSources):
    """Says when it has taken packs."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog)
        self.taken = asyncio.Condition()

    async def use_lying(self, packs: Sequence[Pack]) -> None:
        await super().use_lying(packs)
        async with self.taken:
            self.taken.notify_all()


class Bed:
    def __init__(self, *directories: Path) -> None:
        self.catalog = Catalog()
        self.sources = Announcing(self.catalog)
        self.directories = Directories(directories, self.sources)

    async def changed(self, condition: Callable[[], object]) -> None:
        """Until what was loaded fits."""
        async with asyncio.timeout(60), self.sources.taken:
            await self.sources.taken.wait_for(condition)

    def described(self) -> set[str]:
        return set(self.catalog.described(HERE))

    def told(self) -> list[tuple[str, str]]:
        return [(found.fault.file, found.fault.path) for found in self.directories.faults()]


@asynccontextmanager
async def loaded(*directories: Path) -> AsyncIterator[Bed]:
    bed = Bed(*directories)
    await bed.directories.begin()
    yield bed
    await bed.directories.stop()


async def test_packs_are_found_however_deep_and_named_as_they_say_or_lie(tmp_path: Path) -> None:
    a_pack(tmp_path / "game" / "player", "player.ban")
    write(tmp_path / "game" / "mail" / "manifest.json", {"id": "post", "functions": [{"id": "mail.send"}]})
    write(tmp_path / "game" / "mail" / "descriptors" / "deep" / "mail.send.json", {"id": "mail.send"})
    write(tmp_path / "game" / "mail" / "ui" / "mail.send.uischema.json", {"fields": {"to": {"label": "To"}}})
    a_pack(tmp_path / ".git" / "hidden", "hidden")
    async with loaded(tmp_path) as bed:
        assert bed.described() == {"player.ban", "mail.send"}
        origins = {entry.function.id: entry.origin for entry in bed.catalog.snapshot}
        assert (origins["player.ban"].name, origins["player.ban"].file) == ("player", "descriptors/player.ban.json")
        assert (origins["mail.send"].name, origins["mail.send"].file) == ("post", "descriptors/deep/mail.send.json")
        entry = bed.catalog.entry(HERE, "mail.send")
        assert entry is not None
        assert entry.uischema == {"fields": {"to": {"label": "To"}}}


async def test_a_folder_of_descriptions_without_a_manifest_is_a_pack_too(tmp_path: Path) -> None:
    folder = tmp_path / "loose"
    write(folder / "player.ban.json", {"id": "player.ban"})
    write(folder / "more" / "player.kick.json", {"id": "player.kick"})
    write(folder / "ui" / "player.ban.uischema.json", {"fields": {}})
    write(folder / "broken.json", b"{")
    async with loaded(tmp_path) as bed:
        assert bed.told() == [("loose/broken.json", "$")]
        (folder / "broken.json").unlink()
        assert await bed.directories.reload() == []
        assert bed.described() == {"player.ban", "player.kick"}


async def test_an_earlier_directory_goes_before_a_later_one(tmp_path: Path) -> None:
    a_pack(tmp_path / "one" / "player", "player.ban", risk="high")
    a_pack(tmp_path / "two" / "player", "player.kick")
    a_pack(tmp_path / "two" / "other", "player.ban", risk="low")
    async with loaded(tmp_path / "one", tmp_path / "two") as bed:
        entry = bed.catalog.entry(HERE, "player.ban")
        assert entry is not None
        assert entry.function.risk == "high"
        assert bed.described() == {"player.ban"}
        assert bed.told() == [("player/.", "$")]


async def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"packs\.directories names .*nowhere"):
        await Bed(tmp_path / "nowhere").directories.begin()


# ------------------------------------------------------------------------------------------------ changes


async def test_what_changes_is_loaded_without_being_asked(tmp_path: Path) -> None:
    a_pack(tmp_path / "player", "player.ban")
    async with loaded(tmp_path) as bed:
        write(tmp_path / "player" / "descriptors" / "player.ban.json", {"id": "player.ban", "risk": "high"})
        await bed.changed(lambda: bed.catalog.function(HERE, "player.ban").risk == "high")
        write(tmp_path / "player" / "descriptors" / "player.kick.json", {"id": "player.kick"})
        await bed.changed(lambda: "player.kick" in bed.described())
        a_pack(tmp_path / "mail", "mail.send")
        await bed.changed(lambda: "mail.send" in bed.described())
        (tmp_path / "player" / "descriptors" / "player.ban.json").unlink()
        await bed.changed(lambda: bed.described() == {"player.kick", "mail.send"})
        assert [version.descriptor.risk for version in bed.catalog.versions.past("player.ban")] == ["high", "low"]


async def test_a_broken_file_leaves_its_pack_as_it_was_and_others_go_on(tmp_path: Path) -> None:
    a_pack(tmp_path / "player", "player.ban", "player.kick")
    a_pack(tmp_path / "mail", "mail.send")
    async with loaded(tmp_path) as bed:
        before = bed.catalog.entry(HERE, "player.ban")
        write(tmp_path / "player" / "descriptors" / "player.ban.json", {"id": "player.ban", "risk": "?"})
        await bed.changed(bed.told)
        assert bed.told() == [("player/descriptors/player.ban.json", "$.risk")]
        assert bed.catalog.entry(HERE, "player.ban") is before
        write(tmp_path / "mail" / "descriptors" / "mail.send.json", {"id": "mail.send", "risk": "high"})
        await bed.changed(lambda: bed.catalog.function(HERE, "mail.send").risk == "high")
        assert bed.told() == [("player/descriptors/player.ban.json", "$.risk")]
        write(tmp_path / "player" / "descriptors" / "player.ban.json", {"id": "player.ban", "risk": "medium"})
        await bed.changed(lambda: not bed.told())
        assert bed.catalog.function(HERE, "player.ban").risk == "medium"


async def test_a_link_out_of_a_pack_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "outside.json", {"id": "outside"})
    a_pack(tmp_path / "packs" / "player", "player.ban")
    async with loaded(tmp_path / "packs") as bed:
        (tmp_path / "packs" / "player" / "descriptors" / "link.json").symlink_to(tmp_path / "outside.json")
        (fault,) = await bed.directories.reload()
        assert "symbolic link" in fault.message.en
        assert bed.described() == {"player.ban"}


async def test_what_did_not_change_is_the_same_object(tmp_path: Path) -> None:
    write(
        a_pack(tmp_path / "player", "player.ban", "player.kick") / "manifest.json",
        {"functions": [{"id": "player.ban", "category": "bans"}, {"id": "player.kick"}]},
    )
    async with loaded(tmp_path) as bed:
        before = {entry.function.id: entry for entry in bed.catalog.snapshot}
        await bed.directories.reload()
        assert all(bed.catalog.snapshot.entry(name) is entry for name, entry in before.items())
        write(tmp_path / "player" / "descriptors" / "player.kick.json", {"id": "player.kick", "risk": "high"})
        await bed.directories.reload()
        assert bed.catalog.snapshot.entry("player.ban") is before["player.ban"]
        assert bed.catalog.snapshot.entry("player.kick") is not before["player.kick"]


def test_only_the_named_file_is_read_again(tmp_path: Path) -> None:
    place = a_pack(tmp_path, "f", "g") / "descriptors"
    pack = LyingPack(tmp_path)
    pack.look()
    first = {each.id: each for each in pack.pack.functions}
    write(place / "f.json", {"id": "f", "risk": "high"})
    write(place / "g.json", {"id": "g", "risk": "high"})
    pack.look([place / "f.json", place / "gone.json.swp"])
    second = {each.id: each for each in pack.pack.functions}
    assert second["f"].risk == "high"
    assert second["g"] is first["g"]


def test_a_folder_of_folders_is_looked_at_so_deep(tmp_path: Path) -> None:
    deep = tmp_path / "1" / "2" / "3"
    a_pack(deep / "pack", "f")
    a_pack(deep / "4" / "pack", "g")
    assert pack_folders(tmp_path) == [deep / "pack"]


def test_a_file_that_changed_is_taken_up_whatever_else_was_named(tmp_path: Path) -> None:
    place = a_pack(tmp_path, "f", "g") / "descriptors"
    pack = LyingPack(tmp_path)
    pack.look()
    for number, others in enumerate(([], [place / ".f.json.new"], [place / "h.json"], [place / "g.json"])):
        (place / ".f.json.new").write_bytes(b"half")
        write(place / "f.json", {"id": "f", "version": str(number)})
        if others == [place / "h.json"]:
            write(place / "h.json", {"id": "h"})
        (place / "g.json").unlink(missing_ok=others == [place / "g.json"])
        write(place / "g.json", {"id": "g"})
        pack.look([place / "f.json", *others])
        (changed,) = (each for each in pack.pack.functions if each.id == "f")
        assert changed.version == str(number)
    assert {each.id for each in pack.pack.functions} == {"f", "g", "h"}


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "f", "risk": "high", "summary": "new"},
        {"id": "f", "transport": {"proto": {"request_fqn": "no.Such"}}},
        {"id": "f", "ui": {"fields": {"a": {"show_if": "$.b"}}}},
        {"id": "f", "type": "entity"},
        {"id": "h"},
        {"id": "g"},
        {"id": "f", "risk": "?"},
    ],
)
def test_a_pack_of_which_one_file_is_read_anew_is_as_if_it_was_read_whole(tmp_path: Path, changed: Any) -> None:
    write(a_pack(tmp_path, "f", "g") / "manifest.json", {"functions": [{"id": "f", "category": "c"}, {"id": "x"}]})
    pack, whole = LyingPack(tmp_path), LyingPack(tmp_path)
    pack.look()
    place = write(tmp_path / "descriptors" / "f.json", changed)
    pack.look([place])
    whole.look()
    assert pack.faults == whole.faults
    if whole.pack is None:
        assert {each.id: each.risk for each in pack.pack.functions} == {"f": "low", "g": "low"}
    else:
        assert pack.pack == whole.pack


async def test_folders_that_cannot_be_watched_are_told_and_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refusing(*_: Path, **__: Any) -> AsyncIterator[Any]:
        raise OSError(28, "inotify watch limit reached")
        yield

    monkeypatch.setattr(directories, "awatch", refusing)
    a_pack(tmp_path / "player", "player.ban")
    async with loaded(tmp_path) as bed:
        write(tmp_path / "player" / "descriptors" / "player.kick.json", {"id": "player.kick"})
        (fault,) = await bed.directories.reload()
        assert "inotify watch limit reached" in fault.message.en
        assert bed.described() == {"player.ban", "player.kick"}

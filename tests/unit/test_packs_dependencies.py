"""What packs need of each other, and what keeps them apart."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planes.packs_testbed import ObjectsInMemory, PacksInMemory, Told, pack_archive, pack_files, packs_in_memory

from croupier.domain.pack import KEPT_VERSIONS
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from croupier.packs.dependencies import dependants, obstacles
from croupier.packs.pack import Pack
from croupier.packs.reading import read_pack
from croupier.packs.tar import write_archive
from croupier.server.access.guard import Guard
from croupier.server.packs import Packs
from croupier.server.packs import packs as use_cases

ANN = Principal(name="ann", root=True)


def a_pack(name: str, *needs: str, functions: tuple[str, ...] | None = None, version: str = "1.0.0") -> Pack:
    return read_pack(pack_files(name, functions or (f"{name}.f",), version=version, dependencies=list(needs)))


def told(*packs: Pack) -> list[tuple[str, str, str]]:
    return [(each.kind, each.pack, each.other) for each in obstacles(packs)]


def test_packs_that_have_what_they_need_are_together():
    assert told(a_pack("a", "b@^1", "c"), a_pack("b", "c >=0.1"), a_pack("c")) == []


def test_a_pack_that_is_missing_is_named():
    assert told(a_pack("a", "b@^1")) == [("missing", "a", "b")]
    assert obstacles([a_pack("a", "b@^1")])[0].message == "a needs the pack b ^1: install or enable it first"


def test_a_version_that_does_not_fit_is_named():
    (found,) = obstacles([a_pack("a", "b@^2"), a_pack("b", version="1.4.0")])
    assert (found.kind, found.message) == ("version", "a needs b ^2, which is 1.4.0: install a version that fits")


def test_a_pack_that_needs_itself_is_refused():
    assert told(a_pack("a", "a@^2")) == [("cycle", "a", "a")]


def test_a_circle_is_told_once_with_its_way():
    found = obstacles([a_pack("a", "b"), a_pack("b", "c"), a_pack("c", "a"), a_pack("d", "a")])
    assert [(each.kind, each.subject) for each in found] == [("cycle", "a → b → c → a")]


def test_two_packs_with_one_function_are_in_each_others_way():
    (found,) = obstacles([a_pack("a", functions=("x.f", "x.g")), a_pack("b", functions=("x.g",))])
    assert (found.kind, found.pack, found.other, found.subject) == ("conflict", "b", "a", "x.g")


def test_who_needs_a_pack_is_known():
    assert dependants([a_pack("c", "b"), a_pack("a", "b"), a_pack("b", "a", "b")]) == {"a": ["b"], "b": ["a", "c"]}


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_a_circle_is_found_exactly_where_there_is_one(edges: list[tuple[int, int]]):
    packs = [a_pack(f"p{n}", *(f"p{to}" for start, to in edges if start == n)) for n in range(8)]
    reach = {n: {to for start, to in edges if start == n} for n in range(8)}
    for _ in range(8):
        reach = {n: found | {far for near in found for far in reach[near]} for n, found in reach.items()}
    assert any(n in found for n, found in reach.items()) is any(kind == "cycle" for kind, _, _ in told(*packs))


def test_a_long_chain_of_packs_is_walked():
    packs = [a_pack(f"p{n}", f"p{n + 1}") for n in range(400)]
    assert told(*packs, a_pack("p400")) == []


# ------------------------------------------------------------------------------------------------ what a server makes of it


def packs_of(**changes: Any) -> Packs:
    return packs_in_memory(Guard("token-of-a-test"), **changes)


async def install(packs: Packs, name: str, *needs: str, **more: Any) -> None:
    functions = more.pop("functions", (f"{name}.f",))
    options = {key: more.pop(key) for key in ("replaces", "expected") if key in more}
    await packs.take(ANN, pack_archive(name, functions, dependencies=list(needs), **more), **options)


async def test_the_catalog_is_told_the_enabled_packs_by_name():
    told = Told()
    packs = packs_of(changed=told)
    await packs.begin()
    for name in ("b", "c", "a"):
        await install(packs, name)
    await packs.disable(ANN, "b")
    assert told.names == ["a", "c"]


@pytest.mark.parametrize("needs", [("a",), ("b",), ("nobody",), ("c@^2",)])
async def test_a_pack_in_whose_way_something_is_is_not_installed(needs: tuple[str, ...]):
    packs = packs_of()
    await install(packs, "c")
    if needs == ("b",):
        await install(packs, "b")
        with pytest.raises(FailedPrecondition, match="a depends on itself: a → b → a"):
            await packs.take(
                ANN,
                _both(
                    pack_files("a", ("a.f",), dependencies=["b"]),
                    pack_files("b", ("b.f",), version="2", dependencies=["a"]),
                ),
            )
    else:
        with pytest.raises(FailedPrecondition):
            await install(packs, "a", *needs)
    assert "a" not in [held.record.name for held in await packs.list(ANN)]


def _both(first: dict[str, bytes], second: dict[str, bytes]) -> bytes:
    from_both = {f"1/{name}": content for name, content in first.items()}
    return write_archive(from_both | {f"2/{name}": content for name, content in second.items()})


async def test_a_pack_can_take_the_place_of_the_one_whose_function_it_offers():
    packs = packs_of()
    await install(packs, "old", functions=("x.f",))
    with pytest.raises(FailedPrecondition, match=r"x\.f is offered by old already"):
        await install(packs, "renewed", functions=("x.f",))
    await install(packs, "renewed", functions=("x.f",), replaces=["old"])
    assert [held.record.name for held in await packs.list(ANN)] == ["renewed"]
    with pytest.raises(FailedPrecondition, match=r"x\.f is offered by renewed already"):
        await packs.roll_back(ANN, "old")


async def test_a_pack_that_replaces_what_others_need_is_refused():
    packs = packs_of()
    await install(packs, "base")
    await install(packs, "top", "base")
    with pytest.raises(FailedPrecondition, match="top needs the pack base"):
        await install(packs, "other", replaces=["base"])


@pytest.mark.parametrize(("replaces", "error"), [("nobody", NotFound), ("a", NotFound), ("b", InvalidArgument)])
async def test_only_another_installed_pack_can_be_replaced(replaces: str, error: type[Exception]):
    packs = packs_of()
    await install(packs, "b")
    with pytest.raises(error):
        await install(packs, "b" if replaces == "b" else "a", version="2.0.0", replaces=[replaces])


async def test_what_a_pack_lacks_keeps_it_disabled():
    packs = packs_of()
    await install(packs, "base")
    await install(packs, "top", "base")
    await packs.disable(ANN, "top")
    await packs.uninstall(ANN, "base")
    with pytest.raises(FailedPrecondition, match="top needs the pack base"):
        await packs.enable(ANN, "top")


async def test_the_same_pack_again_changes_nothing():
    packs = packs_of()
    await install(packs, "a")
    before = await packs.tag()
    outcome = await packs.take(ANN, pack_archive("a", ("a.f",), dependencies=[]))
    assert [step.action for step in outcome.steps] == ["unchanged"]
    assert (await packs.tag(), len((await packs.get(ANN, "a")).record.versions)) == (before, 1)


async def test_a_pack_that_is_upgraded_while_it_is_disabled_stays_so():
    packs = packs_of()
    await install(packs, "a")
    await packs.disable(ANN, "a")
    await install(packs, "a", version="2.0.0")
    assert (await packs.get(ANN, "a")).record.state == "disabled"


async def test_only_so_many_versions_are_kept_with_their_archives():
    objects = ObjectsInMemory()
    packs = packs_of(objects=objects)
    for number in range(KEPT_VERSIONS + 5):
        await install(packs, "a", version=f"{number}.0.0")
    versions = (await packs.get(ANN, "a")).record.versions
    assert [each.version for each in versions] == [f"{number}.0.0" for number in range(5, KEPT_VERSIONS + 5)]
    assert len(objects.kept) == KEPT_VERSIONS


async def test_packs_that_were_uninstalled_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(use_cases, "MOST_UNINSTALLED", 2)
    times = iter(range(100))
    objects = ObjectsInMemory()
    packs = packs_of(clock=lambda: next(times), objects=objects)
    for name in ("a", "b", "c"):
        await install(packs, name)
        await packs.uninstall(ANN, name)
    with pytest.raises(NotFound, match="no pack is named"):
        await packs.get(ANN, "a")
    assert len(objects.kept) == 2
    await packs.roll_back(ANN, "b")


async def test_more_packs_than_there_is_room_for_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(use_cases, "MOST_INSTALLED", 2)
    packs = packs_of()
    await install(packs, "a")
    await install(packs, "b")
    with pytest.raises(FailedPrecondition, match="more than 2 packs"):
        await install(packs, "c")
    monkeypatch.setattr(use_cases, "MOST_BYTES", 10)
    with pytest.raises(FailedPrecondition, match="more than 10 bytes"):
        await install(packs, "a", version="2.0.0")


async def test_a_store_that_refuses_leaves_everything_as_it_was():
    class Refusing(PacksInMemory):
        async def replace(self, packs: Any, forget: Any = ()) -> None:
            raise Unavailable("the disk is full")

    told, objects = Told(), ObjectsInMemory()
    packs = packs_of(store=Refusing(), changed=told, objects=objects)
    await packs.begin()
    with pytest.raises(Unavailable):
        await install(packs, "a")
    assert (await packs.list(ANN), told.names) == ([], [])
    await packs.begin()
    assert objects.kept == {}


async def test_an_archive_that_nobody_names_is_cleared_away_at_the_next_start():
    store, objects = PacksInMemory(), ObjectsInMemory()
    packs = packs_of(store=store, objects=objects)
    await install(packs, "a")
    objects.kept["packs/left-by-a-kill.tgz"] = b"half"
    again = packs_of(store=store, objects=objects)
    await again.begin()
    assert len(objects.kept) == 1
    assert [held.enabled for held in await again.list(ANN)] == [True]


async def test_an_archive_that_was_exchanged_on_the_disk_is_not_used():
    store, objects, told = PacksInMemory(), ObjectsInMemory(), Told()
    await install(packs_of(store=store, objects=objects), "a")
    (name,) = objects.kept
    objects.kept[name] = pack_archive("a", ("a.evil",))
    again = packs_of(store=store, objects=objects, changed=told)
    await again.begin()
    assert told.names == []
    assert again.problems() == [("a", "the archive of pack a was changed on the disk: import the pack again")]


async def test_a_version_is_rolled_back_to_by_the_beginning_of_its_digest():
    packs = packs_of()
    for number in range(3):
        await install(packs, "a", version=f"{number}.0.0")
    first = (await packs.get(ANN, "a")).record.versions[0]
    await packs.roll_back(ANN, "a", first.digest[:12])
    assert (await packs.get(ANN, "a")).record.current.version == "0.0.0"
    for digest in ("", "zz"):
        if digest:
            with pytest.raises(NotFound, match="no version"):
                await packs.roll_back(ANN, "a", digest)


async def test_a_pack_without_an_earlier_version_cannot_be_rolled_back():
    packs = packs_of()
    await install(packs, "a")
    with pytest.raises(FailedPrecondition, match="no earlier version"):
        await packs.roll_back(ANN, "a")


# ------------------------------------------------------------------------------------------------ packs in folders


async def test_a_pack_in_a_folder_counts_as_one_that_is_needed():
    packs = packs_of(lying=lambda: [a_pack("base"), a_pack("above", "mine")])
    await install(packs, "mine", "base@^1")
    with pytest.raises(FailedPrecondition, match="above need it"):
        await packs.uninstall(ANN, "mine")
    assert packs.dependants() == {"base": ["mine"], "mine": ["above"]}


async def test_a_function_of_a_pack_in_a_folder_is_its_own():
    packs = packs_of(lying=lambda: [a_pack("base")])
    with pytest.raises(FailedPrecondition, match=r"base\.f is offered by base already"):
        await install(packs, "other", functions=("base.f",))


async def test_an_installed_pack_takes_the_place_of_one_of_its_name_in_a_folder():
    lying = a_pack("base")
    packs = packs_of(lying=lambda: [lying])
    assert [(held.lying, held.pack) for held in await packs.list(ANN)] == [(True, lying)]
    before = await packs.tag()
    changed = pack_archive("base", ("base.g",), version="2.0.0")
    (found,) = (await packs.take(ANN, changed, dry_run=True)).steps
    assert (found.action, found.difference.old_version, found.difference.verdict) == ("install", "1.0.0", "breaking")
    await install(packs, "base", version="2.0.0")
    assert [(held.lying, held.record.current.version) for held in await packs.list(ANN)] == [(False, "2.0.0")]
    await packs.uninstall(ANN, "base")
    assert await packs.tag() == before


async def test_a_pack_in_a_folder_is_shown_and_exported_and_not_changed_here():
    packs = packs_of(lying=lambda: [a_pack("base")])
    assert (await packs.get(ANN, "base")).lying
    assert [pack.name for pack in await packs.exported(ANN, ["base"])] == ["base"]
    for change in (packs.disable, packs.enable, packs.uninstall):
        with pytest.raises(FailedPrecondition, match="lies in a folder"):
            await change(ANN, "base")


# ------------------------------------------------------------------------------------------------ whatever is done to them

NAMES = ("a", "b", "c")
DEEDS = st.lists(
    st.one_of(
        st.tuples(
            st.just("take"),
            st.sampled_from(NAMES),
            st.integers(1, 3),
            st.lists(st.sampled_from(("a@^1", "b", "c@>=2")), max_size=2, unique=True),
            st.lists(st.sampled_from(("x", "y", "z")), min_size=1, max_size=2, unique=True),
        ),
        st.tuples(st.sampled_from(("enable", "disable", "uninstall", "roll_back")), st.sampled_from(NAMES)),
    ),
    max_size=25,
)


async def _do(packs: Packs, deed: tuple[Any, ...]) -> None:
    if deed[0] == "take":
        _, name, version, needs, functions = deed
        await install(packs, name, *needs, version=f"{version}.0.0", functions=functions)
    else:
        await getattr(packs, deed[0])(ANN, deed[1])


@given(DEEDS)
def test_whatever_is_done_packs_fit_together_and_memory_is_what_is_kept(deeds: list[tuple[Any, ...]]):
    async def play() -> None:
        store, objects, told = PacksInMemory(), ObjectsInMemory(), Told()
        packs = packs_of(store=store, objects=objects, changed=told)
        await packs.begin()
        for deed in deeds:
            before, kept = await packs.tag(), dict(store.kept)
            try:
                await _do(packs, deed)
            except (FailedPrecondition, NotFound):
                assert (await packs.tag(), store.kept) == (before, kept)
            assert obstacles(told.packs) == []
            digests = {version.digest for record in store.kept.values() for version in record.versions}
            assert {name.removeprefix("packs/").removesuffix(".tgz") for name in objects.kept} == digests
        told_again = Told()
        again = packs_of(store=store, objects=objects, changed=told_again)
        await again.begin()
        assert (await again.tag(), told_again.names) == (await packs.tag(), told.names)

    asyncio.run(play())

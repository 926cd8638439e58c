"""What packs need of each other, and where two of them cannot be together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from croupier.packs.manifest import Dependency
from croupier.packs.pack import Pack
from croupier.packs.versions import satisfies


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """Why these packs cannot be enabled together, in words that say what to do."""

    kind: str
    """missing | version | cycle | conflict"""
    pack: str
    """The pack that has it."""
    other: str = ""
    """The pack that is needed, or that has the same function."""
    subject: str = ""
    """The function, the range of versions, the way round."""
    message: str
    message_zh: str


def obstacles(packs: Iterable[Pack]) -> list[Obstacle]:
    """Everything that keeps `packs` from being enabled together."""
    by_name = {pack.name: pack for pack in packs}
    return [*_dependencies(by_name), *_cycles(by_name), *_conflicts(by_name.values())]


def dependants(packs: Iterable[Pack]) -> dict[str, list[str]]:
    """Which of `packs` need each pack, by its name, sorted; a pack that only needs itself is needed by nobody."""
    found: dict[str, set[str]] = {}
    for pack in packs:
        for needed in pack.manifest.dependencies:
            if needed.id != pack.name:
                found.setdefault(needed.id, set()).add(pack.name)
    return {name: sorted(needing) for name, needing in found.items()}


def _dependencies(packs: Mapping[str, Pack]) -> Iterator[Obstacle]:
    for pack in packs.values():
        for needed in pack.manifest.dependencies:
            found = packs.get(needed.id)
            if found is None:
                yield _missing(pack, needed)
            elif needed.id != pack.name and not satisfies(found.version, needed.version):
                yield _wrong_version(pack, needed, found)


def _missing(pack: Pack, needed: Dependency) -> Obstacle:
    which = f"{needed.id} {needed.version}".strip()
    return Obstacle(
        kind="missing",
        pack=pack.name,
        other=needed.id,
        subject=needed.version,
        message=f"{pack.name} needs the pack {which}: install or enable it first",
        message_zh=f"{pack.name} 依赖包 {which}：请先安装或启用",
    )


def _wrong_version(pack: Pack, needed: Dependency, found: Pack) -> Obstacle:
    has = found.version or "without a version"
    return Obstacle(
        kind="version",
        pack=pack.name,
        other=needed.id,
        subject=needed.version,
        message=f"{pack.name} needs {needed.id} {needed.version}, which is {has}: install a version that fits",
        message_zh=f"{pack.name} 需要 {needed.id} {needed.version}，现为 {found.version or '无版本'}：请安装合适的版本",
    )


def _cycles(packs: Mapping[str, Pack]) -> Iterator[Obstacle]:
    """Each circle once, told by its first pack."""
    done: set[str] = set()
    for start in sorted(packs):
        way: list[str] = []
        waiting = [(start, iter(_needs(packs, start)))] if start not in done else []
        while waiting:
            name, rest = waiting[-1]
            if len(way) < len(waiting):
                way.append(name)
            following = next(rest, None)
            if following is None:
                done.add(name)
                waiting.pop()
                way.pop()
            elif following in way:
                yield _cycle([*way[way.index(following) :], following])
            elif following not in done:
                waiting.append((following, iter(_needs(packs, following))))


def _needs(packs: Mapping[str, Pack], name: str) -> list[str]:
    return sorted({each.id for each in packs[name].manifest.dependencies if each.id in packs})


def _cycle(way: list[str]) -> Obstacle:
    shown = " → ".join(way)
    own = len(way) == 2
    return Obstacle(
        kind="cycle",
        pack=way[0],
        other=way[-2],
        subject=shown,
        message=f"{way[0]} depends on itself{'' if own else f': {shown}'}: take a dependency out",
        message_zh=f"{way[0]} 依赖自身{'' if own else f'：{shown}'}：请去掉一个依赖",
    )


def _conflicts(packs: Iterable[Pack]) -> Iterator[Obstacle]:
    owners: dict[str, str] = {}
    for pack in packs:
        for each in (*pack.functions, *pack.entities):
            owner = owners.setdefault(each.id, pack.name)
            if owner != pack.name:
                yield Obstacle(
                    kind="conflict",
                    pack=pack.name,
                    other=owner,
                    subject=each.id,
                    message=f"{each.id} is offered by {owner} already: replace {owner}, or take it out of {pack.name}",
                    message_zh=f"{each.id} 已由 {owner} 提供：请替换 {owner}，或从 {pack.name} 中去掉",
                )

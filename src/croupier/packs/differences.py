"""What changes when one pack takes the place of another, before it does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from croupier.descriptors import Descriptor, compare
from croupier.descriptors.changes import Change
from croupier.packs.manifest import MANIFEST_FILE
from croupier.packs.pack import Pack

What = Literal["added", "removed", "changed"]
Verdict = Literal["new", "same", "compatible", "breaking"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One file, function or entity that is not as it was."""

    name: str
    what: What


@dataclass(frozen=True, kw_only=True, slots=True)
class DescriptionDifference(Difference):
    changes: tuple[Change, ...] = ()
    """What is not as it was in one that changed, the breaking ones first."""

    @property
    def breaking(self) -> bool:
        """Whether somebody who calls it as before may fail: whoever used what is gone does."""
        return self.what == "removed" or any(change.breaking for change in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class PackDifference:
    name: str
    old_version: str = ""
    new_version: str = ""
    old_digest: str = ""
    new_digest: str = ""
    verdict: Verdict
    files: tuple[Difference, ...] = ()
    """Those of the content, the manifest among them."""
    descriptions: tuple[DescriptionDifference, ...] = ()
    """Functions and entities, by id."""


def difference(old: Pack | None, new: Pack | None) -> PackDifference:
    """What changes when `new` takes the place of `old`; None is no pack. One of the two is there."""
    kept = new or old
    if kept is None:
        raise ValueError("two packs that are not there cannot be compared")
    files = tuple(_differences(old.files if old else {}, new.files if new else {}))
    descriptions = tuple(_descriptions(_described(old), _described(new)))
    return PackDifference(
        name=kept.name,
        old_version=old.version if old else "",
        new_version=new.version if new else "",
        old_digest=old.digest if old else "",
        new_digest=new.digest if new else "",
        verdict=_verdict(old, files, descriptions),
        files=files,
        descriptions=descriptions,
    )


def _verdict(
    old: Pack | None, files: tuple[Difference, ...], descriptions: tuple[DescriptionDifference, ...]
) -> Verdict:
    if old is None:
        return "new"
    if any(each.breaking for each in descriptions):
        return "breaking"
    return "compatible" if files else "same"


def _described(pack: Pack | None) -> dict[str, Descriptor]:
    described: list[Descriptor] = [] if pack is None else [*pack.functions, *pack.entities]
    return {each.id: each for each in described}


def _differences(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys(), key=lambda name: (name != MANIFEST_FILE, name)):
        if old.get(name) != new.get(name):
            what: What = "added" if name not in old else "removed" if name not in new else "changed"
            yield Difference(name=name, what=what)


def _descriptions(old: Mapping[str, Descriptor], new: Mapping[str, Descriptor]) -> Iterator[DescriptionDifference]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield DescriptionDifference(name=name, what="added")
        elif name not in new:
            yield DescriptionDifference(name=name, what="removed")
        elif old[name] != new[name]:
            changes = compare(old[name], new[name]).changes
            yield DescriptionDifference(name=name, what="changed", changes=changes)

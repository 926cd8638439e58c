"""What a change of packs would come to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from croupier.descriptors import Fault
from croupier.packs.dependencies import Obstacle, obstacles
from croupier.packs.differences import PackDifference, difference
from croupier.packs.pack import Pack
from croupier.server.packs.shelf import Held

Action = Literal["install", "upgrade", "unchanged", "uninstall", "enable", "disable", "rollback"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What happens to one pack."""

    action: Action
    difference: PackDifference
    signed_by: str = ""
    notes: tuple[Fault, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The packs as they would be, and what keeps them from being so."""

    after: Mapping[str, Held]
    changed: tuple[str, ...]
    """The packs whose records differ."""
    steps: tuple[Step, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a change did, or, as a dry run, would do."""

    dry_run: bool
    accepted: bool
    tag: str
    """Of all packs, as they are after it."""
    steps: tuple[Step, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    faults: tuple[Fault, ...] = ()
    """What is wrong with the packs themselves; only of a dry run."""


def make_plan(
    before: Mapping[str, Held], after: Mapping[str, Held], steps: Sequence[Step], lying: Sequence[Pack] = ()
) -> Plan:
    """`after` is `before` with what is to change. What was in the way before is in nobody's way now.

    `lying` are packs that are there without being installed.
    """
    changed = tuple(name for name, held in after.items() if name not in before or before[name].record != held.record)
    known = set(obstacles(together(before.values(), lying)))
    fresh = [pack for name in changed if (pack := after[name].pack) is not None]
    # A pack that is disabled may lack what it needs, but nothing may need itself.
    circles = [each for pack in fresh for each in obstacles([pack]) if each.kind == "cycle"]
    # Whoever is new comes last, and so is the one who is told that a function is another's.
    order = sorted(after, key=lambda name: (name in changed, name))
    found = dict.fromkeys([*obstacles(together((after[name] for name in order), lying)), *circles])
    new = [each for each in found if each not in known]
    return Plan(after=after, changed=changed, steps=tuple(steps), obstacles=tuple(new))


def together(held: Iterable[Held], lying: Sequence[Pack]) -> list[Pack]:
    """The packs that count: an installed one takes the place of one of its name that lies in a folder."""
    installed = enabled(held)
    names = {pack.name for pack in installed}
    return [*(pack for pack in lying if pack.name not in names), *installed]


def enabled(held: Iterable[Held]) -> list[Pack]:
    return [each.pack for each in held if each.pack is not None and each.enabled]


def step(action: Action, old: Pack | None, new: Pack | None, signed_by: str = "") -> Step:
    return Step(
        action=action, difference=difference(old, new), signed_by=signed_by, notes=new.notes if new is not None else ()
    )

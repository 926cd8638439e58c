"""Which fields are hidden, required and disabled for a value, and the schema that it must then fit.

Decided stage by stage (`stages`): what one stage hides is absent for the next.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from croupier.descriptors import Message
from croupier.forms.conditions import CONDITION_STEPS, Condition
from croupier.forms.faults import FaultyForm, FormFault, SpecPath
from croupier.forms.nodes import Budget
from croupier.forms.plan import Field, Place, narrowed, read_plan, templates
from croupier.forms.rewriting import in_force
from croupier.forms.stages import stage_count, staged

Path = tuple[str | int, ...]
"""Names and indices from the whole value to one inside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What holds for one value, of the fields with conditions."""

    value: Any
    """Without what is hidden; the very same value when nothing of it was."""
    hidden: tuple[Path, ...] = ()
    """Whether it is there or not; what is inside a hidden field is not named again."""
    required: tuple[Path, ...] = ()
    missing: tuple[Path, ...] = ()
    """Required by a condition, or only while shown, and absent from an object that is there."""
    disabled: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Derived:
    """What a page needs to show a form for one value."""

    schema: Any
    """The schema in force: without what is hidden, with what is required now."""
    hidden: tuple[Path, ...]
    required: tuple[Path, ...]
    disabled: tuple[Path, ...]


class Conditions:
    """A form's conditions, ready to be asked."""

    __slots__ = ("_demands", "_stages", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self._stages = [narrowed(place, partial(_is_of_stage, stage)) for stage in range(stage_count(place))]
        self._demands = narrowed(place, _may_demand)

    @staticmethod
    def read(schema: Any, ui: Mapping[str, Any]) -> "Conditions | None":
        """None when nothing is conditional. Raises FaultyForm."""
        faults: list[FormFault] = []

        def report(path: SpecPath, message: Message) -> None:
            faults.append(FormFault(path, message))

        place = read_plan(schema, ui, report)
        place = staged(place, report) if place is not None else None
        if faults:
            raise FaultyForm(faults)
        return Conditions(place) if place is not None else None

    @property
    def decide(self) -> bool:
        """Whether they hide or demand anything; what is disabled is a matter of the page."""
        return bool(self._stages) or any(each.require is not None for _, each in templates(self.place))

    def state(self, value: Any) -> State:
        """Raises InvalidArgument when that would take too long to tell."""
        budget = Budget(CONDITION_STEPS)
        hidden: dict[Path, None] = {}
        for stage in self._stages:
            found = _Hiding(value, budget, hidden)
            found.visit(stage, value, ())
            value = prune(value, found.newly)
            hidden.update(dict.fromkeys(found.newly))
        demands = _Demands(value, budget, hidden)
        demands.visit(self._demands, value, ())
        return State(
            value=value,
            hidden=tuple(hidden),
            required=tuple(demands.required),
            missing=tuple(demands.missing),
            disabled=tuple(demands.disabled),
        )


def _is_of_stage(stage: int, each: Field) -> bool:
    return each.show is not None and each.stage == stage


def _may_demand(each: Field) -> bool:
    return each.require is not None or each.disable is not None or (each.show is not None and each.required)


def derive(schema: Mapping[str, Any], ui: Mapping[str, Any], data: Any) -> Derived:
    """The form of `schema` and `ui` for `data`. Raises FaultyForm for conditions that cannot be used."""
    conditions = Conditions.read(schema, ui)
    if conditions is None:
        return Derived(schema=schema, hidden=(), required=(), disabled=())
    state = conditions.state(data)
    return Derived(
        schema=in_force(schema, conditions.place, state.value, frozenset(state.hidden), frozenset(state.required)),
        hidden=state.hidden,
        required=state.required,
        disabled=state.disabled,
    )


def prune(value: Any, hidden: Collection[Path]) -> Any:
    """`value` without what is at `hidden`; itself when nothing is there. What is changed is a copy."""
    if not hidden:
        return value
    tree: dict[str | int, Any] = {}
    for path in hidden:
        holder: Any = tree
        for step in path[:-1]:
            holder = holder.setdefault(step, {})
            if holder is None:  # what is around it is hidden
                break
        else:
            holder[path[-1]] = None
    return _without(value, tree)


def _without(value: Any, tree: dict[str | int, Any]) -> Any:
    """Every step of `tree` leads through an object or a list; only an object's members are taken away."""
    copy: Any = None
    for step, inner in tree.items():
        if isinstance(value, dict) and step not in value:
            continue
        kept = None if inner is None else _without(value[step], inner)
        if inner is None or kept is not value[step]:
            copy = value.copy() if copy is None else copy
            if inner is None:
                del copy[step]
            else:
                copy[step] = kept
    return value if copy is None else copy


class _Visit(ABC):
    """Goes through a value and every field that conditions speak of, except what is hidden."""

    def __init__(self, root: Any, budget: Budget, hidden: Mapping[Path, None]) -> None:
        self._root = root
        self._budget = budget
        self._hidden = hidden

    def visit(self, place: Place, value: Any, path: Path, *, there: bool = True) -> None:
        """An object that is absent is gone through as if it were empty."""
        if isinstance(value, dict):
            for each in place.fields:
                at = (*path, each.name)
                if at not in self._hidden and self.shown(each, value, at, there=there) and each.place is not None:
                    inner = value.get(each.name, _ABSENT)
                    self.visit(each.place, {} if inner is _ABSENT else inner, at, there=inner is not _ABSENT)
        elif place.element is not None and isinstance(value, list):
            for index, element in enumerate(value):
                if not isinstance(element, dict):
                    self._budget.spend()
                self.visit(place.element, element, (*path, index))

    @abstractmethod
    def shown(self, each: Field, around: dict[str, Any], at: Path, *, there: bool) -> bool:
        """Take note of the field; whether what is inside it is looked at."""

    def holds(self, condition: Condition, around: dict[str, Any]) -> bool:
        self._budget.spend()
        return condition.holds(self._root, around, self._budget)


_ABSENT: Any = object()


class _Hiding(_Visit):
    """Of one stage: conditions that look at nothing which it hides itself."""

    def __init__(self, root: Any, budget: Budget, hidden: Mapping[Path, None]) -> None:
        super().__init__(root, budget, hidden)
        self.newly: list[Path] = []

    def shown(self, each: Field, around: dict[str, Any], at: Path, *, there: bool) -> bool:  # noqa: ARG002 — for those who demand
        if each.show is None or self.holds(each.show, around):
            return True
        self.newly.append(at)
        return False


class _Demands(_Visit):
    def __init__(self, root: Any, budget: Budget, hidden: Mapping[Path, None]) -> None:
        super().__init__(root, budget, hidden)
        self.required: list[Path] = []
        self.missing: list[Path] = []
        self.disabled: list[Path] = []

    def shown(self, each: Field, around: dict[str, Any], at: Path, *, there: bool) -> bool:
        told_by_schema = each.required and each.show is None
        if (each.required and not told_by_schema) or (each.require is not None and self.holds(each.require, around)):
            self.required.append(at)
            if there and each.name not in around and not told_by_schema:
                self.missing.append(at)
        if each.disable is not None and self.holds(each.disable, around):
            self.disabled.append(at)
        return True

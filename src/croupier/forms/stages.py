"""In which order to decide what is shown, so that a hidden field is absent for every condition that looks at it.

A condition that looks at a field, at something around it or inside it, waits for it. Fields that wait for one another
are a fault: there would be no one answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import jsonpath
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.selectors import NameSelector

from croupier.descriptors import Message
from croupier.forms.conditions import Condition
from croupier.forms.faults import Report
from croupier.forms.plan import Field, Place, Step, Template, templates

_Pattern = tuple[Step, ...]
"""What a path may find: names, and None for anything; a path that goes down anywhere ends where it does so."""


def staged(place: Place, report: Report) -> Place:
    """The plan with every field's stage. A circle is reported, and its fields are left out of the order."""
    hidden = {template: each for template, each in templates(place) if each.show is not None}
    waits = {template: set(_waits_for(template, each, hidden)) for template, each in hidden.items()}
    stages: dict[Template, int] = {}
    while waits:
        ready = [template for template, others in waits.items() if not others]
        if not ready:
            circle = " → ".join(_shown(template) for template in _circle(waits))
            report((*hidden[next(iter(waits))].said, "show_if"), _waiting(circle))
            break
        stage = max(stages.values(), default=-1) + 1
        stages.update(dict.fromkeys(ready, stage))
        waits = {template: others.difference(ready) for template, others in waits.items() if template not in stages}
    return _with_stages(place, stages, ())


def _waiting(circle: str) -> Message:
    return Message(
        f"whether these fields are shown depends on one another, so there is no answer: {circle}",
        f"这些字段的显示互相依赖，无法得出结果：{circle}",
    )


def stage_count(place: Place) -> int:
    return max((each.stage + 1 for _, each in templates(place) if each.show is not None), default=0)


def _with_stages(place: Place, stages: dict[Template, int], at: Template) -> Place:
    return Place(
        fields=tuple(
            replace(
                each,
                stage=stages.get((*at, each.name), 0),
                place=each.place and _with_stages(each.place, stages, (*at, each.name)),
            )
            for each in place.fields
        ),
        element=place.element and _with_stages(place.element, stages, (*at, None)),
    )


def _waits_for(template: Template, each: Field, hidden: dict[Template, Field]) -> Iterator[Template]:
    looks_at = list(_patterns(each.show, template[:-1])) if each.show is not None else []
    for other in hidden:
        around = len(other) < len(template) and template[: len(other)] == other
        if around or any(_overlap(pattern, other) for pattern in looks_at):
            yield other


def _patterns(condition: Condition, around: Template) -> Iterator[_Pattern]:
    for from_root, path in condition.queries:
        yield (*(() if from_root else around), *_steps(path))


def _steps(path: jsonpath.JSONPath) -> _Pattern:
    steps: list[Step] = []
    for segment in path.segments:
        if isinstance(segment, JSONPathRecursiveDescentSegment):
            break
        steps.append(_step(segment.selectors))
    return tuple(steps)


def _step(selectors: Sequence[object]) -> Step:
    if len(selectors) == 1 and isinstance(selectors[0], NameSelector):
        return selectors[0].name
    return None


def _overlap(pattern: _Pattern, template: Template) -> bool:
    """Whether what the pattern finds may hold the field, be it, or be held by it."""
    return all(one is None or other is None or one == other for one, other in zip(pattern, template, strict=False))


def _circle(waits: dict[Template, set[Template]]) -> list[Template]:
    """Fields each of which waits for the next; every one of `waits` waits for another of them."""
    way: list[Template] = []
    template = next(iter(waits))
    while template not in way:
        way.append(template)
        template = min(waits[template], key=_shown)
    return [*way[way.index(template) :], template]


def _shown(template: Template) -> str:
    return "".join("[]" if step is None else f".{step}" for step in template).removeprefix(".")

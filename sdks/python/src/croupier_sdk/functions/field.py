import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Text = str | Mapping[str, str]
"""A text for people: a string, or one per language as {"en": …, "zh": …}."""


def texts(text: Text) -> dict[str, str]:
    """A text in one language is English; the platform shows it where it has no other."""
    if isinstance(text, str):
        return {"en": text} if text else {}
    return dict(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Bounds and words for one value: `Annotated[int, Field(ge=1, le=100, title="Quantity")]`.

    ge, gt, le, lt and multiple_of are for numbers; min_length and max_length for strings, lists and maps; pattern (searched for,
    not anchored) and format for strings. label, placeholder, widget and sensitive tell the page how to show it; a sensitive value
    is masked in the record of calls. entity says what type of thing the value is the id of: calls show in that one's timeline.
    show_if, required_if and disabled_if are conditions on the other arguments, such as `$.kind == 'ban'`, which the platform
    enforces: an argument that is hidden does not arrive, so with show_if it needs a default.
    """

    title: str = ""
    description: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    format: str = ""
    label: Text = ""
    placeholder: Text = ""
    widget: str = ""
    sensitive: bool = False
    entity: str = ""
    show_if: str = ""
    required_if: str = ""
    disabled_if: str = ""

    def ui(self) -> dict[str, Any]:
        """What the descriptor's `ui.fields` says of it."""
        shown = {
            "label": self.label or self.title,
            "placeholder": self.placeholder,
            "widget": self.widget,
            "sensitive": self.sensitive,
            "entity": self.entity,
            "show_if": self.show_if,
            "required_if": self.required_if,
            "disabled_if": self.disabled_if,
        }
        return {key: value for key, value in shown.items() if value}


Check = Callable[[Any], str]
"""Says what a value must be and is not, or nothing."""

_NUMBER = frozenset({"integer", "number"})
_SIZED = frozenset({"string", "array", "object"})
_SIZE_KEYWORDS = {"string": "Length", "array": "Items", "object": "Properties"}


def constraints(field: Field, kind: str) -> tuple[dict[str, Any], list[Check]]:
    """JSON Schema keywords for a value of JSON Schema type `kind`, and the checks that hold them.

    Raises TypeError for a bound that makes no sense for the type.
    """
    keywords: dict[str, Any] = {
        key: value for key in ("title", "description", "format") if (value := getattr(field, key))
    }
    if field.sensitive:
        keywords["writeOnly"] = True
    checks: list[Check] = []
    for found, rules in (
        (_number_rules(field), _NUMBER),
        (_size_rules(field, kind), _SIZED),
        (_text_rules(field), {"string"}),
    ):
        if found and kind not in rules:
            raise TypeError(
                f"Field({', '.join(keyword for keyword, _, _ in found)}) does not fit a value of type {kind or 'any'}"
            )
        for keyword, bound, check in found:
            keywords[keyword] = bound
            checks.append(check)
    return keywords, checks


_Rule = tuple[str, Any, Check]


def _rule(keyword: str, bound: Any, holds: Callable[[Any], bool], says: str) -> list[_Rule]:
    return [] if bound is None else [(keyword, bound, lambda value: "" if holds(value) else f"{says} {bound}")]


def _number_rules(field: Field) -> list[_Rule]:
    ge, gt, le, lt, step = field.ge, field.gt, field.le, field.lt, field.multiple_of
    return [
        *_rule("minimum", ge, lambda value: value >= ge, "must be at least"),
        *_rule("exclusiveMinimum", gt, lambda value: value > gt, "must be more than"),
        *_rule("maximum", le, lambda value: value <= le, "must be at most"),
        *_rule("exclusiveMaximum", lt, lambda value: value < lt, "must be less than"),
        *_rule("multipleOf", step, lambda value: value % step == 0, "must be a multiple of"),
    ]


def _size_rules(field: Field, kind: str) -> list[_Rule]:
    noun, low, high = _SIZE_KEYWORDS.get(kind, "Length"), field.min_length, field.max_length
    return [
        *_rule(f"min{noun}", low, lambda value: len(value) >= (low or 0), "must have a length of at least"),
        *_rule(f"max{noun}", high, lambda value: high is None or len(value) <= high, "must have a length of at most"),
    ]


def _text_rules(field: Field) -> list[_Rule]:
    if not field.pattern:
        return []
    pattern = re.compile(field.pattern)
    return _rule("pattern", field.pattern, lambda value: pattern.search(value) is not None, "must match the pattern")

"""What a page makes of a description: `outputs`, `ui`, `menu`."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from croupier.descriptors.fields import Expression, FreeObject, I18n, Labels, Line, Name, Spelled, Words, permission_of
from croupier.descriptors.part import Part

RENDERERS: Mapping[str, str] = {
    **dict.fromkeys(("json", "json.view", "json.tree", "raw"), "json.view"),
    **dict.fromkeys(("table", "table.view", "table.basic", "table.default"), "table.view"),
    **dict.fromkeys(("kv", "kv.view", "descriptions"), "kv.view"),
    **dict.fromkeys(("text", "text.view", "text.plain"), "text.view"),
    **dict.fromkeys(("log", "log.view"), "log.view"),
    **dict.fromkeys(("number", "number.view", "stat", "statistic"), "number.view"),
    **dict.fromkeys(("echarts.line", "chart", "chart.line", "line"), "echarts.line"),
    **dict.fromkeys(("echarts.bar", "chart.bar", "bar"), "echarts.bar"),
    **dict.fromkeys(("echarts.pie", "chart.pie", "pie"), "echarts.pie"),
    **dict.fromkeys(("diff", "diff.view"), "diff.view"),
    **dict.fromkeys(("image", "image.view"), "image.view"),
    **dict.fromkeys(("links", "link.view", "link.list"), "link.view"),
    **dict.fromkeys(("entity", "entity.view"), "entity.view"),
}
"""Renderers by every name they go by; a name that is not here is a plug-in's, and stays as it is."""


class Layout(Part):
    shared = True

    short = ("string",)

    type: Line = Field(default="", description="`grid`, `tabs` or `stack`")
    cols: int | None = Field(default=None, ge=1, le=24, description="columns of a grid")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class Transform(Part):
    """How an answer becomes what a view shows."""

    shared = True

    short = ("string",)

    lang: Line = Field(default="", description="the language of `expr`; none: JSONPath")
    expr: Expression = Field(default="", description="which part of the answer")
    template: Any = Field(default=None, description="what is made of it")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"expr": value} if isinstance(value, str) else value


class View(Part):
    shared = True

    short = ("string",)

    id: Line = Field(default="", description="a name within the function; its type and place where there is none")
    type: Line = Field(default="", description="json, table, text, number, chart, …")
    renderer: Line = Field(default="", description="what draws it; by its type where there is none")
    title: I18n = Field(default_factory=dict, description="above the view")
    show_if: Expression = Field(default="", description="a condition on the answer")
    transform: Transform | None = Field(default=None, description="how the answer becomes what is shown")
    options: FreeObject = Field(default_factory=dict, description="what the renderer takes")

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        named = value.get("renderer") or value.get("type") or "json"
        said = {**value, "renderer": RENDERERS.get(named, named) if isinstance(named, str) else named}
        if "title" not in said and "label" in said:
            said["title"] = said.pop("label")
        return said

    def parts(self) -> Iterable[Part | None]:
        return (self.transform,)

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class Outputs(Part):
    shared = True

    short = ("array",)

    layout: Layout | None = Field(default=None, description="how the views are arranged")
    views: tuple[View, ...] = Field(default=(), max_length=100, description="what is shown of an answer, in this order")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"views": value} if isinstance(value, list) else value

    def parts(self) -> Iterable[Part | None]:
        return (self.layout, *self.views)

    @field_validator("views", mode="before")
    @classmethod
    def _named(cls, views: Any) -> Any:
        return (
            [_named(view, number) for number, view in enumerate(views, start=1)] if isinstance(views, list) else views
        )


def _named(view: Any, number: int) -> Any:
    """A view without an id has its type and place for one."""
    said = {"type": view} if isinstance(view, str) else {} if view in (None, False, []) else view
    if not isinstance(said, dict) or said.get("id"):
        return said
    return {**said, "id": f"{said.get('type') or 'view'}{number}"}


class Ui(Part):
    """How a form looks, field by field."""

    fields: Annotated[dict[Line, dict[str, Any]], Spelled("`ui:fields`")] = Field(
        default_factory=dict,
        max_length=2_000,
        description="by name: label, placeholder, widget, show_if, required_if, …",
    )
    layout: Annotated[Layout | None, Spelled("`layout`")] = Field(
        default=None, serialization_alias="ui:layout", description="how the fields are arranged"
    )
    groups: Annotated[tuple[dict[str, Any], ...], Spelled("`groups`")] = Field(
        default=(), max_length=200, serialization_alias="ui:groups", description="fields under one title, in this order"
    )

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        said = dict(value)
        for name in ("fields", "layout", "groups"):
            if f"ui:{name}" in said:
                said.setdefault(name, said.pop(f"ui:{name}"))
            if said.get(name) in ([], "", {}):
                del said[name]
        return said

    def parts(self) -> Iterable[Part | None]:
        return (self.layout,)


class Menu(Part):
    short = ("string",)

    section: Line = Field(default="", description="the first level of the menu")
    group: Line = Field(default="", description="the second level")
    path: Line = Field(default="", description="a path of the page")
    order: int = Field(default=0, ge=-(2**31), lt=2**31, description="the smaller, the earlier")
    icon: Line = Field(default="", description="an icon's name")
    badge: Line = Field(default="", description="a word beside the entry")
    hidden: bool = Field(default=False, description="whether it is left out of the menu")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"section": value} if isinstance(value, str) else value


class RoleBinding(Part):
    role: Line = Field(default="", description="a role's name")
    verbs: Words = Field(default=(), description="what it may do")


class Permissions(Part):
    """What roles the function suggests."""

    short = ("array",)

    verbs: Words = Field(default=(), description="what can be done with it: read, invoke, …")
    scopes: Words = Field(default=(), description="where: game, env, …")
    defaults: tuple[RoleBinding, ...] = Field(default=(), max_length=200, description="which role may do what")
    i18n_zh: Labels = Field(default_factory=dict, description="the verbs in Chinese")

    def parts(self) -> Iterable[Part | None]:
        return self.defaults

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return (
            {"verbs": [permission_of(each) if isinstance(each, str) else each for each in value]}
            if isinstance(value, list)
            else value
        )


class Inverse(Part):
    """The function that undoes what this one did."""

    short = ("string",)

    function: Name = Field(description="its id")
    arguments: FreeObject = Field(
        default_factory=dict, description="what it is called with; a text that begins with `$` is a path"
    )

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"function": value} if isinstance(value, str) else value

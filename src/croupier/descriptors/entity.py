"""A kind of object as its description has it, and what can be done with one."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from croupier.descriptors.fields import FreeObject, I18n, Line, Name, Spelled
from croupier.descriptors.function import Described, FunctionDescriptor
from croupier.descriptors.part import Part


class Operation(Part):
    """A function that acts on objects of the kind."""

    model_config = ConfigDict(json_schema_extra={"required": []})
    short = ("string",)

    function: Annotated[Name, Spelled("`function_id`, `id`")] = Field(description="the function's id")
    label: I18n = Field(default_factory=dict, description="on the button")
    icon: Line = Field(default="", description="an icon's name")
    danger: bool = Field(default=False, description="whether it is asked for twice")
    title: I18n = Field(default_factory=dict, description="above the form")
    description: I18n = Field(default_factory=dict, description="under the title")
    target: FreeObject = Field(default_factory=dict, description="{field, jsonpath}: which argument names the object")

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        other = next((name for name in ("function_id", "id") if name in value), None)
        if other is None or "function" in value:
            return value
        return {"function" if name == other else name: part for name, part in value.items()}

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"function": value} if isinstance(value, str) else value


class Relationship(Part):
    """How objects of the kind belong to those of another."""

    short = ("string",)

    type: Line = Field(default="", description="has_many, belongs_to, …")
    entity: Line = Field(default="", description="the other kind")
    foreign_key: Line = Field(default="", description="the field that holds the other's key")

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"entity": value} if isinstance(value, str) else value


def _in_any_spelling(schema: dict[str, Any]) -> None:
    """Beside lists by verb: single operations by verb, and one list of all."""
    by_verb = schema["additionalProperties"]
    schema["additionalProperties"] = {"anyOf": [by_verb, by_verb["items"]]}
    schema["type"] = ["object", "array"]


class EntityDescriptor(Described):
    type: Literal["entity", "resource"] = Field(default="entity", description="`entity` or `resource`")
    title: I18n = Field(default_factory=dict, description="its name for people")
    color: Line = Field(default="", description="a colour of the page, or #rrggbb")
    key: Line = Field(default="", description="the field that tells objects apart")
    object_schema: FreeObject | None = Field(
        default=None, alias="schema", description="JSON Schema 2020-12 of one object"
    )
    operations: Annotated[
        dict[Line, tuple[Operation, ...]],
        Spelled(
            "one operation in place of a list of them; a list of all, each with its verb in `op`, where one without `function` is `<id>.<op>`"
        ),
    ] = Field(
        default_factory=dict,
        max_length=500,
        json_schema_extra=_in_any_spelling,
        description="functions by verb: create, read, update, delete, list, ban, …",
    )
    relationships: dict[Line, Relationship] = Field(
        default_factory=dict, max_length=500, description="by name: {type, entity, foreign_key}"
    )
    ui: FreeObject = Field(default_factory=dict, description="{columns, actions, form, search, pagination, …}")

    def parts(self) -> Iterable[Part | None]:
        operations = (each for some in self.operations.values() for each in some)
        return (*super().parts(), *operations, *self.relationships.values())

    def document(self) -> dict[str, Any]:
        """As `Described.document`; `type` is always said."""
        return {"id": self.id, "version": self.version, "type": self.type, **super().document()}


Descriptor = FunctionDescriptor | EntityDescriptor

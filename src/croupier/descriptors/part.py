from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Part(BaseModel):
    """A part of a description. Frozen; what nobody here knows is kept as it came.

    null is as good as absent, and `[]` or "" as good as an object with nothing in it.
    """

    model_config = ConfigDict(
        frozen=True, extra="allow", hide_input_in_errors=True, populate_by_name=True, protected_namespaces=()
    )

    short: ClassVar[tuple[str, ...]] = ()
    """The JSON types that may be written in place of the object, where some may."""

    @model_validator(mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if None in value.values():
                value = {name: part for name, part in value.items() if part is not None}
            return cls.respelled(value)
        return cls.respelled({}) if value in ([], "", None, False) else cls.abbreviated(value)

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        """`value` under the names of the fields; itself, unchanged, where nothing has to be said otherwise."""
        return value

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        """What a value that is no object stands for; itself where it stands for nothing."""
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(core_schema)
        if cls.short:
            described = handler.resolve_ref_schema(made)
            whole = dict(described)
            described.clear()
            described["anyOf"] = [{"type": list(cls.short)}, whole]
        return made

    def document(self) -> dict[str, Any]:
        """The part as JSON values, without what is as it is by default; reading it gives the same part."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def parts(self) -> Iterable["Part | None"]:
        """The parts right below it."""
        return ()

    def settle(self) -> None:
        """Let go of what pydantic remembers of the reading: it would take a third of the memory of a catalog."""
        waiting: list[Part | None] = [self]
        while waiting:
            part = waiting.pop()
            if part is None or part.__pydantic_fields_set__ is _NOTHING:
                continue
            _set(part, "__pydantic_fields_set__", _NOTHING)
            if not part.__pydantic_extra__:
                _set(part, "__pydantic_extra__", _NO_EXTRA)
            waiting += part.parts()


_set = object.__setattr__
_NOTHING: set[str] = set()
_NO_EXTRA: dict[str, object] = {}

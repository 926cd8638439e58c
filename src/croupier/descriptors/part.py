from collections.abc import Iterable
from typing import Any, ClassVar, Self

import orjson
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ModelWrapValidatorHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

SHARED = 4_096
"""How many parts are remembered at most."""


class Part(BaseModel):
    """A part of a description. Frozen; what nobody here knows is kept as it came.

    null is as good as absent, and `[]` or "" as good as an object with nothing in it.
    """

    model_config = ConfigDict(
        frozen=True, extra="allow", hide_input_in_errors=True, populate_by_name=True, protected_namespaces=()
    )

    short: ClassVar[tuple[str, ...]] = ()
    """The JSON types that may be written in place of the object, where some may."""

    shared: ClassVar[bool] = False
    """Whether what says the same becomes one part: descriptions say it again and again, and reading it anew each time would
    take a third of the time and of the memory of a large catalog."""

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if type(value) is cls:
            return handler(value)
        if isinstance(value, dict):
            if None in value.values():
                value = {name: part for name, part in value.items() if part is not None}
            value = cls.respelled(value)
        else:
            value = cls.respelled({}) if value in ([], "", None, False) else cls.abbreviated(value)
        return cls._found(value, handler) if cls.shared else handler(value)

    @classmethod
    def _found(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            key = cls, orjson.dumps(value)
        except TypeError:  # it was not read from JSON
            return handler(value)
        part = _known.get(key)
        if isinstance(part, cls):
            return part
        made = handler(value)
        made.settle()
        if len(_known) >= SHARED:
            _known.clear()
        _known[key] = made
        return made

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


_known: dict[tuple[type[Part], bytes], Part] = {}
"""Parts that may be shared, by what was written; several threads may read and write it."""
_set = object.__setattr__
_NOTHING: set[str] = set()
_NO_EXTRA: dict[str, object] = {}

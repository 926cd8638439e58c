"""A form on the server: what a page shows of a function's arguments, enforced for every caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from croupier.descriptors import CompiledSchema, Message, SchemaFault, compile_schema
from croupier.descriptors.schema import SHOWN_FAULTS
from croupier.forms.derive import Conditions, Path
from croupier.forms.faults import FaultyForm, FormFault
from croupier.forms.rewriting import relaxed

_MISSING = Message("is missing", "缺少此项")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    value: Any
    """Without what is hidden; the very same value when nothing of it was."""
    faults: tuple[SchemaFault, ...]
    hidden: tuple[Path, ...] = ()


class Form:
    """A compiled form; safe to share. One without conditions costs what its schema alone does."""

    __slots__ = ("_conditions", "_schema")

    def __init__(self, schema: CompiledSchema | None, conditions: Conditions | None) -> None:
        self._schema = schema
        self._conditions = conditions

    @staticmethod
    def compile(schema: Mapping[str, Any] | None, ui: Mapping[str, Any] | None) -> "Form":
        """The form of a JSON Schema and a UI schema, either of which may be absent.

        Raises InvalidArgument for a schema that cannot be used, and FaultyForm for a UI schema.
        """
        compiled = compile_schema(schema) if schema is not None else None
        conditions = Conditions.read(schema, ui) if ui else None
        if conditions is None or not conditions.decide:
            return Form(compiled, None)
        return Form(compile_schema(relaxed(schema, conditions.place)) if schema is not None else None, conditions)

    @property
    def conditional(self) -> bool:
        """Whether a value decides what is hidden or demanded of it; if not, the schema says it all."""
        return self._conditions is not None

    def check(self, value: Any) -> Checked:
        """What is hidden is taken away; what is left must fit the schema, and hold what is required now.

        Raises InvalidArgument where that cannot be told in time.
        """
        if self._conditions is None:
            return Checked(value=value, faults=tuple(self._faults(value)))
        state = self._conditions.state(value)
        faults = self._faults(state.value)
        faults += [SchemaFault(path=pointer(path), keyword="required", message=_MISSING) for path in state.missing]
        return Checked(value=state.value, faults=tuple(faults[:SHOWN_FAULTS]), hidden=state.hidden)

    def _faults(self, value: Any) -> list[SchemaFault]:
        return self._schema.faults(value) if self._schema is not None else []


def form_faults(schema: Mapping[str, Any] | None, ui: Mapping[str, Any]) -> tuple[FormFault, ...]:
    """What is wrong with the conditions of a form whose schema can be used."""
    try:
        conditions = Conditions.read(schema, ui)
        if conditions is not None and schema is not None:
            relaxed(schema, conditions.place)
    except FaultyForm as error:
        return error.faults
    return ()


def pointer(path: Path) -> str:
    """An RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)

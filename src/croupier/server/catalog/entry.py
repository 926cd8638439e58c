from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

from croupier.descriptors import CompiledSchema, EntityDescriptor, Fault, FunctionDescriptor, Message, compile_schema
from croupier.descriptors.faults import json_path
from croupier.domain.function import Function
from croupier.domain.scope import Scope
from croupier.errors import FailedPrecondition
from croupier.forms import FaultyForm, Form, form_faults, speaks_of_conditions
from croupier.server.access.audit import Sensitive, sensitive_fields
from croupier.transcoding import Codec


class Kind(StrEnum):
    """Who describes; an earlier one goes before a later one."""

    PACK = "pack"
    PROVIDER = "provider"
    GAME_SERVER = "game_server"
    AGENT = "agent"
    """Nobody describes it: agents have merely registered it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a description comes from."""

    kind: Kind
    name: str = ""
    """The pack's or provider's; a game server's manifest may name none."""
    version: str = ""
    """The pack's or provider's."""
    file: str = ""
    """Within the pack."""


class Look(Protocol):
    """What a pack's folder `ui` says of one function."""

    @property
    def schema(self) -> Mapping[str, Any] | None: ...

    @property
    def uischema(self) -> Mapping[str, Any] | None: ...


UNDESCRIBED = Origin(kind=Kind.AGENT)


class Entry:
    """One function as one origin describes it. A call holds the entry it began with until it ends, whatever is loaded since.

    Its schema is compiled when it is first needed: most descriptions are never called, and compiled ones take most room.
    """

    __slots__ = (
        "_form",
        "_schema",
        "_sensitive",
        "approvable",
        "codec",
        "conditional",
        "descriptor",
        "enabled",
        "faults",
        "function",
        "limited",
        "look",
        "origin",
    )

    def __init__(
        self,
        function: Function,
        *,
        origin: Origin = UNDESCRIBED,
        descriptor: FunctionDescriptor | None = None,
        codec: Codec | None = None,
        look: Look | None = None,
    ) -> None:
        self.function = function
        self.origin = origin
        self.descriptor = descriptor
        self.codec = codec
        """What makes protobuf of its arguments and JSON of its answers, where the game server speaks protobuf."""
        self.enabled = descriptor is None or descriptor.enabled
        """Whether it may be called; a description can say that it may not."""
        self.limited = descriptor is not None and descriptor.semantics.limited
        """Whether its description bounds its rate or its concurrency."""
        self.approvable = descriptor is not None and descriptor.needs_approval
        """Whether its description may ask for somebody else's approval."""
        self.look = look
        self._schema: CompiledSchema | None = None
        self._form: Form | None = None
        self._sensitive: Sensitive | None = None
        ui = self._conditions
        self.conditional = bool(ui) and speaks_of_conditions(ui)
        """Whether fields may be hidden, demanded or disabled by what others hold."""
        self.faults: tuple[Fault, ...] = _faults(function, origin, ui) if self.conditional else ()
        """What is wrong with those conditions, or with its types: until it is mended, calls are refused."""
        if codec is not None and codec.fault:
            self.faults += (_types_fault(function, origin, codec.fault),)

    @property
    def form(self) -> Form | None:
        """What hides and demands fields; None where nothing is conditional, and the schema says it all.

        Raises FailedPrecondition when its conditions cannot be used, InvalidArgument when its schema cannot.
        """
        if not self.conditional:
            return None
        if self._form is None:
            try:
                self._form = Form.compile(self.function.schema, self._conditions)
            except FaultyForm as error:
                raise FailedPrecondition(
                    f"{self.function.id} cannot be called until the conditions of its form are mended: {error.message}"
                ) from error
        return self._form if self._form.conditional else None

    @property
    def sensitive(self) -> Sensitive:
        """The fields that the audit record and the history of calls do not show, besides those whose names say so."""
        if self._sensitive is None:
            self._sensitive = sensitive_fields(self.function.schema, self._conditions)
        return self._sensitive

    @property
    def _conditions(self) -> Mapping[str, Any]:
        said = self.look.uischema if self.look is not None else None
        if said is not None:
            return said
        return {"fields": self.descriptor.ui.fields} if self.descriptor is not None else {}

    def is_of(self, descriptor: FunctionDescriptor, file: str, codec: Codec | None, look: Look | None) -> bool:
        """Whether it is what would be made of these anew."""
        same = self.origin.file == file and self.codec == codec and self.look == look
        return same and (self.descriptor is descriptor or self.descriptor == descriptor)

    @property
    def schema(self) -> CompiledSchema | None:
        """What its arguments must fit; None where nobody said. Raises InvalidArgument when it cannot be used."""
        if self._schema is None and self.function.schema is not None:
            self._schema = compile_schema(self.function.schema)
        return self._schema

    @property
    def form_schema(self) -> Mapping[str, Any]:
        """What a form is made of: JSON Schema, the pack's file for it or the function's own."""
        said = self.look.schema if self.look is not None else None
        return said if said is not None else self.function.schema or {}

    @property
    def uischema(self) -> Mapping[str, Any]:
        """How a form looks, and when its fields are shown and demanded: the pack's file for it or the description's own."""
        said = self.look.uischema if self.look is not None else None
        if said is not None:
            return said
        return self.descriptor.ui.document() if self.descriptor is not None else {}


def _faults(function: Function, origin: Origin, ui: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Within a pack's file there is one function; elsewhere its id says which."""
    where = ("ui",) if origin.file else (function.id, "ui")
    file = origin.file or f"{origin.kind} {origin.name}"
    return tuple(
        Fault(file=file, path=json_path((*where, *path)), message=message)
        for path, message in form_faults(function.schema, ui)
    )


def _types_fault(function: Function, origin: Origin, says: str) -> Fault:
    path = ("transport", "proto") if origin.file else (function.id, "transport", "proto")
    message = Message(says, f"{function.id} 无法调用：包中缺少所需的 protobuf 类型（{says}）")
    return Fault(file=origin.file or f"{origin.kind} {origin.name}", path=json_path(path), message=message)


@lru_cache(maxsize=4096)
def undescribed(function_id: str) -> Entry:
    """What is known of a function that nobody describes. It says nothing, so all calls share it."""
    return Entry(Function(id=function_id))


def entry_of(
    descriptor: FunctionDescriptor, origin: Origin, codec: Codec | None = None, look: Look | None = None
) -> Entry:
    return Entry(descriptor.function(), origin=origin, descriptor=descriptor, codec=codec, look=look)


@dataclass(frozen=True, slots=True, eq=False)
class EntityEntry:
    """One kind of object as one origin describes it."""

    descriptor: EntityDescriptor
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadFault:
    """Something of a description that is left out."""

    origin: Origin
    fault: Fault
    scope: Scope | None = None

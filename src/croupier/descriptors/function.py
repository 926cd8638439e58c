"""A function as its description has it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, PrivateAttr, WithJsonSchema

from croupier.descriptors.fields import FreeObject, I18n, Labels, Line, Name, RiskLevel, Spelled, Words
from croupier.descriptors.part import Part
from croupier.descriptors.rules import Auth, Routing, Semantics, Transport
from croupier.descriptors.shown import Inverse, Menu, Outputs, Permissions, Ui
from croupier.domain.function import Function


class Described(Part):
    """What functions, entities and resources have in common."""

    id: Name = Field(description="what it is called by, such as player.ban")
    version: Line = Field(default="", description="its version, such as 1.2.0")
    category: Line = Field(default="", description="the group that it is listed in")
    enabled: bool = Field(default=True, description="whether it may be used")
    labels: Labels = Field(default_factory=dict, description="texts by name, for whoever searches")
    display_name: I18n = Field(default_factory=dict, description="its name for people")
    summary: I18n = Field(default_factory=dict, description="one line for people")
    description: I18n = Field(default_factory=dict, description="as much as there is to say")
    tags: Words = Field(default=(), description="words that it is found by")
    menu: Menu | None = Field(default=None, description="where it stands in the menu")

    _written: bytes = PrivateAttr(default=b"{}")

    @property
    def original(self) -> dict[str, Any]:
        """The description as it was written, made anew at every call."""
        written: dict[str, Any] = orjson.loads(self._written)
        return written

    def parts(self) -> Iterable[Part | None]:
        return (self.menu,)

    def keep(self, written: Mapping[str, Any]) -> None:
        """For whoever reads: `written` is the original. It is kept as text, which takes a fifth of the memory."""
        self._written = bytes(memoryview(orjson.dumps(written)))  # a copy: orjson's own has kilobytes of room behind it
        self.settle()

    def __eq__(self, other: object) -> bool:
        """Two spellings of one description are equal."""
        if not isinstance(other, Described) or type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self.model_extra == other.model_extra

    def __hash__(self) -> int:
        return hash((type(self), self.id, self.version))

    def document(self) -> dict[str, Any]:
        """The description in one spelling, as JSON values; reading it gives the same description."""
        return {"id": self.id, "version": self.version, **super().document()}


# One of each for all functions that say nothing: pydantic would copy a default.
_NO_AUTH, _NO_SEMANTICS, _NO_TRANSPORT, _NO_ROUTING, _NO_OUTPUTS, _NO_UI = (
    Auth(), Semantics(), Transport(), Routing(), Outputs(), Ui()
)  # fmt: skip


class FunctionDescriptor(Described):
    type: Literal["function"] = Field(default="function", description="`function`, or nothing")
    risk: Annotated[RiskLevel, Spelled("an object as `auth.risk`; of two levels the higher counts")] = Field(
        default="low",
        description="how dangerous a call is",
    )
    entity: Annotated[Line, WithJsonSchema({"type": ["string", "object"]}), Spelled("an object {type, key}")] = Field(
        default="", description="the kind of object that it acts on"
    )
    entity_key: Line = Field(default="", description="the argument that names the object, a name or a JSONPath")
    operation: Line = Field(
        default="", description="what it does to the object: create, read, update, delete, list, ban, …"
    )
    auth: Auth = Field(default_factory=lambda: _NO_AUTH, description="who may call it")
    params: FreeObject | None = Field(default=None, description="JSON Schema 2020-12 of the arguments")
    result: FreeObject | None = Field(default=None, description="JSON Schema 2020-12 of the answer")
    semantics: Semantics = Field(default_factory=lambda: _NO_SEMANTICS, description="how it behaves")
    transport: Transport = Field(default_factory=lambda: _NO_TRANSPORT, description="how it is spoken to")
    routing: Routing = Field(default_factory=lambda: _NO_ROUTING, description="which game server gets a call")
    outputs: Outputs = Field(default_factory=lambda: _NO_OUTPUTS, description="how an answer is shown")
    ui: Ui = Field(default_factory=lambda: _NO_UI, description="how the form looks")
    permissions: Permissions | None = Field(default=None, description="what roles it suggests")
    inverse: Inverse | None = Field(default=None, description="the function that undoes it")

    def document(self) -> dict[str, Any]:
        """As `Described.document`; `type`, `enabled`, `risk` and the permission are always said."""
        return {
            "id": self.id,
            "version": self.version,
            "type": "function",
            "enabled": self.enabled,
            "risk": self.risk,
            **super().document(),
        }

    def parts(self) -> Iterable[Part | None]:
        return (
            *super().parts(),
            self.auth,
            self.semantics,
            self.transport,
            self.routing,
            self.outputs,
            self.ui,
            self.permissions,
            self.inverse,
        )

    @property
    def needs_approval(self) -> bool:
        """Whether somebody else has to agree to every call."""
        return self.auth.two_person_rule.required or self.semantics.approval_required

    @property
    def hash_path(self) -> str:
        """Where in the arguments the hash key is, as a JSONPath; nothing where nobody said."""
        key = self.routing.hash_key
        if self.routing.jsonpath or not key:
            return self.routing.jsonpath
        return key if key.startswith("$") else f"$[{orjson.dumps(key).decode()}]"

    def function(self) -> Function:
        """What the path of a call needs to know of it."""
        dry_run = self.semantics.dry_run
        return Function(
            id=self.id,
            version=self.version,
            category=self.category,
            risk=self.risk,
            mode=self.semantics.mode,
            returns=self.semantics.returns,
            idempotent=self.semantics.idempotent,
            dry_run=bool(dry_run),
            dry_run_parameter=dry_run if isinstance(dry_run, str) else "",
            timeout=self.semantics.timeout,
            hash_path=self.hash_path,
            schema=self.params,
            display_name=self.display_name,
            summary=self.summary,
        )

"""All that one provider offers, and the manifest that says so."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from croupier_sdk.functions.encoding import to_json
from croupier_sdk.functions.function import Function, make_function
from croupier_sdk.limits import MANIFEST_BYTES
from croupier_sdk.objects.component import Component
from croupier_sdk.objects.virtual_object import Handler, Operation, VirtualObject
from croupier_sdk.running.context import BlockingJobContext, JobContext
from croupier_wire.tunnel.v1 import tunnel_pb2

SDK = "croupier-sdk 0.1.0"
"""What the manifest calls this package; its version is pyproject's, which a test holds."""


class Offering:
    """Functions, virtual objects and components, each under an id of its own."""

    def __init__(self, service_id: str, game_id: str, version: str) -> None:
        self.functions: dict[str, Function] = {}
        self.objects: dict[str, VirtualObject] = {}
        self.components: dict[str, Component] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        """Of each object, as the manifest has it."""
        self._service_id = service_id
        self._game_id = game_id
        self._version = version

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is added meanwhile is added whole, or not at all. Raises ValueError where the manifest grows too large."""
        tables: tuple[dict[str, Any], ...] = (self.functions, self.objects, self.components, self._entries)
        before = [dict(table) for table in tables]
        try:
            yield
            self.service()
        except BaseException:
            for table, kept in zip(tables, before, strict=True):
                table.clear()
                table.update(kept)
            raise

    def add_function(self, function: Function) -> None:
        if function.id in self.functions:
            raise ValueError(f"function {function.id} is offered twice")
        self.functions[function.id] = function

    def add_object(self, thing: VirtualObject, without: frozenset[str] = frozenset()) -> None:
        """`without` are functions that are known and switched off: operations by them are left out."""
        if any(known.name == thing.name for known in self.objects.values()):
            raise ValueError(f"virtual object {thing.id} is registered twice")
        operations = [
            operation.entry(verb, *self._resolved(thing, verb, operation))
            for verb, operation in thing.each_operation()
            if operation.function not in without
        ]
        self.objects[thing.id] = thing
        self._entries[thing.id] = thing.entry(operations)

    def _resolved(self, thing: VirtualObject, verb: str, operation: Operation) -> tuple[str, str]:
        """The function's id, and the parameter that is the id of a thing, if it has it."""
        what = f"virtual object {thing.id}, operation {verb}"
        if isinstance(operation.function, str):
            function = self.functions.get(operation.function)
            if function is None:
                raise ValueError(
                    f"{what}: there is no function {operation.function} here; register it first, or give its handler"
                )
        else:
            options = {"version": thing.version, "entity": thing.name, "operation": verb}
            function = made(operation.function, f"{thing.name}.{verb}", options)
            self.add_function(function)
        parameters = function.signature.properties
        if operation.field and function.signature.schema is not None and operation.field not in parameters:
            raise ValueError(f"{what}: function {function.id} has no parameter {operation.field!r}")
        return function.id, thing.key if thing.key in parameters else ""

    def add_component(self, component: Component, handlers: Mapping[str, Handler]) -> None:
        what = f"component {component.id}"
        if component.id in self.components:
            raise ValueError(f"{what} is registered twice")
        if missing := [each for each in component.dependencies if each not in self.components]:
            raise ValueError(f"{what} needs {', '.join(missing)}: register that first")
        if strange := sorted(handlers.keys() - component.functions.keys() - component.disabled):
            raise ValueError(f"{what}: there are handlers for {', '.join(strange)}, which its manifest does not have")
        for function_id, options in component.functions.items():
            if (handler := handlers.get(function_id)) is not None:
                self.add_function(made(handler, function_id, options))
            elif function_id not in self.functions:
                raise ValueError(f"{what}: function {function_id} has no handler, and is not registered either")
        for thing in component.objects:
            self.add_object(thing, component.disabled)
        self.components[component.id] = component

    def manifest(self) -> dict[str, Any]:
        """The provider manifest (contract, section 5).

        It names the game, not the game server: so it is the same for all of a version, and the platform reads it once.
        """
        about = {"id": self._game_id, "version": self._version, "lang": "python", "sdk": SDK}
        return {
            "provider": {name: value for name, value in about.items() if value},
            "functions": [function.manifest for function in self.functions.values()],
            "entities": list(self._entries.values()),
        }

    def service(self) -> tunnel_pb2.Service:
        """As it is registered. Raises ValueError where it is too large to be."""
        manifest = to_json(self.manifest())
        if len(manifest) > MANIFEST_BYTES:
            raise ValueError(
                f"the descriptions of all functions have {len(manifest)} bytes; at most {MANIFEST_BYTES} can be sent"
            )
        return tunnel_pb2.Service(
            service_id=self._service_id,
            version=self._version,
            healthy=True,
            functions=[tunnel_pb2.FunctionRef(id=each.id, version=each.version) for each in self.functions.values()],
            manifest_json=manifest,
        )


def made(handler: Handler, function_id: str, options: Mapping[str, Any]) -> Function:
    """The function of a handler that was given without a decorator: a job where it takes a job's context."""
    try:
        hints = get_type_hints(handler)
    except NameError as error:
        raise TypeError(f"function {function_id}: its annotations cannot be read: {error}") from error
    is_job = any(hint in (JobContext, BlockingJobContext) for hint in hints.values())
    return make_function(handler, function_id, options, is_job=is_job)

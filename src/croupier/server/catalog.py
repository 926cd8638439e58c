"""What is known of the functions that can be called, and whether a call fits its function.

Functions describe themselves: an agent's registration carries its game servers' manifests. A function without a
description can be called all the same; its payload is then passed on unchecked.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson

from croupier.domain.call import Call
from croupier.domain.function import Function, Service
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, InvalidArgument
from croupier.server.manifest import read_functions

log = logging.getLogger(__name__)

MOST_PROVIDERS = 1_000
SHOWN_FAULTS = 10
"""How many faults of a payload are named in one error."""


@dataclass(frozen=True, slots=True)
class _Entry:
    function: Function
    validator: jsonschema_rs.Draft202012Validator | None


def _refuse_reference(uri: str) -> Any:
    raise ValueError(f"$ref to {uri} is not allowed: references stay inside the schema")


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Raises InvalidArgument when `schema` is no JSON Schema 2020-12, or refers to anything outside itself."""
    try:
        return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True, retriever=_refuse_reference)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise InvalidArgument(f"not a usable JSON Schema: {error}") from error


class Catalog:
    def __init__(self) -> None:
        self._entries: dict[tuple[Scope, str], dict[str, _Entry]] = {}
        """By function, then by the agent whose game servers described it, the latest last."""
        self._described: dict[str, list[tuple[Scope, str]]] = {}
        self._provided: dict[str, dict[str, _Entry]] = {}

    def learn(self, agent_id: str, scope: Scope, services: tuple[Service, ...]) -> None:
        """Replace what this agent's game servers said of their functions.

        A faulty manifest is logged and leaves its functions undescribed.
        """
        described = {
            (scope, function.id): self._entry_of(scope, function)
            for service in services
            for function in _functions_of(scope, service)
        }
        self.forget(agent_id)
        self._described[agent_id] = list(described)
        for key, entry in described.items():
            self._entries.setdefault(key, {})[agent_id] = entry

    def _entry_of(self, scope: Scope, function: Function) -> _Entry:
        """One that is known already is not compiled again."""
        for known in self._entries.get((scope, function.id), {}).values():
            if known.function == function:
                return known
        return _compiled(str(scope), function)

    def forget(self, agent_id: str) -> None:
        """The agent is gone, and with it what its game servers said."""
        for key in self._described.pop(agent_id, ()):
            entries = self._entries[key]
            del entries[agent_id]
            if not entries:
                del self._entries[key]

    def learn_provider(self, provider_id: str, functions: list[Function]) -> None:
        """Replace what this provider described; it holds in every scope where no game server says better."""
        if provider_id not in self._provided and len(self._provided) >= MOST_PROVIDERS:
            raise InvalidArgument(f"more than {MOST_PROVIDERS} providers have registered")
        self._provided[provider_id] = {function.id: _compiled(provider_id, function) for function in functions}

    def function(self, scope: Scope, function_id: str) -> Function | None:
        entry = self._entry(scope, function_id)
        return entry.function if entry else None

    def _entry(self, scope: Scope, function_id: str) -> _Entry | None:
        entries = self._entries.get((scope, function_id))
        if entries is not None:
            return next(reversed(entries.values()))
        return next((known[function_id] for known in self._provided.values() if function_id in known), None)

    def check(self, call: Call) -> Function:
        """What is known of the call's function. Raises InvalidArgument when the payload does not fit its schema."""
        entry = self._entry(call.scope, call.function_id)
        if entry is None:
            return Function(id=call.function_id)
        if entry.validator is not None:
            _check_payload(entry.validator, call)
        return entry.function


def _functions_of(scope: Scope, service: Service) -> list[Function]:
    if not service.manifest_json:
        return []
    try:
        return read_functions(service.manifest_json)
    except CroupierError as error:
        log.warning("manifest of %s in %s is left out: %s", service.service_id, scope, error.message)
        return []


def _compiled(origin: str, function: Function) -> _Entry:
    validator = None
    if function.schema is not None:
        try:
            validator = compile_schema(function.schema)
        except CroupierError as error:
            log.warning("schema of %s from %s is not enforced: %s", function.id, origin, error.message)
    return _Entry(function, validator)


def _check_payload(validator: jsonschema_rs.Draft202012Validator, call: Call) -> None:
    try:
        value = orjson.loads(call.payload or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the payload of {call.function_id} must be JSON: {error}") from error
    try:
        faults = _faults(validator, value)
    except ValueError as error:  # what its engine cannot go into, such as a regular expression that never ends
        raise InvalidArgument(f"the payload of {call.function_id} cannot be checked: {error}") from error
    if faults:
        named = "; ".join(f"{path or 'payload'}: {message}" for path, message in faults.items())
        raise InvalidArgument(f"the payload does not fit {call.function_id}: {named}", faults)


def _faults(validator: jsonschema_rs.Draft202012Validator, value: Any) -> dict[str, str]:
    """The first of them, by JSON pointer."""
    if validator.is_valid(value):
        return {}
    faults: dict[str, str] = {}
    for fault in validator.iter_errors(value):
        if len(faults) == SHOWN_FAULTS:
            break
        faults[_pointer(fault.instance_path)] = fault.message[:300]
    return faults


def _pointer(path: list[str | int]) -> str:
    """An RFC 6901 JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)

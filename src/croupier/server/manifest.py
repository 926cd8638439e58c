"""Reads the `functions` of a provider manifest (contract, section 5) as far as a call needs them."""

from typing import Any

import orjson

from croupier.descriptors.paths import single_value_path
from croupier.domain.durations import seconds_of
from croupier.domain.function import Function
from croupier.domain.limits import JOB_TIMEOUT_MAX
from croupier.errors import InvalidArgument

MANIFEST_BYTES = 4_000_000
FUNCTIONS = 10_000


def read_functions(manifest: bytes) -> list[Function]:
    """`manifest` is a JSON array of function entries, or an object that has it as `functions`.

    Raises InvalidArgument, naming the entry and field at fault.
    """
    value = _load(manifest)
    return _functions(value.get("functions", []) if isinstance(value, dict) else value)


def read_provider(manifest: bytes) -> list[Function]:
    """`manifest` is a whole provider manifest, an object with `functions`. Raises as `read_functions` does."""
    value = _load(manifest)
    if not isinstance(value, dict):
        raise InvalidArgument("a provider manifest must be a JSON object")
    return _functions(value.get("functions", []))


def _load(manifest: bytes) -> Any:
    if len(manifest) > MANIFEST_BYTES:
        raise InvalidArgument(f"a manifest of {len(manifest)} bytes; at most {MANIFEST_BYTES} are allowed")
    try:
        return orjson.loads(manifest)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the manifest is not JSON: {error}") from error


def _functions(entries: Any) -> list[Function]:
    if not isinstance(entries, list) or len(entries) > FUNCTIONS:
        raise InvalidArgument(f"the manifest must be an array of at most {FUNCTIONS} functions")
    return [_function(entry, f"functions[{index}]") for index, entry in enumerate(entries)]


def _function(entry: Any, path: str) -> Function:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise InvalidArgument(f"{path}.id must be a string")
    semantics = _object(entry, "semantics", path)
    schema = _object(entry, "request", path).get("json_schema") or entry.get("params")
    if schema is not None and not isinstance(schema, dict):
        raise InvalidArgument(f"{path}.request.json_schema must be an object")
    return Function(
        id=entry["id"],
        version=_text(entry, "version", path),
        category=_text(entry, "category", path),
        risk=_risk(entry, path),
        mode=_text(semantics, "mode", f"{path}.semantics") or "command",
        returns=_text(semantics, "returns", f"{path}.semantics"),
        idempotent=semantics.get("idempotent") is True,
        dry_run=bool(semantics.get("dry_run")),
        dry_run_parameter=_parameter(semantics.get("dry_run"), f"{path}.semantics.dry_run"),
        timeout=_timeout(semantics.get("timeout"), f"{path}.semantics.timeout"),
        hash_path=_hash_path(_object(entry, "routing", path), f"{path}.routing"),
        schema=schema,
        display_name=_i18n(entry.get("display_name")),
        summary=_i18n(entry.get("summary")),
    )


def _object(entry: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    value = entry.get(key) or {}
    if not isinstance(value, dict):
        raise InvalidArgument(f"{path}.{key} must be an object")
    return value


def _text(entry: dict[str, Any], key: str, path: str) -> str:
    value = entry.get(key) or ""
    if not isinstance(value, str):
        raise InvalidArgument(f"{path}.{key} must be a string")
    return value


def _risk(entry: dict[str, Any], path: str) -> str:
    risk = entry.get("risk") or _object(entry, "auth", path).get("risk") or "low"
    if isinstance(risk, dict):
        risk = risk.get("level") or "low"
    if not isinstance(risk, str):
        raise InvalidArgument(f"{path}.risk must be a string")
    return risk


def _timeout(value: Any, path: str) -> float | None:
    """Seconds of "30s", "500ms", "2m" or a number."""
    if value is None or value == "":
        return None
    seconds = 0.0 if isinstance(value, bool) else seconds_of(str(value)) or 0.0
    if not 0 < seconds <= JOB_TIMEOUT_MAX:
        raise InvalidArgument(f'{path} must be a duration like "30s", "500ms" or "2m", at most a week')
    return seconds


def _hash_path(routing: dict[str, Any], path: str) -> str:
    """`jsonpath`, or `hash_key`: the name of a field of the payload, or a path too."""
    query, key = _text(routing, "jsonpath", path), _text(routing, "hash_key", path)
    if key and not query:
        query = key if key.startswith("$") else f"$[{orjson.dumps(key).decode()}]"
    if query:
        try:
            single_value_path(query)
        except InvalidArgument as error:
            raise InvalidArgument(f"{path}: {error.message}") from None
    return query


def _parameter(value: Any, path: str) -> str:
    if not isinstance(value, str | bool | None):
        raise InvalidArgument(f"{path} must be true, or the name of a parameter")
    return value if isinstance(value, str) else ""


def _i18n(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"en": value}
    if not isinstance(value, dict):
        return {}
    return {str(language): str(text) for language, text in value.items()}

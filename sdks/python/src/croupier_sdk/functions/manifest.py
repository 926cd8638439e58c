"""A function as the provider manifest describes it (contract, section 5)."""

from collections.abc import Mapping
from typing import Any

from croupier_sdk.functions.field import Text
from croupier_sdk.functions.options import Options
from croupier_sdk.functions.signature import Signature


def describe(options: Options, signature: Signature, *, is_job: bool) -> dict[str, Any]:
    """The function's entry. Raises TypeError where an option names a parameter that is not there."""
    _check_names(options, signature)
    documentation = signature.documentation
    entry: dict[str, Any] = {
        "id": options.id,
        "version": options.version,
        "category": options.category,
        "risk": options.risk,
        "auth": {
            "permission": options.permission or options.id,
            "risk": options.risk,
            "two_person_rule": options.two_person_rule,
        },
        "semantics": _semantics(options, is_job=is_job),
        "display_name": _text(options.display_name),
        "summary": _text(options.summary or documentation.summary),
        "description": documentation.description,
        "tags": list(options.tags),
        "entity": options.entity,
        "operation": options.operation,
        "ui": _ui(options, signature),
    }
    if (request := options.request_schema or signature.schema) is not None:
        entry["request"] = {"json_schema": _masked(request, options.sensitive)}
    if signature.response is not None:
        entry["response"] = {"json_schema": dict(signature.response)}
    return {key: value for key, value in entry.items() if value}


def _semantics(options: Options, *, is_job: bool) -> dict[str, Any]:
    said: dict[str, Any] = {
        "mode": options.mode,
        "idempotent": options.idempotent,
        "timeout": f"{options.seconds:g}s" if options.seconds else "",
        "route": options.route,
        "returns": "job" if is_job else "",
        "dry_run": options.dry_run,
    }
    return {key: value for key, value in said.items() if value}


def _ui(options: Options, signature: Signature) -> dict[str, Any]:
    shown: dict[str, dict[str, Any]] = {}
    for name, shape in signature.parameters.items():
        said = shape.field.ui() if shape.field else {}
        if name in options.sensitive:
            said["sensitive"] = True
        if "label" in said:
            said["label"] = _text(said["label"])
        if said:
            shown[name] = said
    return {"fields": shown} if shown else {}


def _masked(schema: Mapping[str, Any], sensitive: Any) -> dict[str, Any]:
    properties = dict(schema.get("properties", {}))
    for name in sensitive:
        properties[name] = {**properties[name], "writeOnly": True}
    return {**schema, "properties": properties} if properties else dict(schema)


def _text(text: Text) -> dict[str, str]:
    """A text in one language is English; the platform shows it where it has no other."""
    if isinstance(text, str):
        return {"en": text} if text else {}
    return dict(text)


def _check_names(options: Options, signature: Signature) -> None:
    known = set((options.request_schema or signature.schema or {}).get("properties", {}))
    for name in options.sensitive:
        if name not in known:
            raise TypeError(f"function {options.id}, option sensitive: there is no parameter {name!r}")
    if options.dry_run and (
        options.dry_run not in known or signature.parameters[options.dry_run].schema.get("type") != "boolean"
    ):
        raise TypeError(
            f"function {options.id}, option dry_run: there is no parameter {options.dry_run!r} of type bool"
        )

"""A function as the provider manifest describes it (contract, section 5)."""

from collections.abc import Mapping
from typing import Any

from croupier_sdk.errors import BadArgument
from croupier_sdk.functions.encoding import Unserializable, to_json
from croupier_sdk.functions.field import texts
from croupier_sdk.functions.messages import full_name
from croupier_sdk.functions.options import Options
from croupier_sdk.functions.signature import Signature


def describe(options: Options, signature: Signature, *, is_job: bool) -> dict[str, Any]:
    """The function's entry. Raises TypeError where an option names a parameter that is not there, or an example does not fit."""
    _check_names(options, signature)
    _check_examples(options, signature)
    documentation = signature.documentation
    entry: dict[str, Any] = {
        "id": options.id,
        "version": options.version,
        "category": options.category,
        "risk": options.risk,
        "auth": _auth(options),
        "semantics": _semantics(options, is_job=is_job),
        "routing": _routing(options),
        "display_name": texts(options.display_name),
        "summary": texts(options.summary or documentation.summary),
        "description": documentation.description,
        "tags": list(options.tags),
        "labels": dict(options.labels),
        "menu": dict(options.menu),
        "entity": options.entity,
        "operation": options.operation,
        "outputs": _filled({"layout": dict(options.layout), "views": [dict(view) for view in options.views]}),
        "ui": _ui(options, signature),
    }
    if (request := options.request_schema or signature.schema) is not None:
        entry["request"] = {"json_schema": _masked(request, options)}
    if (response := options.response_schema or signature.response) is not None:
        entry["response"] = {"json_schema": dict(response)}
    for side, message in (("request", signature.takes), ("response", signature.answers)):
        if message is not None:
            entry.setdefault(side, {})["proto_fqn"] = full_name(message)
    return _filled(entry)


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value}


def _auth(options: Options) -> dict[str, Any]:
    rule = options.two_person_rule
    return _filled(
        {
            "permission": options.permission,
            "allow_if": options.allow_if,
            "risk": options.risk,
            "two_person_rule": dict(rule) if isinstance(rule, Mapping) else rule,
        }
    )


def _semantics(options: Options, *, is_job: bool) -> dict[str, Any]:
    return _filled(
        {
            "mode": options.mode,
            "idempotent": options.idempotent,
            "timeout": f"{options.seconds:g}s" if options.seconds else "",
            "rate_limit": options.rate_limit,
            "concurrency": options.concurrency,
            "route": options.route,
            "returns": "job" if is_job else "",
            "dry_run": options.dry_run,
        }
    )


def _routing(options: Options) -> dict[str, str]:
    if not options.hash_key:
        return {}
    return {"jsonpath" if options.hash_key.startswith("$") else "hash_key": options.hash_key}


def _ui(options: Options, signature: Signature) -> dict[str, Any]:
    shown: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys((*signature.parameters, *options.sensitive)):
        shape = signature.parameters.get(name)
        said = shape.field.ui() if shape is not None and shape.field else {}
        if name in options.sensitive:
            said["sensitive"] = True
        if "label" in said:
            said["label"] = texts(said["label"])
        if said:
            shown[name] = said
    return {"fields": shown} if shown else {}


def _masked(schema: Mapping[str, Any], options: Options) -> dict[str, Any]:
    properties = dict(schema.get("properties", {}))
    for name in options.sensitive:
        properties[name] = {**properties[name], "writeOnly": True}
    made = {**schema, "properties": properties} if properties else dict(schema)
    if options.examples:
        made["examples"] = [dict(example) for example in options.examples]
    return made


def _check_names(options: Options, signature: Signature) -> None:
    known = (options.request_schema or {}).get("properties") or signature.properties
    for option, names in (("sensitive", options.sensitive), ("hash_key", _plain(options.hash_key))):
        for name in names:
            if name not in known:
                raise TypeError(f"function {options.id}, option {option}: there is no parameter {name!r}")
    if options.dry_run and known.get(options.dry_run, {}).get("type") != "boolean":
        raise TypeError(
            f"function {options.id}, option dry_run: there is no parameter {options.dry_run!r} of type bool"
        )


def _plain(hash_key: str) -> tuple[str, ...]:
    return () if not hash_key or hash_key.startswith("$") else (hash_key,)


def _check_examples(options: Options, signature: Signature) -> None:
    for number, example in enumerate(options.examples, 1):
        try:
            signature.bind(to_json(example))
        except (BadArgument, Unserializable) as error:
            raise TypeError(f"function {options.id}, example {number}: {error}") from error

"""A method as a function's description (contract, section 5)."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from croupier.descriptors import FaultyDescriptor, read_descriptor
from croupier.protogen.faults import FaultyProto, ProtoFault
from croupier.protogen.schema import message_schema
from croupier.protogen.sources import Method, Sources

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

DEFAULT_VERSION = "1.0.0"


def function_id(method: Method) -> str:
    """What its options say, or `player.ban_player` for PlayerService.BanPlayer. Raises FaultyProto."""
    chosen = method.options.function_id
    if not chosen:
        group = method.service.rpartition(".")[2].removesuffix("Service") or "service"
        chosen = f"{_snake(group)}.{_snake(method.name)}"
    if not _ID.fullmatch(chosen):
        says = "function_id must be 1 to 128 letters, digits, '_', '.' or '-', like player.ban"
        raise FaultyProto([ProtoFault(method.place, says)])
    return chosen


def describe(method: Method, sources: Sources) -> dict[str, Any]:
    """Raises FaultyProto with everything that a reader of descriptions would refuse."""
    if method.client_streaming:
        says = f"{method.name} takes a stream: a function takes one message, so remove `stream` from what it takes"
        raise FaultyProto([ProtoFault(method.place, says)])
    description = _without_nothing(_said(method, sources))
    try:
        read_descriptor(orjson.dumps(description), method.place.file)
    except FaultyDescriptor as refused:
        raise FaultyProto(
            ProtoFault(method.place, f"{description['id']}: {fault.path}: {fault.message.en}")
            for fault in refused.faults
        ) from None
    return description


def _said(method: Method, sources: Sources) -> dict[str, Any]:
    options, chosen = method.options, function_id(method)
    return {
        "id": chosen,
        "version": options.version or DEFAULT_VERSION,
        "type": "function",
        "category": options.category or chosen.partition(".")[0],
        "risk": options.risk or "low",
        "display_name": _texts(options.display_name),
        "summary": _texts(options.summary) or {"en": _first_sentence(method.comment)},
        "description": {"en": method.comment},
        "tags": [*options.tags, *(["deprecated"] if method.deprecated else [])],
        "labels": dict(sorted(options.labels.items())),
        "menu": _menu(options.menu) if options.HasField("menu") else None,
        "auth": {"risk": options.risk, "two_person_rule": options.two_person_rule},
        "permissions": _permissions(options.permissions) if options.HasField("permissions") else None,
        "semantics": {
            "mode": options.mode,
            "route": options.route,
            "timeout": options.timeout,
            "idempotency_key": options.idempotency_key,
            "returns": "job" if method.server_streaming else "",
        },
        "placement": options.placement,
        "transport": {
            "proto": {
                "request_fqn": method.request.full_name,
                "response_fqn": method.response.full_name,
                "encoding": "pb-json",
            }
        },
        "params": message_schema(method.request, sources),
        "response": {"json_schema": message_schema(method.response, sources)},
        "outputs": {"views": [{"id": "json", "type": "json", "renderer": "json.view"}]},
    }


def _without_nothing(description: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing; schemas stay as they are, since `{}` and `false` mean something there."""
    schemas = {"params", "response"}
    kept = {name: part if name in schemas else _pruned(part) for name, part in description.items()}
    return {name: part for name, part in kept.items() if part not in (None, "", False, {}, [])}


def _pruned(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    kept = {name: _pruned(value) for name, value in part.items()}
    return {name: value for name, value in kept.items() if value not in (None, "", False, {}, [])}


def _texts(text: Any) -> dict[str, str]:
    return {language: said for language, said in (("en", text.en), ("zh", text.zh)) if said}


def _menu(menu: Any) -> dict[str, Any]:
    names = ("section", "group", "path", "order", "icon", "badge", "hidden")
    return {name: getattr(menu, name) for name in names}


def _permissions(spec: Any) -> dict[str, Any]:
    return {
        "verbs": list(spec.verbs),
        "scopes": list(spec.scopes),
        "defaults": [{"role": each.role, "verbs": list(each.verbs)} for each in spec.defaults],
        "i18n_zh": dict(sorted(spec.i18n_zh.items())),
    }


def _first_sentence(comment: str) -> str:
    return re.split(r"(?<=[.。!?])\s|\n", comment, maxsplit=1)[0][:200]


def _snake(name: str) -> str:
    return _WORD_STARTS.sub("_", name).lower()

"""From the files of a request to the files of a pack."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor

from croupier.forms import FaultyForm, Form
from croupier.forms.faults import SpecPath
from croupier.packs.tar import write_archive
from croupier.protogen.description import describe, function_id
from croupier.protogen.faults import FaultyProto, Place, ProtoFault
from croupier.protogen.form import form_of
from croupier.protogen.parameters import Parameters
from croupier.protogen.sources import Method, Sources

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def make_pack(sources: Sources, files: Sequence[str], parameters: Parameters) -> dict[str, bytes]:
    """The pack of all annotated methods in `files`, by file name. Raises FaultyProto with all faults of all of them."""
    faults: list[ProtoFault] = []
    methods: dict[str, Method] = {}
    made: dict[str, bytes] = {}
    listed: list[dict[str, Any]] = []
    for method in sources.methods(files):
        try:
            chosen = function_id(method)
            _claim(chosen, method, methods)
            description = describe(method, sources)
        except FaultyProto as refused:
            faults += refused.faults
            continue
        made[f"descriptors/{chosen}.json"] = _json(description)
        if form := form_of(method.request, sources):
            faults += _form_faults(method, sources, description, form)
            made[f"ui/{chosen}.uischema.json"] = _json(form)
        listed.append(_listed(description))
    if not methods and not faults:
        says = "no method here has the option (croupier.options.v1.function), so there is nothing to make a pack of"
        faults = [ProtoFault(Place(file), says) for file in files]
    if faults:
        raise FaultyProto(faults)
    made["manifest.json"] = _json(_manifest(listed, methods, parameters))
    made["types.pb"] = sources.types()
    return {parameters.archive: write_archive(made)} if parameters.archive else dict(sorted(made.items()))


def _claim(chosen: str, method: Method, methods: dict[str, Method]) -> None:
    """Two ids that differ in case only would be one file on some systems."""
    earlier = methods.setdefault(chosen.lower(), method)
    if earlier is not method:
        says = f"function_id {chosen} is taken by {earlier.service}.{earlier.name} ({earlier.place}): choose another"
        raise FaultyProto([ProtoFault(method.place, says)])


def _form_faults(
    method: Method, sources: Sources, description: Mapping[str, Any], form: Mapping[str, Any]
) -> list[ProtoFault]:
    """Conditions that cannot be read, or that need each other."""
    try:
        Form.compile(description["params"], form)
    except FaultyForm as refused:
        return [
            ProtoFault(_place_in(method, sources, fault.path), f"{fault.path[-1]}: {fault.message.en}")
            for fault in refused.faults
        ]
    return []


def _place_in(method: Method, sources: Sources, path: SpecPath) -> Place:
    """Of the field that `path` (fields, name, fields, name, …) leads to."""
    message: Descriptor | None = method.request
    place = method.place
    for name in path[1::2]:
        field = message.fields_by_name.get(str(name)) if message is not None else None
        if field is None:
            break
        place, message = sources.place(field.full_name), field.message_type
    return place


def _listed(description: Mapping[str, Any]) -> dict[str, Any]:
    return {name: description[name] for name in ("id", "version", "category", "labels") if name in description}


def _manifest(listed: list[dict[str, Any]], methods: Mapping[str, Method], parameters: Parameters) -> dict[str, Any]:
    first = next(iter(methods.values()))
    package = first.service.rpartition(".")[0] or first.service
    return {
        "id": parameters.name or _NOT_IN_A_NAME.sub("-", package)[:64],
        "version": parameters.version,
        "functions": sorted(listed, key=lambda function: str(function["id"])),
        "web_plugins": [],
    }


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

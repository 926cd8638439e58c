"""What `(croupier.options.v1.ui)` on fields says, as the UI schema of a form."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from croupier.protogen.sources import Sources
from croupier.transcoding.files import WELL_KNOWN

DEEPEST = 16
"""Fields within each other; a form goes no deeper, and a message that holds itself would never end."""


def form_of(descriptor: Descriptor, sources: Sources) -> dict[str, Any]:
    """Empty where no field says anything."""
    fields = _fields(descriptor, sources, (descriptor.full_name,))
    return {"fields": fields} if fields else {}


def _fields(descriptor: Descriptor, sources: Sources, inside: tuple[str, ...]) -> dict[str, Any]:
    said = {field.name: _field(field, sources, inside) for field in descriptor.fields}
    return {name: each for name, each in said.items() if each}


def _field(field: FieldDescriptor, sources: Sources, inside: tuple[str, ...]) -> dict[str, Any]:
    ui = sources.ui(field)
    shown: dict[str, Any] = {
        "widget": ui.widget,
        "label": ui.label,
        "placeholder": ui.placeholder,
        "sensitive": ui.sensitive,
        "enum_map": dict(sorted(ui.enum_map.items())),
        "show_if": ui.show_if,
        "required_if": ui.required_if,
    }
    message = field.message_type
    if (
        message is not None
        and message.full_name not in inside
        and len(inside) < DEEPEST
        and any(sources.says_of_fields(each) for each in _reachable(message))
    ):
        shown["fields"] = _fields(message, sources, (*inside, message.full_name))
    return {name: value for name, value in shown.items() if value}


def _reachable(start: Descriptor) -> Iterator[Descriptor]:
    """The message and every message in it, so that a form is looked for only where there is something to find."""
    seen, due = {start.full_name}, [start]
    while due:
        message = due.pop()
        if message.file.name in WELL_KNOWN or message.GetOptions().map_entry:
            continue
        yield message
        for field in message.fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                due.append(inner)

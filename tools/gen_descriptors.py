"""Write docs/reference/descriptor.schema.json and descriptors.md from the models, or with --check say whether they are up to date."""

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import PydanticUndefined

from croupier.descriptors import EntityDescriptor, FunctionDescriptor, ProviderMeta
from croupier.descriptors.entity import Operation, Relationship
from croupier.descriptors.fields import Spelled
from croupier.descriptors.part import Part
from croupier.descriptors.rules import Auth, Proto, RateLimit, RiskRule, Routing, Semantics, Transport, TwoPersonRule
from croupier.descriptors.shown import (
    RENDERERS,
    Inverse,
    Layout,
    Menu,
    Outputs,
    Permissions,
    RoleBinding,
    Transform,
    Ui,
    View,
)
from croupier.descriptors.spelling import ENTITY_MOVES, FUNCTION_MOVES

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

PARTS: tuple[tuple[str, type[Part]], ...] = (
    ("auth", Auth),
    ("auth.two_person_rule", TwoPersonRule),
    ("auth.risk", RiskRule),
    ("semantics", Semantics),
    ("semantics.rate_limit", RateLimit),
    ("transport", Transport),
    ("transport.proto", Proto),
    ("routing", Routing),
    ("outputs", Outputs),
    ("outputs.layout, ui:layout", Layout),
    ("outputs.views[]", View),
    ("outputs.views[].transform", Transform),
    ("ui", Ui),
    ("menu", Menu),
    ("permissions", Permissions),
    ("permissions.defaults[]", RoleBinding),
    ("inverse", Inverse),
)

HEAD = """# Descriptors

Generated from `src/croupier/descriptors/` by `tools/gen_descriptors.py`; the same as JSON Schema: [descriptor.schema.json](descriptor.schema.json).

A descriptor is a JSON file of at most 1 MB that says all there is to know of one function, or of one kind of object. Files are found at any depth of a folder; folders
named `ui` and files named `manifest.json` are something else. A name may not stand twice in an object; NaN, numbers beyond 64 bits, half surrogate pairs and nesting deeper
than 64 are refused. Every fault is told with file and path, all of them at once. What nobody knows is kept as it came.

null is as good as absent, and `[]` or `""` as good as an object with nothing in it.

Schemas (`params`, `result`, `schema`) are JSON Schema 2020-12 with formats asserted; `time` needs seconds and a zone. `$ref` stays inside the schema and has to come to an end;
`$dynamicRef` is refused. Patterns run in time in proportion to the text, so they have no look-ahead, no look-behind and no back-references.
"""

OPERATIONS = """A verb has one operation or a list of them. A list of all operations names the verb of each in `op`; one that names no function
is `<entity>.<verb>`."""

MANIFEST = """## A provider manifest

An object with `provider`, `functions`, `entities` and `operations`, or an array of functions. An operation that says what a function says
(`request`, `auth`, …) describes its function where `functions` does not."""


class _Generated(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 — every field would repeat its name
        return False


def schema() -> bytes:
    models: list[tuple[type[Part], Any]] = [(FunctionDescriptor, "validation"), (EntityDescriptor, "validation")]
    _, made = models_json_schema(models, schema_generator=_Generated)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Croupier descriptor",
        "type": "object",
        "if": {"properties": {"type": {"enum": ["entity", "resource"]}}, "required": ["type"]},
        "then": {"$ref": "#/$defs/EntityDescriptor"},
        "else": {"$ref": "#/$defs/FunctionDescriptor"},
        "$defs": made["$defs"],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def reference() -> bytes:
    lines = [HEAD]
    lines += _section("A function", FunctionDescriptor, dict(_moves(FUNCTION_MOVES)))
    lines += [line for place, model in PARTS for line in _section(f"`{place}`", model, {}, level="###")]
    lines += _section("An entity or resource", EntityDescriptor, dict(_moves(ENTITY_MOVES)))
    lines += _section("`operations`", Operation, {}, level="###")
    lines += [OPERATIONS, ""]
    lines += _section("`relationships`", Relationship, {}, level="###")
    lines += [MANIFEST, ""]
    lines += _section("`provider`", ProviderMeta, {}, level="###")
    lines += ["## Renderers", "", "| renderer | also |", "|---|---|"]
    for name in dict.fromkeys(RENDERERS.values()):
        others = ", ".join(f"`{other}`" for other, meant in RENDERERS.items() if meant == name and other != name)
        lines.append(f"| `{name}` | {others} |")
    return ("\n".join(lines) + "\n").encode()


def _moves(moves: Any) -> Iterator[tuple[str, str]]:
    targets = dict.fromkeys(target for _, target in moves)
    for wanted in targets:
        yield wanted, ", ".join(f"`{'.'.join(source)}`" for source, target in moves if target == wanted)


def _section(title: str, model: type[Part], moved: dict[str, str], level: str = "##") -> list[str]:
    about = inspect.cleandoc(model.__doc__ or "") if model.__doc__ != Part.__doc__ else ""
    short = f"In short: {' or '.join(_JSON_NAMES[name] for name in model.short)}." if model.short else ""
    text = " ".join(part for part in (about, short) if part)
    lines = [f"{level} {title}", ""]
    lines += [text, ""] if text else []
    lines += ["| field | type | default | meaning | also written |", "|---|---|---|---|---|"]
    types = _types(model)
    for name, field in model.model_fields.items():
        shown = field.serialization_alias or field.alias or name
        also = "; ".join(part for part in (moved.get(name), *_spellings(field)) if part)
        lines.append(
            f"| `{shown}` | {types[field.alias or name]} | {_default(field)} | {_cell(field.description or '')} | {_cell(also)} |"
        )
    return [*lines, ""]


def _types(model: type[Part]) -> dict[str, str]:
    made = model.model_json_schema(schema_generator=_Generated)
    whole = made if "properties" in made else made["anyOf"][-1] if "anyOf" in made else made["$defs"][model.__name__]
    whole = whole if "properties" in whole else whole["anyOf"][-1]
    return {name: _type(schema) for name, schema in whole["properties"].items()}


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"] if each.get("type") != "null"))
    if "enum" in schema or "const" in schema:
        return "text"
    names = schema.get("type", "anything")
    return " or ".join(
        _TYPES.get(name, name) for name in ([names] if isinstance(names, str) else names) if name != "null"
    )


_TYPES = {"string": "text", "array": "list", "integer": "whole number"}
_JSON_NAMES = {"string": "a text", "boolean": "true or false", "number": "a number", "array": "a list"}


def _spellings(field: FieldInfo) -> list[str]:
    found = [each.text for each in field.metadata if isinstance(each, Spelled)]
    return list(dict.fromkeys([*found, *_spelled_within(field.annotation)]))


def _spelled_within(annotation: Any) -> Iterator[str]:
    for each in (*getattr(annotation, "__metadata__", ()), *get_args(annotation)):
        if isinstance(each, Spelled):
            yield each.text
        elif get_args(each):
            yield from _spelled_within(each)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default in (None, "", ()) or isinstance(field.default, Part):
        return ""
    return f"`{orjson.dumps(field.default).decode()}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not up to date")
    check = parser.parse_args().check
    stale = False
    for name, made in (("descriptor.schema.json", schema()), ("descriptors.md", reference())):
        target = REFERENCE / name
        if not check:
            target.write_bytes(made)
        elif not target.is_file() or target.read_bytes() != made:
            print(f"docs/reference/{name} is not what the models say: run tools/gen_descriptors.py", file=sys.stderr)
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())

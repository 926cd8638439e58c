"""A component: functions and virtual objects that belong together, with one manifest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from croupier_sdk.functions.options import OPTION_NAMES
from croupier_sdk.limits import MANIFEST_BYTES
from croupier_sdk.objects.virtual_object import VirtualObject

MANIFEST_NAMES = ("component.json", "manifest.json")
"""What a directory's manifest is called."""

_KEYS = frozenset(
    {
        "id",
        "name",
        "version",
        "description",
        "category",
        "dependencies",
        "entities",
        "functions",
        "author",
        "license",
    }
)
_FUNCTION_KEYS = OPTION_NAMES | {"enabled", "description"}
_OBJECT_KEYS = frozenset(each.name for each in fields(VirtualObject)) | {"type", "name"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """As its manifest says. `read_component` makes one."""

    id: str
    version: str
    dependencies: tuple[str, ...]
    functions: Mapping[str, Mapping[str, Any]]
    """Options of each that is enabled, by id."""
    disabled: frozenset[str]
    objects: tuple[VirtualObject, ...]


def load_manifest(path: str | Path) -> Mapping[str, Any]:
    """The component manifest in a file, or in a directory's component.json or manifest.json.

    Raises ValueError, naming the file, for one that is no JSON object; OSError for one that is not there.
    """
    file = Path(path)
    if file.is_dir():
        file = next((file / name for name in MANIFEST_NAMES if (file / name).is_file()), file / MANIFEST_NAMES[0])
    with file.open("rb") as opened:
        raw = opened.read(MANIFEST_BYTES + 1)
    if len(raw) > MANIFEST_BYTES:
        raise ValueError(f"{file}: a component manifest has at most {MANIFEST_BYTES} bytes")
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: it is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise ValueError(f"{file}: a component manifest is a JSON object")  # noqa: TRY004 — one kind of error for a wrong file
    return manifest


def read_component(manifest: Mapping[str, Any]) -> Component:
    """Raises ValueError, naming component and entry, for what is missing, malformed or not known."""
    component_id = manifest.get("id")
    if not isinstance(component_id, str) or not component_id:
        raise ValueError("a component needs an id")
    what = f"component {component_id}"
    _check_keys(what, manifest, _KEYS)
    functions: dict[str, Mapping[str, Any]] = {}
    disabled: set[str] = set()
    for each in _list(what, manifest, "functions"):
        function_id = _id(f"{what}: a function", each)
        if function_id in functions or function_id in disabled:
            raise ValueError(f"{what}: function {function_id} is named twice")
        if each.get("enabled", True) is False:
            disabled.add(function_id)
        else:
            functions[function_id] = _options(f"{what}: function {function_id}", each, manifest)
    return Component(
        id=component_id,
        version=str(manifest.get("version") or ""),
        dependencies=tuple(_dependency(what, each) for each in manifest.get("dependencies") or ()),
        functions=functions,
        disabled=frozenset(disabled),
        objects=tuple(_object(what, each) for each in _list(what, manifest, "entities")),
    )


def _list(what: str, manifest: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found = manifest.get(key) or ()
    if (
        isinstance(found, str)
        or not isinstance(found, Sequence)
        or not all(isinstance(each, Mapping) for each in found)
    ):
        raise ValueError(f"{what}: {key} is a list of objects")
    return found


def _id(what: str, entry: Mapping[str, Any]) -> str:
    found = entry.get("id")
    if not isinstance(found, str) or not found:
        raise ValueError(f"{what} has no id")
    return found


def _check_keys(what: str, entry: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := entry.keys() - known:
        raise ValueError(
            f"{what} has {', '.join(map(repr, sorted(unknown)))}, which is not known; known are {', '.join(sorted(known))}"
        )


def _options(what: str, entry: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """What its decorator would be given; its category is the component's where it has none."""
    _check_keys(what, entry, _FUNCTION_KEYS)
    options = {key: value for key, value in entry.items() if key in OPTION_NAMES and key != "id" and value is not None}
    if entry.get("description"):
        options.setdefault("summary", entry["description"])
    if manifest.get("category"):
        options.setdefault("category", manifest["category"])
    return options


def _dependency(what: str, entry: object) -> str:
    found = entry.get("id") if isinstance(entry, Mapping) else entry
    if not isinstance(found, str) or not found:
        raise ValueError(f"{what}: a dependency is a component's id")
    return found


def _object(what: str, entry: Mapping[str, Any]) -> VirtualObject:
    object_id = _id(f"{what}: an entity", entry)
    _check_keys(f"{what}: entity {object_id}", entry, _OBJECT_KEYS)
    said = {key: value for key, value in entry.items() if key not in {"type", "name"} and value is not None}
    if entry.get("name"):
        said.setdefault("title", entry["name"])
    try:
        return VirtualObject(**{"operations": {}, **said})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: {error}") from error

"""`manifest.json` in the three shapes that are in the wild, as one.

- of a pack: `{functions: [{id, version, category, labels}], web_plugins: [path or {path, renderers}]}`, and whatever of the next it likes;
- of a component: `{id, name, version, description, category, dependencies, entities, functions, author, license}`;
- of a provider: `{provider: {id, version, …}, functions: [described in full], entities: [described in full]}`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from croupier.descriptors import Fault
from croupier.descriptors.faults import json_path
from croupier.descriptors.fields import I18n, Labels, Line, Name, Words, refuse
from croupier.descriptors.part import Part
from croupier.descriptors.reading import told
from croupier.descriptors.strict_json import read_json
from croupier.errors import InvalidArgument
from croupier.packs.versions import TEXT_BYTES, satisfies

MANIFEST_FILE = "manifest.json"
MANIFEST_BYTES = 4_000_000
MOST_FUNCTIONS = 10_000
MOST_DEPENDENCIES = 100

PACK_NAME = re.compile(r"(?!(?:list|import|export|reload)\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Not the words that stand in its place in addresses."""
_NEED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:(?:\s*[@:]\s*|\s+|(?=[\^~<>=*]))(.+))?", re.DOTALL)


class Listed(Part):
    """A function as a manifest names it; its description says more."""

    id: Name
    version: Line = ""
    category: Line = ""
    enabled: bool = True
    labels: Labels = Field(default_factory=dict)
    entity: Line = ""
    operation: Line = ""
    description: I18n = Field(default_factory=dict)

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value


class Dependency(Part):
    """A pack that this one needs: `player`, `player@^1.2`, `player >=1 <2`, or `{id, version}`."""

    id: Line
    version: Line = ""
    """The range of versions that will do; empty: any."""

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "id" not in value and "name" in value:
            value["id"] = value.pop("name")
        return value

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        found = _NEED.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 2 * TEXT_BYTES else None
        return {"id": found[1], "version": (found[2] or "").strip()} if found else value

    @field_validator("id")
    @classmethod
    def _named(cls, name: str) -> str:
        if not PACK_NAME.fullmatch(name):
            raise refuse("write a pack's name, such as player or player@^1.2", "请写包名，如 player 或 player@^1.2")
        return name

    @field_validator("version")
    @classmethod
    def _readable(cls, wanted: str) -> str:
        try:
            satisfies("0.0.0", wanted)
        except InvalidArgument:
            raise refuse(
                "write a range of versions such as ^1.2, >=1.2 <2, 1.x or *",
                "请写版本范围，如 ^1.2、>=1.2 <2、1.x 或 *",
            ) from None
        return wanted


class WebPlugin(Part):
    """A script that draws answers: `web-plugin/map.js`, or `{path, renderers}`."""

    path: Line
    renderers: Words = ()
    """What it draws; where nothing is said, what views of the pack name and the page itself does not draw."""

    @classmethod
    def abbreviated(cls, value: Any) -> Any:
        return {"path": value.strip()} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _brief(self, whole: SerializerFunctionWrapHandler) -> Any:
        said = whole(self)
        return self.path if said.keys() == {"path"} else said


def _plugins(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class Manifest(Part):
    id: Line = ""
    """The pack's name; where nothing is said, its folder's."""
    name: I18n = Field(default_factory=dict)
    """What people call it."""
    version: Line = ""
    description: I18n = Field(default_factory=dict)
    category: Line = ""
    dependencies: tuple[Dependency, ...] = Field(default=(), max_length=MOST_DEPENDENCIES)
    functions: tuple[Listed, ...] = Field(default=(), max_length=MOST_FUNCTIONS)
    entities: tuple[Any, ...] = Field(default=(), max_length=MOST_FUNCTIONS)
    web_plugins: Annotated[tuple[WebPlugin, ...], BeforeValidator(_plugins)] = Field(default=(), max_length=200)
    author: Any = None
    license: Line = ""
    provider: dict[str, Any] | None = None
    """Where it is there, functions and entities are described in the manifest itself."""

    @classmethod
    def respelled(cls, value: dict[str, Any]) -> dict[str, Any]:
        if isinstance(provider := value.get("provider"), Mapping):
            for field in ("id", "version", "description"):
                if provider.get(field) is not None:
                    value.setdefault(field, provider[field])
        name = value.get("name")
        if "id" not in value and isinstance(name, str) and PACK_NAME.fullmatch(name):
            value["id"] = name
        if isinstance(dependencies := value.get("dependencies"), Mapping):
            value["dependencies"] = [{"id": key, "version": wanted} for key, wanted in dependencies.items()]
        return value

    @field_validator("id")
    @classmethod
    def _named(cls, name: str) -> str:
        if name and not PACK_NAME.fullmatch(name):
            raise refuse(
                "a pack's name has 1 to 64 letters, digits, `.`, `_` and `-`",
                "包名由 1 至 64 个字母、数字、.、_、- 组成",
            )
        return name

    @field_validator("version")
    @classmethod
    def _short(cls, version: str) -> str:
        if len(version.encode(errors="replace")) > TEXT_BYTES or not version.isprintable():
            raise refuse(f"a version has at most {TEXT_BYTES} bytes", f"版本号最多 {TEXT_BYTES} 字节")
        return version


def read_manifest_file(raw: bytes, file: str = MANIFEST_FILE) -> tuple[Manifest, list[Fault]]:
    """The manifest, and what is wrong with it; with faults it is an empty one."""
    value, faults = read_json(raw, file, MANIFEST_BYTES)
    try:
        manifest = Manifest() if faults else Manifest.model_validate(value)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            path, message = told(each)
            faults.append(Fault(file=file, path=json_path(path), message=message))
        manifest = Manifest()
    return manifest, faults

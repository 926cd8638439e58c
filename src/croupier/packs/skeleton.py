"""A pack to begin with."""

from typing import Any

import orjson

from croupier.packs.manifest import MANIFEST_FILE


def skeleton(name: str) -> dict[str, bytes]:
    """The files of a pack named `name` with one function, which can be installed as it is."""
    function = f"{name}.hello"
    manifest = {
        "id": name,
        "version": "0.1.0",
        "description": {"en": "What this pack is for", "zh": "这个包的用途"},
        "category": name,
        "dependencies": [],
        "functions": [{"id": function, "version": "0.1.0", "category": name}],
        "web_plugins": [],
    }
    descriptor = {
        "id": function,
        "version": "0.1.0",
        "category": name,
        "display_name": {"en": "Say hello", "zh": "问好"},
        "summary": {"en": "Greets somebody by name", "zh": "按名字问好"},
        "risk": "low",
        "auth": {"permission": f"function:{function}"},
        "params": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 64}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "semantics": {"mode": "query", "route": "lb", "timeout": "5s"},
        "outputs": {"views": [{"id": "json", "type": "json", "renderer": "json.view"}]},
    }
    form = {"fields": {"name": {"label": {"en": "Name", "zh": "名字"}, "placeholder": {"en": "Ann", "zh": "小安"}}}}
    readme = f"# {name}\n\n`croupier pack validate .` checks it, `croupier pack install .` installs it.\n"
    return {
        MANIFEST_FILE: _json(manifest),
        f"descriptors/{function}.json": _json(descriptor),
        f"ui/{function}.uischema.json": _json(form),
        "README.md": readme.encode(),
    }


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

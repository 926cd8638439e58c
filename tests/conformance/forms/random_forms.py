"""Forms, conditions and transforms by the thousand, from a seed: what writers of packs write, and what they write by mistake."""

import copy
from random import Random
from typing import Any

NAMES = ("a", "b", "c", "kind", "on", "n", "items", "a-b", "玩家", "to", "x.y", "e\u0301", "__proto__", "constructor")
TEXTS = ("", "a", "ban", "mute", "0", "12", "gem", "😀x", "\uffff", "a b", "2026-01-31", "08:00:00Z", "x@y.z")
NUMBERS = (0, 1, -1, 2, 3, 10, 0.5, -2.25, 1e3, 2**31, -0.0)
FORMATS = ("date", "date-time", "time", "email", "uri", "uuid", "ipv4", "duration")
PATTERNS = ("^a", "b$", "^[a-z]+$", "[0-9]{2}", "^(mute|ban)$", "\\d", ".")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "===", "!==")

Schema = dict[str, Any]


class Maker:
    """Everything is decided by `random`: the same seed makes the same cases."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def names(self, most: int) -> list[str]:
        return self.random.sample(NAMES, self.random.randint(1, most))

    def scalar(self) -> Any:
        return self.random.choice((*TEXTS, *NUMBERS, True, False, None))

    def any_value(self, depth: int = 2) -> Any:
        if depth == 0 or self.chance(0.6):
            return self.scalar()
        if self.chance(0.5):
            return [self.any_value(depth - 1) for _ in range(self.random.randint(0, 3))]
        return {name: self.any_value(depth - 1) for name in self.names(3)}

    # Schemas

    def schema(self, depth: int) -> Schema:
        kinds = [self.text, self.text, self.number, self.boolean, self.choice]
        if depth > 0:
            kinds += [self.object, self.object, self.array, self.array, self.alternatives, self.reference, self.parts]
        made = self.random.choice(kinds)(depth)
        if self.chance(0.1) and isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        return made

    def text(self, _depth: int) -> Schema:
        made: Schema = {"type": "string"}
        if self.chance(0.3):
            made["minLength"] = self.random.randint(0, 3)
        if self.chance(0.2):
            made["maxLength"] = self.random.randint(1, 5)
        if self.chance(0.2):
            made["pattern"] = self.random.choice(PATTERNS)
        if self.chance(0.2):
            made["format"] = self.random.choice(FORMATS)
        return made

    def number(self, _depth: int) -> Schema:
        made: Schema = {"type": self.random.choice(("integer", "number"))}
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if self.chance(0.2):
                made[keyword] = self.random.randint(-3, 12)
        if self.chance(0.15):
            made["multipleOf"] = self.random.choice((1, 2, 5, 0.5))
        return made

    def boolean(self, _depth: int) -> Schema:
        return {"type": "boolean"}

    def choice(self, _depth: int) -> Schema:
        if self.chance(0.2):
            return {"const": self.scalar()}
        found: list[Any] = []
        for _ in range(self.random.randint(1, 4)):
            value = self.scalar()
            if not any(type(each) is type(value) and each == value for each in found):
                found.append(value)
        return {"enum": found}

    def object(self, depth: int) -> Schema:
        names = self.names(5)
        made: Schema = {"type": "object", "properties": {name: self.schema(depth - 1) for name in names}}
        if self.chance(0.6):
            made["required"] = self.random.sample(names, self.random.randint(0, len(names)))
        if self.chance(0.25):
            made["additionalProperties"] = False if self.chance(0.6) else self.schema(0)
        elif self.chance(0.1):
            made["unevaluatedProperties"] = False
        if self.chance(0.1):
            made["patternProperties"] = {self.random.choice(PATTERNS): self.schema(0)}
        if self.chance(0.1):
            made[self.random.choice(("minProperties", "maxProperties"))] = self.random.randint(0, 3)
        if self.chance(0.1):
            made["dependentRequired"] = {self.random.choice(names): [self.random.choice(NAMES)]}
        if self.chance(0.1):
            name = self.random.choice(names)
            made["if"] = {"required": [name], "properties": {name: self.choice(0)}}
            made["then"] = {"required": [self.random.choice(NAMES)]}
        if self.chance(0.05):
            made["propertyNames"] = {"maxLength": 4}
        return made

    def array(self, depth: int) -> Schema:
        made: Schema = {"type": "array", "items": self.schema(depth - 1)}
        if self.chance(0.15):
            made["prefixItems"] = [self.schema(depth - 1) for _ in range(self.random.randint(1, 2))]
            if self.chance(0.4):
                made["items"] = False
        if self.chance(0.2):
            made[self.random.choice(("minItems", "maxItems"))] = self.random.randint(0, 3)
        if self.chance(0.1):
            made["uniqueItems"] = True
        if self.chance(0.1):
            made["contains"] = self.choice(0)
        return made

    def alternatives(self, depth: int) -> Schema:
        keyword = self.random.choice(("oneOf", "anyOf"))
        if self.chance(0.5):
            return {keyword: [self.schema(depth - 1), self.schema(0)]}
        branches = []
        for mark in ("x", "y", "z")[: self.random.randint(2, 3)]:
            branch = self.object(depth)
            branch["properties"]["kind"] = {"const": mark}
            branch["required"] = sorted({*branch.get("required", ()), "kind"})
            branches.append(branch)
        return {keyword: branches}

    def reference(self, _depth: int) -> Schema:
        made: Schema = {"$ref": "#/$defs/" + self.random.choice(("one", "two"))}
        if self.chance(0.2):
            made["minProperties"] = 1
        return made

    def parts(self, depth: int) -> Schema:
        return {"allOf": [self.object(depth), {"required": [self.random.choice(NAMES)]} if self.chance(0.5) else {}]}

    def root(self) -> Schema | None:
        if self.chance(0.03):
            return None
        made = self.object(2) if self.chance(0.95) else self.array(2)
        return {**made, "$defs": {"one": self.object(1), "two": self.array(0) if self.chance(0.3) else self.object(0)}}

    # Values

    def value_for(self, schema: Any, root: Schema, depth: int = 4) -> Any:
        """Most often one that fits."""
        if depth == 0 or not isinstance(schema, dict) or self.chance(0.08):
            return self.any_value()
        if "$ref" in schema:
            return self.value_for(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, depth - 1)
        for keyword in ("oneOf", "anyOf", "allOf"):
            if keyword in schema:
                return self.value_for(self.random.choice(schema[keyword]), root, depth - 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        return self._of_type(schema, root, depth)

    def _of_type(self, schema: Schema, root: Schema, depth: int) -> Any:
        kind = schema.get("type")
        kind = self.random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            members = schema.get("properties", {})
            made = {name: self.value_for(each, root, depth - 1) for name, each in members.items() if self.chance(0.75)}
            if self.chance(0.15):
                made[self.random.choice(NAMES)] = self.any_value()
            return made
        if kind == "array":
            return [self.value_for(schema.get("items"), root, depth - 1) for _ in range(self.random.randint(0, 3))]
        if kind == "string":
            return self.random.choice(TEXTS)
        if kind in {"integer", "number"}:
            return self.random.choice(NUMBERS)
        return self.chance(0.5) if kind == "boolean" else None

    # UI schemas

    def ui(self, schema: Any, root: Schema, depth: int = 3) -> dict[str, Any]:
        """Conditions on the fields of `schema`, in one of the ways to write them."""
        made: dict[str, Any] = {}
        for name, inner in _members(schema, root).items():
            if depth == 0 or self.chance(0.45):
                continue
            said = self.ui(inner, root, depth - 1) if self.chance(0.5) else {}
            for key in ("show_if", "required_if", "disabled_if"):
                if self.chance(0.3):
                    said[f"ui:{key}" if self.chance(0.1) else key] = self.condition()
            made[self._named(name, said)] = said
        if self.chance(0.04):
            made[f"{self.random.choice(NAMES)}[].{self.random.choice(NAMES)}"] = {"show_if": self.condition()}
        return {"ui:fields" if self.chance(0.1) else "fields": made} if made else {}

    def _named(self, name: str, said: dict[str, Any]) -> str:
        """Now and then what it says of one field inside is said in one line: `to.zip`."""
        inner = said.get("fields")
        if isinstance(inner, dict) and len(inner) == 1 and len(said) == 1 and self.chance(0.5):
            [(inside, spec)] = inner.items()
            said.clear()
            said.update(spec)
            return f"{name}.{inside}"
        return name

    # Conditions

    def path(self, depth: int = 2) -> str:
        made = self.random.choice(("$", "$", "$", "@"))
        for _ in range(self.random.choice((0, 1, 1, 1, 1, 2, 2, 3))):
            name = self.random.choice(NAMES)
            made += self.random.choice(
                (f".{name}", f".{name}", f"['{name}']", f'["{name}"]', "[0]", ".0", "[-1]", "[1]")
            )
        if depth > 0 and self.chance(0.12):
            made += self.random.choice(("[*]", ".*", "[0:2]", "[::-1]", "['a','b']", f"[?{self.condition(depth - 1)}]"))
        if self.chance(0.02):
            made += f"..{self.random.choice(NAMES[:5])}"
        return made

    def literal(self) -> str:
        return self.random.choice(
            ("'ban'", '"mute"', "''", "0", "1", "-1", "3", "0.5", "1e1", "true", "false", "null", "'gem'", "'x'")
        )

    def comparable(self, depth: int) -> str:
        if self.chance(0.1):
            name = self.random.choice(("length", "length", "count", "value"))
            return f"{name}({self.path(depth - 1)})"
        return self.literal() if self.chance(0.45) else self.path(0)

    def condition(self, depth: int = 2) -> str:
        roll = self.random.random()
        if depth > 0 and roll < 0.2:
            operator = self.random.choice(("&&", "||", " && ", " || "))
            return operator.join(self.condition(depth - 1) for _ in range(self.random.randint(2, 3)))
        if depth > 0 and roll < 0.28:
            return f"{self.random.choice(('!', '!!', '', '! '))}({self.condition(depth - 1)})"
        if roll < 0.5:
            return self.random.choice(("", "", "!", "!!")) + self.path(depth)
        if roll < 0.56:
            name = self.random.choice(("match", "search"))
            return f"{name}({self.path(0)}, '{self.random.choice(PATTERNS).replace(chr(92), chr(92) * 2)}')"
        space = self.random.choice(("", " "))
        return f"{self.comparable(depth)}{space}{self.random.choice(OPERATORS)}{space}{self.comparable(depth)}"

    def mistaken(self, text: str) -> str:
        """With a character more, less, or another."""
        place = self.random.randint(0, len(text))
        sign = self.random.choice(" $@.[]()'\"!=&|<>?*:,0a-~\\")
        return text[:place] + self.random.choice(("", sign)) + text[place + self.random.randint(0, 1) :]

    # Transforms

    def template(self, depth: int) -> Any:
        roll = self.random.random()
        if depth == 0 or roll < 0.35:
            return self.template_path() if self.chance(0.7) else self.scalar()
        if roll < 0.5:
            return {name: self.template(depth - 1) for name in self.names(3)}
        if roll < 0.58:
            return [self.template(depth - 1) for _ in range(self.random.randint(0, 3))]
        if roll < 0.75:
            return self.over_list(depth)
        name = self.random.choice(
            ("number", "msFromSec", "isoFromMs", "isoFromSec", "mul", "div", "add", "sub", "toFixed")
        )
        if name in {"mul", "div", "add", "sub"}:
            keys = self.random.choice((("value", "by"), ("a", "b"), None))
            sides = [self.template(depth - 1), self.template(depth - 1)]
            return {name: dict(zip(keys, sides, strict=True)) if keys else sides}
        if name == "toFixed":
            return {name: [self.template(depth - 1), self.random.choice((0, 1, 2, 5, 20, 21))]}
        return {name: self.template(depth - 1)}

    def template_path(self) -> str:
        text = self.path(1).replace("@", "$")
        return f"${text}" if self.chance(0.15) else text if self.chance(0.9) else "$."

    def over_list(self, depth: int) -> Any:
        name = self.random.choice(("forEach", "map", "pluck", "sum", "avg"))
        spec: dict[str, Any] = {"path": self.template_path()}
        if name in {"forEach", "map"}:
            if self.chance(0.7):
                spec["template"] = self.template(depth - 1)
            if self.chance(0.4):
                test = self.random.choice(("eq", "ne", "gt", "lt", "contains", "match", "near"))
                right = self.random.choice(PATTERNS) if test == "match" else self.template(0)
                spec["where"] = {test: [self.template(0), right]}
        elif self.chance(0.7):
            spec["value"] = self.template(depth - 1)
        return {name: spec}

    # Cases

    def form(self) -> dict[str, Any]:
        schema = self.root()
        ui = self.ui(schema if schema is not None else {"properties": {name: {} for name in NAMES}}, schema or {})
        data = self.value_for(schema, schema) if schema is not None else self.any_value()
        return {"kind": "forms", "schema": schema, "ui": ui, "data": data}

    def condition_case(self) -> dict[str, Any]:
        expr = self.condition(3)
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            expr = self.mistaken(expr)
        context = {name: self.any_value() for name in self.names(8)}
        return {"kind": "conditions", "expr": expr, "context": context, "around": copy.deepcopy(self.any_value())}

    def transform_case(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"template": self.template(3)} if self.chance(0.8) else {}
        if self.chance(0.4) or not spec:
            spec["expr"] = self.template_path()
        return {"kind": "transforms", "transform": spec, "value": self.any_value(3)}


def _members(schema: Any, root: Schema) -> dict[str, Any]:
    """The fields that conditions can speak of, of an object or of a list's elements."""
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return _members(root.get("$defs", {}).get(schema["$ref"].rsplit("/", 1)[1]), {})
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _members(part, root)
    return found or _members(schema.get("items"), root)

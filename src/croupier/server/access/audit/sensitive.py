"""Which fields hold what nobody may read later: what descriptions say of them, and what their names give away.

A field is known by its name alone, wherever in the arguments it is: what a description says of `auth.pin` hides every `pin`.
To hide too much is a nuisance, to hide too little a leak.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ALWAYS = re.compile(
    "passw|passphrase|secret|authoriz|cookie|credential|apikey|accesskey|privatekey|signature|密码|口令|密钥|凭证"
)
"""In a name without its separators, whatever the value is."""
_WORDS = frozenset({"pwd", "pass", "otp", "pin", "cvv", "cvc", "totp", "mfa", "jwt", "bearer", "auth"})
_COUNTABLE = re.compile("token|令牌")
"""Of which a game may have any number: not hidden where the value is a number."""
_HARMLESS_KEYS = frozenset(
    {
        "hash",
        "sort",
        "order",
        "idempotency",
        "primary",
        "foreign",
        "partition",
        "row",
        "config",
        "i18n",
        "cache",
        "group",
    }
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Sensitive:
    """What a description says is sensitive."""

    names: frozenset[str] = frozenset()
    everything: bool = False


NOTHING_SAID = Sensitive()


HIDDEN, COUNTABLE, SHOWN = "hidden", "countable", "shown"
"""What a name says of its value: it is hidden, hidden unless it is a number, or shown."""


@lru_cache(maxsize=16_384)
def exposure_of(name: str) -> str:
    words = [word.lower() for word in _WORD.findall(name)]
    joined = "".join(words)
    if _ALWAYS.search(joined) or not _WORDS.isdisjoint(words):
        return HIDDEN
    if _COUNTABLE.search(joined):
        return COUNTABLE
    is_key = bool(words) and words[-1] in {"key", "keys"}
    return COUNTABLE if is_key and (len(words) == 1 or words[-2] not in _HARMLESS_KEYS) else SHOWN


def sensitive_fields(schema: Mapping[str, Any] | None, ui: Mapping[str, Any]) -> Sensitive:
    """Of a schema: `writeOnly` and `format: password`; of a UI schema: `sensitive`."""
    names: set[str] = set()
    if schema is not None and _Walk(schema, names).hides(schema, ""):
        return Sensitive(frozenset(), everything=True)
    names.update(_said(ui, 0))
    return Sensitive(frozenset(names)) if names else NOTHING_SAID


def _said(ui: Any, depth: int) -> Iterator[str]:
    """The names of fields that a UI schema says are sensitive; `a.b` and `a[].b` mean `b`."""
    if not isinstance(ui, Mapping) or depth > _DEEPEST:
        return
    for key in ("fields", "ui:fields"):
        fields = ui.get(key)
        for name, field in fields.items() if isinstance(fields, Mapping) else ():
            if isinstance(field, Mapping):
                if field.get("sensitive") or field.get("ui:sensitive") or _is_password(field):
                    yield str(name).replace("[]", "").rpartition(".")[2]
                yield from _said(field, depth + 1)
    for key in ("items", "ui:items"):
        yield from _said(ui.get(key), depth + 1)


def _is_password(field: Mapping[str, Any]) -> bool:
    return any(field.get(key) == "password" for key in ("widget", "ui:widget", "format"))


class _Walk:
    """Over a schema, each part of it once for every field that it stands for."""

    def __init__(self, root: Mapping[str, Any], names: set[str]) -> None:
        self._root = root
        self._names = names
        self._seen: set[tuple[int, str]] = set()

    def hides(self, schema: Any, name: str) -> bool:
        """Whether the value that `schema` describes, of the field `name`, is sensitive; fields within go into the names."""
        if not isinstance(schema, Mapping) or (id(schema), name) in self._seen:
            return False
        self._seen.add((id(schema), name))
        if schema.get("writeOnly") is True or schema.get("format") == "password":
            return True
        for member, part in _parts(schema):
            if self.hides(part, member or name):
                if not member:
                    return True
                self._names.add(member)
        target = self._target(schema.get("$ref", schema.get("$dynamicRef")))
        return target is not None and self.hides(target, name)

    def _target(self, reference: object) -> Mapping[str, Any] | None:
        """What a reference within the schema means; others are read by nobody."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        if not reference.startswith("#/"):
            return self._root if reference == "#" else self._anchored(reference[1:])
        found: Any = self._root
        for step in reference[2:].split("/"):
            name = step.replace("%25", "%").replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else None

    def _anchored(self, anchor: str) -> Mapping[str, Any] | None:
        for keyword in ("$defs", "definitions"):
            defined = self._root.get(keyword)
            for each in defined.values() if isinstance(defined, Mapping) else ():
                if isinstance(each, Mapping) and anchor in (each.get("$anchor"), each.get("$dynamicAnchor")):
                    return each
        return None


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a schema is made of: members by their names, what describes the same value or its elements under none."""
    for keyword in ("properties", "dependentSchemas"):
        members = schema.get(keyword)
        if isinstance(members, Mapping):
            yield from ((str(name) if keyword == "properties" else "", part) for name, part in members.items())
    patterns = schema.get("patternProperties")
    yield from (("", part) for part in (patterns.values() if isinstance(patterns, Mapping) else ()))
    for keyword in ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "contains"):
        yield "", schema.get(keyword)
    for keyword in ("then", "else", "if"):
        yield "", schema.get(keyword)
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems", "items"):
        several = schema.get(keyword)
        yield from (("", part) for part in (several if isinstance(several, list) else ()))

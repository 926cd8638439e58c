"""The things of a game that calls are about: a player, a guild, a match."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from croupier.domain.limits import KEY_BYTES

SUBJECTS = 16
"""The most entities that one call is remembered under."""

_SUFFIXES = (".entity", ".resource")


class Subject(NamedTuple):
    """One entity in some game and environment."""

    entity: str
    """Its type, such as `player`."""
    id: str
    """What the game calls it, at most KEY_BYTES of UTF-8."""


class SubjectKey(NamedTuple):
    """Where in the arguments of a function the id of an entity is."""

    entity: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        """As a JSONPath."""
        return "$" + "".join(
            f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{json.dumps(step)}]"
            for step in self.path
        )


def type_name(entity_id: str) -> str:
    """The type that an entity's description goes by: `wallet.entity` describes wallets."""
    for suffix in _SUFFIXES:
        entity_id = entity_id.removesuffix(suffix)
    return entity_id


def is_entity_id(text: str) -> bool:
    """Whether calls can be remembered under it."""
    return 0 < len(text) <= KEY_BYTES and text.isprintable() and len(text.encode()) <= KEY_BYTES


def subjects_in(keys: Iterable[SubjectKey], arguments: Any) -> tuple[Subject, ...]:
    """The entities that `arguments` name, each once, at most SUBJECTS. A list of ids names each of them.

    What is no text or whole number, or no usable id, names nothing.
    """
    found = (Subject(key.entity, text) for key in keys for text in _ids(_at(arguments, key.path)))
    return tuple(dict.fromkeys(found))[:SUBJECTS]


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _ids(value: Any) -> Iterator[str]:
    for each in value[:SUBJECTS] if isinstance(value, list) else (value,):
        text = str(each) if isinstance(each, int) and not isinstance(each, bool) else each
        if isinstance(text, str) and is_entity_id(text):
            yield text

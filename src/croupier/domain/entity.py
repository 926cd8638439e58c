"""The things of a game that calls are about: a player, a guild, a match."""

from typing import NamedTuple

from croupier.domain.limits import KEY_BYTES

SUBJECTS = 16
"""The most entities that one call is remembered under."""


class Subject(NamedTuple):
    """One entity in some game and environment."""

    entity: str
    """Its type, such as `player`."""
    id: str
    """What the game calls it, at most KEY_BYTES of UTF-8."""


def is_entity_id(text: str) -> bool:
    """Whether calls can be remembered under it."""
    return 0 < len(text) <= KEY_BYTES and text.isprintable() and len(text.encode()) <= KEY_BYTES

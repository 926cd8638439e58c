from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jsonschema_rs

from croupier.domain.function import Function
from croupier.domain.values import value
from croupier.transcoding import Codec


class Kind(StrEnum):
    """Who describes functions; the first goes before the others."""

    PACK = "pack"
    PROVIDER = "provider"
    GAME_SERVER = "game_server"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a description comes from."""

    kind: Kind
    name: str = ""
    """The pack's or provider's; an agent's for a game server."""
    version: str = ""
    file: str = ""
    """Within the pack."""


UNDESCRIBED = Origin(kind=Kind.NOBODY)


@value(frozen=True, kw_only=True, slots=True, eq=False)
class Entry:
    """One function as one origin describes it. A call holds the entry it began with until it ends, whatever is loaded since."""

    function: Function
    origin: Origin = UNDESCRIBED
    descriptor: Any = None
    validator: jsonschema_rs.Draft202012Validator | None = None
    form: Any = None
    """What shows, hides and demands fields, where the description has such conditions."""
    codec: Codec | None = None
    """What makes protobuf of its arguments and JSON of its answers, where the game server speaks protobuf."""

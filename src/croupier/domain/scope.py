import re
from typing import NamedTuple

from croupier.codes import Code
from croupier.errors import InvalidArgument

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Scope(NamedTuple):
    """One game in one environment. A call never leaves its scope.

    A tuple, because every call looks tables up by it.
    """

    game_id: str
    env: str

    def __str__(self) -> str:
        """`game|env`, the form in which the contract writes it."""
        return f"{self.game_id}|{self.env}"


def parse_scope(game_id: str, env: str) -> Scope:
    """Check both names.

    Raises InvalidArgument, naming the one that is missing or malformed.
    """
    for label, value in (("game_id", game_id), ("env", env)):
        if not _NAME.fullmatch(value):
            raise InvalidArgument(
                f"{label} is missing: send header X-Game-ID / X-Env or the field {label}"
                if not value
                else f"{label} must be 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit",
                {"field": label},
                code=Code.NAME_WRONG if value else Code.SCOPE_MISSING,
            )
    return Scope(game_id, env)

"""What is wrong with a description, and where, in the two languages that operators read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from croupier.errors import InvalidArgument

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SHOWN = 20
"""How many faults an error names; it holds all of them."""


class Message(NamedTuple):
    """One sentence in English and in Chinese."""

    en: str
    zh: str

    def document(self) -> dict[str, str]:
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in one file. It never holds a value of the file, only names of its fields."""

    file: str
    """The file's name as it was given, or what else the text came from (`provider go-sdk`)."""
    path: str
    """A JSONPath such as `$.auth.permission`; `$` for the file as a whole."""
    message: Message
    of: str = field(default="", compare=False)
    """The id of the function or entity whose description it is, where that can be read."""

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.message.en}"

    def document(self) -> dict[str, object]:
        return {"file": self.file, "path": self.path, "message": self.message.document()}


class FaultyDescriptor(InvalidArgument):
    """A description that cannot be used, with every fault in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = [f"… and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        super().__init__("\n".join([*map(str, faults[:SHOWN]), *more]))
        self.faults = tuple(faults)


def json_path(parts: Iterable[str | int]) -> str:
    """`$.auth.require[0]`; a name that is no plain word is put in brackets and quotes, a long one is cut."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _PLAIN.fullmatch(part) and len(part) <= 100:
        return f".{part}"
    shown = part if len(part) <= 100 else part[:100] + "…"
    escaped = shown.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"

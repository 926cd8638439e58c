from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Somewhere in a .proto; line 0 is not known."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, order=True, slots=True)
class ProtoFault:
    place: Place
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


class FaultyProto(Exception):
    """No pack can be made; `faults` are all the reasons."""

    def __init__(self, faults: Iterable[ProtoFault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(map(str, self.faults)))

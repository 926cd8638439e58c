from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """One thing that is wrong, and where. Lines and columns count from 1; 0 where there is none (a flag, a variable)."""

    source: str
    """The file's name as it was given, `variable NAME` or `flag --name`."""
    line: int = 0
    column: int = 0
    key: str = ""
    """`server.http`; empty for a fault of the file as a whole."""
    message: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"

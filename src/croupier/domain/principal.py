from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who asks. `name` goes into the record of the call."""

    name: str
    kind: str = "token"
    """token | machine"""

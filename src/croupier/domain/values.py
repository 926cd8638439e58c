"""`value`: a dataclass for what every call makes several of.

A frozen dataclass sets each field by a call of `object.__setattr__`: a `Call` of fourteen fields took 5 % of all that a call
costs the server, three times as much as one that is not frozen. So these are frozen for mypy, which checks all of this code,
and not while it runs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen: bool, eq: bool = True, **options: Any) -> Any:
        """`dataclass(frozen=True, …)`; equality and hash stay those of a frozen one."""
        if not frozen:
            raise TypeError("a value is frozen: write @value(frozen=True)")
        return dataclass(eq=eq, unsafe_hash=eq, **options)

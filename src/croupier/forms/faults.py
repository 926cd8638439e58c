"""What is wrong with a form itself, as its writer finds it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from croupier.descriptors import Message
from croupier.descriptors.faults import json_path
from croupier.errors import InvalidArgument

SHOWN = 20
"""How many faults an error names; it holds all of them."""

SpecPath = tuple[str | int, ...]
"""Names and indices into what was written: for a form, its UI schema."""


class FormFault(NamedTuple):
    path: SpecPath
    message: Message


Report = Callable[[SpecPath, Message], None]


class FaultyForm(InvalidArgument):
    """A form, a condition or a transform that cannot be used, with every fault in it."""

    def __init__(self, faults: Sequence[FormFault]) -> None:
        more = [f"… and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        super().__init__("; ".join([f"{json_path(path)}: {message.en}" for path, message in faults[:SHOWN]] + more))
        self.faults = tuple(faults)

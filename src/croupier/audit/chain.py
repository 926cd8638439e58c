"""What is computed of rows, one after the other."""

import hashlib
from collections.abc import Iterable

from croupier.audit.macs import Macs
from croupier.audit.rows import canonical
from croupier.domain.audit import GENESIS, Head, Note, SealedRow

HASH_BYTES = 32

PlacedRow = tuple[int, str, bytes, bytes]
"""seq, canonical JSON, hash, mac. No NamedTuple: making one takes as long as its hash."""


def link(previous: bytes, row: bytes) -> bytes:
    """The hash of `row` that follows the row with the hash `previous`. Both lengths are fixed or last, so nothing can be shifted."""
    return hashlib.sha256(previous + row).digest()


class Chain:
    """Gives notes their places after `head`. Not safe for threads; whoever keeps the rows says when they are."""

    __slots__ = ("_macs", "head")

    def __init__(self, macs: Macs, head: Head = GENESIS) -> None:
        self._macs = macs
        self.head = head

    def place(self, notes: Iterable[tuple[Note, int]]) -> list[PlacedRow]:
        """Notes with their times. Raises orjson.JSONEncodeError for text that is no Unicode; the chain is as it was then."""
        seq, before = self.head
        mac, placed = self._macs.mac, []
        for note, time_ms in notes:
            seq += 1
            text = canonical(note, seq, time_ms)
            before = link(before, text.encode())
            placed.append((seq, text, before, mac(before)))
        self.head = Head(seq, before)
        return placed

    def add(self, note: Note, time_ms: int) -> SealedRow:
        """Raises as `place`."""
        ((seq, text, row_hash, mac),) = self.place([(note, time_ms)])
        return SealedRow(seq, text.encode(), row_hash, mac)

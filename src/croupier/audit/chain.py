"""What is computed of rows, one after the other."""

import hashlib
import hmac

from croupier.audit.rows import canonical
from croupier.domain.audit import GENESIS, Head, Note, SealedRow

HASH_BYTES = 32


def link(previous: bytes, row: bytes) -> bytes:
    """The hash of `row` that follows the row with the hash `previous`. Both lengths are fixed or last, so nothing can be shifted."""
    return hashlib.sha256(previous + row).digest()


def mac_of(key: bytes, row_hash: bytes) -> bytes:
    return hmac.digest(key, row_hash, "sha256")


class Chain:
    """Gives notes their places after `head`. Not safe for threads; whoever keeps the rows says when they are."""

    __slots__ = ("_key", "head")

    def __init__(self, key: bytes, head: Head = GENESIS) -> None:
        self._key = key
        self.head = head

    def add(self, note: Note, time_ms: int) -> SealedRow:
        """Raises orjson.JSONEncodeError for text that is no Unicode; the chain is as it was then."""
        seq = self.head.seq + 1
        row = canonical(note, seq, time_ms)
        row_hash = link(self.head.hash, row)
        self.head = Head(seq, row_hash)
        return SealedRow(seq, row, row_hash, mac_of(self._key, row_hash))

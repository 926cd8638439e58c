"""What is computed of rows, one after the other."""

import hashlib

from croupier.audit.rows import canonical
from croupier.domain.audit import GENESIS, Head, Note, SealedRow

HASH_BYTES = 32
_BLOCK_BYTES = 64


def link(previous: bytes, row: bytes) -> bytes:
    """The hash of `row` that follows the row with the hash `previous`. Both lengths are fixed or last, so nothing can be shifted."""
    return hashlib.sha256(previous + row).digest()


class Macs:
    """HMAC-SHA-256 (RFC 2104) under one key, begun once: `hmac.digest` begins anew each time, which takes longer than the rest."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(self, row_hash: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(row_hash)
        outer.update(inner.digest())
        return outer.digest()


class Chain:
    """Gives notes their places after `head`. Not safe for threads; whoever keeps the rows says when they are."""

    __slots__ = ("_macs", "head")

    def __init__(self, macs: Macs, head: Head = GENESIS) -> None:
        self._macs = macs
        self.head = head

    def add(self, note: Note, time_ms: int) -> SealedRow:
        """Raises orjson.JSONEncodeError for text that is no Unicode; the chain is as it was then."""
        seq = self.head.seq + 1
        row = canonical(note, seq, time_ms)
        row_hash = link(self.head.hash, row)
        self.head = Head(seq, row_hash)
        return SealedRow(seq, row, row_hash, self._macs.mac(row_hash))

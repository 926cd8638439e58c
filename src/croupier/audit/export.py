"""The form of an export, line by line:

    {"croupier_audit":1,"cuts":[…],"first":…,"made_ms":…,"prev":"…","public_key":"…","whole":true}
    {"hash":"…","mac":"…","prev":"…","row":{…}}             a row; what is in `row` is, byte for byte, what was hashed
    {"checkpoint":{"hash":"…","seq":…,"signature":"…","time_ms":…}}   after the row that it speaks of
    {"end":{"digest":"…","last":…,"rows":…,"signature":"…"}}    `digest` is SHA-256 of what came before: every line, of rows
                                                               as far as the mac (the rest of it is what the hash is of)

A part of the record (`whole` false) holds the rows that somebody looked for: each can be verified, but not that none is missing.
"""

import hashlib
from collections.abc import Sequence

import msgspec
import orjson

from croupier.audit.documents import CheckpointDocument, CutDocument, Hex, checkpoint_document, cut_document
from croupier.audit.signing import Signer
from croupier.domain.audit import Checkpoint, Cut, Head, SealedRow

ROW_LINE = b'{"hash":"%s","mac":"%s","prev":"%s","row":%s}\n'
MAC_AT = len(b'{"hash":"","mac":"') + 64
ROW_AT = len(b'{"hash":"","mac":"","prev":"","row":') + 192

STATED_BYTES = len(b'{"hash":"","mac":""') + 128
"""Of a row's line: its hash and its mac."""


class Digest:
    """SHA-256 of many short pieces, taken together: each on its own costs as much as a kilobyte."""

    __slots__ = ("_hash", "_pieces")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if len(self._pieces) == 256:
            self._take()

    def digest(self) -> bytes:
        self._take()
        return self._hash.digest()

    def _take(self) -> None:
        self._hash.update(b"".join(self._pieces))
        self._pieces.clear()


class Header(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    croupier_audit: int
    cuts: list[CutDocument]
    first: int
    made_ms: int
    prev: Hex
    public_key: Hex
    whole: bool


class End(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    digest: Hex
    last: int
    rows: int
    signature: Hex


class EndLine(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    end: End


class CheckpointLine(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    checkpoint: CheckpointDocument


class ExportWriter:
    """Makes the lines, in order: `begin`, `row` and `checkpoint` as they come, `end`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._digest = Digest()
        self._rows = 0
        self._last = 0

    def begin(self, previous: Head, cuts: Sequence[Cut], *, made_ms: int, whole: bool) -> bytes:
        """`previous` is what the first row follows."""
        return self._line(
            {
                "croupier_audit": 1,
                "cuts": [cut_document(cut) for cut in cuts],
                "first": previous.seq + 1,
                "made_ms": made_ms,
                "prev": previous.hash.hex(),
                "public_key": self._signer.witness.public.hex(),
                "whole": whole,
            }
        )

    def row(self, previous: bytes, sealed: SealedRow) -> bytes:
        """`previous` is the hash that it is chained to."""
        line = ROW_LINE % (
            sealed.hash.hex().encode(),
            sealed.mac.hex().encode(),
            previous.hex().encode(),
            sealed.row,
        )
        self._digest.add(line[:STATED_BYTES])
        self._rows += 1
        self._last = sealed.seq
        return line

    def checkpoint(self, checkpoint: Checkpoint) -> bytes:
        return self._line({"checkpoint": checkpoint_document(checkpoint)})

    def end(self) -> bytes:
        digest = self._digest.digest()
        said = {
            "digest": digest.hex(),
            "last": self._last,
            "rows": self._rows,
            "signature": self._signer.export(_statement(digest, self._rows, self._last)).hex(),
        }
        return orjson.dumps({"end": said}, option=orjson.OPT_SORT_KEYS) + b"\n"

    def _line(self, said: object) -> bytes:
        line = orjson.dumps(said, option=orjson.OPT_SORT_KEYS) + b"\n"
        self._digest.add(line)
        return line


def statement_of(end: End) -> bytes:
    """What an export's signature is of. Raises ValueError when it holds no hex digits."""
    return _statement(bytes.fromhex(end.digest), end.rows, end.last)


def _statement(digest: bytes, rows: int, last: int) -> bytes:
    return digest + b"%d,%d" % (rows, last)

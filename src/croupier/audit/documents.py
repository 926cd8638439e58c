"""Checkpoints and cuts as JSON, in files and answers alike."""

from typing import Annotated, Any

import msgspec

from croupier.domain.audit import Checkpoint, Cut

HASH = r"[0-9a-f]{64}"
Hex = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{2})*\Z")]
"""One spelling only: what was changed must not mean the same."""


class CheckpointDocument(msgspec.Struct, kw_only=True, frozen=True):
    seq: int
    hash: Hex
    time_ms: int
    signature: Hex


class CutDocument(msgspec.Struct, kw_only=True, frozen=True):
    up_to: int
    hash: Hex
    time_ms: int
    by: str
    signature: Hex


def checkpoint_document(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "seq": checkpoint.seq,
        "hash": checkpoint.hash.hex(),
        "time_ms": checkpoint.time_ms,
        "signature": checkpoint.signature.hex(),
    }


def cut_document(cut: Cut) -> dict[str, Any]:
    return {
        "up_to": cut.up_to,
        "hash": cut.hash.hex(),
        "time_ms": cut.time_ms,
        "by": cut.by,
        "signature": cut.signature.hex(),
    }


def checkpoint_of(said: CheckpointDocument) -> Checkpoint:
    """Raises ValueError when it holds no hex digits."""
    return Checkpoint(
        seq=said.seq,
        hash=bytes.fromhex(said.hash),
        time_ms=said.time_ms,
        signature=bytes.fromhex(said.signature),
    )


def cut_of(said: CutDocument) -> Cut:
    """Raises ValueError when it holds no hex digits."""
    return Cut(
        up_to=said.up_to,
        hash=bytes.fromhex(said.hash),
        time_ms=said.time_ms,
        by=said.by,
        signature=bytes.fromhex(said.signature),
    )

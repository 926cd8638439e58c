"""What can be asked of the writer about the audit record, besides the notes that calls bring with them."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete
from sqlalchemy.dialects import sqlite

from croupier.domain.audit import Checkpoint, Cut, Note
from croupier.store.sql.tables import audit, audit_checkpoints, audit_cuts
from croupier.store.sql.writes import ROW_BYTES, Write

CUT_ROWS = 5_000
"""Taken away in one commit."""

_PUT_CHECKPOINT = sqlite.insert(audit_checkpoints).on_conflict_do_nothing()
_PUT_CUT = sqlite.insert(audit_cuts).on_conflict_do_nothing()
_CUT_CHECKPOINTS = delete(audit_checkpoints).where(audit_checkpoints.c.seq <= bindparam("up_to"))
_CUT_ROWS = delete(audit).where(
    audit.c.seq.in_(
        audit.select()
        .with_only_columns(audit.c.seq)
        .where(audit.c.seq <= bindparam("up_to"))
        .order_by(audit.c.seq)
        .limit(CUT_ROWS)
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Record(Write[None]):
    notes: Sequence[Note]
    time_ms: int

    @property
    def weight(self) -> int:
        return sum(ROW_BYTES + len(note.details) for note in self.notes)


class AuditWrite(Write[bool]):
    """What is not a row of the record. Answered with whether there is more of it to do."""

    __slots__ = ()

    @abstractmethod
    def run(self, connection: Connection) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class PutCheckpoint(AuditWrite):
    checkpoint: Checkpoint

    def run(self, connection: Connection) -> bool:
        found = self.checkpoint
        row = {"seq": found.seq, "hash": found.hash, "time_ms": found.time_ms, "signature": found.signature}
        connection.execute(_PUT_CHECKPOINT, row)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class CutRows(AuditWrite):
    cut: Cut

    def run(self, connection: Connection) -> bool:
        cut = self.cut
        row = {
            "up_to": cut.up_to,
            "hash": cut.hash,
            "time_ms": cut.time_ms,
            "by": cut.by,
            "signature": cut.signature,
        }
        connection.execute(_PUT_CUT, row)
        connection.execute(_CUT_CHECKPOINTS, {"up_to": cut.up_to})
        return connection.execute(_CUT_ROWS, {"up_to": cut.up_to}).rowcount == CUT_ROWS

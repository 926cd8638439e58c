"""The audit record within the writer: rows are chained and written in the commit of what they tell of."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from croupier.audit.chain import Chain
from croupier.audit.macs import Macs
from croupier.domain.audit import FAILED, GENESIS, SYSTEM, Head, Note
from croupier.errors import Unavailable
from croupier.store.sql import statements
from croupier.store.sql.audit_writes import Record
from croupier.store.sql.tables import audit, audit_cuts
from croupier.store.sql.writes import Begin, Finish, Write

GAP = "audit.gap"

_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_LAST_CUT = select(audit_cuts.c.up_to, audit_cuts.c.hash).order_by(audit_cuts.c.up_to.desc()).limit(1)


class AuditLog:
    """What the writer thread knows of the record, as committed: where the chain stands, and what of it was refused."""

    def __init__(self, key: bytes) -> None:
        self.macs = Macs(key)
        self.head: Head | None = None
        """None until it has been read."""
        self.lost = 0
        """Notes that the disk refused since the last commit."""
        self.lost_since_ms = 0
        self.unwritten = 0
        """All that the disk refused."""

    def missed(self, writes: Sequence[Write[Any]]) -> None:
        """The disk refused these."""
        for write in writes:
            match write:
                case Begin(note=Note(), started_ms=time_ms) | Finish(note=Note(), finished_ms=time_ms):
                    self._count(1, time_ms)
                case Record():
                    self._count(len(write.notes), write.time_ms)

    def _count(self, notes: int, time_ms: int) -> None:
        self.lost_since_ms = self.lost_since_ms if self.lost else time_ms
        self.lost += notes
        self.unwritten += notes


class AuditRows:
    """The rows of one transaction. `settle` hands on to `AuditLog`, after the commit only."""

    def __init__(self, connection: Connection, log: AuditLog) -> None:
        self._connection = connection
        self._log = log
        self._notes: list[tuple[Note, int]] = []
        self._head: Head | None = None

    def add(self, note: Note, time_ms: int) -> None:
        self._notes.append((note, time_ms))

    def write(self) -> None:
        if not self._notes:
            return
        log = self._log
        if log.lost:
            self._notes.insert(0, (_gap(log), self._notes[0][1]))
        chain = Chain(log.macs, log.head or head(self._connection))
        placed = zip(chain.place(self._notes), self._notes, strict=True)
        rows = [(*row, note.act_id, time_ms) for row, (note, time_ms) in placed]
        statements.INSERT_AUDIT.run(self._connection, rows)
        self._head = chain.head

    def settle(self) -> None:
        if self._head is not None:
            self._log.head = self._head
            self._log.lost = 0


def head(connection: Connection) -> Head:
    """Where the chain stands: its last row, or what was cut off last."""
    for statement in (_LAST, _LAST_CUT):
        found = connection.execute(statement).one_or_none()
        if found is not None:
            return Head(*found)
    return GENESIS


def _gap(log: AuditLog) -> Note:
    details = orjson.dumps({"rows": log.lost, "since_ms": log.lost_since_ms}).decode()
    return Note(actor=SYSTEM, action=GAP, details=details, result=FAILED, reason=Unavailable.reason)

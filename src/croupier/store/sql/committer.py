"""From writes to commits: one transaction for many, and each its own answer when one of them is bad."""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from croupier.errors import InternalError
from croupier.store.sql.audit_log import AuditLog, AuditRows
from croupier.store.sql.failures import is_everyones, translated
from croupier.store.sql.ledger import KnownJobs, Ledger
from croupier.store.sql.transaction import Answers, apply
from croupier.store.sql.writes import Write

_log = logging.getLogger(__name__)


class Committer:
    """Used by one thread. Opens its connection when it needs one, anew after the disk failed."""

    def __init__(self, engine: Engine, audit: AuditLog) -> None:
        self._engine = engine
        self._audit = audit
        self._connection: Connection | None = None
        self._known = KnownJobs()

    def commit(self, writes: Sequence[Write[Any]]) -> Answers:
        """Make them durable. A transaction that fails is taken apart by halves until the culprits stand alone."""
        try:
            return self._transact(writes)
        except Exception as error:  # noqa: BLE001 — whatever it is, those who wait are told, and the thread goes on
            everyones = is_everyones(error)
            if everyones or self._is_stuck():
                self.close()
            if everyones or len(writes) == 1:
                self._audit.missed(writes)
                return _refuse(writes, error)
        half = len(writes) // 2
        return self.commit(writes[:half]) | self.commit(writes[half:])

    def _is_stuck(self) -> bool:
        """Whether the failure left a transaction open, which would fail every later one."""
        return self._connection is not None and self._connection.in_transaction()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _transact(self, writes: Sequence[Write[Any]]) -> Answers:
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            ledger = Ledger(self._connection, self._known)
            audit = AuditRows(self._connection, self._audit)
            answers = apply(self._connection, writes, ledger, audit)
        ledger.settle()
        audit.settle()
        return answers


def _refuse(writes: Sequence[Write[Any]], error: Exception) -> Answers:
    answers: Answers = {write: translated(error) for write in writes}
    if any(isinstance(answer, InternalError) for answer in answers.values()):
        _log.error("a write failed for an unknown reason", exc_info=error)
    else:
        _log.warning("%d writes refused: %s", len(writes), answers[writes[0]])
    return answers

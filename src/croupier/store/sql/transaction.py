"""Many writes in one transaction, in an order in which none is in another's way:

    abandon ─► begin ─► place ─► append, conclude ─► finish ─► read what has to be answered

A call's finish comes after its begin, an event after its job. Answers are read last, so they say how things stand at the
commit.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, update

from croupier.domain.call import CallState
from croupier.errors import Conflict, CroupierError, OutcomeUnknown
from croupier.store import CallRecord
from croupier.store.sql import queries, rows, statements
from croupier.store.sql.ledger import Ledger
from croupier.store.sql.tables import RUNNING, calls
from croupier.store.sql.writes import Abandon, Append, Begin, Conclude, Finish, Place, Write

Answers = dict[Write[Any], object]
"""What is to be told: a value, or the CroupierError to raise. A write that is not in it is answered with None."""


def apply(connection: Connection, writes: Iterable[Write[Any]], ledger: Ledger) -> Answers:
    """Apply every write to an open transaction; it is the caller who commits."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for write in writes:
        by_kind[Append if isinstance(write, Append | Conclude) else type(write)].append(write)
    answers: Answers = {write: _abandon(connection, write) for write in by_kind[Abandon]}
    repeated = _begin(connection, by_kind[Begin], ledger)
    _place(connection, by_kind[Place])
    answers.update(_advance(connection, by_kind[Append], ledger))
    _finish(connection, by_kind[Finish])
    answers.update((begin, _earlier(connection, begin)) for begin in repeated)
    return answers


def _abandon(connection: Connection, abandon: Abandon) -> int:
    statement = (
        update(calls)
        .where(calls.c.state == RUNNING)
        .values(
            state=CallState.OUTCOME_UNKNOWN.value,
            reason=OutcomeUnknown.reason,
            message="the platform stopped while the call ran: look in the game whether it took effect before repeating it",
            finished_ms=abandon.finished_ms,
        )
    )
    return connection.execute(statement).rowcount


def _begin(connection: Connection, begins: Sequence[Begin], ledger: Ledger) -> list[Begin]:
    """Returns those whose key was used before; nothing was recorded of them."""
    recorded = statements.INSERT_CALLS.run(connection, [rows.call_row(begin) for begin in begins])
    repeated: list[Begin] = []
    if recorded < len(begins):
        keyed = (begin for begin in begins if begin.call.idempotency_key)
        repeated = [begin for begin in keyed if queries.key_owner(connection, _key(begin)) != begin.call.id]
    omitted = set(repeated)
    large = [begin for begin in begins if rows.is_large(begin.call.payload) and begin not in omitted]
    statements.INSERT_BODIES.run(connection, [rows.payload_row(begin) for begin in large])
    ledger.create([rows.created_job(begin) for begin in begins if begin.kind == "job" and begin not in omitted])
    return repeated


def _place(connection: Connection, places: Sequence[Place]) -> None:
    last = {place.job_id: place for place in places}
    statements.PLACE_JOBS.run(connection, [(each.job_id, each.agent_id, each.service_id) for each in last.values()])


def _advance(connection: Connection, writes: Sequence[Append | Conclude], ledger: Ledger) -> Answers:
    answers: Answers = {}
    for write in writes:
        if isinstance(write, Append):
            answers[write] = ledger.append(write)
        else:
            ledger.conclude(write)
    ledger.write()
    for write in writes:
        if isinstance(write, Conclude):
            answers[write] = queries.job(connection, write.job_id)
    return answers


def _finish(connection: Connection, finishes: Sequence[Finish]) -> None:
    first: dict[str, Finish] = {}
    for finish in finishes:
        first.setdefault(finish.call_id, finish)
    large = {finish.call_id: finish for finish in first.values() if rows.is_large(finish.body)}
    running = statements.RUNNING_CALLS.find(connection, [(call_id,) for call_id in large])  # what ended keeps its first
    statements.INSERT_BODIES.run(connection, [rows.result_row(large[call_id]) for call_id in running])
    statements.FINISH_CALLS.run(connection, [rows.finish_row(finish) for finish in first.values()])


def _key(begin: Begin) -> dict[str, str]:
    call = begin.call
    return {
        "game_id": call.scope.game_id,
        "env": call.scope.env,
        "function_id": call.function_id,
        "idempotency_key": call.idempotency_key,
    }


def _earlier(connection: Connection, begin: Begin) -> CallRecord | CroupierError:
    record, digest = queries.call_by_key(connection, _key(begin))
    if record.kind != begin.kind:
        return Conflict(
            f"this idempotency key was used to {_deed(record.kind)}: send a new key to {_deed(begin.kind)}",
            {"call_id": record.call.id},
        )
    if rows.digest(begin.call.payload) != digest:
        return Conflict(
            "this idempotency key was used with another payload: send the same payload, or a new key for a new call",
            {"call_id": record.call.id},
        )
    return record


def _deed(kind: str) -> str:
    return "start a job" if kind == "job" else "invoke the function"

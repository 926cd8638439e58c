"""Many writes in one transaction, in an order in which none is in another's way:

    abandon ─► begin ─► place, ask to stop ─► append, conclude ─► bulks, catalog, packs, people, machines ─► finish ─► read what is answered ─► archive, forget

A call's finish comes after its begin, an event after its job; where a finish frees a key, the begins of it that were asked
for later come after it, in a second round. Answers are read after all that changes them, so they say how things stand at the
commit.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from croupier.domain.call import CallState
from croupier.errors import Conflict, CroupierError, OutcomeUnknown
from croupier.store import KEY_WINDOW_MS, CallRecord
from croupier.store.sql import forgetting, queries, rows, statements
from croupier.store.sql.bulk_writes import BulkWrite, apply_bulk
from croupier.store.sql.catalog_writes import CatalogWrite, apply_catalog
from croupier.store.sql.identity_writes import LinkIdentity, link_identities
from croupier.store.sql.ledger import Ledger
from croupier.store.sql.machine_writes import MachineWrite, apply_machines
from croupier.store.sql.pack_writes import ReplacePacks, replace_packs
from croupier.store.sql.second_factor_writes import ReplaceSecondFactor, replace_second_factors
from croupier.store.sql.tables import RUNNING, calls
from croupier.store.sql.writes import (
    Abandon,
    Append,
    ArchiveJob,
    AskToStop,
    Begin,
    Conclude,
    ExpireKeys,
    Finish,
    ForgetCalls,
    ForgetEvents,
    Place,
    Write,
)

Answers = dict[Write[Any], object]
"""What is to be told: a value, or the CroupierError to raise. A write that is not in it is answered with None."""


def apply(connection: Connection, writes: Sequence[Write[Any]], ledger: Ledger) -> Answers:
    """Apply every write to an open transaction; it is the caller who commits."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for write in writes:
        by_kind[_group(write)].append(write)
    answers: Answers = {write: _abandon(connection, write) for write in by_kind[Abandon]}
    repeated = _begin(connection, by_kind[Begin], ledger)
    _place(connection, by_kind[Place])
    _ask_to_stop(connection, by_kind[AskToStop])
    answers.update(_advance(connection, by_kind[Append], ledger))
    apply_bulk(connection, by_kind[BulkWrite])
    apply_catalog(connection, by_kind[CatalogWrite])
    for replace in by_kind.get(ReplacePacks, ()):
        replace_packs(connection, replace)
    replace_second_factors(connection, by_kind.get(ReplaceSecondFactor, ()))
    link_identities(connection, by_kind.get(LinkIdentity, ()))
    answers.update(apply_machines(connection, by_kind.get(MachineWrite, ())))
    _finish(connection, by_kind[Finish])
    if again := _asked_after_the_end(writes, repeated):
        ids = {begin.call.id for begin in again}
        repeated = {begin: owner for begin, owner in repeated.items() if begin.call.id not in ids}
        repeated |= _begin(connection, again, ledger)
        _finish(connection, [finish for finish in by_kind[Finish] if finish.call_id in ids])
    answers.update((begin, _earlier(connection, begin, owner)) for begin, owner in repeated.items())
    _count_replays(connection, answers, repeated)
    answers.update(_forget(connection, by_kind))
    return answers


def _group(write: Write[Any]) -> type:
    """Its kind, or one that stands for several whose order among themselves counts."""
    kind = type(write)
    if kind is Begin or kind is Finish:  # nearly all; asking about unions and bases costs as much as making their rows
        return kind
    if kind is Append or kind is Conclude:
        return Append
    for family in (BulkWrite, CatalogWrite, MachineWrite):
        if isinstance(write, family):
            return family
    return kind


def _forget(connection: Connection, by_kind: Mapping[type, Sequence[Any]]) -> Answers:
    for archive in by_kind.get(ArchiveJob, ()):
        forgetting.archive_job(connection, archive)
    for forget in by_kind.get(ForgetCalls, ()):
        forgetting.forget_calls(connection, forget)
    answers: Answers = {write: forgetting.expire_keys(connection, write) for write in by_kind.get(ExpireKeys, ())}
    answers.update((write, forgetting.forget_events(connection, write)) for write in by_kind.get(ForgetEvents, ()))
    return answers


def _asked_after_the_end(writes: Sequence[Write[Any]], repeated: Mapping[Begin, str]) -> list[Begin]:
    """The repeated begins that came after a finish which freed their key."""
    freed: set[str] = set()
    after: list[Begin] = []
    for write in writes if repeated else ():
        if isinstance(write, Finish) and write.frees_key:
            freed.add(write.call_id)
        elif isinstance(write, Begin) and repeated.get(write) in freed:
            after.append(write)
    return after


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


def _begin(connection: Connection, begins: Sequence[Begin], ledger: Ledger) -> dict[Begin, str]:
    """Returns those whose key was used before, and by which call; nothing was recorded of them."""
    repeated = _insert(connection, begins)
    large = [begin for begin in begins if rows.is_large(begin.call.payload) and begin not in repeated]
    statements.INSERT_BODIES.run(connection, [rows.payload_row(begin) for begin in large])
    about = [begin for begin in begins if begin.about and begin not in repeated]
    statements.INSERT_SUBJECTS.run(connection, [row for begin in about for row in rows.subject_rows(begin)])
    ledger.create([rows.created_job(begin) for begin in begins if begin.kind == "job" and begin not in repeated])
    return repeated


def _insert(connection: Connection, begins: Sequence[Begin]) -> dict[Begin, str]:
    if statements.INSERT_CALLS.run(connection, [rows.call_row(begin) for begin in begins]) == len(begins):
        return {}
    owners = {begin: queries.key_owner(connection, _key(begin)) for begin in begins if begin.call.idempotency_key}
    repeated = {begin: owner for begin, (owner, _) in owners.items() if owner != begin.call.id}
    late = [begin for begin in repeated if owners[begin][1] <= begin.started_ms - KEY_WINDOW_MS]
    if late:
        connection.execute(statements.EXPIRE_KEYS, {"ids": [repeated.pop(begin) for begin in late]})
        repeated |= _insert(connection, late)
    return repeated


def _place(connection: Connection, places: Sequence[Place]) -> None:
    last = {place.job_id: place for place in places}
    statements.PLACE_JOBS.run(connection, [(each.job_id, each.agent_id, each.service_id) for each in last.values()])


def _ask_to_stop(connection: Connection, asked: Sequence[AskToStop]) -> None:
    first: dict[str, str] = {}
    for each in asked:
        first.setdefault(each.job_id, each.reason)
    statements.ASK_JOBS_TO_STOP.run(connection, list(first.items()))


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
    unsent = [(finish.call_id,) for finish in first.values() if finish.unsent and finish.frees_key]
    if unsent:
        connection.execute(statements.EXPIRE_KEYS, {"ids": statements.RUNNING_CALLS.find(connection, unsent)})
    statements.FINISH_CALLS.run(connection, [rows.finish_row(finish) for finish in first.values()])


def _count_replays(connection: Connection, answers: Answers, repeated: Mapping[Begin, str]) -> None:
    counts = Counter(owner for begin, owner in repeated.items() if isinstance(answers[begin], CallRecord))
    if counts:
        given = [{"owner": owner, "count": count} for owner, count in counts.items()]
        connection.execute(statements.COUNT_REPLAYS, given)


def _key(begin: Begin) -> dict[str, str]:
    call = begin.call
    return {
        "game_id": call.scope.game_id,
        "env": call.scope.env,
        "function_id": call.function_id,
        "idempotency_key": call.idempotency_key,
    }


def _earlier(connection: Connection, begin: Begin, owner: str) -> CallRecord | CroupierError:
    record, digest = queries.call_and_digest(connection, owner)
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

"""Many writes in one transaction, in an order in which none is in another's way:

    abandon ─► begin ─► place, ask to stop ─► append, conclude ─► approvals, bulks, catalog, packs, people, machines, guards, secrets, policy ─► finish ─► read what is answered ─► archive, forget ─► audit

A call's finish comes after its begin, an event after its job; where a finish frees a key, the begins of it that were asked
for later come after it, in a second round. Answers are read after all that changes them, so they say how things stand at the
commit.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from croupier.codes import Code
from croupier.domain.audit import DENIED, REPEATED, SYSTEM, WAITING, Note, Phase
from croupier.domain.call import Call, CallState
from croupier.domain.job import Job, JobState
from croupier.domain.scope import Scope
from croupier.errors import Conflict, CroupierError, OutcomeUnknown
from croupier.store import KEY_WINDOW_MS, CallRecord
from croupier.store.sql import forgetting, queries, rows, statements
from croupier.store.sql.account_writes import AccountWrite, apply_accounts
from croupier.store.sql.approval_writes import ApprovalWrite, AskApproval, insert_approval, resume, wait
from croupier.store.sql.audit_log import AuditRows
from croupier.store.sql.audit_writes import AuditWrite, Record
from croupier.store.sql.bulk_writes import BulkWrite, apply_bulk
from croupier.store.sql.catalog_writes import CatalogWrite, apply_catalog
from croupier.store.sql.guard_writes import GuardWrite, apply_guards
from croupier.store.sql.identity_writes import LinkIdentity, link_identities
from croupier.store.sql.ledger import Ledger
from croupier.store.sql.machine_writes import MachineWrite, apply_machines
from croupier.store.sql.pack_writes import ReplacePacks, replace_packs
from croupier.store.sql.policy_writes import ChangePolicy, apply_policy
from croupier.store.sql.second_factor_writes import ReplaceSecondFactor, replace_second_factors
from croupier.store.sql.secret_writes import SecretWrite, apply_secrets
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

JOB_END = "job.end"
CALL_END = "call.end"

_LEFT = select(calls.c.id, calls.c.function_id, calls.c.game_id, calls.c.env).where(calls.c.state == RUNNING)

Answers = dict[Write[Any], object]
"""What is to be told: a value, or the CroupierError to raise. A write that is not in it is answered with None."""


def apply(connection: Connection, writes: Sequence[Write[Any]], ledger: Ledger, audit: AuditRows) -> Answers:
    """Apply every write to an open transaction; it is the caller who commits."""
    by_kind: defaultdict[type, list[Any]] = defaultdict(list)
    for write in writes:
        by_kind[_group(write)].append(write)
    answers: Answers = {write: _abandon(connection, write, audit) for write in by_kind[Abandon]}
    plain, approved = _by_approval(by_kind[Begin])
    repeated = _begin(connection, plain, ledger)
    for begin in approved:
        answers.update(_begin_approved(connection, begin, ledger, repeated))
    for ask in by_kind.get(AskApproval, ()):
        repeated |= _ask(connection, ask)
    _place(connection, by_kind[Place])
    _ask_to_stop(connection, by_kind[AskToStop])
    answers.update(_advance(connection, by_kind[Append], ledger))
    answers.update((write, write.run(connection)) for write in by_kind.get(ApprovalWrite, ()))
    apply_bulk(connection, by_kind[BulkWrite])
    apply_catalog(connection, by_kind[CatalogWrite])
    answers.update(apply_accounts(connection, by_kind[AccountWrite]))
    apply_guards(connection, by_kind.get(GuardWrite, ()))
    apply_secrets(connection, by_kind.get(SecretWrite, ()))
    apply_policy(connection, by_kind.get(ChangePolicy, ()))
    for write in by_kind.get(ReplacePacks, ()):
        replace_packs(connection, write)
    replace_second_factors(connection, by_kind.get(ReplaceSecondFactor, ()))
    link_identities(connection, by_kind.get(LinkIdentity, ()))
    answers.update(apply_machines(connection, by_kind.get(MachineWrite, ())))
    _finish(connection, by_kind[Finish])
    if again := _asked_after_the_end(writes, repeated):
        ids = {begin.call.id for begin in again}
        repeated = {write: owner for write, owner in repeated.items() if write not in again}
        repeated |= _begin(connection, again, ledger)
        _finish(connection, [finish for finish in by_kind[Finish] if finish.call_id in ids])
    answers.update((write, _earlier(connection, write, owner)) for write, owner in repeated.items())
    _count_replays(connection, answers, repeated)
    answers.update(_forget(connection, by_kind))
    answers.update((write, write.run(connection)) for write in by_kind.get(AuditWrite, ()))
    _audit(audit, by_kind, ledger, answers)
    return answers


def _audit(audit: AuditRows, by_kind: Mapping[type, Sequence[Any]], ledger: Ledger, answers: Answers) -> None:
    """What began, what was said of anything else, what ended: an outcome never stands before its intent."""
    for begin in by_kind[Begin]:
        if begin.note is not None:
            answer = answers.get(begin)
            audit.add(begin.note if answer is None else _told(begin.note, answer), begin.started_ms)
    for ask in by_kind.get(AskApproval, ()):
        if (note := ask.begin.note) is not None:
            answer = answers.get(ask)
            waits = note._replace(phase=Phase.EVENT, result=WAITING) if answer is None else _told(note, answer)
            audit.add(waits, ask.begin.started_ms)
    for record in by_kind.get(Record, ()):
        for note in record.notes:
            audit.add(note, record.time_ms)
    for job in ledger.ended:
        audit.add(_end_of(job), job.finished_ms)
    for finish in by_kind[Finish]:
        if finish.note is not None:
            audit.add(finish.note, finish.finished_ms)
    audit.write()


def _told(note: Note, answer: object) -> Note:
    """An intent that came to nothing: its idempotency key was used before, or its approval no longer holds."""
    if isinstance(answer, CallRecord):
        same = orjson.dumps({"call_id": answer.call.id}).decode()
        return note._replace(phase=Phase.EVENT, details=same, result=REPEATED)
    reason = answer.reason if isinstance(answer, CroupierError) else ""
    return note._replace(phase=Phase.EVENT, result=DENIED, reason=reason)


def _end_of(job: Job) -> Note:
    return Note(
        actor=SYSTEM,
        action=JOB_END,
        phase=Phase.OUTCOME,
        act_id=job.id,
        target=job.function_id,
        scope=job.scope,
        result=job.state.value,
        reason=job.reason,
    )


def _group(write: Write[Any]) -> type:
    """Its kind, or one that stands for several whose order among themselves counts."""
    kind = type(write)
    if kind is Begin or kind is Finish:  # nearly all; asking about unions and bases costs as much as making their rows
        return kind
    if kind is Append or kind is Conclude:
        return Append
    for family in (
        BulkWrite,
        CatalogWrite,
        MachineWrite,
        ApprovalWrite,
        AccountWrite,
        AuditWrite,
        GuardWrite,
        SecretWrite,
    ):
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


def _asked_after_the_end(writes: Sequence[Write[Any]], repeated: Mapping[Write[Any], str]) -> list[Begin]:
    """The repeated begins that came after a finish which freed their key."""
    freed: set[str] = set()
    after: list[Begin] = []
    for write in writes if repeated else ():
        if isinstance(write, Finish) and write.frees_key:
            freed.add(write.call_id)
        elif isinstance(write, Begin) and write.approval is None and repeated.get(write) in freed:
            after.append(write)
    return after


def _abandon(connection: Connection, abandon: Abandon, audit: AuditRows) -> int:
    for row in connection.execute(_LEFT):
        note = Note(
            actor=SYSTEM,
            action=CALL_END,
            phase=Phase.OUTCOME,
            act_id=row.id,
            target=row.function_id,
            scope=Scope(row.game_id, row.env),
            result=CallState.OUTCOME_UNKNOWN.value,
            reason=OutcomeUnknown.reason,
        )
        audit.add(note, abandon.finished_ms)
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


def _by_approval(begins: Sequence[Begin]) -> tuple[Sequence[Begin], Sequence[Begin]]:
    """Those that nobody was asked about, and the others."""
    approved = [begin for begin in begins if begin.approval is not None]
    return ([begin for begin in begins if begin.approval is None], approved) if approved else (begins, approved)


def _begin(connection: Connection, begins: Sequence[Begin], ledger: Ledger) -> dict[Write[Any], str]:
    """Returns those whose key was used before, and by which call; nothing was recorded of them."""
    repeated = _record(connection, begins)
    ledger.create([rows.created_job(begin) for begin in begins if begin.kind == "job" and begin not in repeated])
    return repeated


def _begin_approved(
    connection: Connection, begin: Begin, ledger: Ledger, repeated: dict[Write[Any], str]
) -> dict[Write[Any], object]:
    """A call that waited goes on; one of break-glass is recorded with its excuse. Notes in `repeated` as `_begin` returns."""
    approval = begin.approval
    if approval is None:
        return {}
    if approval.break_glass:
        if found := _begin(connection, [begin], ledger):
            repeated.update(found)
        else:
            insert_approval(connection, approval, ())
        return {}
    refusal = resume(connection, begin, approval)
    if refusal is None and begin.kind == "job":
        ledger.create([rows.created_job(begin)])
    return {begin: refusal}


def _ask(connection: Connection, ask: AskApproval) -> dict[Write[Any], str]:
    """Returns it, and whose its key is, when that was used before; nothing was recorded then."""
    if found := _record(connection, [ask.begin]):
        return {ask: found[ask.begin]}
    wait(connection, ask)
    return {}


def _record(connection: Connection, begins: Sequence[Begin]) -> dict[Write[Any], str]:
    repeated = _insert(connection, begins)
    large = [begin for begin in begins if rows.is_large(begin.call.payload) and begin not in repeated]
    statements.INSERT_BODIES.run(connection, [rows.payload_row(begin) for begin in large])
    about = [begin for begin in begins if begin.about and begin not in repeated]
    statements.INSERT_SUBJECTS.run(connection, [row for begin in about for row in rows.subject_rows(begin)])
    return repeated


def _insert(connection: Connection, begins: Sequence[Begin]) -> dict[Write[Any], str]:
    if statements.INSERT_CALLS.run(connection, [rows.call_row(begin) for begin in begins]) == len(begins):
        return {}
    owners = {
        begin: queries.key_owner(connection, call_key(begin.call)) for begin in begins if begin.call.idempotency_key
    }
    repeated: dict[Write[Any], str] = {begin: owner for begin, (owner, _) in owners.items() if owner != begin.call.id}
    late = [begin for begin in owners if begin in repeated and owners[begin][1] <= begin.started_ms - KEY_WINDOW_MS]
    if late:
        connection.execute(statements.EXPIRE_KEYS, {"ids": [repeated.pop(begin) for begin in late]})
        repeated |= _insert(connection, late)
    return repeated


def _place(connection: Connection, places: Sequence[Place]) -> None:
    last = {place.job_id: place for place in places}
    statements.PLACE_JOBS.run(connection, [(each.job_id, each.agent_id, each.service_id) for each in last.values()])
    statements.RUN_JOBS.run(connection, [(job_id, JobState.RUNNING) for job_id in last])


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
    unsent = [(finish.call_id,) for finish in first.values() if finish.unsent]
    if unsent:
        connection.execute(statements.EXPIRE_KEYS, {"ids": statements.RUNNING_CALLS.find(connection, unsent)})
    statements.FINISH_CALLS.run(connection, [rows.finish_row(finish) for finish in first.values()])


def _count_replays(connection: Connection, answers: Answers, repeated: Mapping[Write[Any], str]) -> None:
    counts = Counter(owner for write, owner in repeated.items() if not isinstance(answers[write], CroupierError))
    if counts:
        given = [{"owner": owner, "count": count} for owner, count in counts.items()]
        connection.execute(statements.COUNT_REPLAYS, given)


def call_key(call: Call) -> dict[str, str]:
    """The place that its idempotency key has to itself."""
    return {
        "game_id": call.scope.game_id,
        "env": call.scope.env,
        "function_id": call.function_id,
        "idempotency_key": call.idempotency_key,
    }


def _earlier(connection: Connection, write: Write[Any], owner: str) -> CallRecord | str | CroupierError:
    """The record, or where an approval was asked for, its id."""
    begin = write.begin if isinstance(write, AskApproval) else write
    if not isinstance(begin, Begin):
        raise TypeError("only a begin repeats a key")
    record, digest = queries.call_and_digest(connection, owner)
    if record.kind != begin.kind:
        return Conflict(
            f"this idempotency key was used to {_deed(record.kind)}: send a new key to {_deed(begin.kind)}",
            {"call_id": record.call.id},
            code=Code.KEY_REUSED,
        )
    if rows.digest(begin.call.payload) != digest:
        return Conflict(
            "this idempotency key was used with another payload: send the same payload, or a new key for a new call",
            {"call_id": record.call.id},
            code=Code.KEY_REUSED,
        )
    return record if begin is write else record.call.id


def _deed(kind: str) -> str:
    return "start a job" if kind == "job" else "invoke the function"

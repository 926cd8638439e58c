"""The audit record as HTTP says it."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import orjson
from fastapi import Depends, Query

from croupier.audit.table import iso
from croupier.audit.verify import Verdict
from croupier.domain.audit import AuditFilter, Phase, SealedRow
from croupier.domain.limits import KEY_BYTES
from croupier.server.access.audit_record import AuditRecord
from croupier.server.http.filters import Moment, NamedScope, Text, parse_moment

MOST_CHARS = 1_024


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditActor:
    kind: str
    name: str
    user_id: str
    credential: str
    """The session or token that was shown, by its id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    seq: int
    time: str
    time_ms: int
    phase: Phase
    """intent | outcome | event"""
    act_id: str
    """What intent and outcome share; of a call its id."""
    action: str
    actor: AuditActor
    address: str
    target: str
    game_id: str
    env: str
    result: str
    reason: str
    trace_id: str
    details: Any
    """Of a call its arguments, with what is sensitive masked."""
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditList:
    rows: list[AuditEntry]
    next: int | None
    """`before` of the next page; none when there is nothing more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFaultEntry:
    seq: int
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditVerdict:
    holds: bool
    rows: int
    first: int
    last: int
    checkpoints: int
    faults: list[AuditFaultEntry]
    more_faults: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditCheckpoint:
    seq: int
    hash: str
    time_ms: int
    signature: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditCheckpoints:
    public_key: str
    """Ed25519, as hex: keep it apart from the server, to verify exports with."""
    checkpoints: list[AuditCheckpoint]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditCut:
    up_to: int
    hash: str
    time_ms: int
    by: str
    signature: str


class CutBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    before: str
    """A time: the rows from before it are taken away."""


cut_decoder = msgspec.json.Decoder(CutBody)

_CUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["before"],
    "additionalProperties": False,
    "properties": {
        "before": {
            "type": "string",
            "description": "Milliseconds since 1970, or a time such as 2026-01-31T18:00:00Z; rows from before it go.",
        }
    },
}
CUT_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _CUT_SCHEMA}}}}


def audit_entry(sealed: SealedRow) -> AuditEntry:
    row: dict[str, Any] = orjson.loads(sealed.row)
    actor = row.get("actor", {})
    time_ms = row.get("time_ms", 0)
    return AuditEntry(
        seq=sealed.seq,
        time=iso(time_ms),
        time_ms=time_ms,
        phase=Phase(row.get("phase", Phase.EVENT)),
        act_id=row.get("act_id", ""),
        action=row.get("action", ""),
        actor=AuditActor(
            kind=actor.get("kind", ""),
            name=actor.get("name", ""),
            user_id=actor.get("user_id", ""),
            credential=actor.get("credential", ""),
        ),
        address=row.get("address", ""),
        target=row.get("target", ""),
        game_id=row.get("game_id", ""),
        env=row.get("env", ""),
        result=row.get("result", ""),
        reason=row.get("reason", ""),
        trace_id=row.get("trace_id", ""),
        details=_details(row.get("details", "")),
        hash=sealed.hash.hex(),
    )


def _details(text: str) -> Any:
    """What was kept as JSON, as it was kept."""
    return orjson.Fragment(text) if text else None


def audit_verdict(verdict: Verdict) -> AuditVerdict:
    return AuditVerdict(
        holds=verdict.holds,
        rows=verdict.rows,
        first=verdict.first,
        last=verdict.last,
        checkpoints=verdict.checkpoints,
        faults=[AuditFaultEntry(seq=each.seq, problem=each.problem) for each in verdict.faults],
        more_faults=verdict.more_faults,
    )


Long = Annotated[str, Query(max_length=MOST_CHARS)]


@dataclass(frozen=True, slots=True)
class WantedRows:
    """What is asked for; `value` has to be masked first, which the record does."""

    which: AuditFilter
    value: str

    def masked_by(self, record: AuditRecord) -> AuditFilter:
        return replace(self.which, masks=(record.mask(self.value),)) if self.value else self.which


def _wanted(
    scope: NamedScope,
    actor: Text = "",
    user_id: Text = "",
    action: Annotated[str, Query(max_length=KEY_BYTES, description="Exactly, or all that begin so: `packs.*`.")] = "",
    target: Text = "",
    call_id: Annotated[
        str, Query(max_length=KEY_BYTES, description="Of a call or job, or the `act_id` of anything.")
    ] = "",
    trace_id: Text = "",
    phase: Annotated[Phase | None, Query()] = None,
    result: Text = "",
    reason: Text = "",
    since: Moment = "",
    until: Moment = "",
    text: Annotated[str, Query(max_length=MOST_CHARS, description="Anywhere in a row, letter for letter.")] = "",
    value: Annotated[
        str, Query(max_length=MOST_CHARS, description="A value that was masked: rows with its keyed hash.")
    ] = "",
) -> WantedRows:
    which = AuditFilter(
        scope=scope,
        actor=actor,
        user_id=user_id,
        action=action,
        target=target,
        act_id=call_id,
        trace_id=trace_id,
        phase=phase.value if phase is not None else "",
        result=result,
        reason=reason,
        since_ms=parse_moment("since", since),
        until_ms=parse_moment("until", until),
        text=text,
    )
    return WantedRows(which, value)


Wanted = Annotated[WantedRows, Depends(_wanted)]

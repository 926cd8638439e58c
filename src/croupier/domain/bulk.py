"""The life of a bulk run, one function for every row of a file.

    uploading ─► ready ───► running ◄──► paused
             └─► invalid ─┘  │  ▲ └──────────┬──► canceling ─► canceled
                             ▼  │ confirm    │
                        canary_done ─────────┘
                             │
    running, out of rows ────┴► done

    a row:  pending ─► running ─► succeeded | failed | unknown
               │          └─────► pending             (nothing ran, and the bulk was paused)
               └──► canceled              invalid ─► skipped

Ended states are final. A row's call carries the key `bulk:<id>:<row>`, so whoever asks for it again gets the first answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from croupier.codes import Code
from croupier.domain.call import Call, CallState, Outcome, Result, may_have_run
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)

MOST_ROWS = 100_000
UPLOAD_BYTES = 64 * 1024 * 1024
STORED_BYTES = 4 * UPLOAD_BYTES
"""All rows of a bulk as JSON: a CSV's header is repeated in each of its rows."""
ROW_BYTES = 256 * 1024
"""One row, as it stands in the file and as JSON."""
RESULT_BYTES = 4096
"""An answer up to here is kept with its row; a larger one is in the record of its call."""
MOST_CONCURRENCY = 64
LEAST_RATE, MOST_RATE = 0.01, 1000.0
NAME_CHARACTERS = 200
RECORD_KEPT_MS = 23 * 3_600_000
"""How long the record of a keyed call can be relied on to be there (its key is kept 24 h)."""


class BulkState(StrEnum):
    UPLOADING = "uploading"
    READY = "ready"
    INVALID = "invalid"
    RUNNING = "running"
    CANARY_DONE = "canary_done"
    PAUSED = "paused"
    CANCELING = "canceling"
    CANCELED = "canceled"
    DONE = "done"


class RowState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    INVALID = "invalid"
    CANCELED = "canceled"


Counts = Mapping[RowState, int]

BULK_ENDED = frozenset({BulkState.CANCELED, BulkState.DONE})
ACTIVE = frozenset({BulkState.RUNNING, BulkState.CANCELING})
"""In these states rows are worked on."""
BEGUN = frozenset({RowState.RUNNING, RowState.SUCCEEDED, RowState.FAILED, RowState.UNKNOWN})
ROW_ENDED = frozenset(RowState) - {RowState.PENDING, RowState.RUNNING, RowState.INVALID}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How a bulk is to run."""

    canary: int = 0
    """After so many rows it stops and waits to be confirmed; 0 is without."""
    rate: float = 50.0
    """Rows begun per second."""
    concurrency: int = 8
    skip_invalid: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidArgument."""
        if not 0 <= self.canary <= MOST_ROWS:
            raise InvalidArgument(
                f"canary must be 0 to {MOST_ROWS} rows",
                {"field": "canary", "least": "0", "most": str(MOST_ROWS)},
                code=Code.OUT_OF_RANGE,
            )
        if not LEAST_RATE <= self.rate <= MOST_RATE:
            raise InvalidArgument(
                f"rate must be {LEAST_RATE:g} to {MOST_RATE:g} rows per second",
                {"field": "rate", "least": f"{LEAST_RATE:g}", "most": f"{MOST_RATE:g}"},
                code=Code.OUT_OF_RANGE,
            )
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise InvalidArgument(
                f"concurrency must be 1 to {MOST_CONCURRENCY}",
                {"field": "concurrency", "least": "1", "most": str(MOST_CONCURRENCY)},
                code=Code.OUT_OF_RANGE,
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulk:
    id: str
    function_id: str
    scope: Scope
    name: str = ""
    state: BulkState = BulkState.UPLOADING
    rows: int = 0
    invalid: int = 0
    """Rows that did not fit the function when they were uploaded."""
    sha256: str = ""
    """Of the file, in hex: what was looked at is what is run."""
    uploaded_by: str = ""
    started_by: str = ""
    """In whose name the rows are called."""
    starter: Principal | None = None
    """Whoever started it, as it was then: the rows are called as what it may."""
    approval_id: str = ""
    """The approval that its rows run under, if somebody else had to agree."""
    dry_run: bool = False
    """The function is told `dry_run=true` in its metadata, and says that it then changes nothing."""
    parent_id: str = ""
    """The bulk whose rows these were."""
    plan: Plan = field(default_factory=Plan)
    confirmed: bool = False
    created_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0

    @property
    def ended(self) -> bool:
        return self.state in BULK_ENDED

    @property
    def valid(self) -> int:
        return self.rows - self.invalid


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why a row does not fit. `path` is a JSON pointer into its arguments."""

    path: str
    message: str
    zh: str = ""
    """The same in Chinese; empty where nobody has said it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkRow:
    row: int
    """From 1."""
    line: int
    """Where it begins in the file, from 1."""
    state: RowState = RowState.PENDING
    payload: bytes = b""
    """The arguments as they are sent: a JSON object. Empty where the row is none."""
    faults: tuple[Fault, ...] = ()
    call_id: str = ""
    """The call that ran it, or the last one that tried."""
    result: bytes = b""
    """The answer, if it has at most RESULT_BYTES."""
    result_bytes: int = 0
    reason: str = ""
    message: str = ""
    code: Code | None = None
    """The message by name; with the parameters of it."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    service_id: str = ""
    started_ms: int = 0
    finished_ms: int = 0


# ------------------------------------------------------------------------------------------------ the bulk moves on


def start(bulk: Bulk, plan: Plan, *, by: Principal, now_ms: int, approval_id: str = "") -> Bulk:
    """Raises FailedPrecondition."""
    if bulk.state is BulkState.INVALID and not plan.skip_invalid:
        raise FailedPrecondition(
            f"{bulk.invalid} of {bulk.rows} rows are invalid: correct the file and upload it again, or start with skip_invalid"
        )
    _require(bulk, "started", BulkState.READY, BulkState.INVALID)
    if not bulk.valid:
        raise FailedPrecondition("no row is valid: correct the file and upload it again")
    return replace(
        bulk,
        state=BulkState.RUNNING,
        plan=plan,
        started_by=by.name,
        starter=by,
        started_ms=now_ms,
        confirmed=False,
        approval_id=approval_id,
    )


def confirm(bulk: Bulk) -> Bulk:
    """Raises FailedPrecondition."""
    _require(bulk, "confirmed", BulkState.CANARY_DONE)
    return replace(bulk, state=BulkState.RUNNING, confirmed=True)


def pause(bulk: Bulk) -> Bulk:
    """One that is paused stays so. Raises FailedPrecondition."""
    _require(bulk, "paused", BulkState.RUNNING, BulkState.PAUSED)
    return replace(bulk, state=BulkState.PAUSED)


def resume(bulk: Bulk) -> Bulk:
    """One that runs goes on. Raises FailedPrecondition."""
    _require(bulk, "resumed", BulkState.PAUSED, BulkState.RUNNING)
    return replace(bulk, state=BulkState.RUNNING)


def cancel(bulk: Bulk) -> Bulk:
    """An ended one stays as it is."""
    if bulk.ended:
        return bulk
    if bulk.state is BulkState.UPLOADING:
        raise FailedPrecondition(f"bulk {bulk.id} is being uploaded: end the upload instead")
    return replace(bulk, state=BulkState.CANCELING)


def conclude(bulk: Bulk, counts: Counts, now_ms: int) -> Bulk:
    """What becomes of a bulk that no row of runs, and that may begin none in the state it is in."""
    match bulk.state:
        case BulkState.CANCELING:
            return replace(bulk, state=BulkState.CANCELED, finished_ms=now_ms)
        case BulkState.RUNNING if counts.get(RowState.PENDING, 0):
            return replace(bulk, state=BulkState.CANARY_DONE)
        case BulkState.RUNNING:
            return replace(bulk, state=BulkState.DONE, finished_ms=now_ms)
        case _:
            return bulk


def allowance(bulk: Bulk, counts: Counts) -> int:
    """How many rows may still be begun before the bulk has to be asked about."""
    if bulk.state is not BulkState.RUNNING:
        return 0
    if bulk.confirmed or not bulk.plan.canary:
        return bulk.rows
    return max(0, bulk.plan.canary - sum(counts.get(state, 0) for state in BEGUN))


def _require(bulk: Bulk, deed: str, *states: BulkState) -> None:
    if bulk.state not in states:
        wanted = " or ".join(state.value for state in states)
        raise FailedPrecondition(f"bulk {bulk.id} is {bulk.state.value}; only one that is {wanted} can be {deed}")


# ------------------------------------------------------------------------------------------------ a row is called


def call_of(bulk: Bulk, row: BulkRow, call_id: str, traceparent: str = "") -> Call:
    return Call(
        id=call_id,
        function_id=bulk.function_id,
        scope=bulk.scope,
        payload=row.payload,
        caller=bulk.started_by,
        idempotency_key=f"bulk:{bulk.id}:{row.row}",
        metadata={"dry_run": "true"} if bulk.dry_run else {},
        traceparent=traceparent,
    )


def ended(row: BulkRow, outcome: Outcome, now_ms: int) -> BulkRow:
    """The row after its call."""
    if isinstance(outcome, Result):
        return replace(
            row,
            state=RowState.SUCCEEDED,
            result=outcome.payload if len(outcome.payload) <= RESULT_BYTES else b"",
            result_bytes=len(outcome.payload),
            service_id=outcome.service_id,
            finished_ms=now_ms,
        )
    is_open = may_have_run(outcome) or isinstance(outcome, Conflict)  # whose first call has no recorded end
    return replace(
        row,
        state=RowState.UNKNOWN if is_open else RowState.FAILED,
        reason=outcome.reason,
        message=outcome.message,
        service_id=outcome.service_id,
        code=outcome.code,
        parameters={} if outcome.code is None else outcome.details,
        finished_ms=now_ms,
    )


def released(row: BulkRow) -> BulkRow:
    """Nothing ran: it waits again."""
    return replace(row, state=RowState.PENDING, call_id="", started_ms=0)


def settled(row: BulkRow, state: CallState | None, outcome: Outcome | None, now_ms: int) -> BulkRow:
    """A row that ran when the server died, by the record of its call (`state` None: there is no such record)."""
    if isinstance(outcome, Unavailable | RateLimited):
        return released(row)
    if outcome is not None:
        return ended(row, outcome, now_ms)
    if state is None and now_ms - row.started_ms < RECORD_KEPT_MS:
        return released(row)  # the server died before the call was recorded, hence before it was sent
    why, code = "the end of its call is not recorded", Code.END_UNRECORDED
    if state is None:
        why, code = "the record of its call is gone", Code.RECORD_GONE
    return ended(row, OutcomeUnknown(f"{why}: look in the game whether it took effect", code=code), now_ms)

"""The record of who did what.

    Note ──► the store gives it a place: seq, time, hash, mac ──► SealedRow

What changes something leaves two rows, an intent before it and an outcome after it, which share `act_id`; what is over at once
(a denial, a login) leaves one. A call's `act_id` is the call's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from croupier.domain.principal import Principal
from croupier.domain.scope import Scope


class Phase(StrEnum):
    INTENT = "intent"
    OUTCOME = "outcome"
    EVENT = "event"


OK = "ok"
DENIED = "denied"
FAILED = "failed"
REPEATED = "repeated"
"""The idempotency key of an earlier call: its answer was given again, nothing ran."""

WAITING = "waiting"
"""For somebody's approval; nothing ran yet."""


class Note(NamedTuple):
    """What the record will say of something. A tuple, because every call makes two."""

    actor: Principal
    action: str
    """`area.verb`, as in permissions: `packs.import`, `function.invoke`."""
    phase: Phase = Phase.EVENT
    act_id: str = ""
    target: str = ""
    """What it is done to: a function, a pack, an account."""
    scope: Scope | None = None
    """None is the platform as a whole."""
    trace_id: str = ""
    details: str = ""
    """JSON, with masked values and bounded; of a call its arguments."""
    result: str = ""
    """ok | denied | failed | repeated, or how a job ended; empty for an intent."""
    reason: str = ""
    """One of the reasons of `croupier.errors`, where it did not go well."""
    address: str = ""
    """Where the request came from, if it is known."""


SYSTEM = Principal(name="croupier", kind="system")
"""Who does what nobody asked for."""


class Head(NamedTuple):
    """Where a chain stands: its last row."""

    seq: int
    hash: bytes


GENESIS = Head(0, bytes(32))
"""Before the first row."""


class SealedRow(NamedTuple):
    """A row as it is kept."""

    seq: int
    row: bytes
    """Canonical JSON (RFC 8785)."""
    hash: bytes
    mac: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A signed statement of where the chain stood; kept elsewhere, it shows later whether the end was cut off."""

    seq: int
    hash: bytes
    time_ms: int
    signature: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A signed statement that the rows up to one were taken away on purpose; the chain goes on from its hash."""

    up_to: int
    hash: bytes
    """Of row `up_to`, which the first row that is left was chained to."""
    time_ms: int
    by: str
    signature: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Rows that fit everything that is named here; what is empty fits all."""

    actor: str = ""
    """The actor's name."""
    user_id: str = ""
    action: str = ""
    """Exactly, or as `packs.*` everything that begins so."""
    target: str = ""
    scope: Scope | None = None
    act_id: str = ""
    trace_id: str = ""
    phase: str = ""
    result: str = ""
    reason: str = ""
    after_seq: int = 0
    since_ms: int | None = None
    until_ms: int | None = None
    text: str = ""
    """Anywhere in the row, letter for letter."""
    masks: Sequence[str] = ()
    """Any of these, anywhere in the row: what stands in the place of a masked value."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    rows: Sequence[SealedRow]
    """Newest first."""
    next: int | None = None
    """Go on before this seq; None when there is nothing more. A page may be short, even empty, and still have one."""

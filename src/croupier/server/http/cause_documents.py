"""Why something is as it is, in words and by name, as JSON."""

from collections.abc import Iterable
from dataclasses import dataclass

from croupier.codes import Code
from croupier.domain.causes import Cause, cause_of


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseEntry:
    code: Code | None
    """What `detail` says, by name (docs/reference/refusals.md); null where it has none."""
    parameters: dict[str, str]
    detail: str


def cause_entry(cause: Cause) -> CauseEntry:
    return CauseEntry(code=cause.code, parameters=dict(cause.parameters), detail=cause.detail)


def cause_entries(why: Iterable[str]) -> list[CauseEntry]:
    return [cause_entry(cause_of(each)) for each in why]

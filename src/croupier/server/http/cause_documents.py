"""Why somebody else has to agree, as JSON."""

from collections.abc import Iterable
from dataclasses import dataclass

from croupier.codes import Code
from croupier.domain.causes import cause_of


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseEntry:
    code: Code | None
    """rule, two_person_rule, description_asks, risk, over_limit (docs/reference/refusals.md); null where it has no name."""
    parameters: dict[str, str]
    detail: str


def cause_entries(why: Iterable[str]) -> list[CauseEntry]:
    found = map(cause_of, why)
    return [CauseEntry(code=each.code, parameters=dict(each.parameters), detail=each.detail) for each in found]

"""Why somebody else has to agree, and what has changed since, in words that stand in requests for ever; read back by name.

A request keeps the words; so each kind of them is written and read here, and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from croupier.codes import Code
from croupier.domain.binding import changed_field

TWO_PERSON = "its two-person rule"
DESCRIPTION = "its description asks for an approval"
_RULE, _RISK, _LIMIT = "rule ", "its risk is ", "limit "


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    code: Code | None
    """None: an earlier version wrote it otherwise."""
    detail: str
    """The words."""
    parameters: Mapping[str, str] = field(default_factory=dict)


def by_rule(name: str) -> str:
    return f"{_RULE}{name}"


def by_risk(risk: str) -> str:
    return f"{_RISK}{risk}"


def by_limit(limit_id: str, message: str) -> str:
    return f"{_LIMIT}{limit_id}: {message}"


def cause_of(words: str) -> Cause:
    if words == TWO_PERSON:
        return Cause(code=Code.TWO_PERSON_RULE, detail=words)
    if words == DESCRIPTION:
        return Cause(code=Code.DESCRIPTION_ASKS, detail=words)
    if words.startswith(_RULE):
        return Cause(code=Code.RULE, detail=words, parameters={"rule": words.removeprefix(_RULE)})
    if words.startswith(_RISK):
        return Cause(code=Code.RISK, detail=words, parameters={"risk": words.removeprefix(_RISK)})
    if what := changed_field(words):
        return Cause(code=Code.CHANGED, detail=words, parameters={"what": what})
    limit, colon, message = words.removeprefix(_LIMIT).partition(": ")
    if colon and words.startswith(_LIMIT):
        return Cause(code=Code.OVER_LIMIT, detail=words, parameters={"limit": limit, "message": message})
    return Cause(code=None, detail=words)

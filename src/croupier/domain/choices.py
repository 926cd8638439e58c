"""Why a game server receives a call, or does not, in words that stand in records for ever; read back by name.

    router ── words ──► record, preview, broadcast ──► choice_of, recorded_choice ──► whoever shows them in another language

A call pays for the words only. Each kind of them is written and read here, and nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from croupier.codes import Code
from croupier.domain.causes import Cause

ONLY = "the only agent that offers it"
LESS_BUSY = "the less busy of two drawn agents, game server by game server"
NAMED = "it was named as target"
HASHED = "its name scores highest with the hash key"
EVERYONE = "every healthy game server is asked"
DISCONNECTED = "its agent is not connected"
DRAINS = "its agent drains"
ILL = "it does not answer its agent, or drains"
ANOTHER = "another one was chosen"
NOT_NAMED = "another one was named as target"
DRAWN = "the less busy of two drawn"
"""Of a canary; without one, agents are drawn."""

_CODES: Mapping[str, Code] = {
    ONLY: Code.CHOSEN_ONLY,
    LESS_BUSY: Code.CHOSEN_LESS_BUSY,
    NAMED: Code.CHOSEN_NAMED,
    HASHED: Code.CHOSEN_HASH,
    EVERYONE: Code.CHOSEN_ALL,
    DISCONNECTED: Code.AGENT_DISCONNECTED,
    DRAINS: Code.AGENT_DRAINS,
    ILL: Code.GAME_SERVER_ILL,
    ANOTHER: Code.NOT_CHOSEN,
    NOT_NAMED: Code.NOT_NAMED,
}
_INSIDE, _OUTSIDE, _EMPTY = "in the share", "not in the share", ", but nobody is there"
_CANARY = re.compile(
    rf"canary, (?P<percent>\S+) % to version (?P<version>.*): (?P<side>{_INSIDE}|{_OUTSIDE})(?P<empty>{_EMPTY})?; "
    rf"(?P<by>{DRAWN}|{HASHED})",
    re.DOTALL,
)
_TO_EVERYONE = re.compile(
    r"every healthy game server that offers it \((?P<chosen>\d+)\)(?:; (?P<failed>\d+) of them failed)?"
)
_AMONG = re.compile(r"(?P<why>.*) \((?P<candidates>\d+) could\)", re.DOTALL)


def by_canary(percent: float, version: str, how: str, *, inside: bool, empty: bool) -> str:
    """On one side of a canary, or on the other where nobody is there; `how` is DRAWN or HASHED."""
    side = _INSIDE if inside else _OUTSIDE
    return f"canary, {percent:g} % to version {version}: {side}{_EMPTY if empty else ''}; {how}"


def to_everyone(count: int, failed: int = 0) -> str:
    """As it is recorded of a broadcast; `failed` of one in which others did not."""
    return f"every healthy game server that offers it ({count})" + (f"; {failed} of them failed" if failed else "")


def failed_of(words: str) -> int:
    """As `to_everyone` wrote it."""
    found = _TO_EVERYONE.fullmatch(words)
    return int(found["failed"] or 0) if found is not None else 0


def among(why: str, candidates: int) -> str:
    """As it is recorded of a call that one game server receives."""
    return f"{why} ({candidates} could)"


def of_another_version(has: str, wanted: str) -> Cause:
    has = has or "(none)"
    return Cause(
        code=Code.VERSION_OTHER,
        detail=f"it has version {has}, not {wanted}",
        parameters={"has": has, "wanted": wanted},
    )


def choice_of(words: str) -> Cause:
    if (code := _CODES.get(words)) is not None:
        return Cause(code=code, detail=words)
    if (found := _CANARY.fullmatch(words)) is not None:
        parameters = {
            "percent": found["percent"],
            "version": found["version"],
            "side": "inside" if found["side"] == _INSIDE else "outside",
            "empty": "true" if found["empty"] else "",
            "by": "hash" if found["by"] == HASHED else "load",
        }
        return Cause(code=Code.CHOSEN_CANARY, detail=words, parameters=parameters)
    return Cause(code=None, detail=words)


def recorded_choice(words: str) -> Cause:
    """What `to_everyone` and `among` wrote."""
    if (found := _TO_EVERYONE.fullmatch(words)) is not None:
        parameters = {"chosen": found["chosen"], "failed": found["failed"] or ""}
        return Cause(code=Code.CHOSEN_ALL, detail=words, parameters=parameters)
    if (found := _AMONG.fullmatch(words)) is None:
        return choice_of(words)
    choice = choice_of(found["why"])
    return replace(choice, detail=words, parameters={**choice.parameters, "candidates": found["candidates"]})

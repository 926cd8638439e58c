import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from croupier.domain.audit import Note

WINDOW = 10.0
"""Seconds in which the same refusal of the same caller is counted only."""
MOST = 4_096
"""Different ones are remembered at a time."""
PER_CALLER = 20
"""Of one caller; whatever else is refused to them meanwhile is counted together."""

_Key = tuple[object, ...]


@dataclass(slots=True)
class _Seen:
    note: Note
    timer: asyncio.TimerHandle
    again: int = 0


class Denials:
    """Keeps who is refused ten thousand times from filling the disk: the first is on record at once, the others as a number.

    `tell` is given what is to be recorded later.
    """

    def __init__(self, tell: Callable[[Note], None]) -> None:
        self._tell = tell
        self._seen: dict[_Key, _Seen] = {}
        self._of_caller: Counter[_Key] = Counter()

    def is_new(self, note: Note) -> bool:
        """Whether it is to be recorded now; else it is counted."""
        caller = _caller(note)
        key: _Key = (*caller, note.action, note.target, note.scope, note.reason)
        seen = self._seen.get(key)
        if seen is None and self._of_caller[caller] >= PER_CALLER:
            key = caller  # whoever tries one thing after the other
            seen = self._seen.get(key)
        if seen is None and len(self._seen) >= MOST:
            key = (note.reason,)  # whoever makes up names without end
            seen = self._seen.get(key)
        if seen is not None:
            seen.again += 1
            return False
        timer = asyncio.get_running_loop().call_later(WINDOW, self._end, key)
        self._seen[key] = _Seen(note, timer)
        self._of_caller[caller] += 1
        return True

    def _end(self, key: _Key) -> None:
        seen = self._seen.pop(key)
        caller = _caller(seen.note)
        self._of_caller[caller] -= 1
        if not self._of_caller[caller]:
            del self._of_caller[caller]
        if seen.again:
            self._tell(seen.note._replace(details=orjson.dumps({"again": seen.again}).decode()))

    def close(self) -> None:
        """Tell what has been counted."""
        for key, seen in list(self._seen.items()):
            seen.timer.cancel()
            self._end(key)


def _caller(note: Note) -> _Key:
    """Somebody whom nobody knows is told from another by the address."""
    actor = note.actor
    return actor.kind, actor.name, actor.credential, note.address

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from croupier.descriptors import FunctionDescriptor
from croupier.server.catalog.entry import Kind, Origin
from croupier.server.catalog.snapshot import Snapshot, Source

KEPT = 10
"""How many earlier versions of one function from one origin are kept."""
MOST_FUNCTIONS = 20_000
"""Of how many functions; those that changed least recently are forgotten first."""

Key = tuple[Kind, str, str]
"""Kind and name of an origin, and a function."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A function as one origin described it at one time."""

    descriptor: FunctionDescriptor
    origin: Origin
    replaced_ms: int = 0
    """When it was replaced or taken away, milliseconds since 1970; 0 while it stands."""

    @property
    def digest(self) -> str:
        """12 hex digits, the same for the same description."""
        written = orjson.dumps(self.descriptor.document(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(written).hexdigest()[:12]


class Versions:
    """What packs and providers said before, for as long as the server runs. `clock` gives milliseconds since 1970."""

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._clock = clock
        self._past: OrderedDict[Key, deque[Version]] = OrderedDict()

    def note(self, old: Snapshot, new: Snapshot) -> None:
        """`new` takes the place of `old`. A description is another one where it is another object."""
        after = {(source.origin.kind, source.origin.name): source for source in new.sources}
        now = self._clock()
        for source in old.sources:
            kept = after.get((source.origin.kind, source.origin.name))
            if kept is not source:
                self._compare(source, kept, now)

    def _compare(self, old: Source, new: Source | None, now: int) -> None:
        entries = new.entries if new is not None else {}
        for function_id, entry in old.entries.items():
            same = entries.get(function_id)
            if entry.descriptor is not None and (same is None or same.descriptor is not entry.descriptor):
                version = Version(descriptor=entry.descriptor, origin=entry.origin, replaced_ms=now)
                key = (old.origin.kind, old.origin.name, function_id)
                past = self._past.pop(key, None) or deque(maxlen=KEPT)
                past.appendleft(version)
                self._past[key] = past
        while len(self._past) > MOST_FUNCTIONS:
            self._past.popitem(last=False)

    def past(self, function_id: str) -> list[Version]:
        """What was said of the function and does not stand any more, the latest first."""
        found = [version for (_, _, name), past in self._past.items() if name == function_id for version in past]
        return sorted(found, key=lambda version: version.replaced_ms, reverse=True)

"""What was told lately, topic by topic, numbered in the order in which it came."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from croupier.domain.policy import ANY
from croupier.server.live.topics import RINGED

KEPT = 4_096
"""Entries of one topic; the oldest give way."""

ANYWHERE = (ANY, ANY)


class Item(NamedTuple):
    """Something to tell of a topic."""

    key: str
    """Of what it tells: what is told later of the same makes this superfluous."""
    kind: str
    data: bytes
    """JSON, on one line."""
    place: tuple[str, str] = ANYWHERE
    """Game and env, each `*` for any: whoever may look at the topic there is told."""
    person: str = ""
    """Who is told wherever he may look."""


class Entry(NamedTuple):
    seq: int
    topic: str
    item: Item


class _Ring:
    __slots__ = ("begun", "entries", "lost")

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.begun = 0
        """From here on everything was told; 0 while nothing is."""
        self.lost = 0
        """Up to here something was told that is here no more, or was never."""


class Board:
    """`epoch` names it, so that numbers of another one are not taken for its own."""

    def __init__(self) -> None:
        self.epoch = secrets.token_urlsafe(6)
        self.seq = 0
        """The number of what was told last, of any topic."""
        self.changed: Callable[[], None] = _nobody_looks
        """Called when something was told, or lost."""
        self._rings = {topic: _Ring() for topic in RINGED}

    def begin(self, topic: str) -> None:
        """From now on everything is told."""
        self.seq += 1  # whoever has read up to the number before has not read what was not told in between
        self._rings[topic].begun = self.seq

    def end(self, topic: str) -> None:
        """Nothing is told any more."""
        self._rings[topic] = _Ring()

    def put(self, topic: str, item: Item) -> None:
        self.seq += 1
        ring = self._rings[topic]
        ring.entries.append(Entry(self.seq, topic, item))
        if len(ring.entries) > KEPT:
            ring.lost = ring.entries.popleft().seq
        self.changed()

    def lose(self, topic: str) -> None:
        """Something happened that cannot be told."""
        self.seq += 1
        self._rings[topic].lost = self.seq
        self.changed()

    def has_all(self, topic: str, seq: int) -> bool:
        """Whether what came after `seq` is all here."""
        ring = self._rings[topic]
        return 0 < ring.begun <= seq <= self.seq and ring.lost <= seq

    def last(self, topic: str) -> int:
        """The number of the last thing that happened to it."""
        ring = self._rings[topic]
        return max(ring.begun, ring.lost, ring.entries[-1].seq if ring.entries else 0)

    def after(self, topic: str, seq: int) -> list[Entry]:
        """In order."""
        return list(_newer(self._rings[topic].entries, seq))[::-1]


def _newer(entries: deque[Entry], seq: int) -> Iterator[Entry]:
    for entry in reversed(entries):
        if entry.seq <= seq:
            return
        yield entry


def _nobody_looks() -> None:
    pass

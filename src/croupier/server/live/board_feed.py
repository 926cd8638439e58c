"""A reader's view of the board: of its topics what the reader may see, each thing once, as it was told last."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from croupier.domain.approval import Approval, person_of
from croupier.domain.limit import meets, reaches
from croupier.domain.policy import Within
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.approvals.deciding import Approvals
from croupier.server.live.board import Entry, Item
from croupier.server.live.cursor import Cursor, board_head
from croupier.server.live.feed import Feed
from croupier.server.live.frames import dumped, event, frame, line
from croupier.server.live.hub import Hub
from croupier.server.live.topics import APPROVALS

PAGE = 500

MISSED = "missed"
RESTARTED = "restarted"


class Undecided:
    """How many approvals wait for somebody; the store is asked once for all readers."""

    def __init__(self, approvals: Approvals, hub: Hub) -> None:
        self._approvals = approvals
        self._board = hub.board
        self._known: Sequence[Approval] = ()
        self._as_of = -1
        self._asking = asyncio.Lock()

    async def waiting(self, caller: Principal, scope: Scope | None) -> int:
        """Raises CroupierError."""
        async with self._asking:
            last = self._board.last(APPROVALS)
            if self._as_of < last:
                self._known = await self._approvals.undecided()
                self._as_of = last
        return self._approvals.waiting_for(caller, self._known, scope)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What somebody may see."""

    caller: Principal
    scope: Scope | None
    """Which one was asked for; none is every one."""
    within: Mapping[str, Within | None]
    """By topic; None is everywhere."""

    def shows(self, topic: str, item: Item) -> bool:
        if self.scope is not None and not reaches(*item.place, self.scope):
            return False
        if item.person and item.person == person_of(self.caller):
            return True
        return meets(self.within[topic], *item.place)


class BoardFeed(Feed):
    """`seq` is how far the board was read."""

    def __init__(
        self, wake: Callable[[], None], *, sight: Sight, hub: Hub, undecided: Undecided, cursor: Cursor | None
    ) -> None:
        super().__init__(tuple(sight.within), wake)
        self.head = board_head(self.topics)
        self._sight = sight
        self._hub = hub
        self._undecided = undecided
        self._cursor = cursor
        self._from: dict[str, int] = {}
        """Where each topic begins."""
        self._resets: dict[str, str] = {}
        """Topics of which something was missed, and why; not told yet."""
        self._counts = APPROVALS in self.topics
        """It is still to be told how many approvals wait."""

    async def begin(self) -> None:
        await self._hub.join(self.topics, self.has_news)
        board, cursor = self._hub.board, self._cursor
        now = self.seq = board.seq
        for topic in self.topics:
            self._from[topic] = now
            if cursor is None or topic not in cursor.topics:
                continue
            if cursor.epoch == board.epoch and board.has_all(topic, cursor.seq):
                self._from[topic] = self.seq = cursor.seq
            else:
                self._resets[topic] = MISSED if cursor.epoch == board.epoch else RESTARTED

    async def read(self) -> Sequence[bytes]:
        self.ready = False
        now = self._hub.board.seq
        entries = self._entries()
        waiting = await self._waiting(entries)
        # What says where to begin anew comes under the number before: whoever is cut off after it still gets the rest.
        frames = [frame(self.seq, event("reset", topic=each, reason=why)) for each, why in self._resets.items()]
        if self._counts:
            frames.append(frame(self.seq, line(APPROVALS, "waiting", dumped({"waiting": waiting}))))
        self._counts, self._resets = False, {}
        frames += [frame(entry.seq, _written(entry, waiting)) for entry in entries[:PAGE]]
        self.seq = now
        if len(entries) > PAGE:
            self.seq, self.ready = entries[PAGE - 1].seq, True
        return frames

    def _entries(self) -> list[Entry]:
        """What is new, in order; where some is gone, that is noted instead."""
        board, shows = self._hub.board, self._sight.shows
        newest: dict[tuple[str, str], Entry] = {}
        for topic in self.topics:
            since = max(self.seq, self._from[topic])
            if not board.has_all(topic, since):
                self._resets[topic] = MISSED
                self._from[topic] = board.seq
                self._counts = self._counts or topic == APPROVALS
                continue
            for entry in board.after(topic, since):
                if shows(topic, entry.item):
                    newest[topic, entry.item.key] = entry
        return sorted(newest.values())

    async def _waiting(self, entries: Iterable[Entry]) -> int:
        if self._counts or any(entry.topic == APPROVALS for entry in entries):
            return await self._undecided.waiting(self._sight.caller, self._sight.scope)
        return 0

    async def close(self) -> None:
        self._hub.leave(self.topics, self.has_news)


def _written(entry: Entry, waiting: int) -> bytes:
    item = entry.item
    data = item.data if entry.topic != APPROVALS else item.data[:-1] + b',"waiting":%d}' % waiting
    return line(entry.topic, item.kind, data)

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import msgspec
import orjson

from croupier.audit.documents import CheckpointDocument, checkpoint_document, checkpoint_of
from croupier.audit.signing import Signer
from croupier.domain.audit import Checkpoint
from croupier.errors import CroupierError
from croupier.objects import Objects
from croupier.store.audit import AuditStore

log = logging.getLogger(__name__)

FOLDER = "audit-checkpoints"
EVERY_ROWS = 10_000
EVERY_S = 300.0
LOOK_S = 15.0
"""Seconds between looks at how far the record is."""
PAGE = 1_000


class Checkpoints:
    """Signs where the chain stands, every `EVERY_ROWS` rows or `EVERY_S` seconds in which there was one, and when it stops.

    They lie in the database and, one file each, among the objects: whoever copies those elsewhere can show later that the end
    of the record was not cut off.
    """

    def __init__(self, store: AuditStore, objects: Objects, signer: Signer, clock: Callable[[], int]) -> None:
        self._store = store
        self._objects = objects
        self._signer = signer
        self._clock = clock
        self._last: Checkpoint | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except CroupierError as error:
                log.warning("no checkpoint of the audit record could be written: %s", error.message)

    async def _look(self) -> None:
        last = await self.last()
        rows = (await self._store.head()).seq - (last.seq if last else 0)
        age_ms = self._clock() - (last.time_ms if last else 0)
        if rows >= EVERY_ROWS or (rows and not 0 <= age_ms < EVERY_S * 1000):
            await self.make()

    async def make(self) -> Checkpoint | None:
        """One of now; None where there is no row yet. Raises Unavailable."""
        head = await self._store.head()
        if not head.seq:
            return None
        if self._last is not None and self._last.seq == head.seq:
            return self._last
        made = self._signer.checkpoint(Checkpoint(seq=head.seq, hash=head.hash, time_ms=self._clock()))
        await self._store.put_checkpoint(made)
        await self._objects.put(f"{FOLDER}/{_name(made.seq)}", _file(made))
        self._last = made
        return made

    async def last(self) -> Checkpoint | None:
        after = self._last.seq if self._last is not None else 0
        while page := await self._store.checkpoints(after, PAGE):
            self._last, after = page[-1], page[-1].seq
        return self._last

    async def kept(self) -> list[Checkpoint]:
        """All of them, from both places, with a right signature; the others are as if they were not there."""
        found: dict[int, Checkpoint] = {}
        for name in await self._objects.names(FOLDER):
            made = await self._read(f"{FOLDER}/{name.rpartition('/')[2]}")
            if made is not None:
                found[made.seq] = made
        after = 0
        while page := await self._store.checkpoints(after, PAGE):
            after = page[-1].seq
            found |= {each.seq: each for each in page if self._signer.witness.signed_checkpoint(each)}
        return [found[seq] for seq in sorted(found)]

    async def forget(self, up_to: int) -> None:
        """Take away the files of those up to there, whose rows were cut off: nothing can be held against them any more."""
        for name in await self._objects.names(FOLDER):
            if name.rpartition("/")[2] <= _name(up_to):
                await self._objects.delete(f"{FOLDER}/{name.rpartition('/')[2]}")

    async def _read(self, name: str) -> Checkpoint | None:
        text = b"".join([chunk async for chunk in self._objects.get(name)])
        try:
            made = checkpoint_of(msgspec.json.decode(text, type=CheckpointDocument))
        except (msgspec.DecodeError, ValueError):
            return None
        return made if self._signer.witness.signed_checkpoint(made) else None


def _name(seq: int) -> str:
    """Of its file; in the order of the numbers."""
    return f"{seq:016d}.json"


async def _file(made: Checkpoint) -> AsyncIterator[bytes]:
    yield orjson.dumps(checkpoint_document(made)) + b"\n"

"""Messages of the stream as bytes. What differs from reader to reader, the cursor, is put before each when it is sent:

id: CURSOR   ◄─ `written` puts it there: the reader's own part, then the frame's
1f4                                       the frame begins with what this message adds to the cursor
data: {"topic":"calls","type":"ended","data":{…}}
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import orjson

from croupier.domain.job import JobEvent, state_after
from croupier.server.payload_json import payload_fields

KEPT_BYTES = 8_000_000
"""Made batches that are kept for the next reader."""

PING = b"\nevent: ping\ndata: {}\n\n"
"""Adds nothing to the cursor."""


def line(topic: str, kind: str, data: bytes) -> bytes:
    """The message without its id; `data` is JSON on one line, and a topic holds nothing that JSON would escape."""
    return b'data: {"topic":"%b","type":"%b","data":%b}\n\n' % (topic.encode(), kind.encode(), data)


def frame(seq: int, text: bytes) -> bytes:
    """`text` as the message after which its feed has come to `seq`."""
    return b"%x\n%b" % (seq, text)


def unmoved(text: bytes) -> bytes:
    """`text` as a message that adds nothing to the cursor."""
    return b"\n" + text


def event(name: str, **data: str) -> bytes:
    """A message about the stream itself."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), dumped(data))


def written(cursor: bytes, frames: Sequence[bytes]) -> bytes:
    """`frames`, each under its id; `cursor` is what they have in common."""
    return (b"id: " + cursor).join((b"", *frames))


class JobFrames:
    """A job's events as frames. A crowd that follows one job is sent the same batches, and they are made once."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, int, int], list[bytes]] = OrderedDict()
        self._size = 0

    def of(self, topic: str, events: Sequence[JobEvent]) -> list[bytes]:
        """`events` are some of one job's, without a gap."""
        key = (topic, events[0].seq, events[-1].seq)
        made = self._made.get(key)
        if made is None:
            made = [frame(each.seq, line(topic, each.type, dumped(_told(each)))) for each in events]
            self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, int, int], made: list[bytes]) -> None:
        self._made[key] = made
        self._size += sum(map(len, made))
        while self._size > KEPT_BYTES:
            self._size -= sum(map(len, self._made.popitem(last=False)[1]))


def _told(event: JobEvent) -> dict[str, Any]:
    """As `/api/stream_job` tells it, and what state the job is in by it."""
    told = {"seq": event.seq, "type": event.type, "message": event.message, "progress": event.progress}
    told |= {"state": state_after(event).value, "time_ms": event.time_ms} | payload_fields(event.payload)
    return told | {"reason": event.reason} if event.reason else told


def dumped(data: Any) -> bytes:
    """Text that is no Unicode is mended: game servers may say anything."""
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError:
        return orjson.dumps(_mended(data))


def _mended(data: Any) -> Any:
    match data:
        case str():
            return data.encode("utf-8", "replace").decode()
        case dict():
            return {_mended(key): _mended(value) for key, value in data.items()}
        case list() | tuple():
            return [_mended(each) for each in data]
        case _:
            return data

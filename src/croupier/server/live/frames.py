"""Messages of the stream as bytes. What differs from reader to reader, the cursor, is put before each when it is sent:

id: CURSOR   ◄─ `written` puts it there: the reader's own part, then the frame's
1f4                                       the frame begins with what this message adds to the cursor
data: {"topic":"calls","type":"ended","data":{…}}
"""

from collections.abc import Sequence
from typing import Any

import orjson

from croupier.domain.job import JobEvent, state_after
from croupier.server.payload_json import payload_fields

KEPT_BYTES = 8_000_000
"""Of frames that are kept for the next reader."""

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
    """A job's events as frames. A crowd that follows one job is sent the same ones, and each is made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], bytes] = {}
        """By topic and number, the oldest first."""
        self._size = 0

    def of(self, topic: str, events: Sequence[JobEvent]) -> list[bytes]:
        """`events` are those of the topic's job."""
        return [self._made.get((topic, each.seq)) or self._make(topic, each) for each in events]

    def _make(self, topic: str, event: JobEvent) -> bytes:
        made = self._made[topic, event.seq] = frame(event.seq, line(topic, event.type, dumped(_told(event))))
        self._size += len(made)
        while self._size > KEPT_BYTES:
            oldest = next(iter(self._made))
            self._size -= len(self._made.pop(oldest))
        return made


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

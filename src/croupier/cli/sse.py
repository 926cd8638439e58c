"""Server-sent events (WHATWG HTML, section 9.2), read from bytes as they come. No I/O."""

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSentEvent:
    id: str
    """The last id the stream gave, also by an earlier event."""
    type: str
    data: str


class MalformedStream(Exception):
    """What came is not a stream of events, or one event is larger than allowed."""


class EventParser:
    """Feed it the chunks of one response; each returns the events it completed. `limit` bounds one event, in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._first = True
        self._after_cr = False
        self._pieces: list[bytes] = []
        self._held = 0
        self._id = ""
        self._type = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Raises MalformedStream."""
        chunk = self._without_bom(chunk)
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk)
        events: list[ServerSentEvent] = []
        for line in lines:
            self._hold(line)
            whole = b"".join(self._pieces)
            self._pieces.clear()
            if event := self._line(whole):
                events.append(event)
        self._hold(rest)
        return events

    def _without_bom(self, chunk: bytes) -> bytes:
        if not self._first or not chunk:
            return chunk
        chunk = b"".join(self._pieces) + chunk
        self._pieces.clear()
        self._held = 0
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._hold(chunk)
            return b""
        self._first = False
        return chunk.removeprefix(_BOM)

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._limit:
            raise MalformedStream(f"an event larger than {self._limit} bytes")
        if piece:
            self._pieces.append(piece)

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = _text(value)
        elif name == b"id" and b"\0" not in value:
            self._id = _text(value)
        # A comment (no name) or a field nobody knows is nothing; it frees what it took.
        else:
            self._held -= len(line)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, kind = self._data, self._type
        self._data, self._type, self._held = [], "", 0
        if not data:
            return None
        return ServerSentEvent(id=self._id, type=kind or "message", data=_text(b"\n".join(data)))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")

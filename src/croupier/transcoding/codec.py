from dataclasses import dataclass, field
from typing import Self

import orjson
from google.protobuf.message import DecodeError, EncodeError

from croupier.domain.limits import PAYLOAD_BYTES
from croupier.errors import CroupierError, FailedPrecondition, HandlerFailed, InvalidArgument, PayloadTooLarge
from croupier.transcoding.mismatch import Mismatch, TooLarge
from croupier.transcoding.names import Names
from croupier.transcoding.reading import Reader
from croupier.transcoding.writing import Room, Writer

OBJECTS = 1_000_000
"""Objects in one payload: each becomes a message, which takes far more room than the two brackets that ask for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Codec:
    """Arguments of one message type and answers of another. Safe to use in several threads."""

    request_fqn: str
    response_fqn: str
    reader: Reader | None
    writer: Writer | None
    names: Names | None = field(default=None, repr=False)
    fault: str = ""
    """Why it cannot be used, if it cannot."""
    types: object = field(default=None, repr=False)
    """The registry that it comes from, which lives as long as somebody has one of its codecs."""

    @classmethod
    def unusable(cls, fault: str) -> Self:
        """Stands where the types are missing: whoever encodes gets FailedPrecondition with `fault`."""
        return cls(request_fqn="", response_fqn="", reader=None, writer=None, fault=fault)

    def respelled(self, json: bytes) -> bytes:
        """A JSON payload with every field under its name in the .proto, whichever of its two names it came under.

        To be done before anybody looks at the arguments: a rule about a field knows it by one name.
        """
        return json if self.names is None else self.names.respelled(json)

    def encode(self, json: bytes) -> bytes:
        """A JSON payload as the request message; the same JSON always gives the same bytes.

        Raises InvalidArgument, naming the field that does not fit, by JSON pointer in its details; PayloadTooLarge;
        FailedPrecondition where there are no types to do it by.
        """
        if self.fault:
            raise FailedPrecondition(self.fault)
        if self.reader is None:
            return json
        value = self._parsed(json)
        message = self.reader.make()
        try:
            self.reader.fill(message, value, 0)
            encoded: bytes = message.SerializeToString(deterministic=True)
        except Mismatch as mismatch:
            raise self._unfit(mismatch.path, mismatch.says) from None
        except EncodeError:
            absent = message.FindInitializationErrors()
            raise self._unfit("", f"lacks {', '.join(absent[:10])}" if absent else "is nested too deeply") from None
        if len(encoded) > PAYLOAD_BYTES:
            raise PayloadTooLarge(f"the payload has more than {PAYLOAD_BYTES} bytes as {self.request_fqn}: send less")
        return encoded

    def _parsed(self, json: bytes) -> object:
        if len(json) > PAYLOAD_BYTES or json.count(b"{") > OBJECTS:
            raise PayloadTooLarge(f"the payload has more than {PAYLOAD_BYTES} bytes or {OBJECTS} objects: send less")
        try:
            return orjson.loads(json or b"{}")
        except orjson.JSONDecodeError as error:
            raise InvalidArgument(f"the payload is not JSON: {error}") from None

    def _unfit(self, path: str, says: str) -> InvalidArgument:
        return InvalidArgument(
            f"the payload does not fit {self.request_fqn}: {path or 'payload'}: {says}", {path: says}
        )

    def decode(self, answer: bytes) -> bytes:
        """A response message as JSON.

        Raises HandlerFailed when `answer` is none, and PayloadTooLarge when its JSON would not fit into a payload.
        """
        if self.writer is None:
            return answer
        if len(answer) > PAYLOAD_BYTES:
            raise self._oversized()
        try:
            message = self.writer.parse(answer)
            value = self.writer.write(message, Room(PAYLOAD_BYTES), 0)
            json = orjson.dumps(value)
        except TooLarge:
            raise self._oversized() from None
        except Mismatch as mismatch:
            raise self._unreadable(answer, f"{mismatch.path or 'it'} {mismatch.says}") from None
        except (DecodeError, ValueError, orjson.JSONEncodeError):
            raise self._unreadable(answer, "its bytes are no such message") from None
        if len(json) > PAYLOAD_BYTES:
            raise self._oversized()
        return json

    def _unreadable(self, answer: bytes, why: str) -> CroupierError:
        return HandlerFailed(
            f"the game server answered {len(answer)} bytes that are not a {self.response_fqn}: {why}; the function may have "
            "acted: check what it did, and that the game server and the pack are built from the same .proto"
        )

    def _oversized(self) -> CroupierError:
        return PayloadTooLarge(
            f"the answer, a {self.response_fqn}, is larger than {PAYLOAD_BYTES} bytes as JSON; the function has run: ask for less"
        )

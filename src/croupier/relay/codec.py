from collections.abc import Iterable

from google.protobuf.message import DecodeError

from croupier.errors import InvalidArgument
from croupier.relay.frames import HalfClose, Open, Pairs, Sent, Status
from croupier_wire.relay.v1 import relay_pb2 as wire

METHOD_LIMIT = 256
PAIRS_LIMIT = 128
PAIRS_BYTES = 32_768
PAIRS_RULE = f"at most {PAIRS_LIMIT} entries of together {PAIRS_BYTES} bytes"
TEXT_LIMIT = 16_384
CERTIFICATE_LIMIT = 16_384
_FRAME_BYTES = 32
"""Of a frame besides its content, at most."""


class LinkViolation(InvalidArgument):
    """The other end of the link broke its rules: the link must end."""


def parse(data: bytes) -> wire.LinkMessage:
    """Raises LinkViolation."""
    try:
        return wire.LinkMessage.FromString(data)
    except DecodeError as error:
        raise LinkViolation("bad link message: it is no LinkMessage") from error


def size_of(item: Sent) -> int:
    """About how many bytes it takes in a message, rather more than less."""
    match item:
        case bytes():
            return _FRAME_BYTES + len(item)
        case Open():
            return _FRAME_BYTES + len(item.method) + len(item.peer) + len(item.certificate) + _pairs_size(item.metadata)
        case Status():
            return _FRAME_BYTES + 4 * len(item.message) + _pairs_size(item.trailing)
        case HalfClose():
            return _FRAME_BYTES


def _pairs_size(pairs: Pairs) -> int:
    return sum(len(name) + len(value) + 8 for name, value in pairs)


def add(batch: wire.LinkMessage, stream: int, item: Sent, now: float) -> None:
    """Append `item` to `batch`."""
    match item:
        case bytes():
            batch.frames.add(stream=stream, kind=wire.KIND_MESSAGE, message=item)
        case HalfClose():
            batch.frames.add(stream=stream, kind=wire.KIND_HALF_CLOSE)
        case Open():
            left = 0 if item.deadline is None else max(1, int((item.deadline - now) * 1000))
            opened = wire.Open(
                method=item.method,
                metadata=_written(item.metadata),
                peer=item.peer,
                deadline_ms=left,
                certificate=item.certificate,
            )
            batch.frames.add(stream=stream, kind=wire.KIND_OPEN, open=opened)
        case Status():
            status = wire.Status(code=item.code, message=item.message, trailing=_written(item.trailing))
            batch.frames.add(stream=stream, kind=wire.KIND_STATUS, status=status)


def _written(pairs: Pairs) -> list[wire.Metadata]:
    return [wire.Metadata(name=name, value=value) for name, value in pairs]


def read_open(value: wire.Open, now: float) -> Open:
    """Raises LinkViolation."""
    if not 0 < len(value.method) <= METHOD_LIMIT or not value.method.startswith("/"):
        raise LinkViolation(f"bad open: a method is /package.Service/Method of at most {METHOD_LIMIT} characters")
    if len(value.peer) > METHOD_LIMIT:
        raise LinkViolation(f"bad open: a peer has at most {METHOD_LIMIT} characters")
    if len(value.certificate) > CERTIFICATE_LIMIT:
        raise LinkViolation(f"bad open: a certificate has at most {CERTIFICATE_LIMIT} bytes")
    deadline = now + value.deadline_ms / 1000 if value.deadline_ms else None
    return Open(
        method=value.method,
        metadata=_pairs(value.metadata),
        peer=value.peer,
        deadline=deadline,
        certificate=value.certificate,
    )


def read_status(value: wire.Status) -> Status:
    """Raises LinkViolation."""
    if not 0 <= value.code <= 16 or len(value.message) > TEXT_LIMIT:
        raise LinkViolation(f"bad status: code 0 to 16, a message of at most {TEXT_LIMIT} characters")
    return Status(value.code, value.message, _pairs(value.trailing))


def _pairs(entries: Iterable[wire.Metadata]) -> Pairs:
    pairs = tuple((entry.name, entry.value) for entry in entries)
    if not fits(pairs):
        raise LinkViolation(f"bad metadata: {PAIRS_RULE}")
    return pairs


def fits(pairs: Pairs) -> bool:
    """May it travel on a link?"""
    return len(pairs) <= PAIRS_LIMIT and _pairs_size(pairs) <= PAIRS_BYTES

"""How far a reader came, as it brings it back: `Last-Event-ID`.

    Ab3dE6gH . ~ 07 1f4 . Qw8rT5yU 2a . …
    epoch      │ │  │     │        └─ the number of the last event of a job, hexadecimal
               │ │  │     └────────── a job's topic, as a digest, so that 64 of them stay short
               │ │  └──────────────── how far the board was read, hexadecimal
               │ └─────────────────── which of its topics were looked at, as bits
               └───────────────────── the board's entry

The epoch names a board, which ends with its process. Whoever brings a cursor may have made it up: it says where to go on
reading what its bearer may read anyway, and nothing else.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from croupier.server.live.topics import RINGED

CURSOR_CHARACTERS = 2048
_EPOCH = re.compile(r"[\w-]{8}", re.ASCII)
_BOARD_ENTRY = re.compile(r"~([0-9a-f]{2})([0-9a-f]{1,12})")
_JOB_ENTRY = re.compile(r"([\w-]{8})([0-9a-f]{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    epoch: str
    topics: frozenset[str]
    """Of the board."""
    seq: int
    """How far that was read."""
    jobs: Mapping[bytes, int]
    """The number of the last event, by `mark`."""


def read_cursor(text: str) -> Cursor | None:
    """None when it is none of ours."""
    epoch, *entries = text[:CURSOR_CHARACTERS].split(".")
    if len(text) > CURSOR_CHARACTERS or not _EPOCH.fullmatch(epoch):
        return None
    bits, seq, jobs = 0, 0, {}
    for each in entries:
        if found := _BOARD_ENTRY.fullmatch(each):
            bits, seq = int(found[1], 16), int(found[2], 16)
        elif found := _JOB_ENTRY.fullmatch(each):
            jobs[found[1].encode()] = int(found[2], 16)
        else:
            return None
    topics = frozenset(topic for at, topic in enumerate(RINGED) if bits >> at & 1)
    return Cursor(epoch, topics, seq, jobs)


def mark(topic: str) -> bytes:
    """Eight characters that stand for a topic."""
    return base64.urlsafe_b64encode(blake2b(topic.encode(), digest_size=6).digest())


def job_head(topic: str) -> bytes:
    """What stands before the number of a job's last event."""
    return b"." + mark(topic)


def board_head(topics: Iterable[str]) -> bytes:
    """What stands before the number up to which the board was read for these topics."""
    return b".~%02x" % sum(1 << RINGED.index(topic) for topic in topics)

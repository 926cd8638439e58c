"""What travels over a link, as values."""

from enum import StrEnum
from typing import NamedTuple, TypeAlias

Pairs: TypeAlias = tuple[tuple[str, bytes], ...]
"""gRPC metadata: names in lower case, values as bytes."""


class Role(StrEnum):
    EDGE = "edge"
    SERVER = "server"


class Identity(NamedTuple):
    """One end of a link, by its own word; that it knows the link token is proven, and with a certificate all of it."""

    role: Role
    id: str
    version: str = ""


class Open(NamedTuple):
    method: str
    """`/package.Service/Method`"""
    metadata: Pairs = ()
    peer: str = ""
    """Who called the edge, as gRPC writes it: `ipv4:192.0.2.1:50000`."""
    deadline: float | None = None
    """When the caller stops waiting, on this process's own clock."""
    certificate: bytes = b""
    """Of the caller, PEM; empty over plain text."""


class HalfClose(NamedTuple):
    """The opener sends no more messages."""


class Status(NamedTuple):
    """The end of a stream. From its opener it is a cancellation."""

    code: int
    """Of gRPC; 0 is success."""
    message: str = ""
    trailing: Pairs = ()


Sent: TypeAlias = Open | bytes | HalfClose | Status
"""What a stream's own lane holds; bytes are a message."""

"""MachineService as a machine sees it: its messages, and a client over a channel."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from croupier.errors import HandlerFailed, Unavailable
from croupier.rpc.client import error_of
from croupier_wire.machine.v1 import machine_pb2 as wire

SERVICE = "/croupier.machine.v1.MachineService/"
RENEW, WATCH = SERVICE + "Renew", SERVICE + "WatchRevocations"
TIMEOUT = 10.0
"""Seconds in which the server must answer."""


def renew_request(request: bytes) -> bytes:
    return wire.RenewRequest(request=request).SerializeToString()


def renewed(answer: bytes) -> tuple[bytes, bytes]:
    """Certificate and authority as PEM."""
    try:
        said = wire.RenewResponse.FromString(answer)
    except DecodeError as error:
        raise HandlerFailed("the server answered garbage to a renewal") from error
    return said.certificate, said.ca


def revoked(answer: bytes) -> list[str]:
    try:
        return list(wire.RevocationList.FromString(answer).serials)
    except DecodeError as error:
        raise HandlerFailed("the server sent garbage for a list of revoked certificates") from error


class OverChannel:
    """`renewal.MachineCalls` over a channel."""

    def __init__(self, channel: Callable[[], Awaitable[grpc.aio.Channel]]) -> None:
        """`channel` waits until there is one."""
        self._channel = channel

    async def renew(self, request: bytes) -> tuple[bytes, bytes]:
        call: Any = (await self._channel()).unary_unary(RENEW)
        try:
            return renewed(await call(renew_request(request), timeout=TIMEOUT))
        except grpc.aio.AioRpcError as error:
            raise error_of(error, "the server") from error
        except asyncio.CancelledError as error:
            raise _closed(error) from None

    async def revocations(self) -> AsyncGenerator[list[str], None]:
        open_stream: Any = (await self._channel()).unary_stream(WATCH)
        call = open_stream(b"")
        try:
            async for answer in call:
                yield revoked(answer)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, "the server") from error
        except asyncio.CancelledError as error:
            raise _closed(error) from None
        finally:
            call.cancel()


def _closed(error: asyncio.CancelledError) -> BaseException:
    """For grpcio a call whose channel was closed looks like a cancelled task; only the second is for our callers."""
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        return error
    return Unavailable("the connection to the server was closed; try again")

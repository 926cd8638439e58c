"""What a foreign program's gRPC failure may and may not be taken to mean."""

import grpc
import grpc.aio
import pytest

from croupier.errors import (
    CroupierError,
    DeadlineExceeded,
    FunctionRejected,
    HandlerFailed,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    Unavailable,
    Unimplemented,
)
from croupier.rpc.client import error_of
from croupier.tunnel.grpc import UNARY_OPTIONS

Code = grpc.StatusCode


def failure(code: grpc.StatusCode, text: str, reason: str = "") -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata(("croupier-reason", reason)) if reason else grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details=text)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failure(Code.UNAVAILABLE, "failed to connect to all addresses; last error: refused"), Unavailable),
        (failure(Code.UNAVAILABLE, "Socket closed"), OutcomeUnknown),
        (failure(Code.UNAVAILABLE, "the mail service is down"), OutcomeUnknown),
        (failure(Code.RESOURCE_EXHAUSTED, "rate limited"), FunctionRejected),
        (failure(Code.RESOURCE_EXHAUSTED, "Received message larger than max (9 vs. 11000000)"), HandlerFailed),
        (failure(Code.RESOURCE_EXHAUSTED, "Sent message larger than max (9 vs. 4)"), PayloadTooLarge),
        (failure(Code.DEADLINE_EXCEEDED, ""), DeadlineExceeded),
        (failure(Code.NOT_FOUND, "no such function"), NotFound),
        (failure(Code.RESOURCE_EXHAUSTED, "too many calls", "rate_limited"), RateLimited),
        (failure(Code.UNAVAILABLE, "the mail service is down", "a reason of its own"), OutcomeUnknown),
    ],
)
def test_only_a_peer_that_knows_our_reasons_can_promise_that_nothing_ran(
    error: grpc.aio.AioRpcError, kind: type[CroupierError]
) -> None:
    assert type(error_of(error, "game-1")) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failure(Code.UNAUTHENTICATED, "the player's session is over"), FunctionRejected),
        (failure(Code.UNAUTHENTICATED, "the player's session is over", "unauthenticated"), FunctionRejected),
        (failure(Code.PERMISSION_DENIED, "not the guild's leader"), FunctionRejected),
        (failure(Code.PERMISSION_DENIED, "this game server serves another env", "permission_denied"), PermissionDenied),
        (failure(Code.NOT_FOUND, "no such player"), FunctionRejected),
        (failure(Code.NOT_FOUND, "no such player", "a reason of its own"), FunctionRejected),
        (failure(Code.NOT_FOUND, "no such player", "not_found"), NotFound),
        (failure(Code.NOT_FOUND, "no local handler for f"), NotFound),
        (failure(Code.NOT_FOUND, "target service not found: game-1"), NotFound),
        (failure(Code.ALREADY_EXISTS, "the name is taken"), FunctionRejected),
        (failure(Code.FAILED_PRECONDITION, "the event has not begun"), FunctionRejected),
        (failure(Code.ABORTED, "try another"), FunctionRejected),
        (failure(Code.INVALID_ARGUMENT, "coins must be positive"), InvalidArgument),
        (failure(Code.UNIMPLEMENTED, "no jobs here"), Unimplemented),
        (failure(Code.INTERNAL, "it broke"), HandlerFailed),
        (failure(Code.UNKNOWN, "it broke"), HandlerFailed),
    ],
)
def test_what_a_function_found_in_the_game_is_no_verdict_of_the_platform(
    error: grpc.aio.AioRpcError, kind: type[CroupierError]
) -> None:
    found = error_of(error, "game-1", function=True)
    assert (type(found), found.message) == (kind, error.details())


def test_a_foreign_server_is_never_pinged():
    # More than two pings without data in five minutes are abuse to a gRPC server of default settings: it hangs up.
    assert not any("keepalive" in name or "ping" in name for name, _ in UNARY_OPTIONS)

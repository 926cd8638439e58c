"""Running one handler: payload in, outcome out, and never an exception but cancellation."""

import asyncio
import logging
from collections.abc import Callable

from croupier_sdk.errors import ON_PURPOSE, Failure, failure_of
from croupier_sdk.functions.encoding import Unserializable, to_payload
from croupier_sdk.functions.function import Function
from croupier_sdk.functions.messages import asks_json, to_answer
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext, enter_call, leave_call
from croupier_sdk.running.workers import Outcome

Context = CallContext | JobContext | BlockingJobContext

log = logging.getLogger("croupier_sdk")


async def run_async(function: Function, payload: bytes, call: CallContext, context: Context) -> Outcome:
    """Run an async handler. Call in a task of its own. Raises CancelledError if that is cancelled and the handler lets it pass."""
    enter_call(call)
    try:
        return _answer(function, await function.handler(**_arguments(function, payload, context)), payload)
    except asyncio.CancelledError:
        if call.cancelled:
            raise
        return Failure(reason="handler_failed", message="CancelledError: the handler cancelled itself")
    except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever a handler raises is its caller's answer
        return _failure(function, error)


def run_sync(function: Function, payload: bytes, call: CallContext, context: Context) -> Outcome:
    """Run a sync handler. Call in a thread."""
    token = enter_call(call)
    try:
        return _answer(function, function.handler(**_arguments(function, payload, context)), payload)
    except BaseException as error:  # noqa: BLE001 — a thread has nobody else to tell
        return _failure(function, error)
    finally:
        leave_call(token)


def worker_job(function: Function, payload: bytes, call: CallContext, context: Context) -> Callable[[], Outcome]:
    return lambda: run_sync(function, payload, call, context)


def _arguments(function: Function, payload: bytes, context: Context) -> dict[str, object]:
    arguments: dict[str, object] = function.signature.bind(payload)
    if function.signature.context:
        arguments[function.signature.context] = context
    return arguments


def _answer(function: Function, value: object, payload: bytes) -> bytes:
    signature = function.signature
    if signature.answers is None:
        return to_payload(value)
    return to_answer(signature.answers, value, as_json=signature.takes is None or asks_json(payload))


def _failure(function: Function, error: BaseException) -> Failure:
    if not isinstance(error, ON_PURPOSE):
        expected = isinstance(error, Unserializable)
        log.error("function %s failed: %s", function.id, type(error).__name__, exc_info=None if expected else error)
    if isinstance(error, Unserializable):
        return Failure(reason="handler_failed", message=f"the answer cannot be sent: {error}")
    return failure_of(error)

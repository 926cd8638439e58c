import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from croupier_sdk.functions.manifest import describe
from croupier_sdk.functions.options import OPTION_NAMES, Options
from croupier_sdk.functions.signature import Handler, Signature, read_signature
from croupier_sdk.running.context import BlockingJobContext, CallContext, JobContext


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A handler with all that is known of it."""

    id: str
    version: str
    handler: Handler
    signature: Signature
    is_async: bool
    is_job: bool
    seconds: float | None
    """How long a call may take that came without a deadline."""
    manifest: Mapping[str, Any]
    """Its entry in the provider manifest."""


def make_function(handler: Handler, function_id: str, options: Mapping[str, Any], *, is_job: bool) -> Function:
    """Read all there is to know of a handler.

    Raises TypeError, naming function and parameter, for a signature that cannot be offered; ValueError for a wrong option.
    """
    function_id = function_id or getattr(handler, "__name__", "")
    if unknown := options.keys() - OPTION_NAMES:
        raise TypeError(f"function {function_id}: unknown option {', '.join(sorted(unknown))}")
    chosen = Options(id=function_id, **options)
    signature = read_signature(function_id, handler)
    is_async = inspect.iscoroutinefunction(handler)
    _check_context(function_id, handler, signature, is_async=is_async, is_job=is_job)
    return Function(
        id=chosen.id,
        version=chosen.version,
        handler=handler,
        signature=signature,
        is_async=is_async,
        is_job=is_job,
        seconds=chosen.seconds,
        manifest=describe(chosen, signature, is_job=is_job),
    )


def _check_context(function_id: str, handler: Handler, signature: Signature, *, is_async: bool, is_job: bool) -> None:
    """A context whose methods the handler cannot use would be a trap."""
    if not signature.context:
        return
    asked = inspect.get_annotations(handler, eval_str=True)[signature.context]
    fitting = CallContext if not is_job else JobContext if is_async else BlockingJobContext
    if asked is not fitting:
        kind = f"{'an async' if is_async else 'a sync'} {'job' if is_job else 'function'}"
        raise TypeError(
            f"function {function_id}, parameter {signature.context}: {kind} takes {fitting.__name__}, not {asked.__name__}"
        )

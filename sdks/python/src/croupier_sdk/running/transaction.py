"""A handler between `begin` and `finish` of the game's own KeyStore."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

from croupier_sdk.errors import Failure, KeyReused, failure_of
from croupier_sdk.keys import KeyStore
from croupier_sdk.running.workers import Outcome

log = logging.getLogger("croupier_sdk")

T = TypeVar("T")


async def in_transaction(store: KeyStore, key: str, digest: bytes, run: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The kept answer of `key`, or that of `run`, kept. Raises CancelledError, after a rollback, where `run` does."""
    try:
        kept = await _awaited(store.begin(key, digest))
    except Exception as error:  # noqa: BLE001 — whatever the game's store raises is its caller's answer
        run.close()
        return _not_begun(key, error)
    except BaseException:
        run.close()
        raise
    if kept is not None:
        run.close()
        return kept
    try:
        outcome = await run
    except BaseException:
        await _awaited(store.rollback(key))
        raise
    try:
        if isinstance(outcome, Failure):
            await _awaited(store.rollback(key))
        else:
            await _awaited(store.finish(key, digest, outcome))
    except Exception as error:  # noqa: BLE001 — as above
        return _not_kept(key, error)
    return outcome


def in_transaction_sync(store: KeyStore, key: str, digest: bytes, run: Callable[[], Outcome]) -> Outcome:
    """The same in a thread; `run` never raises."""
    try:
        kept = _at_once(store.begin(key, digest))
    except BaseException as error:  # noqa: BLE001 — a thread has nobody else to tell
        return _not_begun(key, error)
    if kept is not None:
        return kept
    outcome = run()
    try:
        if isinstance(outcome, Failure):
            _at_once(store.rollback(key))
        else:
            _at_once(store.finish(key, digest, outcome))
    except BaseException as error:  # noqa: BLE001 — as above
        return _not_kept(key, error)
    return outcome


async def _awaited(value: T | Awaitable[T]) -> T:
    return await value if isawaitable(value) else value


def _at_once(value: T | Awaitable[T]) -> T:
    if isawaitable(value):
        if isinstance(value, Coroutine):
            value.close()
        raise TypeError("the methods of a KeyStore must not be coroutine functions where handlers are sync")
    return value


def _not_begun(key: str, error: BaseException) -> Failure:
    if not isinstance(error, KeyReused):
        log.error("the key store could not begin %s; the function did not run", key, exc_info=error)
    return failure_of(error)


def _not_kept(key: str, error: BaseException) -> Failure:
    log.error("the key store could not finish %s", key, exc_info=error)
    text = f"the game's key store failed at the end of the call ({type(error).__name__}); check whether it took effect"
    return Failure(reason="outcome_unknown", message=text)

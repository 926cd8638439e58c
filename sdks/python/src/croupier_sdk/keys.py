from collections.abc import Awaitable
from typing import Protocol


class KeyStore(Protocol):
    """Where a game keeps the idempotency keys of its calls itself, best inside the transaction that does the work.

    `begin`, the handler and then `finish` or `rollback` run one after the other in the same thread (sync handlers) or task
    (async handlers, for which each method may also be a coroutine function). `key` is "<function id>/<idempotency key>".
    Whoever gives a Provider such a store says that an answer it gave holds for every later process under its service_id.
    """

    def begin(self, key: str, digest: bytes) -> bytes | Awaitable[bytes | None] | None:
        """The answer kept for `key`, or None: then begin a transaction, the handler runs now.

        `digest` is the SHA-256 of the payload. Raises KeyReused where the key was kept with another one.
        """

    def finish(self, key: str, digest: bytes, answer: bytes) -> Awaitable[None] | None:
        """The handler is done: keep its answer, and commit."""

    def rollback(self, key: str) -> Awaitable[None] | None:
        """The handler failed, said no or was cancelled: take back what it did."""

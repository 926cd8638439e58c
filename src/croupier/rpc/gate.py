"""Which machine may use which service, by the certificate that TLS has checked.

A certificate counts while it is neither revoked nor expired: both are asked at each call, and both end the streams that are
open. TLS itself looks at a certificate once, when the connection begins.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from croupier.domain.machine import MachineRole, Peer
from croupier.errors import CroupierError, PermissionDenied, Unauthenticated
from croupier.pki.names import peer_in
from croupier.pki.revocations import Revocations

EVERY_ROLE = frozenset(MachineRole)
_CERTIFICATE = "x509_pem_cert"
_LONGEST_TIMER = 86_400.0

Rules = Mapping[str, frozenset[MachineRole]]
"""Full name of a service to the roles that may use it; one that is not named is closed."""


def peer_of(context: Any) -> Peer | None:
    """Who calls, by certificate; None over plain text. Raises Unauthenticated for a certificate that is no machine's."""
    found = context.auth_context().get(_CERTIFICATE)
    return peer_in(next(iter(found))) if found else None


def certificate_of(context: Any) -> bytes:
    """The caller's certificate as PEM; empty over plain text."""
    found = context.auth_context().get(_CERTIFICATE)
    return next(iter(found)) if found else b""


class Gate:
    def __init__(self, deployment: str, revocations: Revocations, rules: Rules) -> None:
        self._deployment = deployment
        self._revocations = revocations
        self._rules = rules
        self._open: dict[asyncio.Task[Any], Peer] = {}
        self._ended: dict[asyncio.Task[Any], CroupierError] = {}
        self._end_listening = revocations.listen(self._revoked)

    def close(self) -> None:
        self._end_listening()

    def admit(self, service: str, context: Any) -> Peer:
        """Who calls. Raises Unauthenticated without a certificate that counts, PermissionDenied for one of another role."""
        peer = peer_of(context)
        if peer is None:
            raise Unauthenticated("this port needs a certificate of this deployment: join with a join token")
        self.check(peer)
        if peer.identity.role not in self._rules.get(service, frozenset()):
            raise PermissionDenied(
                f"a certificate of {peer.identity.role} {peer.identity.id} is not for {service}: connect with one of the right role"
            )
        return peer

    def check(self, peer: Peer) -> None:
        """Raises Unauthenticated unless its certificate is of this deployment and counts now."""
        if peer.identity.deployment != self._deployment:
            raise Unauthenticated(f"the certificate is of deployment {peer.identity.deployment}, not of this one")
        if peer.serial in self._revocations:
            raise _revoked(peer)
        if peer.expires_ms <= time.time() * 1000:
            raise _expired(peer)

    @contextmanager
    def hold(self, service: str, context: Any) -> Iterator[Peer]:
        """For a stream: as `admit`, and the task that is inside is cancelled when the certificate stops to count; it then
        raises Unauthenticated.
        """
        peer = self.admit(service, context)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is served by a task")
        timer = self._when_expired(task, peer)
        self._open[task] = peer
        try:
            yield peer
        except asyncio.CancelledError:
            why = self._ended.get(task)
            if why is None:
                raise
            task.uncancel()
            raise why from None
        finally:
            timer[0].cancel()
            self._open.pop(task, None)
            self._ended.pop(task, None)

    def _when_expired(self, task: asyncio.Task[Any], peer: Peer) -> list[asyncio.Handle]:
        """A timer that looks once a day, since clocks jump and timers are bounded."""
        loop = asyncio.get_running_loop()
        timer: list[asyncio.Handle] = []

        def look() -> None:
            left = peer.expires_ms / 1000 - time.time()
            if left <= 0:
                self._end(task, _expired(peer))
            else:
                timer[:] = [loop.call_later(min(left, _LONGEST_TIMER), look)]

        timer.append(loop.call_soon(look))
        return timer

    def _revoked(self, serials: frozenset[str]) -> None:
        for task, peer in list(self._open.items()):
            if peer.serial in serials:
                self._end(task, _revoked(peer))

    def _end(self, task: asyncio.Task[Any], why: CroupierError) -> None:
        if task in self._open and task not in self._ended:
            self._ended[task] = why
            task.cancel()


def _revoked(peer: Peer) -> Unauthenticated:
    return Unauthenticated(
        f"the certificate of {peer.identity.role} {peer.identity.id} was revoked: join again with a new token"
    )


def _expired(peer: Peer) -> Unauthenticated:
    return Unauthenticated(
        f"the certificate of {peer.identity.role} {peer.identity.id} has expired: join again with a new token"
    )

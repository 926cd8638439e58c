"""Which machine may use which service, by the certificate that TLS has checked.

A certificate counts while it is neither revoked nor expired: both are asked at each call, and both end the streams that are
open. TLS itself looks at a certificate once, when the connection begins.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from croupier.domain.machine import MachineRole, Peer
from croupier.domain.scope import Scope
from croupier.errors import PermissionDenied, Unauthenticated
from croupier.pki.names import peer_in
from croupier.pki.revocations import Revocations

log = logging.getLogger(__name__)

EVERY_ROLE = frozenset(MachineRole)
_CERTIFICATE = "x509_pem_cert"
_LONGEST_TIMER = 86_400.0

Rules = Mapping[str, frozenset[MachineRole]]
"""Full name of a service to the roles that may use it; one that is not named is closed."""

Told = Callable[[Peer, str, str, PermissionDenied], Awaitable[None]]
"""Given the machine, grpc's name of where it calls from, the method and the refusal."""


def peer_of(context: Any) -> Peer | None:
    """Who calls, by certificate; None over plain text. Raises Unauthenticated for a certificate that is no machine's."""
    found = context.auth_context().get(_CERTIFICATE)
    return peer_in(next(iter(found))) if found else None


def certificate_of(context: Any) -> bytes:
    """The caller's certificate as PEM; empty over plain text."""
    found = context.auth_context().get(_CERTIFICATE)
    return next(iter(found)) if found else b""


class Gate:
    """With `scope`, for machines of that game and env only. `renewed` says until when a certificate counts whose machine has renewed it since, in milliseconds since 1970, or 0.
    `told` hears of everything that a machine with a certificate that counts is refused.
    """

    def __init__(
        self,
        deployment: str,
        revocations: Revocations,
        rules: Rules,
        *,
        scope: Scope | None = None,
        renewed: Callable[[Peer], int] | None = None,
        told: Told | None = None,
    ) -> None:
        self._deployment = deployment
        self._revocations = revocations
        self._rules = rules
        self._scope = scope
        self._renewed = renewed
        self._told = told

    async def refused(self, context: Any, method: str, error: PermissionDenied) -> None:
        """Whoever calls was refused this, by whomever."""
        if self._told is not None and (peer := peer_of(context)) is not None:
            await self._told(peer, context.peer(), method, error)

    def admit(self, service: str, context: Any) -> Peer:
        """Who calls. Raises Unauthenticated without a certificate that counts, PermissionDenied for one of another role or
        scope.
        """
        peer = peer_of(context)
        if peer is None:
            raise Unauthenticated("this port needs a certificate of this deployment: join with a join token")
        self.check(peer)
        if peer.identity.role not in self._rules.get(service, frozenset()):
            raise PermissionDenied(
                f"a certificate of {peer.identity.role} {peer.identity.id} is not for {service}: "
                "connect with one of the right role"
            )
        if self._scope is not None:
            peer.require_scope(self._scope)
        return peer

    def check(self, peer: Peer) -> None:
        """Raises Unauthenticated unless its certificate is of this deployment and counts now. A connection that began with one
        that was renewed since goes on: TLS takes an expired one for no new connection.
        """
        if peer.identity.deployment != self._deployment:
            raise Unauthenticated(f"the certificate is of deployment {peer.identity.deployment}, not of this one")
        if peer.serial in self._revocations:
            raise Unauthenticated(f"the certificate of {_name(peer)} was revoked: join again with a new token")
        if peer.expires_ms <= time.time() * 1000 and self.until(peer) <= time.time():
            raise Unauthenticated(f"the certificate of {_name(peer)} has expired: join again with a new token")

    @contextmanager
    def hold(self, service: str, context: Any) -> Iterator[Peer]:
        """For a stream: as `admit`, and the task that is inside is cancelled when the certificate stops to count; it then
        raises Unauthenticated.
        """
        peer = self.admit(service, context)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is served by a task")
        ended = False

        def cut() -> None:
            nonlocal ended
            ended = True
            task.cancel()

        end = self.watch(peer, cut)
        try:
            yield peer
        except asyncio.CancelledError:
            if not ended:
                raise
            task.uncancel()
            raise Unauthenticated(f"the certificate of {_name(peer)} does not count any more") from None
        finally:
            end()

    def watch(self, peer: Peer, cut: Callable[[], None]) -> Callable[[], None]:
        """Have `cut` called, once, when the certificate is revoked or expires without having been renewed. Returns what ends
        the watching.
        """
        return _Watch(self, peer, cut).end

    def until(self, peer: Peer) -> float:
        """When it stops to count as far as is known, in seconds since 1970."""
        renewed = self._renewed(peer) if self._renewed is not None else 0
        return max(peer.expires_ms, renewed) / 1000

    def listen(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        return self._revocations.listen(told)


class _Watch:
    def __init__(self, gate: Gate, peer: Peer, cut: Callable[[], None]) -> None:
        self._gate = gate
        self._peer = peer
        self._cut = cut
        self._end_listening = gate.listen(self._revoked)
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    def _look(self) -> None:
        """Again after a day at most: clocks jump."""
        left = self._gate.until(self._peer) - time.time()
        if left <= 0:
            log.warning("%s is cut off: its certificate has expired", _name(self._peer))
            self._over()
        else:
            self._timer = asyncio.get_running_loop().call_later(min(left, _LONGEST_TIMER), self._look)

    def _revoked(self, serials: frozenset[str]) -> None:
        if self._peer.serial in serials:
            log.warning("%s is cut off: its certificate was revoked", _name(self._peer))
            self._over()

    def _over(self) -> None:
        self.end()
        self._cut()

    def end(self) -> None:
        self._end_listening()
        if self._timer is not None:
            self._timer.cancel()


def _name(peer: Peer) -> str:
    return f"{peer.identity.role} {peer.identity.id}"

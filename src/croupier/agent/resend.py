"""Calls whose game server was lost while they ran: sent again where that is safe, and nowhere else.

    session lost ─► keep ─┬─ the function is idempotent: any game server that offers it, now or once it is back
                          ├─ the call has a key, and the game server remembers keys: the same process, once it is back
                          └─ otherwise, or when nobody comes in time: outcome unknown

A process that remembers keys answers a call it has seen with the first answer, so sending it again cannot make it happen twice.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from croupier.agent.choice import choose
from croupier.agent.game_server import GameServer
from croupier.agent.instances import Instances
from croupier.errors import CroupierError, OutcomeUnknown
from croupier.tunnel.frames import Invoke

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a lost game server has to come back before its calls end as outcome unknown."""
MARGIN = 0.05
"""Seconds before its deadline at which a call that still waits is given up, so that its caller hears why."""
KEYS = "keys"
"""The capability of a game server that remembers idempotency keys for as long as its process lives."""
DURABLE_KEYS = "durable_keys"
"""The capability of one that remembers them for all later processes of its service_id."""


class Resendable(Protocol):
    """A call under way."""

    frame: Invoke
    deadline: float
    """On the loop's clock; a job's start, which is never sent again, has 0."""

    def again(self, server: GameServer) -> None:
        """Send it to `server`. Raises CroupierError when it was not sent."""

    def give_up(self, error: CroupierError) -> None: ...


@dataclass(kw_only=True, slots=True, eq=False)
class _Lost:
    flight: Resendable
    server: GameServer
    error: OutcomeUnknown
    idempotent: bool
    timer: asyncio.TimerHandle | None = None

    def may_go_to(self, server: GameServer) -> bool:
        if self.idempotent:
            return True
        if server.service_id != self.server.service_id:
            return False
        same_process = bool(server.incarnation) and server.incarnation == self.server.incarnation
        return (same_process and KEYS in server.capabilities) or DURABLE_KEYS in server.capabilities


class Resend:
    def __init__(self, instances: Instances, *, patience: float = PATIENCE) -> None:
        self._instances = instances
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._lost: dict[str, dict[Resendable, _Lost]] = {}
        """By the service_id of the game server that was lost."""

    def keep(self, flight: Resendable, server: GameServer, error: OutcomeUnknown) -> bool:
        """Hold a call until it can be sent again, or its time is over. False when it must not be sent again."""
        instance = self._instances.get(server.service_id)
        idempotent = (
            instance is not None
            and instance.server is server
            and flight.frame.function_id in instance.idempotent_functions()
        )
        keyed = bool(flight.frame.idempotency_key) and not server.capabilities.isdisjoint((KEYS, DURABLE_KEYS))
        left = min(self._patience, flight.deadline - MARGIN - self._loop.time())
        if left <= 0 or not (idempotent or keyed):
            return False
        lost = _Lost(flight=flight, server=server, error=error, idempotent=idempotent)
        lost.timer = self._loop.call_later(left, self._overdue, lost)
        self._lost.setdefault(server.service_id, {})[flight] = lost
        if idempotent:
            self._loop.call_soon(self._elsewhere, lost)  # once the lost one is out of the table
        return True

    def _elsewhere(self, lost: _Lost) -> None:
        if not self._waits(lost):
            return
        frame = lost.flight.frame
        try:
            server = choose(self._instances, frame.function_id, frame.metadata).server
        except CroupierError:
            return  # nobody now; it may come back
        self._send(lost, server)

    def back(self, server: GameServer) -> None:
        """A game server attached anew: what may go to it goes; what waited for the process before it has waited in vain."""
        waiting = list(self._lost.get(server.service_id, {}).values())
        for lost in waiting:
            if lost.may_go_to(server):
                self._send(lost, server)
            elif lost.server.incarnation != server.incarnation:
                self._give_up(lost)
        if waiting:
            log.info("%d calls were under way when %s was lost; it is back", len(waiting), server.service_id)

    def _send(self, lost: _Lost, server: GameServer) -> None:
        self._drop(lost)
        try:
            lost.flight.again(server)
        except CroupierError:
            lost.flight.give_up(lost.error)

    def _overdue(self, lost: _Lost) -> None:
        if self._waits(lost):
            self._give_up(lost)

    def _give_up(self, lost: _Lost) -> None:
        self._drop(lost)
        lost.flight.give_up(lost.error)

    def forget(self, flight: Resendable, server: GameServer) -> bool:
        """Nobody waits for it any more. False when it was not held."""
        lost = self._lost.get(server.service_id, {}).get(flight)
        if lost is None:
            return False
        self._drop(lost)
        return True

    def _waits(self, lost: _Lost) -> bool:
        return self._lost.get(lost.server.service_id, {}).get(lost.flight) is lost

    def _drop(self, lost: _Lost) -> None:
        waiting = self._lost[lost.server.service_id]
        del waiting[lost.flight]
        if not waiting:
            del self._lost[lost.server.service_id]
        if lost.timer is not None:
            lost.timer.cancel()

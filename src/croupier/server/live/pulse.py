"""How the platform feels: agents, calls on their way, how long calls took in the last minute and how many broke."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.server.access.policy.policy import Policy
from croupier.server.dispatch.agents import Agents
from croupier.server.live.frames import dumped

EVERY = 5.0
"""Seconds from one beat to the next."""
BEATS = 12
"""That make up the last minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Calls since the process began. Nothing is counted twice, so the difference of two is what happened in between."""

    buckets: Sequence[int] = ()
    """How many took at most as long as the bound of each; the last have no bound."""
    failed: int = 0
    """Of those, how many broke: what is no fault of their caller's."""


class Pulse:
    """`calls` counts those that ended, and `bounds` are its buckets' in seconds; `build` asks for the page's, empty where there is none."""

    def __init__(
        self,
        *,
        agents: Agents,
        policy: Policy,
        in_flight: Callable[[], int],
        calls: Callable[[], Counted],
        bounds: Sequence[float],
        version: str,
        build: Callable[[], Awaitable[str]],
    ) -> None:
        self._agents = agents
        self._policy = policy
        self._in_flight = in_flight
        self._calls = calls
        self._bounds = bounds
        self._version = version
        self._build = build
        self._built: str | None = None
        """The page's build, when it was looked at last; None while nobody asks."""
        self._counted: deque[Counted] = deque([calls()], BEATS + 1)
        self._wakes: set[Callable[[], None]] = set()

    def join(self, wake: Callable[[], None]) -> None:
        """`wake` is called at every beat."""
        self._wakes.add(wake)

    def leave(self, wake: Callable[[], None]) -> None:
        self._wakes.discard(wake)

    async def run(self) -> None:
        """Beat, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self.beat()

    async def beat(self) -> None:
        self._counted.append(self._calls())
        self._built = await self._build() if self._wakes else None
        for wake in self._wakes:
            wake()

    async def document(self, caller: Principal, scope: Scope | None) -> bytes:
        """JSON, as anybody who is signed in may see it: agents of the games that the caller has to do with, or of one."""
        if self._built is None:
            self._built = await self._build()
        known, online = self._seen(caller, scope)
        took, failed = self._last_minute()
        calls = sum(took)
        return dumped(
            {
                "agents": {"online": online, "known": known},
                "calls_in_flight": self._in_flight(),
                "calls": calls,
                "p95_ms": self._percentile(took, 0.95),
                "error_share": round(failed / calls, 4) if calls else 0.0,
                "version": self._version,
                "build": self._built,
            }
        )

    def _seen(self, caller: Principal, scope: Scope | None) -> tuple[int, int]:
        known: Counter[Scope] = Counter()
        online: Counter[Scope] = Counter()
        for agent in self._agents:
            if scope is None or agent.scope == scope:
                known[agent.scope] += 1
                online[agent.scope] += agent.usable
        mine = [where for where in known if self._policy.belongs(caller, where)]
        return sum(known[where] for where in mine), sum(online[where] for where in mine)

    def _last_minute(self) -> tuple[list[int], int]:
        before, now = self._counted[0], self._calls()
        earlier = before.buckets or [0] * len(now.buckets)
        return [new - old for new, old in zip(now.buckets, earlier, strict=True)], now.failed - before.failed

    def _percentile(self, took: Sequence[int], share: float) -> float | None:
        """In milliseconds, as near as the buckets tell; None where there was no call."""
        wanted = share * sum(took)
        if not wanted:
            return None
        for at, below in enumerate(accumulate(took)):
            if below >= wanted:
                if at >= len(self._bounds):
                    break
                low, high = self._bounds[at - 1] if at else 0.0, self._bounds[at]
                part = (wanted - (below - took[at])) / took[at]
                return round(1000 * (low + part * (high - low)), 2)
        return 1000 * self._bounds[-1]

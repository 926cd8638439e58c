import asyncio
from dataclasses import replace
from typing import Protocol

from croupier.domain.identifiers import new_id
from croupier.domain.limit import check_reach, meets
from croupier.domain.maintenance import MOST_WINDOWS, Window, WindowState, check_window, end
from croupier.domain.principal import Principal
from croupier.errors import FailedPrecondition, NotFound
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.limits.budgets import KEPT_MS
from croupier.server.access.limits.windows import Windows


class WindowStore(Protocol):
    """What of `croupier.store.guards.GuardStore` is needed here."""

    async def put_window(self, window: Window) -> None: ...

    async def windows(self) -> list[Window]: ...


class Maintenance:
    """Windows as people open and end them. `begin` comes first."""

    def __init__(self, *, guard: Guard, audit: Audit, store: WindowStore, windows: Windows) -> None:
        self._guard = guard
        self._audit = audit
        self._store = store
        self._windows = windows
        self._known: dict[str, Window] = {}
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """From now on what is kept holds."""
        self._known = {each.id: each for each in await self._store.windows()}
        self._windows.use(list(self._known.values()))

    def now_ms(self) -> int:
        return self._windows.clock()

    def state_of(self, window: Window) -> WindowState:
        return window.state(self._windows.clock())

    async def list(self, caller: Principal) -> list[Window]:
        """Those that are open, planned and lately over where the caller may see them, by their start."""
        within = await self._guard.where(caller, "maintenance.read", None)
        found = [each for each in self._known.values() if meets(within, each.game_id, each.env)]
        return sorted(found, key=lambda each: (each.starts_ms, each.id))

    async def start(self, caller: Principal, window: Window) -> Window:
        """Open it now, or plan it where it starts later; it gets an id. Calls and jobs that run already go on.

        Raises InvalidArgument.
        """
        await self._guard.require(caller, "maintenance.manage", check_reach(window.game_id, window.env))
        now_ms = self._windows.clock()
        window = replace(
            window,
            id=new_id("mw"),
            starts_ms=max(window.starts_ms, now_ms),
            created_by=caller.name,
            created_ms=now_ms,
        )
        check_window(window, now_ms)
        async with self._changing:
            if len(self._windows.ahead) >= MOST_WINDOWS:
                raise FailedPrecondition(f"{MOST_WINDOWS} windows are open or planned: end some of them first")
            await self._put(caller, "maintenance.start", window)
        return window

    async def end(self, caller: Principal, window_id: str) -> Window:
        """End it now, or call it off. Raises NotFound, FailedPrecondition when it is over."""
        await self._guard.where(caller, "maintenance.manage", None)
        async with self._changing:
            known = self._known.get(window_id)
            if known is None:
                raise NotFound(
                    f"unknown maintenance {window_id[:64]!a}: `croupier maintenance list` shows those there are"
                )
            await self._guard.require(caller, "maintenance.manage", check_reach(known.game_id, known.env), window_id)
            ended = end(known, by=caller.name, now_ms=self._windows.clock())
            await self._put(caller, "maintenance.end", ended)
        return ended

    async def _put(self, caller: Principal, action: str, window: Window) -> None:
        details = {
            "place": f"{window.game_id}|{window.env}",
            "reason": window.reason,
            "starts_ms": window.starts_ms,
            "ends_ms": window.ends_ms,
        }
        scope = check_reach(window.game_id, window.env)
        async with self._audit.act(caller, action, scope=scope, target=window.id, details=details):
            await self._store.put_window(window)
            oldest = self._windows.clock() - KEPT_MS
            self._known = {name: each for name, each in self._known.items() if not 0 < each.ends_ms < oldest}
            self._known[window.id] = window
            self._windows.use(list(self._known.values()))

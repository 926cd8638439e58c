import asyncio
import builtins
import logging
from dataclasses import replace
from typing import Protocol

from croupier.codes import Code
from croupier.descriptors.paths import steps_of
from croupier.domain.limit import (
    MOST_LIMITS,
    Limit,
    Spent,
    Usage,
    amount_text,
    check_limit,
    check_reach,
    meets,
    span_at,
)
from croupier.domain.principal import Principal
from croupier.domain.scope import Scope
from croupier.errors import CroupierError, FailedPrecondition, InvalidArgument, NotFound
from croupier.server.access.audit import Audit
from croupier.server.access.guard import Guard
from croupier.server.access.limits.budgets import KEPT_MS
from croupier.server.access.limits.limiter import DESCRIBED, Limiter

log = logging.getLogger(__name__)

TIDY_EVERY = 3600.0
"""Seconds."""
SHOWN = 20
"""So many of those who spent of a budget are listed with it."""


class LimitStore(Protocol):
    """What of `croupier.store.guards.GuardStore` is needed here."""

    async def put_limit(self, limit: Limit) -> None: ...

    async def remove_limit(self, limit_id: str) -> None: ...

    async def limits(self) -> list[Limit]: ...

    async def spent(self) -> list[Spent]: ...

    async def forget_guards(self, before_ms: int) -> None: ...


class Limits:
    """Limits as administrators say them. `begin` comes first."""

    def __init__(self, *, guard: Guard, audit: Audit, store: LimitStore, limiter: Limiter) -> None:
        self._guard = guard
        self._audit = audit
        self._store = store
        self._limiter = limiter
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """From now on what is kept holds, and what was spent is spent."""
        await self._store.forget_guards(self._limiter.budgets.clock() - KEPT_MS)
        self._limiter.budgets.use(await self._store.spent())
        self._limiter.use({each.id: each for each in await self._store.limits()})

    async def run(self) -> None:
        """Forget what is long over, every hour until cancelled."""
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                await self._store.forget_guards(self._limiter.budgets.clock() - KEPT_MS)
            except CroupierError as error:
                log.warning("old sums of budgets stay for now: %s", error.message)
            self._limiter.budgets.tidy()

    async def drain(self) -> None:
        """Wait until what ended calls gave back has been handed to the store."""
        await self._limiter.budgets.drain()

    async def list(self, caller: Principal) -> builtins.list[Usage]:
        """Those that hold where the caller may see them, by name, each with what runs and what is spent now."""
        within = await self._guard.where(caller, "limits.read", None)
        limits = [each for _, each in sorted(self._limiter.limits.items())]
        return [self._usage(each) for each in limits if meets(within, each.game_id, each.env)]

    async def get(self, caller: Principal, limit_id: str) -> Usage:
        """Raises NotFound."""
        within = await self._guard.where(caller, "limits.read", None)
        limit = self._known(limit_id)
        if not meets(within, limit.game_id, limit.env):
            raise _unknown(limit_id)
        return self._usage(limit)

    async def put(self, caller: Principal, limit: Limit) -> Usage:
        """It holds from now on, in place of the one of its name; calls that run already go on. Raises InvalidArgument."""
        check_limit(limit)
        if limit.id == DESCRIBED:
            raise InvalidArgument(
                f"{DESCRIBED} stands for what a function's own description says: choose another name",
                {"name": DESCRIBED},
                code=Code.LIMIT_NAME_TAKEN,
            )
        if limit.budget is not None:
            steps_of(limit.budget.path)
        await self._allow(caller, limit)
        async with self._changing:
            limits = dict(self._limiter.limits)
            known = limits.get(limit.id)
            if known is not None:
                await self._allow(caller, known)
            elif len(limits) >= MOST_LIMITS:
                raise FailedPrecondition(f"there are {MOST_LIMITS} limits: remove some of them first")
            limit = replace(limit, changed_by=caller.name, changed_ms=self._limiter.budgets.clock())
            async with self._audit.act(
                caller, "limits.set", scope=scope_of(limit), target=limit.id, details=_told(limit)
            ):
                await self._store.put_limit(limit)
                self._limiter.use({**limits, limit.id: limit})
        return self._usage(limit)

    async def remove(self, caller: Principal, limit_id: str) -> None:
        """It holds no more, and what was spent of it is forgotten. Raises NotFound."""
        async with self._changing:
            known = self._limiter.limits.get(limit_id)
            await self._guard.require(caller, "limits.manage", None if known is None else scope_of(known), limit_id)
            limit = self._known(limit_id)
            async with self._audit.act(
                caller, "limits.remove", scope=scope_of(limit), target=limit_id, details=_told(limit)
            ):
                await self._store.remove_limit(limit_id)
                self._limiter.use({name: each for name, each in self._limiter.limits.items() if name != limit_id})
                self._limiter.budgets.forget(limit_id)

    async def _allow(self, caller: Principal, limit: Limit) -> None:
        await self._guard.require(caller, "limits.manage", scope_of(limit), limit.id)

    def _known(self, limit_id: str) -> Limit:
        known = self._limiter.limits.get(limit_id)
        if known is None:
            raise _unknown(limit_id)
        return known

    def _usage(self, limit: Limit) -> Usage:
        budgets = self._limiter.budgets
        spent: tuple[Spent, ...] = ()
        if limit.budget is not None:
            now = span_at(limit.budget.period, limit.budget.zone, budgets.clock())
            spent = tuple(budgets.used(limit.id, now.name)[:SHOWN])
        return Usage(limit=limit, running=self._limiter.running(limit.id), spent=spent)


def _unknown(limit_id: str) -> NotFound:
    return NotFound(f"unknown limit {limit_id[:64]!a}: `croupier limit list` shows those there are")


def scope_of(limit: Limit) -> Scope | None:
    """None where it holds for more than one."""
    return check_reach(limit.game_id, limit.env)


def _told(limit: Limit) -> dict[str, object]:
    """As the audit record has it."""
    said: dict[str, object] = {"functions": limit.functions, "place": f"{limit.game_id}|{limit.env}", "per": limit.per}
    if limit.rate is not None:
        said["rate"] = str(limit.rate)
    if limit.concurrency is not None:
        said["concurrency"] = limit.concurrency
    if (budget := limit.budget) is not None:
        most = amount_text(budget.most)
        said["budget"] = f"{budget.path}: {most} per {budget.period} ({budget.zone}), then {budget.then}"
    return said | {"replaces": limit.replaces, "note": limit.note}

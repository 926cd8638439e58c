"""A second factor beside the password, and proving it again before something grave.

    enrol ──► (a secret, for ten minutes) ──► confirm with a code ──► asked for at login, and by `prove`
                                                                       │
                                                 dropped with a code, or by an administrator

A code is good for once: its time step, and all before it, are refused from then on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from croupier.codes import Code
from croupier.domain.principal import Principal
from croupier.domain.second_factor import SecondFactor
from croupier.errors import (
    Conflict,
    CroupierError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from croupier.server.access import totp
from croupier.server.access.audit import Audit
from croupier.server.access.code_throttle import CodeThrottle
from croupier.server.access.guard import Guard
from croupier.server.access.keys import DeploymentKey
from croupier.server.access.totp import Enrolment
from croupier.store.second_factors import SecondFactorStore

ENROLMENT_MS = 600_000
"""So long an enrolment waits for its first code."""
ENROLMENTS = 10_000
"""Begun ones; the oldest gives way."""

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""


class SecondFactorNeeded(Unauthenticated):
    """The password was right; a code must come with it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or "a code is needed too: send `code` from your authenticator app, or a recovery code",
            {"second_factor": "true"},
            code=Code.CODE_NEEDED,
        )


class Proofs(Protocol):
    """What `sessions.Sessions` is to second factors."""

    def is_live(self, credential_id: str) -> bool:
        """Whether this is a session in force."""

    async def proved(self, caller: Principal, now_ms: int) -> None:
        """The session by which `caller` came has proved a second factor. Raises FailedPrecondition where it is no session."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a person may know of a second factor."""

    confirmed_ms: int
    recovery_codes: int
    """How many are left."""


class SecondFactors:
    def __init__(
        self,
        *,
        guard: Guard,
        audit: Audit,
        store: SecondFactorStore,
        key: DeploymentKey,
        proofs: Proofs,
        clock: Clock,
    ) -> None:
        self._guard = guard
        self._audit = audit
        self._store = store
        self._seal = key.seal_for("second_factor.secret")
        self._recovery_key = key.derive("second_factor.recovery")
        self._proofs = proofs
        self._clock = clock
        self._throttle = CodeThrottle()
        self._factors: dict[str, SecondFactor] = {}
        self._begun: dict[str, tuple[bytes, int]] = {}
        """Secrets that wait for their first code, and since when; the oldest first."""
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """Read what is kept. Raises FailedPrecondition when it was sealed by another key."""
        self._factors = {factor.user_id: factor for factor in await self._store.factors()}
        for factor in self._factors.values():
            self._secret_of(factor)
            break  # all are sealed by one key, and opening 10 000 would take a start's time

    def asked_of(self, user_id: str) -> bool:
        """Whether this person must show a code to log in."""
        return user_id in self._factors

    def standing(self, user_id: str) -> Standing | None:
        factor = self._factors.get(user_id)
        if factor is None:
            return None
        return Standing(confirmed_ms=factor.confirmed_ms, recovery_codes=len(factor.recovery))

    # -------------------------------------------------------------------------------------------- enrolment

    def enrol(self, caller: Principal, account: str) -> Enrolment:
        """A new secret for `caller`, whose app will show it under `account`. Nothing counts until it is confirmed.

        Raises Conflict where there is a second factor already.
        """
        user_id = _person(caller)
        if user_id in self._factors:
            raise Conflict(
                "you have a second factor: remove it with one of its codes before you enrol another",
                code=Code.SECOND_FACTOR_EXISTS,
            )
        now_ms = self._clock()
        self._forget_begun(now_ms)
        secret = totp.new_secret()
        self._begun.pop(user_id, None)
        self._begun[user_id] = (secret, now_ms)
        return totp.enrolment(secret, account)

    async def confirm(self, caller: Principal, code: str) -> list[str]:
        """The first code of an enrolment; from now on the second factor is asked for. Returns the recovery codes, once.

        Raises FailedPrecondition where nothing waits to be confirmed, Unauthenticated where the code is wrong.
        """
        user_id = self._in_session(caller)
        now_ms = self._clock()
        secret, began_ms = self._begun.get(user_id, (b"", 0))
        if not secret or now_ms - began_ms > ENROLMENT_MS:
            raise FailedPrecondition("no enrolment waits for a code: begin one, and confirm it within ten minutes")
        step = self._matching(user_id, secret, code.strip(), now_ms)
        del self._begun[user_id]
        codes, digests = self._recovery_codes(user_id)
        factor = SecondFactor(
            user_id=user_id,
            sealed=self._seal.close(secret, user_id),
            confirmed_ms=now_ms,
            last_step=step,
            recovery=digests,
        )
        async with self._audit.act(caller, "second_factor.enrol", target=user_id), self._changing:
            await self._store.put(factor)
            self._factors[user_id] = factor
        await self._proofs.proved(caller, now_ms)
        return codes

    # -------------------------------------------------------------------------------------------- codes

    async def check(self, user_id: str, code: str) -> None:
        """Spend a code, or a recovery code, of this person, if one is asked of them at all.

        Raises SecondFactorNeeded without a code, Unauthenticated for a wrong or spent one, RateLimited.
        """
        factor = self._factors.get(user_id)
        if factor is None:
            return
        text = code.strip()
        if not text:
            raise SecondFactorNeeded
        if not totp.is_code(text) and not totp.recovery_code(text):
            raise InvalidArgument(
                "a code is 6 digits, a recovery code 16 letters and digits",
                {"second_factor": "true"},
                code=Code.CODE_MISSHAPEN,
            )
        async with self._changing:
            await self._spend(user_id, text)
        self._throttle.succeeded(user_id)

    async def prove(self, caller: Principal, code: str) -> int:
        """Show a code again, in a session; returns when that was, in milliseconds since 1970.

        Raises as `check`, and FailedPrecondition for a person without a second factor.
        """
        user_id = self._in_session(caller)
        if user_id not in self._factors:
            raise FailedPrecondition("you have no second factor to prove: enrol one first")
        try:
            await self.check(user_id, code)
        except CroupierError as error:
            await self._audit.denied(caller, "second_factor.prove", error, target=user_id)
            raise
        await self._audit.event(caller, "second_factor.prove", target=user_id)
        now_ms = self._clock()
        await self._proofs.proved(caller, now_ms)
        return now_ms

    async def renew_recovery_codes(self, caller: Principal, code: str) -> list[str]:
        """Ten new recovery codes in place of the old ones, for a code. Raises as `prove`."""
        await self.prove(caller, code)
        user_id = _person(caller)
        codes, digests = self._recovery_codes(user_id)
        async with self._audit.act(caller, "second_factor.renew_recovery_codes", target=user_id), self._changing:
            await self._keep(replace(self._known(user_id), recovery=digests))
        return codes

    # -------------------------------------------------------------------------------------------- the end

    async def drop(self, caller: Principal, code: str) -> None:
        """Ask for no second factor of `caller` any more. Raises as `prove`."""
        await self.prove(caller, code)
        await self._remove(caller, _person(caller))

    async def reset(self, caller: Principal, user_id: str) -> None:
        """Ask for no second factor of somebody who lost theirs, until they enrol again.

        Raises PermissionDenied, also for one's own: that takes a code. NotFound where there is none.
        """
        await self._guard.require(caller, "users.manage", None, user_id)
        if user_id == caller.user_id:
            raise PermissionDenied("your own second factor is removed with one of its codes")
        if user_id not in self._factors:
            raise NotFound(f"the user {user_id[:100]} has no second factor")
        await self._remove(caller, user_id)

    # -------------------------------------------------------------------------------------------- inside

    def _in_session(self, caller: Principal) -> str:
        """Whose. An API token proves nothing: whoever has it may not be there."""
        if not self._proofs.is_live(caller.credential):
            raise FailedPrecondition("a second factor is proved in a session: sign in with name and password")
        return _person(caller)

    async def _spend(self, user_id: str, text: str) -> None:
        factor = self._known(user_id)
        await self._keep(self._stepped(factor, text) if totp.is_code(text) else self._recovered(factor, text))

    def _known(self, user_id: str) -> SecondFactor:
        factor = self._factors.get(user_id)
        if factor is None:
            raise Conflict("the second factor was removed meanwhile: log in again")
        return factor

    def _stepped(self, factor: SecondFactor, code: str) -> SecondFactor:
        now_ms = self._clock()
        step = self._matching(factor.user_id, self._secret_of(factor), code, now_ms)
        if step <= factor.last_step:
            # It may have been read over a shoulder: not said, and counted as any wrong one.
            self._throttle.failed(factor.user_id, now_ms)
            raise _wrong()
        return replace(factor, last_step=step)

    def _recovered(self, factor: SecondFactor, text: str) -> SecondFactor:
        digest = totp.recovery_digest(self._recovery_key, factor.user_id, totp.recovery_code(text))
        left = totp.without(factor.recovery, digest)
        if len(left) == len(factor.recovery):
            raise _wrong()
        return replace(factor, recovery=left)

    def _matching(self, user_id: str, secret: bytes, code: str, now_ms: int) -> int:
        self._throttle.admit(user_id, now_ms)
        step = totp.matching_step(secret, code, now_ms) if totp.is_code(code) else None
        if step is None:
            self._throttle.failed(user_id, now_ms)
            raise _wrong()
        return step

    def _secret_of(self, factor: SecondFactor) -> bytes:
        return self._seal.open(factor.sealed, factor.user_id)

    def _recovery_codes(self, user_id: str) -> tuple[list[str], tuple[str, ...]]:
        codes = totp.new_recovery_codes()
        return codes, tuple(totp.recovery_digest(self._recovery_key, user_id, code) for code in codes)

    async def _keep(self, factor: SecondFactor) -> None:
        # In memory first: what was spent is spent, also where the disk refuses or the caller leaves while it writes.
        self._factors[factor.user_id] = factor
        await self._store.put(factor)

    async def _remove(self, caller: Principal, user_id: str) -> None:
        async with self._audit.act(caller, "second_factor.remove", target=user_id), self._changing:
            await self._store.remove(user_id)
            self._factors.pop(user_id, None)

    def _forget_begun(self, now_ms: int) -> None:
        # Oldest first, as they were begun.
        for user_id, (_, began_ms) in list(self._begun.items()):
            if now_ms - began_ms <= ENROLMENT_MS and len(self._begun) < ENROLMENTS:
                break
            del self._begun[user_id]


def _person(caller: Principal) -> str:
    if not caller.user_id:
        raise FailedPrecondition("only a person with an account has a second factor: log in")
    return caller.user_id


def _wrong() -> Unauthenticated:
    return Unauthenticated(
        "this code is wrong or was used before: wait for the next one, or use a recovery code",
        {"second_factor": "true"},
        code=Code.CODE_WRONG,
    )
